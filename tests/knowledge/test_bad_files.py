"""A malformed knowledge file names the file, the key and the mend."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from rdpdoctor.facts import Observation, Stage
from rdpdoctor.knowledge import KnowledgeError, load, load_from, store
from rdpdoctor.knowledge.tags import faults

if TYPE_CHECKING:
    from pathlib import Path

NAME = "causes/tls.broken.toml"
#: Stands in for the real file, whose wording may change any day.
GOOD = """\
id = "tls.broken"
title = "Broken"
what = "It is broken."
stages = ["tls"]
prior = 1.0
why = [
  "The server ended the handshake with TLS alert {alert} ({name}).",
  "It ended {received} bytes into the answer.",
  "It breaks off.",
]
sources = ["RFC 8446 6"]

[[requires]]
any = [
  { tag = "tls.malformed", where = { hello = "client" } },
  { tag = "tls.alerted", where = { hello = "client", alert = { not = [40, 70] } } },
  { tag = "tls.closed", where = { received = { min = 1 } } },
]

[[confirms]]
tag = "derived.handshakes"
where = { walk = "malformed", answered = 0 }

[[supports]]
any = ["tls.malformed"]
weight = "strong"
says = "Not TLS: {detail}."

[[tell]]
kind = "evidence"
id = "log"
text = "Look at {host}"
separates = ["certificate.key-unusable"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "knowledge"
    copy.mkdir()
    for name in store.texts():
        (copy / name).parent.mkdir(exist_ok=True)
        shutil.copy(store.FOLDER / name, copy / name)
    (copy / NAME).write_text(GOOD, "utf-8")
    return copy


def spoil(folder: Path, name: str, old: str, new: str) -> KnowledgeError:
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text, "the test has lost its place"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_from(folder)
    return caught.value


def test_a_copy_is_fine(folder: Path) -> None:
    found = load_from(folder).causes
    assert found["tls.broken"].title == "Broken"
    assert set(found) == set(load().causes)


@pytest.mark.parametrize(
    ("old", "new", "key", "mend"),
    [
        ('id = "tls.broken"', 'id = "tls.brocken"', "id", "tls.broken"),
        ('title = "Broken"', 'titel = "Broken"', "titel", "unknown key"),
        ('title = "Broken"', 'title = ""', "title", "sentence"),
        ('stages = ["tls"]', 'stages = ["ssl"]', "stages", "no stage"),
        ('stages = ["tls"]', "stages = []", "stages", "at least one"),
        ("prior = 1.0", 'prior = "high"', "prior", "bits"),
        ("prior = 1.0", "prior = 40", "prior", "bits"),
        ("prior = 1.0", 'prior = 1.0\neffect = "kills"', "effect", "warns"),
        ("prior = 1.0", 'prior = 1.0\nmasks = ["tls.brocken"]', "masks", "no cause"),
        ("prior = 1.0", 'prior = 1.0\nrefines = ["tls.broken"]', "refines", "itself"),
        ('  "It breaks off.",\n', "", "why[2]", "no holes"),
        ("{alert} ({name})", "now", "why[1]", "hides those after"),
        ("{detail}", "{alert}", "supports[1].says", "nothing fills"),
        ("{received}", "{recieved}", "why[2]", "nothing fills"),
        ("{alert}", "{alert:roman}", "why[1]", "formats"),
        ('tag = "derived.handshakes"', 'tag = "derived.handshake"', "confirms[1].tag", "not declared"),
        ('walk = "malformed"', 'walks = "malformed"', "confirms[1].where.walks", "no such argument"),
        ("answered = 0", 'answered = "none"', "confirms[1].where.answered", "never match"),
        ("received = { min = 1 }", "received = { minimum = 1 }", "minimum", "use one of"),
        ('walk = "malformed"', "walk = { min = 1 }", "min", "numbers"),
        ('weight = "strong"', 'weight = "huge"', "weight", "strong, medium, weak"),
        ("[[supports]]", '[[supports]]\ntag = "tls.closed"', "supports[1]", "not both"),
        ("[[confirms]]", "[[confirms]]\nabsent = true", "confirms[1]", "go together"),
        ("[[confirms]]", "[[excludes]]", "excludes[1].says", "why this rules"),
        ("[[confirms]]", "[[confirms]]\nwenn = 1", "confirms[1].wenn", "unknown key"),
        ("[[requires]]", "[[supports]]", "requires", "must have been seen"),
        ('kind = "evidence"', 'kind = "rumour"', "tell[1].kind", "use one of"),
        ('separates = ["certificate.key', 'separates = ["certifcate.key', "tell[1].separates", "no cause"),
        ("[[tell]]", "[[tell]]\nwhy = 1", "tell[1]", "write kind"),
        ("Look at {host}", "Look: `ping {host}", "tell[1].text", "close each backtick"),
        ("Look at {host}", "Look: `ping {host} `", "tell[1].text", "without blanks around"),
        ("Look at {host}", "Look: `ping  {host}`", "tell[1].text", "single ones inside"),
        ("Look at {host}", "Look: `` at it", "tell[1].text", "without blanks around"),
        ("Look at {host}", "Look: `ping –n 1 {host}`", "tell[1].text", "in ASCII"),
        ('id = "tls.broken"', 'id = "tls.broken', "TOML", "line 1"),
    ],
)
def test_cause(folder: Path, old: str, new: str, key: str, mend: str) -> None:
    error = spoil(folder, NAME, old, new)
    assert error.file == NAME
    assert key in error.key
    assert mend in error.mend
    assert str(error) == f"{error.file}: {error.key}: {error.mend}"


@pytest.mark.parametrize(
    ("name", "old", "new", "key"),
    [
        ("tags.toml", 'with = ["attempt"]', 'with = ["atempt"]', ".with"),
        ("tags.toml", 'rtt_ms = "float"', 'rtt_ms = "number"', "rtt_ms"),
        ("tags.toml", 'stage = "dns"', 'stage = "names"', ".stage"),
        ("wording.toml", "[verdict]\n", "[verdict]\nodd = 1\n", "verdict.odd"),
        ("next.toml", 'kind = "probe"', 'kind = "guess"', "unknown[1].kind"),
        ("next.toml", "{host}", "{hosts}", "text"),
    ],
)
def test_other_files(folder: Path, name: str, old: str, new: str, key: str) -> None:
    error = spoil(folder, name, old, new)
    assert error.file == name
    assert key in error.key
    assert error.mend


def test_a_missing_file(folder: Path) -> None:
    (folder / "wording.toml").unlink()
    with pytest.raises(KnowledgeError, match=r"wording\.toml: file: must be there"):
        load_from(folder)


@pytest.mark.parametrize("index", [b"", b"[]", b'{"digest": 1}', b"\xff"])
def test_a_broken_index_is_not_trusted(folder: Path, index: bytes) -> None:
    (folder / store.INDEX).write_bytes(index)
    assert load_from(folder).causes["tls.broken"].title == "Broken"


def test_an_edit_counts_in_spite_of_the_index(folder: Path) -> None:
    shutil.copy(store.FOLDER / store.INDEX, folder)
    assert load_from(folder).causes["tls.broken"].title == "Broken"


def observed(stage: Stage = Stage.TCP, **args: object) -> Observation:
    return Observation("tcp.connected", args, stage)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("observation", "complaint"),
    [
        (Observation("tcp.conected", {}, Stage.TCP), "not declared"),
        (observed(address="10.0.0.1", port=3389), "'rtt_ms' is missing"),
        (observed(address="10.0.0.1", port=3389, rtt_ms=None), "must not be null"),
        (observed(address="10.0.0.1", port="3389", rtt_ms=1.0), "is str, not int"),
        (observed(address="10.0.0.1", port=True, rtt_ms=1.0), "is bool, not int"),
        (observed(address="10.0.0.1", port=3389, rtt_ms=1.0, odd=1), "'odd' is not declared"),
        (observed(Stage.TLS, address="10.0.0.1", port=3389, rtt_ms=1.0), "stage is tls"),
    ],
)
def test_observations_are_held_to_the_registry(observation: Observation, complaint: str) -> None:
    assert any(complaint in fault for fault in faults(observation, load().tags))


def test_a_whole_number_is_a_float_too() -> None:
    assert not faults(observed(address="10.0.0.1", port=3389, rtt_ms=1), load().tags)
