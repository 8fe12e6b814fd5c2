"""A malformed file of remedies, advice or a cause's prose names the file, the key and the mend."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.knowledge import KnowledgeError, load_from, store
from rdpdoctor.knowledge.advice import advice
from rdpdoctor.knowledge.prose import prose
from rdpdoctor.knowledge.remedies import remedies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CAUSE = "causes/tls.broken.toml"
PROSE = """\
check = ["Look: `rdpdoctor check HOST`"]

[shows.wire]
says = "An alert."
sure = "measured"
sources = ["this project's tests: lab alert-80"]

[shows.client]
says = "0x904."
sure = "documented"
sources = ["a page"]

[shows.server]
says = "Nothing."
sure = "inferred"
sources = ["inference"]
"""
REMEDY = """\
[mend-it]
title = "Mend it"
where = "server"
risk = "low"
breaks = "Nothing."
needs = []
steps = ["Do `one thing`"]
verify = ["See that it is done"]
undo = ["Undo `one thing`"]
lowers_security = false
sources = ["a page"]

[try-it]
kind = "diagnostic"
title = "Try it"
where = "client"
risk = "high"
breaks = "Safety."
needs = ["consent"]
steps = ["Do `another thing`"]
verify = ["See"]
undo = ["Undo"]
minutes = 15
restores = "A task does."
warning = "This lowers security."
causes = ["tls.broken"]
lowers_security = true
sources = ["a page"]
"""
ADVICE = """\
[do-it]
advice = "Do it"
right_when = "Sometimes."
right_for = ["tls.broken"]
breaks = "Much."
instead = "Something else."
lowers_security = true
given_for.causes = ["tls.broken"]
given_for.codes = { reason = [0x904] }
sources = ["a page"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "knowledge"
    (copy / "causes").mkdir(parents=True)
    for name in store.texts():
        shutil.copy(store.FOLDER / name, copy / name)
    row = (store.FOLDER / CAUSE).read_text("utf-8")
    kept = "\n".join(block for block in row.split("\n\n") if not block.startswith("[shows."))
    (copy / CAUSE).write_text(kept, "utf-8")
    (copy / "remedies.toml").write_text(REMEDY, "utf-8")
    (copy / "advice.toml").write_text(ADVICE, "utf-8")
    return copy


def refused(read: Callable[[], Any]) -> KnowledgeError:
    with pytest.raises(KnowledgeError) as caught:
        read()
    error = caught.value
    assert str(error) == f"{error.file}: {error.key}: {error.mend}"
    return error


def test_good_ones_are_read(folder: Path) -> None:
    assert list(remedies(folder)) == ["mend-it", "try-it"]
    assert list(advice(folder)) == ["do-it"]
    assert prose("tls.broken", folder).shows == {}
    assert prose("tls.cipher-mismatch", folder).shows["wire"].sure == "measured"


@pytest.mark.parametrize(
    ("old", "new", "key", "mend"),
    [
        ("[shows.wire]", "[shows.air]", "shows.air", "unknown key"),
        ('[shows.server]\nsays = "Nothing."', '[other]\nsays = "Nothing."', "other", "unknown key"),
        ('says = "0x904."\n', "", "shows.client.says", "sentence"),
        ('says = "0x904."\n', 'says = "0x904 `x"\n', "shows.client.says", "backtick"),
        ('sure = "measured"', 'sure = "certain"', "shows.wire.sure", "inferred"),
        ('sources = ["a page"]', "sources = []", "shows.client.sources", "at least one"),
        ('sources = ["a page"]', 'source = ["a page"]', "shows.client.source", "unknown key"),
        ("`rdpdoctor check HOST`", "`rdpdoctor  check HOST`", "check[1]", "single ones inside"),
        ('check = ["Look: `rdpdoctor check HOST`"]', "check = []", "check", "at least one"),
        ('check = ["Look: `rdpdoctor check HOST`"]', 'check = "Look"', "check", "list"),
    ],
)
def test_prose_of_a_cause(folder: Path, old: str, new: str, key: str, mend: str) -> None:
    assert old in PROSE, "the test has lost its place"
    path = folder / CAUSE
    lines = [line for line in path.read_text("utf-8").split("\n") if line]
    start = next(place for place, line in enumerate(lines) if line.startswith("check = "))
    end = next(place for place in range(start, len(lines)) if lines[place].startswith("remedies = "))
    del lines[start:end]
    top = next(place for place, line in enumerate(lines) if line.startswith("[["))
    head, _, tables = PROSE.replace(old, new, 1).partition("\n\n")
    path.write_text("\n".join([*lines[:top], head, *lines[top:], tables]), "utf-8")
    error = refused(lambda: load_from(folder))
    assert (error.file, error.key) == (CAUSE, key)
    assert mend in error.mend
    if key != "other":
        error = refused(lambda: prose.__wrapped__("tls.broken", folder))
        assert (error.file, error.key) == (CAUSE, key)


@pytest.mark.parametrize(
    ("old", "new", "key", "mend"),
    [
        ("[mend-it]", "[Mend_it]", "Mend_it", "a to z"),
        ('where = "server"', 'where = "moon"', "mend-it.where", "server, client, network, cloud"),
        ('risk = "low"', 'risk = "none"', "mend-it.risk", "low, medium, high"),
        ('undo = ["Undo `one thing`"]\n', "", "mend-it.undo", "at least one"),
        ('verify = ["See that it is done"]', "verify = []", "mend-it.verify", "at least one"),
        ("Do `one thing`", "Do `one  thing`", "mend-it.steps[1]", "single ones"),
        ("lowers_security = false", "lowers_security = true", "mend-it.lowers_security", "diagnostic"),
        ("lowers_security = false\n", "", "mend-it.lowers_security", "true or false"),
        ("needs = []\n", "", "mend-it.needs", "list"),
        ("needs = []", "need = []", "mend-it.need", "unknown key"),
        ("needs = []", "needs = []\nminutes = 5", "mend-it.minutes", "diagnostic"),
        ('breaks = "Nothing."', 'breaks = ""', "mend-it.breaks", "sentence"),
        ('sources = ["a page"]', "sources = []", "mend-it.sources", "at least one"),
        ('kind = "diagnostic"', 'kind = "trick"', "try-it.kind", "remedy, diagnostic"),
        ("minutes = 15", "minutes = 600", "try-it.minutes", "1 to 60"),
        ('warning = "This lowers security."\n', "", "try-it.warning", "sentence"),
        ('restores = "A task does."\n', "", "try-it.restores", "sentence"),
        ('causes = ["tls.broken"]', 'causes = ["tls.brocken"]', "try-it.causes", "no cause"),
        ("[mend-it]", "[mend-it", "TOML", "line 1"),
    ],
)
def test_remedies(folder: Path, old: str, new: str, key: str, mend: str) -> None:
    assert old in REMEDY, "the test has lost its place"
    (folder / "remedies.toml").write_text(REMEDY.replace(old, new, 1), "utf-8")
    error = refused(lambda: remedies(folder))
    assert (error.file, error.key) == ("remedies.toml", key)
    assert mend in error.mend


@pytest.mark.parametrize(
    ("old", "new", "key", "mend"),
    [
        ('advice = "Do it"', 'advise = "Do it"', "do-it.advise", "unknown key"),
        ('right_for = ["tls.broken"]', 'right_for = ["tls.brocken"]', "do-it.right_for", "no cause"),
        ('causes = ["tls.broken"]', 'causes = ["tls.brocken"]', "do-it.given_for.causes", "no cause"),
        ("[0x904]", '["0x904"]', "do-it.given_for.codes", "reason"),
        ("lowers_security = true", 'lowers_security = "yes"', "do-it.lowers_security", "true or false"),
        ('instead = "Something else."\n', "", "do-it.instead", "sentence"),
        ('sources = ["a page"]', "sources = []", "do-it.sources", "at least one"),
        (
            'given_for.causes = ["tls.broken"]\ngiven_for.codes = { reason = [0x904] }',
            "given_for = {}",
            "do-it.given_for",
            "name causes or codes",
        ),
        (
            'given_for.causes = ["tls.broken"]',
            'given_for.people = ["all"]',
            "do-it.given_for.people",
            "unknown",
        ),
    ],
)
def test_advice(folder: Path, old: str, new: str, key: str, mend: str) -> None:
    assert old in ADVICE, "the test has lost its place"
    (folder / "advice.toml").write_text(ADVICE.replace(old, new, 1), "utf-8")
    error = refused(lambda: advice(folder))
    assert (error.file, error.key) == ("advice.toml", key)
    assert mend in error.mend


def test_a_missing_file(folder: Path) -> None:
    (folder / "remedies.toml").unlink()
    with pytest.raises(KnowledgeError, match=r"remedies\.toml: file: must be there"):
        remedies(folder)
