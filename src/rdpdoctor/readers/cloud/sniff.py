"""Whether a file looks like an export of cloud rules, from its beginning."""

from __future__ import annotations

import re

#: Bytes that are looked at; PowerShell's exports begin with long lists of other things.
_HEAD = 64 * 1024
_SIGNS = re.compile(
    r'"(?:defaultSecurityRules|securityRules|effectiveSecurityRules|jitNetworkAccessPolic\w*|SecurityGroups'
    r"|SecurityGroupRules|IpPermissions?|NetworkAcls?|NetworkAclId|sourceAddressPrefix|sourceRanges"
    r'|kind": ?"compute#firewall)"|Microsoft\.Security/locations/jitNetworkAccessPolicies',
    re.IGNORECASE,
)


def sniff(data: bytes) -> bool:
    """`data`: the file, or so much of it."""
    head = data[:_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", "replace")
    else:
        text = head.decode("utf-8-sig", "replace")
    return text.lstrip()[:1] in ("{", "[") and _SIGNS.search(text) is not None
