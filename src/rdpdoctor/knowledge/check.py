"""Is a knowledge file right? Every complaint names the file, the key and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rdpdoctor.facts import Source, Stage
from rdpdoctor.knowledge import commands
from rdpdoctor.knowledge.causes import RULES
from rdpdoctor.knowledge.check_prose import PROSE
from rdpdoctor.knowledge.errors import KnowledgeError
from rdpdoctor.knowledge.rules import TESTS, WEIGHTS
from rdpdoctor.knowledge.tags import is_of
from rdpdoctor.knowledge.templates import FORMATS, holes

Tags = Mapping[str, Mapping[str, Any]]

#: What a `why`, a `says` or a `tell` may name besides the arguments of matched observations.
ALWAYS = frozenset({"host", "port", "address"})
#: What only a `tell` may name, and only what it fills a command with: the target as a client names it, with
#: its user; nothing where the check had both already.
_BY_NAME = frozenset({"by_name"})
TELL_KINDS = ("probe", "evidence", "question")
_TEXTS = ("title", "what")
_LISTS = ("stages", "suspected", "refines", "masks", "why", "remedies", "sources")
_KNOWN = {"id", "prior", "effect", "tell", *_TEXTS, *_LISTS, *RULES, *PROSE}
_RULE_KEYS = {
    "tag",
    "where",
    "stage",
    "source",
    "count",
    "any",
    "all",
    "unless",
    "absent",
    "ran",
    "weight",
    "says",
}
_MATCHER_KEYS = {"tag", "where", "stage", "source", "count"}


def cause(file: str, row: Mapping[str, Any], tags: Tags) -> None:
    """Raise KnowledgeError where one cause file does not hold together by itself."""
    for key in row:
        if key not in _KNOWN:
            raise KnowledgeError(file, key, f"unknown key; the keys are {', '.join(sorted(_KNOWN))}")
    identity = file.rsplit("/", 1)[-1].removesuffix(".toml")
    if row.get("id") != identity:
        raise KnowledgeError(file, "id", f"must be the file's name, {identity!r}")
    for key in _TEXTS:
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise KnowledgeError(file, key, "write a sentence")
    for key in _LISTS:
        values = row.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise KnowledgeError(file, key, "write a list of texts")
    for key in ("stages", "why", "sources"):
        if not row.get(key):
            raise KnowledgeError(file, key, "give at least one")
    for key in ("stages", "suspected"):
        for stage in row.get(key, []):
            if stage not in tuple(Stage):
                raise KnowledgeError(file, key, f"{stage!r} is no stage; use {', '.join(Stage)}")
    prior = row.get("prior")
    if isinstance(prior, bool) or not isinstance(prior, int | float) or not -6 <= prior <= 3:
        raise KnowledgeError(file, "prior", "give bits between -6 (unheard of) and 3 (the usual one)")
    if row.get("effect", "breaks") not in ("breaks", "warns"):
        raise KnowledgeError(file, "effect", 'use "breaks" or "warns"')
    if not row.get("requires"):
        raise KnowledgeError(
            file, "requires", "say under [[requires]] what must have been seen for this cause to come up"
        )
    bound = _check_rules(file, row, tags)
    for number, template in enumerate(row["why"], 1):
        _check_template(file, f"why[{number}]", template, bound)
    if holes(row["why"][-1]):
        raise KnowledgeError(
            file, f"why[{len(row['why'])}]", "the last one must have no holes, so that one always fits"
        )
    for number, template in enumerate(row["why"][:-1], 1):
        if not holes(template):
            raise KnowledgeError(
                file, f"why[{number}]", "without holes it always fits, and hides those after it"
            )
    for number, entry in enumerate(row.get("tell", []), 1):
        tell(file, f"tell[{number}]", entry)


def references(file: str, row: Mapping[str, Any], known: frozenset[str]) -> None:
    """Raise KnowledgeError where a cause names one that does not exist."""
    named = [(key, name) for key in ("refines", "masks") for name in row.get(key, [])]
    for number, entry in enumerate(row.get("tell", []), 1):
        named += [(f"tell[{number}].separates", name) for name in entry.get("separates", [])]
    for key, name in named:
        if name not in known:
            raise KnowledgeError(file, key, f"no cause is called {name!r}")
        if name == row["id"]:
            raise KnowledgeError(file, key, "a cause cannot name itself")


def tell(file: str, key: str, entry: Any) -> None:
    if not isinstance(entry, dict) or set(entry) - {"kind", "id", "text", "separates", "on"}:
        raise KnowledgeError(file, key, "write kind, id, text and, where it has them, separates and on")
    if entry.get("on", "server") != "server":
        raise KnowledgeError(
            file, f"{key}.on", 'use "server", for PowerShell lines to run on it, or leave it out'
        )
    if entry.get("kind") not in TELL_KINDS:
        raise KnowledgeError(file, f"{key}.kind", f"use one of {', '.join(TELL_KINDS)}")
    for name in ("id", "text"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise KnowledgeError(file, f"{key}.{name}", "write a text")
    if not isinstance(entry.get("separates", []), list):
        raise KnowledgeError(file, f"{key}.separates", "write a list of causes")
    _check_template(file, f"{key}.text", entry["text"], ALWAYS | _BY_NAME)
    if (fault := commands.fault(entry["text"])) is not None:
        raise KnowledgeError(file, f"{key}.text", fault)


def _check_rules(file: str, row: Mapping[str, Any], tags: Tags) -> set[str]:
    """The names that a sentence of this cause may use."""
    bound = set(ALWAYS)
    for kind in RULES:
        rules = row.get(kind, [])
        if not isinstance(rules, list):
            raise KnowledgeError(file, kind, f"write [[{kind}]], once for each rule")
        for number, rule in enumerate(rules, 1):
            own = _check_rule(file, f"{kind}[{number}]", rule, tags)
            if kind in ("requires", "confirms", "supports"):
                bound |= own
            if "says" in rule:
                _check_template(file, f"{kind}[{number}].says", rule["says"], own | ALWAYS)
            elif kind == "excludes":
                raise KnowledgeError(
                    file, f"{kind}[{number}].says", "say in a sentence why this rules the cause out"
                )
    return bound


def _check_rule(file: str, key: str, rule: Any, tags: Tags) -> set[str]:
    if not isinstance(rule, dict):
        raise KnowledgeError(file, key, "write a table")
    for name in rule:
        if name not in _RULE_KEYS:
            raise KnowledgeError(
                file, f"{key}.{name}", f"unknown key; a rule has {', '.join(sorted(_RULE_KEYS))}"
            )
    if rule.get("weight", "strong") not in WEIGHTS:
        raise KnowledgeError(file, f"{key}.weight", f"use one of {', '.join(WEIGHTS)}")
    if "tag" in rule and "any" in rule:
        raise KnowledgeError(file, key, "write either `tag` or `any`, not both")
    if not ("tag" in rule or rule.get("any") or rule.get("all")):
        raise KnowledgeError(file, key, "name a `tag`, or matchers under `any` or `all`")
    if bool(rule.get("absent")) != bool(rule.get("ran")):
        raise KnowledgeError(
            file, key, "`absent` and `ran` go together: absence counts only where the probe ran"
        )
    args: set[str] = set()
    if "tag" in rule:
        args |= _check_matcher(file, key, {name: rule[name] for name in _MATCHER_KEYS & rule.keys()}, tags)
    for group in ("any", "all", "unless", "ran"):
        matchers = rule.get(group, [])
        if not isinstance(matchers, list):
            raise KnowledgeError(file, f"{key}.{group}", "write a list of matchers")
        for number, matcher in enumerate(matchers, 1):
            own = _check_matcher(file, f"{key}.{group}[{number}]", matcher, tags)
            if group in ("any", "all"):
                args |= own
    return args


def _check_matcher(file: str, key: str, matcher: Any, tags: Tags) -> set[str]:
    if isinstance(matcher, str):
        matcher = {"tag": matcher}
    if not isinstance(matcher, dict) or set(matcher) - _MATCHER_KEYS:
        raise KnowledgeError(file, key, f"a matcher has {', '.join(sorted(_MATCHER_KEYS))}")
    tag = matcher.get("tag")
    if not isinstance(tag, str) or tag not in tags:
        raise KnowledgeError(file, f"{key}.tag", f"{tag!r} is not declared in tags.toml")
    if matcher.get("stage", Stage.TCP) not in tuple(Stage):
        raise KnowledgeError(file, f"{key}.stage", f"use one of {', '.join(Stage)}")
    if matcher.get("source", Source.PROBE) not in tuple(Source):
        raise KnowledgeError(file, f"{key}.source", f"use one of {', '.join(Source)}")
    if not isinstance(matcher.get("count", 1), int) or matcher.get("count", 1) < 1:
        raise KnowledgeError(file, f"{key}.count", "give a number from 1")
    declared: Mapping[str, str] = tags[tag]["args"]
    for name, wanted in matcher.get("where", {}).items():
        if name not in declared:
            raise KnowledgeError(
                file, f"{key}.where.{name}", f"{tag} has no such argument; it has {', '.join(declared)}"
            )
        _check_test(file, f"{key}.where.{name}", wanted, declared[name])
    return set(declared)


def _check_test(file: str, key: str, wanted: Any, kind: str) -> None:
    if isinstance(wanted, dict):
        for test, value in wanted.items():
            if test not in TESTS:
                raise KnowledgeError(file, f"{key}.{test}", f"use one of {', '.join(TESTS)}")
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if test in ("min", "max") and not (number and kind.removesuffix("?") in ("int", "float")):
                raise KnowledgeError(file, f"{key}.{test}", "only numbers can be compared")
            if test == "null" and not isinstance(value, bool):
                raise KnowledgeError(file, f"{key}.{test}", "write true or false")
        return
    for one in wanted if isinstance(wanted, list) else [wanted]:
        if not is_of(one, kind):
            raise KnowledgeError(
                file, key, f"{one!r} is not of the declared type {kind}, so this can never match"
            )


def _check_template(file: str, key: str, template: Any, bound: set[str] | frozenset[str]) -> None:
    if not isinstance(template, str):
        raise KnowledgeError(file, key, "write a text")
    for name, how in holes(template):
        if name not in bound:
            raise KnowledgeError(
                file, key, f"nothing fills {{{name}}}: no rule here matches a tag with that argument"
            )
        if how and how not in FORMATS:
            raise KnowledgeError(file, key, f"{{{name}:{how}}}: the formats are {', '.join(FORMATS)}")
