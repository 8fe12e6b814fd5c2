"""Experiments: which are made, in what order, what they leave in the journal, and when none is made."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from rdpdoctor import planner
from rdpdoctor.check import Settings, check
from rdpdoctor.diagnosis import diagnose, foresee
from rdpdoctor.facts import Journal, Observation, Stage, Target
from rdpdoctor.knowledge import load as load_knowledge
from rdpdoctor.lab.endpoint import Endpoint
from rdpdoctor.lab.load import load, parse
from rdpdoctor.probes.context import ShownCode
from tests.diagnosis.story import Story

SETTINGS = Settings(timeout=10.0)
CODE = ShownCode("0x904 0x7", 0x904, 0x7)


def played(name: str, settings: Settings = SETTINGS, host: str | None = None) -> Journal:
    async def run() -> Journal:
        async with Endpoint(load(name)) as endpoint:
            address = endpoint.addresses[0]
            known = {host or address: tuple(endpoint.addresses), **settings.hosts}
            return await check(Target("here", host or address, endpoint.port), replace(settings, hosts=known))

    return asyncio.run(run())


def trace(journal: Journal) -> list[tuple[str, str]]:
    """(experiment, outcome) in the order they began. Each that began has ended."""
    ended = {row.args["experiment"]: row.args["outcome"] for row in journal.tagged("experiment.ended")}
    begun = [str(row.args["experiment"]) for row in journal.tagged("experiment.begun")]
    assert set(begun) == set(ended)
    return [(name, str(ended[name])) for name in begun]


def made(journal: Journal) -> int:
    row = journal.first("check.connections")
    assert row is not None
    count = row.args["made"]
    assert isinstance(count, int)
    return count


@pytest.mark.parametrize(
    ("scenario", "experiment", "outcome", "ruled_out"),
    [
        ("cut-when-whole", "split-hello", "passes", "certificate.key-unusable"),
        ("tls-on-the-port", "identify", "tls", "server.closes-early"),
        ("farm-bad-member", "repeat", "some-pass", "ntlm.blocked"),
        ("closes-after-client-hello", "repeat", "same", None),
    ],
)
def test_a_trace_says_what_was_predicted_and_what_came(
    scenario: str, experiment: str, outcome: str, ruled_out: str | None
) -> None:
    journal = played(scenario)
    assert (experiment, outcome) in trace(journal)
    begun = next(row for row in journal.tagged("experiment.begun") if row.args["experiment"] == experiment)
    ended = next(row for row in journal.tagged("experiment.ended") if row.args["experiment"] == experiment)
    assert isinstance(begun.args["bits"], float)
    assert begun.args["bits"] >= planner.ENOUGH
    assert begun.args["predictions"]
    if ruled_out is not None:
        assert ruled_out in list(ended.args["ruled_out"])  # type: ignore[arg-type]


def test_a_healthy_server_is_left_alone() -> None:
    journal = played("healthy")
    assert trace(journal) == []
    assert made(journal) <= 12


def test_a_healthy_server_of_which_a_code_is_shown_is_tried_for_limits_and_by_turns() -> None:
    journal = played("healthy", Settings(timeout=10.0, codes=(CODE,)))
    assert {("crowd", "same"), ("repeat", "same")} <= set(trace(journal))
    assert 12 < made(journal) <= 25


def test_without_experiments_there_are_none_and_it_says_so() -> None:
    journal = played("closes-after-client-hello", Settings(timeout=10.0, experiments=False))
    assert trace(journal) == []
    skipped = {row.args["probe"]: row.args["reason"] for row in journal.tagged("probe.skipped")}
    assert {"variants", "repeat"} <= skipped.keys()
    assert skipped["repeat"] == "experiments are turned off"


def test_everything_costs_more_and_says_the_same() -> None:
    chosen = played("closes-after-client-hello")
    everything = played("closes-after-client-hello", Settings(timeout=20.0, everything=True))
    assert {name for name, _ in trace(chosen)} < {name for name, _ in trace(everything)}
    assert made(chosen) < made(everything)
    first = [diagnose(journal, load_knowledge()).causes[0].id for journal in (chosen, everything)]
    assert first == ["certificate.key-unusable"] * 2


def test_a_fault_of_the_planner_is_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("no plan")

    monkeypatch.setattr(foresee, "weigh", fails)
    journal = played("closes-after-client-hello")
    crashed = journal.first("probe.crashed")
    assert crashed is not None
    assert crashed.args == {"probe": "planner", "error": "RuntimeError: no plan"}
    assert diagnose(journal, load_knowledge()).causes[0].id == "certificate.key-unusable"


def test_an_idle_connection_is_waited_on_only_where_the_user_says_so() -> None:
    journal = played("healthy", Settings(timeout=6.0, answers={"moment": "after-a-while"}))
    row = journal.first("path.idle")
    assert row is not None
    assert row.args["ended"] == "stays"
    assert (
        played("healthy", Settings(timeout=6.0, answers={"moment": "immediately"})).first("path.idle") is None
    )


@pytest.mark.parametrize("same", [True, False])
def test_the_name_a_server_gives_itself_is_looked_up_in_its_own_domain(same: bool) -> None:
    other = {"srv99.corp.example": ("127.0.0.1" if same else "127.0.0.9",)}
    settings = Settings(timeout=10.0, codes=(CODE,), hosts=other)
    journal = played("wrong-host", settings, host="srv01.corp.example")
    challenge = journal.first("nla.challenged")
    assert challenge is not None
    row = journal.first("dns.other-name")
    assert row is not None
    assert row.args["same"] is same


_PARTICULAR = """
title = "Some names are refused, and so is whoever gives none"
teaches = "Only a name that nobody knows passes."
[endpoint]
[[endpoint.fault]]
at = "request"
does = "close"
when = { cookie = "alice" }
[[endpoint.fault]]
at = "request"
does = "close"
when = { cookie = "none" }
[expect]
status = "failing"
"""


def test_a_neutral_cookie_is_tried_where_no_cookie_does_not_help() -> None:
    async def run() -> Journal:
        async with Endpoint(parse("particular", _PARTICULAR)) as endpoint:
            target = Target("here", endpoint.addresses[0], endpoint.port)
            return await check(target, Settings(timeout=10.0, user="alice"))

    journal = asyncio.run(run())
    assert ("neutral-cookie", "passes") in trace(journal)
    first = diagnose(journal, load_knowledge()).causes[0]
    assert (first.id, first.confidence) == ("cookie.filtered", "confirmed")


# ---- what an experiment is worth


def closed_after_hello() -> Story:
    story = Story()
    return story.walk(tls="closed")


def option(name: str, *outcomes: tuple[Observation, ...]) -> foresee.Option:
    made = tuple(foresee.Outcome(str(number), rows) for number, rows in enumerate(outcomes))
    return foresee.Option(name, 1.0, made)


def test_what_no_cause_speaks_of_is_worth_nothing() -> None:
    rows = [(Observation("path.idle", {"ended": how}, Stage.PATH),) for how in ("stays", "talks")]
    found = foresee.weigh(closed_after_hello().journal, [option("idle", *rows)], load_knowledge())
    assert found[0].bits == 0.0


def test_one_outcome_is_no_question() -> None:
    found = foresee.weigh(closed_after_hello().journal, [option("nothing", ())], load_knowledge())
    assert found[0].bits == 0.0


def test_the_better_bargain_comes_first() -> None:
    story = closed_after_hello()
    walk = [row for row in story.journal if row.args.get("role") == "walk"]
    again = tuple(
        Observation(
            row.tag, {**row.args, "attempt": 99, "variant": "split-hello", "role": "variant"}, row.stage
        )
        for row in walk
    )
    done = Observation(
        "tls.completed", {**again[-1].args, "hello": "client", "version": "TLS 1.3"}, Stage.TLS
    )
    outcomes = (again, (*again[:-1], done))
    quick, slow = option("quick", *outcomes), replace(option("slow", *outcomes), seconds=5.0)
    found = foresee.weigh(story.journal, [slow, quick], load_knowledge())
    assert [worth.option.id for worth in found] == ["quick", "slow"]
    assert found[0].bits == found[1].bits > 0.3
    assert found[0].predictions["path.tls-cut"] == "1"
    assert found[0].predictions["certificate.key-unusable"] == "0"
