"""Azure's exported templates: groups and their rules are resources, and a rule may stand in both places.

Source: Azure documentation, "Understand the structure and syntax of ARM templates". Of their expressions only
a resource's name through a parameter with a default is worked out; any other stays as it is, and a rule that
says one thing by it is known in part.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.cloud.fields import fields, items, text

if TYPE_CHECKING:
    from collections.abc import Mapping

_GROUP = "microsoft.network/networksecuritygroups"
_RULE = f"{_GROUP}/securityrules"
_PARAMETER = re.compile(r"parameters\('([^']{1,200})'\)")


def is_template(value: Any) -> bool:
    return isinstance(value, dict) and "deploymenttemplate.json" in str(fields(value).get("$schema")).lower()


def rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Its groups, as `az network nsg show` would give them, and rules whose group it does not hold."""
    whole = fields(document)
    given = {name: fields(one).get("defaultvalue") for name, one in _members(whole.get("parameters"))}
    groups: dict[str, dict[str, Any]] = {}
    rules: list[dict[str, Any]] = []
    for resource in map(fields, items(whole.get("resources"))):
        kind = text(resource.get("type")).lower()
        resource.pop("properties", None)  # they are in it by now, and would stand above what is added
        resource["name"] = _named(resource.get("name"), given)
        if kind == _GROUP:
            groups[resource["name"].lower()] = resource | {
                "securityrules": [*items(resource.get("securityrules"))]
            }
        elif kind == _RULE:
            rules.append(resource)
    held = {
        name: {text(fields(one).get("name")).lower() for one in group["securityrules"]}
        for name, group in groups.items()
    }
    loose = []
    for rule in rules:
        owner, _, rule["name"] = rule["name"].rpartition("/")
        owner, name = owner.lower(), rule["name"].lower()
        if owner not in groups:
            loose.append(rule)
        elif name not in held[owner]:
            held[owner].add(name)
            groups[owner]["securityrules"].append(rule)
    return [*groups.values(), *loose]


def _members(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _named(value: Any, given: Mapping[str, Any]) -> str:
    """`[concat(parameters('vm_nsg'), '/RDP')]` as `vm-nsg/RDP`; names of resources alone are built so."""
    name = text(value)
    if not name.startswith("["):
        return name
    plain = _PARAMETER.sub(lambda found: f"'{text(given.get(found[1])) or found[1]}'", name[1:-1])
    if "concat" not in plain:
        return "/".join(re.findall(r"'([^']*)'", plain))
    return "".join(re.findall(r"'([^']*)'", plain))
