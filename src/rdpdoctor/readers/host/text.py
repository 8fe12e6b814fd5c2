"""Bytes of unknown origin into text, within bounds."""

from __future__ import annotations

import re

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
        return data.decode(_page(data[:_LOOKED_AT]), "replace")


#: Bytes by which the code page of a text is told.
_LOOKED_AT = 1 << 18
#: Letters of Western languages in the console's code pages (850 and 437 agree about them), inside a word. In
#: Windows' own page these bytes are signs, which stand beside words; so the apostrophe's is left out,
#: and a hard blank before a blank.
_CONSOLE_LETTER = re.compile(
    rb"[\x81-\x90\x93-\x9a\xa0-\xa5\xe1](?=[a-z])|(?<=[a-z])(?!\xa0 )[\x81-\x8c\xa0-\xa5\xe1]"
)
_WINDOWS_LETTER = re.compile(rb"[\xc0-\xff]")


def _page(data: bytes) -> str:
    """The code page of what is neither UTF-8 nor UTF-16: Japanese, the console's, or Windows' own."""
    japanese = data.decode("cp932", "replace")
    foreign = [letter for letter in japanese if letter > "\x7f"]
    # Japanese tools never write without kana, which no Western text turns into in number.
    kana = sum("\u3041" <= letter <= "\u30ff" for letter in foreign)
    if kana > 3 and kana * 4 > len(foreign) and foreign.count("\ufffd") * 20 <= len(foreign):
        return "cp932"
    console, windows = len(_CONSOLE_LETTER.findall(data)), len(_WINDOWS_LETTER.findall(data))
    return "cp850" if console > windows - data.count(b"\xe1") else "cp1252"


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
