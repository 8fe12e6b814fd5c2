"""docs/knowledge.md: made of the files, complete, and with links that lead somewhere."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.advice import advice
from rdpdoctor.knowledge.codes import every_code
from rdpdoctor.knowledge.events import LOGS, log
from rdpdoctor.knowledge.remedies import remedies
from rdpdoctor.knowledge.settings import rdpfile, registry

SCRIPT = Path(__file__).parents[2] / "docs" / "knowledge.py"


@pytest.fixture(scope="module")
def text() -> str:
    made = runpy.run_path(str(SCRIPT))["page"]()
    assert isinstance(made, str)
    return made


def test_the_committed_page_is_not_stale(text: str) -> None:
    assert SCRIPT.with_suffix(".md").read_text("utf-8") == text, "make docs"


def test_everything_is_on_it(text: str) -> None:
    for identity in (*load().causes, *remedies(), *advice()):
        assert f"\n### {identity}\n" in text
    for code in every_code():
        assert (code.symbol or f"({code.number})") in text
    for name in LOGS:
        for event in log(name).events.values():
            assert f"\n- **{event.id}** ({event.outcome})" in text
    for name in (*(row.name for row in registry.settings()), *rdpfile.lines()):
        assert f"\n- **{name}** (" in text
    for key in load().questions:
        assert f"\n- **{key}**: " in text


def test_each_link_leads_somewhere(text: str) -> None:
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = [re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads]
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= set(anchors)


def test_only_commands_are_long(text: str) -> None:
    """A word that cannot be broken may stand out, a sentence not."""
    prose = re.sub(r"^ *```\n.*?^ *```$", "", text.replace("- ```", "  ```"), flags=re.DOTALL | re.MULTILINE)
    assert [line for line in prose.splitlines() if len(line) > 130] == []
