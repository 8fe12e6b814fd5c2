"""SPNEGO around NTLM, as CredSSP carries it (RFC 4178 section 4.2, MS-SPNG 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.wire import der
from rdpdoctor.wire.errors import Malformed
from rdpdoctor.wire.ntlm import SIGNATURE

if TYPE_CHECKING:
    from rdpdoctor.wire.errors import Data

OID_SPNEGO = "1.3.6.1.5.5.2"
OID_NTLM = "1.3.6.1.4.1.311.2.2.10"
OID_NEGOEX = "1.3.6.1.4.1.311.2.2.30"
OID_KERBEROS = "1.2.840.113554.1.2.2"
OID_KERBEROS_MS = "1.2.840.48018.1.2.2"
OID_KERBEROS_U2U = "1.2.840.113554.1.2.2.3"
_NAMES = {
    OID_NTLM: "NTLM",
    OID_NEGOEX: "NegoEx",
    OID_KERBEROS: "Kerberos",
    OID_KERBEROS_MS: "Kerberos",
    OID_KERBEROS_U2U: "Kerberos user-to-user",
}
ACCEPT_COMPLETED, ACCEPT_INCOMPLETE, REJECT, REQUEST_MIC = range(4)
_APPLICATION_0 = 0x60
_INIT, _RESP = der.context_tag(0), der.context_tag(1)
_LAYER = "spnego"


def mechanism_name(oid: str) -> str:
    """`NTLM`, `Kerberos`, … or the identifier itself."""
    return _NAMES.get(oid, oid)


@dataclass(frozen=True, slots=True)
class Token:
    """What an initial token (NegTokenInit) or an answer (NegTokenResp) says (RFC 4178 4.2.1, 4.2.2).

    `mechanisms` are OIDs in dots: those offered, or the one the server chose. `state` is negState, None in an
    initial token. `token` is the mechanism's own message, None where there is none.
    """

    mechanisms: tuple[str, ...] = ()
    state: int | None = None
    token: bytes | None = None


def wrap(ntlm: bytes) -> bytes:
    """NegTokenInit that offers NTLM alone, with this first message."""
    mechanisms = der.context(0, der.tlv(der.SEQUENCE, der.oid(OID_NTLM)))
    body = der.tlv(der.SEQUENCE, mechanisms, der.context(2, der.tlv(der.OCTET_STRING, ntlm)))
    return der.tlv(_APPLICATION_0, der.oid(OID_SPNEGO), der.tlv(_INIT, body))


def wrap_response(ntlm: bytes | None, state: int = ACCEPT_INCOMPLETE) -> bytes:
    """NegTokenResp that chooses NTLM: what a server answers."""
    parts = [der.context(0, der.integer(state, der.ENUMERATED)), der.context(1, der.oid(OID_NTLM))]
    if ntlm is not None:
        parts.append(der.context(2, der.tlv(der.OCTET_STRING, ntlm)))
    return der.tlv(_RESP, der.tlv(der.SEQUENCE, *parts))


def parse(token: Data) -> Token:
    """A NegTokenInit (with or without its GSS-API frame), a NegTokenResp or raw NTLM."""
    raw = bytes(token)
    if raw.startswith(SIGNATURE):
        return Token((OID_NTLM,), None, raw)
    outer = der.parse(raw, _LAYER)
    if outer.tag == _APPLICATION_0:
        inside = list(outer.children())
        if len(inside) != 2 or inside[0].expect(der.OID).oid() != OID_SPNEGO:
            raise outer.error("a GSS-API token of another mechanism than SPNEGO")
        outer = inside[1]
    if outer.tag not in (_INIT, _RESP):
        raise outer.error(f"tag {outer.tag:#04x} is neither NegTokenInit nor NegTokenResp")
    fields = outer.only(der.SEQUENCE).fields()
    first, second, third = (fields.get(der.context_tag(number)) for number in range(3))
    message = third.only(der.OCTET_STRING).content if third else None
    if outer.tag == _INIT:
        offered = first.only(der.SEQUENCE).children() if first else ()
        return Token(tuple(item.expect(der.OID).oid() for item in offered), None, message)
    chosen = (second.only(der.OID).oid(),) if second else ()
    return Token(chosen, first.only(der.ENUMERATED).integer() if first else None, message)


def mechanisms(token: Data) -> tuple[str, ...]:
    """The OIDs a token offers or chooses."""
    return parse(token).mechanisms


def unwrap(token: Data) -> bytes:
    """The NTLM message in `token`: raw, in a NegTokenInit or in a NegTokenResp.

    Raise Malformed where there is none, also where SPNEGO is fine but carries another mechanism.
    """
    found = parse(token).token
    if found is None or not found.startswith(SIGNATURE):
        raise Malformed.at(_LAYER, token, 0, "no NTLM message inside")
    return found
