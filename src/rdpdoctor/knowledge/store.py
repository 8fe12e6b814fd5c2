"""From files to plain, checked rows: the TOML that people write, and the index made of it, which loads ten
times faster.

The index carries a digest of the files it was made from. Where it is absent or does not fit them, the TOML
is read instead, so that an edit counts at once; `python -m rdpdoctor.knowledge` writes the index anew.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from rdpdoctor.knowledge.errors import KnowledgeError

FOLDER = Path(__file__).parent
INDEX = "index.json"
_LAYOUT = "3"  # of the rows in the index; raise it when they change

Rows = dict[str, Any]


def texts(folder: Path = FOLDER) -> dict[str, str]:
    """Every file that is knowledge, by its path below `folder`, in a fixed order."""
    names = ["tags.toml", "wording.toml", "next.toml", "questions.toml", "reach.toml"]
    names += sorted(f"causes/{path.name}" for path in (folder / "causes").glob("*.toml"))
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = (folder / name).read_bytes().decode("utf-8").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError) as error:
            raise KnowledgeError(name, "file", f"must be there and be UTF-8: {error}") from error
    return found


def read_toml(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """One file that is not in the index: it is read where it is shown."""
    try:
        text = (folder / name).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(name, "file", f"must be there and be UTF-8: {error}") from error
    return _parsed(name, text)


def cause_ids(folder: Path = FOLDER) -> frozenset[str]:
    """By the files' names, without reading them."""
    return frozenset(path.name.removesuffix(".toml") for path in (folder / "causes").glob("*.toml"))


def digest(files: dict[str, str]) -> str:
    seal = hashlib.blake2b(_LAYOUT.encode(), digest_size=16)
    for name, text in files.items():
        seal.update(f"{name}\0{len(text)}\0{text}".encode())
    return seal.hexdigest()


def rows(folder: Path = FOLDER) -> Rows:
    """Checked rows: {"tags": {name: row}, "causes": {id: row}, "wording": {key: [template]}, "next": {key:
    [tell]}}.
    """
    files = texts(folder)
    try:
        index = json.loads((folder / INDEX).read_bytes())
    except (OSError, ValueError):
        index = None
    if (
        isinstance(index, dict)
        and index.get("digest") == digest(files)
        and isinstance(index.get("rows"), dict)
    ):
        return dict(index["rows"])
    return compiled(files)


def index_text(folder: Path = FOLDER) -> str:
    """What the index file should hold."""
    files = texts(folder)
    document = {"digest": digest(files), "rows": compiled(files)}
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")) + "\n"


def compiled(files: dict[str, str]) -> Rows:
    """Parse and check everything. Raises KnowledgeError."""
    # Where the index fits, nobody needs these.
    from rdpdoctor.knowledge import check, check_prose, questions, reach, tags

    documents = {name: _parsed(name, text) for name, text in files.items()}
    tag_rows = tags.parse(documents["tags.toml"])
    causes: Rows = {}
    for name, document in documents.items():
        if name.startswith("causes/"):
            check.cause(name, document, tag_rows)
            check_prose.cause(name, document)
            causes[document["id"]] = {
                key: value for key, value in document.items() if key not in check_prose.PROSE
            }
    known = frozenset(causes)
    for identity, row in causes.items():
        check.references(f"causes/{identity}.toml", row, known)
    return {
        "tags": tag_rows,
        "causes": causes,
        "wording": _wording(documents["wording.toml"]),
        "next": _steps(documents["next.toml"], known),
        "questions": questions.parse(documents["questions.toml"]),
        "reach": reach.parse(documents["reach.toml"], documents["questions.toml"]),
    }


def _parsed(name: str, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(name, "TOML", str(error)) from error


def _wording(document: dict[str, Any]) -> dict[str, list[str]]:
    """{"tls.closed": ["…", "…"]} from one table a group of sentences."""
    from rdpdoctor.knowledge.templates import holes

    found: dict[str, list[str]] = {}
    for group, sentences in document.items():
        if not isinstance(sentences, dict):
            raise KnowledgeError("wording.toml", group, "write a table of sentences")
        for key, value in sentences.items():
            templates = [value] if isinstance(value, str) else value
            if (
                not isinstance(templates, list)
                or not templates
                or not all(isinstance(one, str) for one in templates)
            ):
                raise KnowledgeError("wording.toml", f"{group}.{key}", "write a sentence, or a list of them")
            if holes(templates[-1]):
                raise KnowledgeError(
                    "wording.toml", f"{group}.{key}", "end with a sentence that has no holes"
                )
            found[f"{group}.{key}"] = templates
    return found


def _steps(document: dict[str, Any], known: frozenset[str]) -> dict[str, list[dict[str, Any]]]:
    """What to look at when no cause brings a step of its own: for each stage that died, and for verdicts."""
    from rdpdoctor.knowledge import check

    found: dict[str, list[dict[str, Any]]] = {}
    for key, entries in document.items():
        if not isinstance(entries, list):
            raise KnowledgeError("next.toml", key, f"write [[{key}]], once for each step")
        for number, entry in enumerate(entries, 1):
            check.tell("next.toml", f"{key}[{number}]", entry)
            for name in entry.get("separates", []):
                if name not in known:
                    raise KnowledgeError(
                        "next.toml", f"{key}[{number}].separates", f"no cause is called {name!r}"
                    )
        found[key] = entries
    return found
