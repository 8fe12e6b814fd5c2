"""From a file's bytes to the groups of rules in it, whichever cloud exported them."""

from __future__ import annotations

from typing import Any

from rdpdoctor.readers.boundedjson import BadJson, loaded
from rdpdoctor.readers.cloud import aws, azure, gcp, others, policies, template
from rdpdoctor.readers.cloud.bounds import Budget
from rdpdoctor.readers.cloud.fields import fields
from rdpdoctor.readers.cloud.model import Found, RulesError

#: Bytes. 16 MiB are more than 2,000 groups.
LARGEST = 16 * 2**20
#: What clouds wrap their answers in.
_WRAPPERS = ("value", "securitygroups", "networkacls", "securitygrouprules", "items")
_DEEPEST = 4
#: Bytes that are looked at for what else it may be.
_HEAD = 64 * 2**10


def parse(data: bytes) -> Found:
    """Raise RulesError where there is nothing to read."""
    found = Found()
    budget = Budget(_inner)
    rows = [fields(row) for row in _rows(_json(data), _DEEPEST)]
    loose: dict[str, list[dict[str, Any]]] = {}
    unknown = 0
    for row in rows:
        if (kind := _loose_kind(row)) is not None:
            loose.setdefault(kind, []).append(row)
        elif not budget.group():
            break
        elif not any(known.read(row, found, budget) for known in (azure, aws, policies)):
            unknown += 1
    if "azure" in loose:
        found.groups.append(azure.loose(loose["azure"], found, budget))
    if "aws" in loose:
        found.groups.extend(aws.loose(loose["aws"], found, budget))
    if "gcp" in loose:
        found.groups.extend(gcp.loose(loose["gcp"], found, budget))
    if idle := [group for group in found.groups if group.idle]:
        found.lost += [f"the group {group.name}, which is attached to nothing" for group in idle]
        # Somebody may ask what such a group would do; beside others it does nothing.
        found.groups = [group for group in found.groups if not group.idle] or idle
    if not found.groups and not found.just_in_time:
        instead = others.known(_text(data[:_HEAD]), document=True)
        raise RulesError(instead or "it holds no rules of Azure, AWS or Google Cloud")
    if unknown:
        found.lost.append(f"{unknown} objects that are no groups of rules")
    if budget.spent:
        found.lost.append("rules beyond what is looked at, or that do not say what they do")
    return found


def _loose_kind(row: dict[str, Any]) -> str | None:
    for kind, cloud in (("azure", azure), ("aws", aws), ("gcp", gcp)):
        if cloud.is_rule(row):
            return kind
    return None


def _rows(value: Any, depth: int) -> list[dict[str, Any]]:
    """The objects that may be groups or rules: in lists and in wrappers."""
    if isinstance(value, list):
        return [row for item in value for row in _rows(item, depth - 1)] if depth else []
    if not isinstance(value, dict):
        return []
    if template.is_template(value):
        return template.rows(value)
    low = {key.lower(): member for key, member in value.items()}
    inner = [member for name in _WRAPPERS if isinstance(member := low.get(name), list)]
    # PowerShell wraps lists into {value, Count}; a group of its own has no such list.
    if not inner or not depth:
        return [value]
    return [row for member in inner for row in _rows(member, depth - 1)]


def _json(data: bytes) -> Any:
    if len(data) > LARGEST:
        raise RulesError(f"it is larger than the {LARGEST // 2**20} MiB that are read")
    text = _text(data)
    if text.lstrip()[:1] not in ("{", "[") and (instead := others.known(text[:_HEAD], document=False)):
        raise RulesError(instead)
    try:
        return loaded(text)
    except BadJson as error:
        raise RulesError(str(error)) from error


def _text(data: bytes) -> str:
    """Raise RulesError. Windows PowerShell's `>` writes UTF-16."""
    code = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(code)
    except UnicodeDecodeError as error:
        raise RulesError("it is neither UTF-8 nor UTF-16 text") from error


def _inner(value: Any) -> Any:
    if not isinstance(value, str):
        return None
    try:
        return _json(value.encode("utf-8", "replace"))
    except RulesError:
        return None
