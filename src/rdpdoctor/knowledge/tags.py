"""The tag registry: what an observation may be called and which arguments it carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdpdoctor.facts import Observation, Stage
from rdpdoctor.knowledge.errors import KnowledgeError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "tags.toml"
_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list, tuple),
    "object": (dict,),
}


@dataclass(frozen=True, slots=True)
class Tag:
    """args: name → type, with a trailing `?` where null is allowed; groups are already worked in."""

    name: str
    stage: Stage
    says: str
    args: Mapping[str, str]

    @property
    def derived(self) -> bool:
        return self.name.startswith("derived.")


def parse(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Check tags.toml and work the groups in: plain rows for `Tag(**row)`. Raises KnowledgeError."""
    groups, tags = document.get("groups", {}), document.get("tags")
    if not isinstance(tags, dict) or not tags:
        raise KnowledgeError(FILE, "tags", 'declare at least one tag as [tags."name"]')
    rows: dict[str, dict[str, Any]] = {}
    for name, body in tags.items():
        args: dict[str, str] = {}
        for group in body.get("with", []):
            if group not in groups:
                raise KnowledgeError(
                    FILE, f"{name}.with", f"no group is called {group!r}; declare it under [groups]"
                )
            args.update(groups[group])
        args.update(body.get("args", {}))
        for arg, kind in args.items():
            if not isinstance(kind, str) or kind.removesuffix("?") not in _TYPES:
                raise KnowledgeError(
                    FILE, f"{name}.args.{arg}", f"use one of {', '.join(_TYPES)}, with `?` for nullable"
                )
        if body.get("stage") not in tuple(Stage):
            raise KnowledgeError(FILE, f"{name}.stage", f"use one of {', '.join(Stage)}")
        if not isinstance(body.get("says"), str):
            raise KnowledgeError(FILE, f"{name}.says", "say in one sentence what the tag means")
        rows[name] = {"name": name, "stage": body["stage"], "says": body["says"], "args": args}
    return rows


def build(row: Mapping[str, Any]) -> Tag:
    return Tag(row["name"], Stage(row["stage"]), row["says"], row["args"])


def faults(observation: Observation, tags: Mapping[str, Tag]) -> list[str]:
    """What about this observation is not as declared. Empty when all is well."""
    tag = tags.get(observation.tag)
    if tag is None:
        return [f"{observation.tag}: not declared"]
    found = [
        f"{observation.tag}: argument {name!r} is not declared"
        for name in observation.args
        if name not in tag.args
    ]
    for name, kind in tag.args.items():
        if name not in observation.args:
            found.append(f"{observation.tag}: argument {name!r} is missing")
            continue
        value = observation.args[name]
        if value is None:
            if not kind.endswith("?"):
                found.append(f"{observation.tag}: argument {name!r} must not be null")
        elif not is_of(value, kind):
            found.append(f"{observation.tag}: argument {name!r} is {type(value).__name__}, not {kind}")
    if observation.stage is not tag.stage:
        found.append(f"{observation.tag}: stage is {observation.stage}, not {tag.stage}")
    return found


def is_of(value: object, kind: str) -> bool:
    """Whether a value fits a declared type. A bool is no number here."""
    base = kind.removesuffix("?")
    if isinstance(value, bool):
        return base == "bool"
    return isinstance(value, _TYPES[base])
