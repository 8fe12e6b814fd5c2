"""Values of the registry, and the policies that set them.

For whoever reads registries, `.reg` exports and policy reports: `find` gives the row of a value, wherever it
was found, and says whether that place is the policy's; `effective` says which of the two counts; the row's
`judge` says what a value does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.knowledge.settings import judging
from rdpdoctor.knowledge.settings.judging import Case, Judgement, Value, build_cases, pointed
from rdpdoctor.knowledge.sourced import SURE, Point, Row, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "settings/registry.json"
SIDES = ("server", "client", "both", "gateway")
#: The name of a row that is about a whole key.
WHOLE_KEY = "(key)"
#: The section of a security template where user rights stand, which no registry holds.
RIGHTS = "Privilege Rights"

_KEYS = (
    *(
        "name",
        "key",
        "side",
        "type",
        "says",
        "values",
        "default",
        "policy",
        "judge",
        "points",
        "takes_effect",
    ),
    *("secret", "personal", "note", "sure", "sources"),
)
_HIVES = {
    "hkey_local_machine": "hklm",
    "hkey_current_user": "hkcu",
    r"machine": "hklm",  # as registry.pol and security templates say it
    "hklm:": "hklm",
    "hkcu:": "hkcu",
}
_CONTROL_SET = re.compile(r"\\(controlset\d{3}|currentcontrolset)(?=\\|$)")


class Policy(NamedTuple):
    """title: as Windows shows it in English. key: where it writes the value, under the same name."""

    title: str
    key: str
    category: str


@dataclass(frozen=True, slots=True)
class Setting:
    """key, name: where it stands; the same key as the policy's where nothing else sets it. `<host>` and
    `<version>` in a key stand for any name.

    values: what they mean. default: as Windows behaves without it, in words. secret: its value must never be
    shown; personal: it names a person.
    """

    name: str
    key: str
    side: str
    type: str
    says: str
    values: Mapping[str, str]
    default: str | None
    policy: Policy | None
    cases: tuple[Case, ...]
    points: tuple[Point, ...]
    takes_effect: str | None
    secret: bool
    personal: bool
    note: str | None
    sure: str
    sources: tuple[str, ...]

    @property
    def path(self) -> str:
        return self.key if self.name == WHOLE_KEY else f"{self.key}\\{self.name}"

    def judge(self, value: Value) -> Judgement | None:
        """What a value does to connections; None: nothing worth saying. An absent value is None."""
        return judging.judge(self.cases, value)


class Found(NamedTuple):
    setting: Setting
    by_policy: bool


class Effective(NamedTuple):
    """origin: "policy", "local" or "default" (neither is set, and value is None)."""

    value: Value
    origin: str


@cache
def settings(folder: Path = Path(__file__).parent) -> tuple[Setting, ...]:
    """In the file's order. Raises KnowledgeError where the file is wrong."""
    table = Row(
        FILE, "", read_json(folder / "registry.json", FILE), ("keys", "categories", "sources", "settings")
    )
    keys, categories, sources = table.named("keys"), table.texts("categories"), table.texts("sources")
    rows = table.value.get("settings")
    if not isinstance(rows, list):
        raise table.wrong("settings", "write a list")
    found: dict[tuple[str, str], Setting] = {}
    for place, value in enumerate(rows):
        row = Row(FILE, f"settings[{place}]", value, _KEYS)
        setting = _setting(row, keys, categories, sources)
        at = (plain(setting.key), setting.name.lower())
        if at in found:
            raise row.wrong("name", f"{setting.path} stands twice")
        found[at] = setting
    return tuple(found.values())


def _setting(
    row: Row, keys: Mapping[str, str], categories: tuple[str, ...], sources: tuple[str, ...]
) -> Setting:
    policy = None
    if "policy" in row.value:
        about = Row(row.file, f"{row.key}.policy", row.value["policy"], ("title", "key", "category"))
        at = about.number("category")
        if at >= len(categories):
            raise about.wrong("category", f"write a place from 0 to {len(categories) - 1}")
        policy = Policy(about.text("title"), _key(about, keys), categories[at])
    cases = build_cases(row)
    return Setting(
        name=row.text("name"),
        key=_key(row, keys),
        side=row.one_of("side", SIDES),
        type=row.text("type"),
        says=row.text("says"),
        values=MappingProxyType(row.named("values")),
        default=row.text_or_none("default"),
        policy=policy,
        cases=cases,
        points=pointed(row.points(), cases),
        takes_effect=row.text_or_none("takes_effect"),
        secret=row.flag("secret"),
        personal=row.flag("personal"),
        note=row.text_or_none("note"),
        sure=row.one_of("sure", SURE),
        sources=row.chosen("sources", sources),
    )


def _key(row: Row, keys: Mapping[str, str]) -> str:
    """A key, or `$NAME\\rest` with a name of the file's `keys`."""
    text = row.text("key")
    if not text.startswith("$"):
        return text
    name, slash, rest = text[1:].partition("\\")
    if name not in keys:
        raise row.wrong("key", f"${name} is none of {', '.join(keys)}")
    return keys[name] + slash + rest


def plain(key: str) -> str:
    """A key as it is compared: short hive, the current control set, lower case, single backslashes."""
    text = re.sub(r"[\\/]+", r"\\", key.strip().strip("[]").lower()).strip("\\")
    hive, slash, rest = text.partition("\\")
    if hive == "registry" or hive.startswith("microsoft.powershell.core"):
        hive, slash, rest = rest.partition("\\")
    return _CONTROL_SET.sub(r"\\currentcontrolset", _HIVES.get(hive, hive) + slash + rest)


def find(key: str, name: str) -> Found | None:
    """The row of a value found at `key`, in any way to write a key. None: nothing is known of it."""
    at, wanted = plain(key), name.strip().lower()
    known = _places().get((at, wanted))
    if known is not None:
        return known
    return next(
        (
            Found(row, False)
            for pattern, row in _patterns()
            if row.name.lower() == wanted and pattern.fullmatch(at)
        ),
        None,
    )


def by_name(text: str) -> tuple[Setting, ...]:
    """Settings with that value name, that whole path, or that title of a policy; in any case."""
    wanted = " ".join(text.split()).lower().strip(".")
    if "\\" in wanted:
        key, _, name = text.strip().rpartition("\\")
        found = find(key, name) or find(text, WHOLE_KEY)
        return (found.setting,) if found else ()
    return tuple(
        row
        for row in settings()
        if row.name.lower() == wanted or (row.policy and row.policy.title.lower() == wanted)
    )


def effective(local: Value, policy: Value) -> Effective:
    """Which value counts: a policy that is set beats the local value."""
    if policy is not None:
        return Effective(policy, "policy")
    return Effective(local, "default" if local is None else "local")


@cache
def _places() -> Mapping[tuple[str, str], Found]:
    found: dict[tuple[str, str], Found] = {}
    for row in settings():
        policy = plain(row.policy.key) if row.policy else None
        if policy is not None:
            found.setdefault((policy, row.name.lower()), Found(row, True))
        if plain(row.key) != policy:
            found[plain(row.key), row.name.lower()] = Found(row, False)
    return MappingProxyType(found)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Setting], ...]:
    return tuple(
        (re.compile(re.sub(r"<[a-z]+>", r"[^\\\\]+", re.escape(plain(row.key)))), row)
        for row in settings()
        if "<" in row.key
    )
