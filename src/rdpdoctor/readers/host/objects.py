"""Objects of PowerShell's in every form in which people save them: lists (Format-List), tables
(Format-Table), CSV and JSON. Names are properties, and so the same in every language.
"""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import islice, pairwise, takewhile
from typing import TYPE_CHECKING, Any

from rdpdoctor.readers.host.blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST, _FIELDS, _VALUE = 5_000, 200, 4_000
_RULER = re.compile(r"^ *-{2,}(?: +-{2,})+ *$", re.MULTILINE)
_CSV = re.compile(r'^\ufeff?(?:"[A-Za-z]\w{0,60}"[,;]){1,199}"\w{1,60}"$', re.MULTILINE)
_JSON = re.compile(r"^[ \t]{0,4}[\[{]", re.MULTILINE)
_NEXT = re.compile(r"[\s,]*(?=\{)")
_STARTS = 20
#: Characters of a line of a table.
_WIDEST = 2_000


def objects(text: str) -> list[dict[str, str]]:
    """Names in lower case, values as text (a list's in one, split by commas), at most 5,000 of them."""
    return [
        *blocks(text),
        *islice(_json(text), _MOST),
        *islice(_csv(text), _MOST),
        *islice(_tables(text), _MOST),
    ]


def _json(text: str) -> Iterator[dict[str, str]]:
    """Also of one that is cut off: what is whole before its end."""
    end = 0
    for start in islice(_JSON.finditer(text), _STARTS):
        if start.start() < end:
            continue
        at = start.end() - 1
        if text[at] == "[":
            at += 1
        decoder = json.JSONDecoder(parse_constant=lambda _: None)
        while True:
            begin = _NEXT.match(text, at)
            if begin is None:
                break
            try:
                value, at = decoder.raw_decode(text, begin.end())
            except (ValueError, RecursionError):
                break
            end = at
            if isinstance(value, dict):
                yield _flat(value)


def _flat(value: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, one in islice(value.items(), _FIELDS):
        if isinstance(
            one, dict
        ):  # Windows PowerShell: a list as {value, Count}, an enumeration as {value, Value}
            one = one.get("value", one.get("Value"))
        if isinstance(one, list):
            one = ",".join(str(part) for part in one[:100] if isinstance(part, str | int))
        if isinstance(one, str | int | float):
            found[name.lower()[:60]] = str(one)[:_VALUE]
    return found


def _csv(text: str) -> Iterator[dict[str, str]]:
    head = _CSV.search(text)
    if head is None:
        return
    lines = io.StringIO(text[head.start() :].lstrip("\ufeff"), newline="")
    divider = ";" if '";"' in head[0] else ","
    rows = csv.reader(lines, delimiter=divider)
    try:
        names = [name.lower() for name in next(rows)]
        for row in rows:
            if len(row) != len(names):
                return
            yield {name: value[:_VALUE] for name, value in zip(names, row, strict=True)}
    except csv.Error:
        return


def _tables(text: str) -> Iterator[dict[str, str]]:
    """Values that were cut, since the table was too wide for its console, are left out."""
    for ruler in islice(_RULER.finditer(text), 100):
        if len(ruler[0]) > _WIDEST:
            continue
        before = text.rfind("\n", 0, max(ruler.start() - 1, 0)) + 1
        head = text[before : ruler.start()].rstrip("\n")
        spans = [match.span() for match in re.finditer(r"-{2,}", ruler[0])]
        names = [head[low:high].strip().lower() for low, high in spans]
        if not all(re.fullmatch(r"[a-z]\w{0,40}", name) for name in names):
            continue
        body = io.StringIO(text[ruler.end() + 1 : ruler.end() + (1 << 20)])
        lines = [line.rstrip("\n") for line in takewhile(str.strip, islice(body, _MOST))]
        cuts = [0, *(_cut(one, two, lines) for one, two in pairwise(spans)), _VALUE]
        for line in lines:
            row = {
                name: line[low:high].strip() for name, (low, high) in zip(names, pairwise(cuts), strict=True)
            }
            yield {name: value for name, value in row.items() if not value.endswith(("...", "\u2026"))}


def _cut(one: tuple[int, int], two: tuple[int, int], lines: Sequence[str]) -> int:
    """Where the second of two columns begins. A ruler is as wide as its name; texts begin below its begin and
    go on to its right, numbers end below its end.
    """
    low, high = one[1], two[0]
    if all(len(line) >= low and line[low - 1] != " " and line[low : low + 1] in ("", " ") for line in lines):
        return low
    if all(line[high - 1 : high] in ("", " ") and line[high : high + 1] != " " for line in lines):
        return high
    blank = [at for at in range(low, high) if all(line[at : at + 1] in ("", " ") for line in lines)]
    return blank[-1] if blank else high
