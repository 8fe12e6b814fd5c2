"""Whether a file looks like an export of cloud rules, from its beginning."""

from __future__ import annotations

import re

from rdpdoctor.readers.cloud import others

#: Bytes that are looked at; PowerShell's exports begin with long lists of other things.
_HEAD = 64 * 1024
_SIGNS = re.compile(
    r'"(?:defaultSecurityRules|securityRules|effectiveSecurityRules|jitNetworkAccessPolic\w*|SecurityGroups'
    r"|SecurityGroupRules|IpPermissions?|NetworkAcls?|NetworkAclId|sourceAddressPrefix|sourceRanges"
    r'|firewallPolicys|kind": ?"compute#firewall)"|Microsoft\.Security/locations/jitNetworkAccessPolicies',
    re.IGNORECASE,
)


def sniff(data: bytes) -> bool:
    """`data`: the file, or so much of it. Also for what is known, and told what to give instead."""
    head = data[:_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", "replace")
    else:
        text = head.decode("utf-8-sig", "replace")
    document = text.lstrip()[:1] in ("{", "[")
    return (document and _SIGNS.search(text) is not None) or others.known(text, document) is not None
