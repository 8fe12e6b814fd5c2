"""What is known for what clouds' tools print, and holds no rules that can be read: what to give instead."""

from __future__ import annotations

import re
from typing import NamedTuple

_JSON_OF_AZ = (
    "Give the JSON: `az network nic list-effective-nsg --resource-group GROUP --name NIC --output json`"
)
_JSON_OF_POWERSHELL = (
    "Give the JSON: `Get-AzNetworkSecurityGroup -Name NAME | ConvertTo-Json -Depth 10 > nsg.json`"
)
_JSON_OF_AWS = "Give the JSON: `aws ec2 describe-security-groups --group-ids GROUP --output json`"
_JSON_OF_ACL = "Give the JSON: `aws ec2 describe-network-acls --output json`"
_JSON_OF_GCLOUD = "Give the JSON: `gcloud compute firewall-rules list --format=json`"
_EFFECTIVE = (
    "Give `gcloud compute instances network-interfaces get-effective-firewalls INSTANCE --zone ZONE "
    "--format=json`"
)
_GROUPS = "Give the groups that it names: `aws ec2 describe-security-groups --group-ids GROUP --output json`"


class Other(NamedTuple):
    sign: re.Pattern[str]
    says: str


def _other(sign: str, what: str, instead: str) -> Other:
    return Other(re.compile(sign, re.IGNORECASE | re.MULTILINE), f"it is {what}. {instead}")


#: In the order in which they are looked for.
TEXTS = (
    _other(
        r"^[ \t]{0,40}(?:effective)?securityrules(?:text)? {0,40}: ?[\[{]",
        "a list of PowerShell",
        _JSON_OF_POWERSHELL,
    ),
    _other(r"^[ -]{0,40}(?:effective|default)?securityrules:\s?$", "YAML of az", _JSON_OF_AZ),
    _other(r"^[ -]{0,40}(?:source|destination)addressprefix(?:es)?: ", "YAML of az", _JSON_OF_AZ),
    _other(r"^Name .{0,200}\bPriority .{0,200}\bSourceAddressPrefix", "a table of az", _JSON_OF_AZ),
    _other(r"^\|{1,9} {0,200}DescribeNetworkAcls\b", "a table of aws", _JSON_OF_ACL),
    _other(r"^\|{1,9} {0,200}DescribeSecurityGroup\w*", "a table of aws", _JSON_OF_AWS),
    _other(r"^(?:NETWORKACLS|ENTRIES)\t", "text output of aws", _JSON_OF_ACL),
    _other(r"^(?:SECURITYGROUPS|IPPERMISSIONS)\t", "text output of aws", _JSON_OF_AWS),
    _other(r"^NetworkAcls:\s?$", "YAML of aws", _JSON_OF_ACL),
    _other(r"^(?:SecurityGroups|[ -]{0,40}IpPermissions):\s?$", "YAML of aws", _JSON_OF_AWS),
    _other(r"^kind: compute#firewall\s?$", "YAML of gcloud", _JSON_OF_GCLOUD),
    _other(r"^NAME +NETWORK +DIRECTION +PRIORITY", "a table of gcloud", _JSON_OF_GCLOUD),
    _other(r"^TYPE +(?:SECURITY|FIREWALL)_POLICY\w* ", "a table of gcloud", _EFFECTIVE),
)
DOCUMENTS = (
    _other(r'"Reservations"\s*:', "a list of instances", _GROUPS),
    _other(r'"RouteTables"\s*:', "a list of routes, which let nobody in or out by themselves", _GROUPS),
    _other(r'"NetworkInterfaces"\s*:\s*\[\s*\{\s*"', "a list of network cards", _GROUPS),
    _other(r'"compute#firewallPolicy(?:Rule)?"', "a part of Google's firewall policies", _EFFECTIVE),
    _other(r'"flowRecords"\s*:', "a log of flows, which is not read", _JSON_OF_AZ),
)


def known(text: str, document: bool) -> str | None:
    """What to say of it; None for what is not known. document: it is JSON."""
    return next((one.says for one in (DOCUMENTS if document else TEXTS) if one.sign.search(text)), None)
