"""The knowledge of this package: whole, checked, and of one piece with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rdpdoctor import diagnosis
from rdpdoctor.facts import Stage
from rdpdoctor.knowledge import Cause, Tell, load, store
from rdpdoctor.knowledge.commands import pieces
from rdpdoctor.knowledge.templates import FORMATS, holes

CAUSES = load().causes
SHARED = Path(__file__).parents[3] / "shared"


def test_index_is_of_these_files() -> None:
    """An index that is out of date costs every start 50 ms; `python -m rdpdoctor.knowledge` writes it
    anew.
    """
    written = (store.FOLDER / store.INDEX).read_text("ascii")
    assert written == store.index_text(), "run: python -m rdpdoctor.knowledge"


def test_files_are_enough_without_the_index(tmp_path: Path) -> None:
    for name, text in store.texts().items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.replace("\n", "\r\n").encode())
    assert store.rows(tmp_path) == store.rows()


def test_there_are_enough() -> None:
    assert len(CAUSES) >= 28


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.id)
def test_cause_is_of_use(cause: Cause) -> None:
    assert cause.tell, "something must tell it from others"
    assert not cause.title.endswith(".")
    assert cause.what.endswith(".")
    assert len(cause.title) <= 80
    assert cause.supports or cause.confirms, "otherwise nothing ever makes it likely"
    for source in cause.sources:
        assert "causes.md" not in source, "name where it comes from originally"
    ids = [tell.id for tell in cause.tell]
    assert len(set(ids)) == len(ids)


def test_same_step_same_id_is_about_the_same() -> None:
    """Steps are told apart by id: two that share one must ask for the same kind of thing."""
    kinds: dict[str, set[str]] = {}
    for cause in CAUSES.values():
        for tell in cause.tell:
            kinds.setdefault(tell.id, set()).add(tell.kind)
    assert all(len(kind) == 1 for kind in kinds.values())


def test_questions_are_those_that_can_be_answered() -> None:
    asked = {tell.id for cause in CAUSES.values() for tell in cause.tell if tell.kind == "question"}
    assert asked <= set(load().questions)


def steps() -> list[Tell]:
    found = [tell for cause in CAUSES.values() for tell in cause.tell]
    return found + [tell for tells in load().steps.values() for tell in tells]


#: What starts a command, or joins two.
_COMMAND = re.compile(
    r"\b[A-Z][a-z]+-[A-Z][A-Za-z]+\b| \| |\b(?:rdpdoctor|qwinsta|w32tm|ipconfig|ping|tracert|arp|reg|net|"
    r"netsh|nltest|secedit|icacls|sc\.exe|hostname|findstr)(?= [-/a-z{]|$)"
)


@pytest.mark.parametrize("tell", steps(), ids=lambda tell: tell.id)
def test_commands_stand_in_backticks(tell: Tell) -> None:
    for piece in pieces(tell.text):
        if not piece.command:
            assert not _COMMAND.search(piece.text), piece.text
            assert piece.text[0] not in ".,;:)", "prose between commands begins a sentence of its own"


def test_steps_name_only_commands_that_exist() -> None:
    """And `read` only for what it reads: no step has a saved journal to read."""
    from rdpdoctor.cli.commands import COMMANDS

    named = {
        text.split()[1]
        for tell in steps()
        for text, command in pieces(tell.text)
        if command and text.startswith("rdpdoctor ")
    }
    assert named
    assert named <= set(COMMANDS) - {"read"}


def test_every_verdict_and_stage_tried_has_a_next_step() -> None:
    steps = load().steps
    for key in ("dns", "tcp", "x224", "tls", "nla", "path", "degraded", "failing", "unreachable", "unknown"):
        assert steps[key]
    verdicts = {"healthy", "degraded", "failing", "unreachable", "unknown"}
    foreign = {"not-windows", *(f"{stage}.not-windows" for stage in Stage)}
    files = {"files.system", "files.security", "files.facts"}
    assert set(steps) <= {*Stage, *verdicts, *foreign, *files, "out-of-time", "beyond"}


def test_every_sentence_the_code_names_exists() -> None:
    """And every sentence that exists is named. `ended` and friends put stage and ending together."""
    code = "\n".join(path.read_text("utf-8") for path in Path(diagnosis.__file__).parent.rglob("*.py"))
    groups = {key.split(".")[0] for key in load().wording}
    named = set(re.findall(rf'"((?:{"|".join(groups)})\.[a-z0-9-]+)"', code))
    derived = {"derived.endings", "derived.variant"}
    tags = set(load().tags)
    assert named - set(load().wording) - tags - derived == set()


def test_every_ending_of_every_stage_has_a_sentence() -> None:
    """Among them those that no code names, because it puts them together from stage and ending."""
    from rdpdoctor.diagnosis.view import PASSED, STEPS

    for tag, (stage, outcome) in STEPS.items():
        for key in ([] if outcome == PASSED else [tag]) + [f"{stage}.mixed", f"{stage}.only-variant"]:
            assert key in load().wording
            assert load().say(key), "one without holes comes last"


def test_sentences_use_known_formats() -> None:
    for key, templates in load().wording.items():
        for template in templates:
            assert all(not how or how in FORMATS for _, how in holes(template)), key


def test_ids_are_the_contracts() -> None:
    contract = SHARED / "contract.md"
    if not contract.exists():
        pytest.skip("the contract is not at hand")
    listed = set(re.findall(r"^\| `([a-z0-9.-]+)` \|", contract.read_text("utf-8"), re.MULTILINE))
    assert set(CAUSES) <= listed
    refines = dict(
        re.findall(r"^\| `([a-z0-9.-]+)` \| `([a-z0-9.-]+)` \|", contract.read_text("utf-8"), re.MULTILINE)
    )
    for name, cause in CAUSES.items():
        assert cause.refines == ((refines[name],) if name in refines else ())
