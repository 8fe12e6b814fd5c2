"""The mechanism by itself, on causes made for the purpose."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from rdpdoctor.diagnosis import Health
from rdpdoctor.diagnosis.rank import rank
from rdpdoctor.facts import Observation, Source, Stage, Target
from rdpdoctor.knowledge import causes, check, load

TAG_ROWS = {name: {"args": dict(tag.args)} for name, tag in load().tags.items()}


def cause(name: str, rules: str, head: str = "") -> causes.Cause:
    text = f"""
        id = "{name}"
        title = "{name}"
        what = "made up"
        stages = ["tls"]
        prior = 0.0
        why = ["because"]
        sources = ["inference"]
        {head}
        {rules}
    """
    row = tomllib.loads(text)
    check.cause(f"causes/{name}.toml", row, TAG_ROWS)
    return causes.build(row)


def seen(tag: str, source: Source = Source.PROBE, **args: Any) -> Observation:
    return Observation(tag, args, load().tags[tag].stage, source)


def ranked(
    evidence: list[Observation],
    *made: causes.Cause,
    died_at: Stage | None = Stage.TLS,
    health: Health = Health.FAILING,
) -> dict[str, str]:
    known = {each.id: each for each in made}
    found = rank(evidence, 0, known, died_at, health, Target("h", "h"), None)
    return {each.id: each.confidence.value for each in found}


REQUIRES = '[[requires]]\ntag = "tls.closed"\n'
CLOSED, RESET = seen("tls.closed", received=0), seen("tls.reset", received=7)


def supports(weight: str, kind: str = "supports", tag: str = "tls.closed") -> str:
    return f'[[{kind}]]\ntag = "{tag}"\nweight = "{weight}"\nsays = "so"\n'


@pytest.mark.parametrize(
    ("rules", "confidence"),
    [
        (REQUIRES, None),
        (REQUIRES + supports("weak"), "possible"),
        (REQUIRES + supports("strong"), "possible"),
        (REQUIRES + supports("strong") + supports("weak"), "likely"),
        (REQUIRES + supports("strong", "confirms"), "confirmed"),
        (REQUIRES + supports("strong", "confirms") + supports("medium", "opposes"), "confirmed"),
        (REQUIRES + supports("strong", "confirms") + supports("strong", "opposes"), None),
        (REQUIRES + supports("strong", "excludes"), "ruled-out"),
        (supports("strong", "requires", "tls.silent") + supports("strong"), None),
    ],
)
def test_confidence(rules: str, confidence: str | None) -> None:
    assert ranked([CLOSED], cause("one", rules)) == ({"one": confidence} if confidence else {})


def test_a_rule_counts_once_however_often_it_is_seen() -> None:
    assert ranked([CLOSED] * 50, cause("one", REQUIRES + supports("weak"))) == {"one": "possible"}
    found = rank(
        [CLOSED] * 50,
        0,
        {"one": cause("one", REQUIRES + supports("weak"))},
        Stage.TLS,
        Health.FAILING,
        Target("h", "h"),
        None,
    )
    assert found[0].supporting == tuple(range(20))


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ('any = ["tls.silent", "tls.closed"]', True),
        ('any = ["tls.silent", "tls.stalled"]', False),
        ('all = ["tls.closed", "tls.reset"]', True),
        ('all = ["tls.closed", "tls.silent"]', False),
        ('tag = "tls.closed"\nunless = ["tls.reset"]', False),
        ('tag = "tls.closed"\nunless = ["tls.silent"]', True),
        ('tag = "tls.closed"\ncount = 2', False),
        ('tag = "tls.closed"\nstage = "tls"\nsource = "probe"', True),
        ('tag = "tls.closed"\nsource = "capture"', False),
        ('tag = "tls.reset"\nwhere = { received = 7 }', True),
        ('tag = "tls.reset"\nwhere = { received = [1, 7] }', True),
        ('tag = "tls.reset"\nwhere = { received = { min = 7, max = 7 } }', True),
        ('tag = "tls.reset"\nwhere = { received = { min = 8 } }', False),
        ('tag = "tls.reset"\nwhere = { received = { not = [7, 8] } }', False),
        ('tag = "tls.reset"\nwhere = { received = { null = true } }', False),
        ('tag = "derived.versions"\nwhere = { offered = { contains = "TLS 1.2" } }', True),
        ('tag = "derived.versions"\nwhere = { offered = { contains = ["TLS 1.3", "SSL 3.0"] } }', False),
        ('tag = "derived.versions"\nwhere = { newest = { contains = "tls" } }', True),
        ('tag = "derived.versions"\nwhere = { newest = { starts = "TLS" } }', True),
        ('tag = "derived.versions"\nwhere = { acceptable = true }', True),
        # Absent counts only where the probe ran.
        ('tag = "tls.silent"\nabsent = true\nran = ["tls.closed"]', True),
        ('tag = "tls.silent"\nabsent = true\nran = ["tls.version"]', False),
        ('tag = "tls.closed"\nabsent = true\nran = ["tls.reset"]', False),
    ],
)
def test_what_makes_a_rule_hold(rule: str, holds: bool) -> None:
    evidence = [
        CLOSED,
        RESET,
        seen("derived.versions", offered=["TLS 1.0", "TLS 1.2"], newest="TLS 1.2", acceptable=True),
    ]
    made = cause("one", f'{REQUIRES}\n[[supports]]\nweight = "weak"\n{rule}')
    assert ranked(evidence, made) == ({"one": "possible"} if holds else {})


def test_true_is_not_one() -> None:
    made = cause("one", REQUIRES + '[[confirms]]\ntag = "tls.reset"\nwhere = { received = 1 }')
    assert ranked([CLOSED, seen("tls.reset", received=True)], made) == {}


def test_values_are_found_among_many() -> None:
    """Beyond a few observations of one tag a table by value takes over, and finds the same."""
    many = [seen("tls.reset", received=number) for number in range(200)] + [CLOSED]
    made = cause("one", REQUIRES + '[[confirms]]\ntag = "tls.reset"\nwhere = { received = [150, 3, 150] }')
    found = rank(many, 0, {"one": made}, Stage.TLS, Health.FAILING, Target("h", "h"), None)
    assert found[0].supporting == (3, 150, 200)


def test_hearsay_is_possible_at_most() -> None:
    rules = '[[requires]]\ntag = "code.shown"\n' + supports("strong", "confirms", "code.shown")
    code = seen("code.shown", Source.CODE, reason=5, extended=None, text="5")
    assert ranked([code], cause("one", rules)) == {"one": "possible"}
    beside = rules + supports("weak", "supports", "tls.closed")
    assert ranked([code, CLOSED], cause("one", beside)) == {"one": "confirmed"}


CONFIRMED = REQUIRES + supports("strong", "confirms")
LIKELY = REQUIRES + supports("strong") + supports("weak")


def test_refining() -> None:
    wide = cause("wide", LIKELY)
    assert ranked([CLOSED], wide, cause("narrow", CONFIRMED, 'refines = ["wide"]')) == {"narrow": "confirmed"}
    likely = ranked([CLOSED], wide, cause("narrow", LIKELY, 'refines = ["wide"]'))
    assert list(likely.items()) == [("narrow", "likely"), ("wide", "likely")]
    weak = cause("narrow", REQUIRES + supports("weak"), 'refines = ["wide"]')
    assert list(ranked([CLOSED], wide, weak)) == ["wide", "narrow"]


def test_masking() -> None:
    effect = cause("effect", LIKELY)
    assert ranked([CLOSED], effect, cause("root", LIKELY, 'masks = ["effect"]')) == {"root": "likely"}
    merely_possible = cause("root", REQUIRES + supports("weak"), 'masks = ["effect"]')
    assert "effect" in ranked([CLOSED], effect, merely_possible)


def test_a_confirmed_explanation_leaves_no_likely_rival() -> None:
    assert ranked([CLOSED], cause("a", LIKELY), cause("b", CONFIRMED)) == {"b": "confirmed", "a": "possible"}
    elsewhere = cause("a", LIKELY, 'effect = "warns"')
    assert ranked([CLOSED], elsewhere, cause("b", CONFIRMED)) == {"b": "confirmed", "a": "likely"}


def test_one_far_behind_is_not_likely() -> None:
    far = cause("far", LIKELY)
    near = cause("near", LIKELY + supports("medium"))
    assert ranked([CLOSED], far, near) == {"near": "likely", "far": "possible"}


def test_what_explains_the_failure_goes_before_a_mere_warning() -> None:
    warning = cause("warning", CONFIRMED, 'effect = "warns"')
    assert list(ranked([CLOSED], warning, cause("why", LIKELY))) == ["why", "warning"]


def test_ruled_out_only_where_somebody_would_think_of_it() -> None:
    rules = '[[requires]]\ntag = "tls.silent"\n' + supports("strong", "excludes")
    assert ranked([CLOSED], cause("one", rules)) == {"one": "ruled-out"}
    assert ranked([CLOSED], cause("one", rules), died_at=Stage.NLA) == {}
    thought_of = cause("one", rules, 'suspected = ["nla"]')
    assert ranked([CLOSED], thought_of, died_at=Stage.NLA) == {"one": "ruled-out"}
    assert ranked([CLOSED], cause("one", rules), died_at=None, health=Health.HEALTHY) == {}


def test_ties_go_by_id() -> None:
    assert list(ranked([CLOSED], cause("b", LIKELY), cause("a", LIKELY))) == ["a", "b"]
