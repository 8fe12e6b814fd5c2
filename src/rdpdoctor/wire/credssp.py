"""CredSSP messages (MS-CSSP 2.2.1) and the early user authorization result (MS-RDPBCGR 2.2.10.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdpdoctor.wire import der
from rdpdoctor.wire.errors import Malformed

if TYPE_CHECKING:
    from rdpdoctor.wire.errors import Data

MAX_LENGTH = 64 * 1024
AUTHZ_SUCCESS, AUTHZ_ACCESS_DENIED = 0, 5
_LAYER = "credssp"
_VERSION, _NEGO_TOKENS, _AUTH_INFO, _PUB_KEY_AUTH, _ERROR_CODE, _CLIENT_NONCE = (
    der.context_tag(number) for number in range(6)
)


@dataclass(frozen=True, slots=True)
class TSRequest:
    """TSRequest (MS-CSSP 2.2.1). `error_code` is an NTSTATUS as unsigned 32 bits, from version 3 on except 5.

    `client_nonce` has 32 bytes, from version 5 on. `unknown` holds fields of other tags with their content.
    """

    version: int
    nego_tokens: tuple[bytes, ...] = ()
    auth_info: bytes | None = None
    pub_key_auth: bytes | None = None
    error_code: int | None = None
    client_nonce: bytes | None = None
    unknown: tuple[tuple[int, bytes], ...] = ()

    def encode(self) -> bytes:
        parts = [der.tlv(_VERSION, der.integer(self.version))]
        if self.nego_tokens:
            items = (
                der.tlv(der.SEQUENCE, der.context(0, der.tlv(der.OCTET_STRING, token)))
                for token in self.nego_tokens
            )
            parts.append(der.tlv(_NEGO_TOKENS, der.tlv(der.SEQUENCE, *items)))
        for tag, octets in ((_AUTH_INFO, self.auth_info), (_PUB_KEY_AUTH, self.pub_key_auth)):
            if octets is not None:
                parts.append(der.tlv(tag, der.tlv(der.OCTET_STRING, octets)))
        if self.error_code is not None:
            # NTSTATUS is a signed LONG: Windows writes 0xC000006D in four bytes, as a negative number.
            signed = self.error_code - (1 << 32) if self.error_code & 0x80000000 else self.error_code
            parts.append(der.tlv(_ERROR_CODE, der.integer(signed)))
        if self.client_nonce is not None:
            parts.append(der.tlv(_CLIENT_NONCE, der.tlv(der.OCTET_STRING, self.client_nonce)))
        parts += (der.tlv(tag, content) for tag, content in self.unknown)
        return der.tlv(der.SEQUENCE, *parts)


def take(data: Data) -> tuple[TSRequest, int] | None:
    """The first TSRequest of `data` and the bytes it used; None while it is incomplete.

    Raise Malformed as soon as it cannot become one: no SEQUENCE, over 64 KiB, no version first.
    """
    if len(data) >= 1 and data[0] != der.SEQUENCE:
        raise Malformed.at(_LAYER, data, 0, f"begins with {data[0]:#04x}, not a SEQUENCE")
    head = der.header(data, _LAYER)
    if head is None:
        return None
    _, length, size = head
    if size + length > MAX_LENGTH:
        raise Malformed.at(_LAYER, data, 1, f"{length} bytes are over the limit of {MAX_LENGTH}")
    if not length or (len(data) > size and data[size] != _VERSION):
        raise Malformed.at(_LAYER, data, size, "does not begin with a version")
    if len(data) < size + length:
        return None
    outer = der.Element(_LAYER, der.SEQUENCE, bytes(data[size : size + length]), size)
    return _request(outer), size + length


def _request(outer: der.Element) -> TSRequest:
    fields = outer.fields()
    code = fields.get(_ERROR_CODE)
    error_code = code.only(der.INTEGER).integer() if code else None
    if error_code is not None and not -(1 << 31) <= error_code < 1 << 32:
        raise outer.error(f"errorCode {error_code} has more than 32 bits")
    tokens = fields.get(_NEGO_TOKENS)
    return TSRequest(
        version=fields[_VERSION].only(der.INTEGER).integer(),
        nego_tokens=tuple(_token(item) for item in tokens.only(der.SEQUENCE).children()) if tokens else (),
        auth_info=_octets(fields.get(_AUTH_INFO)),
        pub_key_auth=_octets(fields.get(_PUB_KEY_AUTH)),
        error_code=None if error_code is None else error_code & 0xFFFFFFFF,
        client_nonce=_octets(fields.get(_CLIENT_NONCE)),
        unknown=tuple(
            (tag, field.content) for tag, field in fields.items() if not _VERSION <= tag <= _CLIENT_NONCE
        ),
    )


def _token(item: der.Element) -> bytes:
    return item.expect(der.SEQUENCE).only(der.context_tag(0)).only(der.OCTET_STRING).content


def _octets(field: der.Element | None) -> bytes | None:
    return None if field is None else field.only(der.OCTET_STRING).content


@dataclass(frozen=True, slots=True)
class EarlyUserAuthorizationResult:
    """Early User Authorization Result PDU (MS-RDPBCGR 2.2.10.2), HYBRID_EX only: 0 success, 5 denied."""

    code: int

    def encode(self) -> bytes:
        return self.code.to_bytes(4, "little")

    @staticmethod
    def take(data: Data) -> tuple[EarlyUserAuthorizationResult, int] | None:
        """The result and the 4 bytes it used; None while they are incomplete. Unknown codes are kept."""
        if len(data) < 4:
            return None
        return EarlyUserAuthorizationResult(int.from_bytes(data[:4], "little")), 4
