"""Bytes of unknown origin into text, within bounds."""

from __future__ import annotations

from rdpdoctor.readers.host.model import HostError

#: Bytes of a file, and of what is packed in one. A bundle has a megabyte or two; whole exports of a registry
#: are some hundred, and are not read whole.
LARGEST = 32 * 2**20


def decoded(data: bytes) -> str:
    """As Windows writes text: UTF-16 with or without its mark, UTF-8, or a code page of old."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data[1:200:2].count(0) > 50 or (len(data) < 200 and data[1::2].count(0) * 3 > len(data)):
        return data.decode("utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def bounded(data: bytes) -> bytes:
    if len(data) > LARGEST:
        raise HostError(f"larger than the {LARGEST // 2**20} MiB that are read")
    return data


def unpacked(data: bytes, largest: int = LARGEST) -> bytes:
    """Of gzip. Raise HostError where it is damaged or unfolds beyond measure."""
    import zlib

    engine = zlib.decompressobj(wbits=31)
    try:
        found = engine.decompress(data, largest + 1)
    except zlib.error as error:
        raise HostError(f"its compressed part is damaged: {error}") from error
    if len(found) > largest:
        raise HostError(f"unfolds to more than the {largest // 2**20} MiB that are read")
    if not engine.eof:
        raise HostError("its compressed part is cut off; the way it came through passes fewer characters")
    return found


def number(text: object, low: int = 0, high: int = 2**63) -> int | None:
    """A whole number within bounds, also of text; None for anything else."""
    if isinstance(text, bool):
        return None
    if isinstance(text, str):
        text = text.strip()
        if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 20):
            return None
        text = int(text)
    if isinstance(text, float) and text == text and abs(text) < high and text == int(text):
        text = int(text)
    return text if isinstance(text, int) and low <= text <= high else None
