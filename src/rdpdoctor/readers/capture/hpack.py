"""As much of HPACK (RFC 7541) as the fields :status and :path need; other fields are only passed over."""

from __future__ import annotations

#: Appendix A: those of the static table that are of interest, and how many it has.
_STATIC: dict[int, tuple[str, str | None]] = {
    4: (":path", "/"),
    5: (":path", "/index.html"),
    **{
        8 + at: (":status", code) for at, code in enumerate(("200", "204", "206", "304", "400", "404", "500"))
    },
}
_STATIC_SIZE = 61
_DYNAMIC = 4096
#: Appendix B is canonical: codes of a length count upwards in the order of the symbols. Of 5 to 8 bits.
_SYMBOLS = ("012aceiost", " %-./3456789=A_bdfghlmnpru", ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz", "&*,;XZ")


def _codes() -> dict[tuple[int, int], str]:
    codes, code = {}, 0
    for bits, symbols in enumerate(_SYMBOLS, start=5):
        for symbol in symbols:
            codes[bits, code] = symbol
            code += 1
        code <<= 1
    return codes


_CODES = _codes()


class Fields:
    """One direction's header blocks, which must all be read, in order: each changes the table."""

    def __init__(self) -> None:
        self._dynamic: list[tuple[str, str | None]] = []  # newest first; "" names what is of no interest

    def read(self, block: bytes) -> dict[str, str | None] | None:
        """The fields of interest; a value of None could not be read. None for a damaged block."""
        found: dict[str, str | None] = {}
        at = 0
        try:
            while at < len(block):
                first = block[at]
                if first & 0x80:
                    index, at = _integer(block, at, 7)
                    name, value = self._entry(index)
                elif first & 0xE0 == 0x20:
                    _, at = _integer(block, at, 5)  # the table's size: what it drops is never named again
                    continue
                else:
                    adds = bool(first & 0x40)
                    index, at = _integer(block, at, 6 if adds else 4)
                    if index:
                        name = self._entry(index)[0]
                    else:
                        text, at = _string(block, at)
                        name = text if text in (":path", ":status") else ""
                    value, at = _string(block, at)
                    if adds:
                        self._dynamic.insert(0, (name, value if name else None))
                        del self._dynamic[_DYNAMIC:]
                if name:
                    found.setdefault(name, value)
        except IndexError:
            return None
        return found

    def _entry(self, index: int) -> tuple[str, str | None]:
        if index <= _STATIC_SIZE:
            return _STATIC.get(index, ("", None))
        return self._dynamic[index - _STATIC_SIZE - 1]


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """Section 5.1. Raise IndexError where it is cut off or has no end."""
    most = (1 << bits) - 1
    value = block[at] & most
    at += 1
    if value < most:
        return value, at
    for shift in range(0, 28, 7):
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
    raise IndexError


def _string(block: bytes, at: int) -> tuple[str | None, int]:
    """Section 5.2. None for one whose letters are not among the common ones."""
    packed = block[at] & 0x80
    length, at = _integer(block, at, 7)
    if at + length > len(block):
        raise IndexError
    raw = block[at : at + length]
    return (_unpacked(raw) if packed else raw.decode("latin-1")), at + length


def _unpacked(raw: bytes) -> str | None:
    out, bits, code = [], 0, 0
    for byte in raw:
        for place in range(7, -1, -1):
            code = code << 1 | byte >> place & 1
            bits += 1
            symbol = _CODES.get((bits, code))
            if symbol is not None:
                out.append(symbol)
                bits = code = 0
            elif bits > 8:
                return None
    return "".join(out) if code == (1 << bits) - 1 else None  # what is left is padding: ones
