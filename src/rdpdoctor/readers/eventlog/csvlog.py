"""CSV: Event Viewer's "Save as CSV" (level, moment, source, id, category, message) and `Export-Csv`.

Event Viewer translates its header and its moments, so its columns are also recognised by what stands in them.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, TextIO

from rdpdoctor.readers.eventlog import loose
from rdpdoctor.readers.eventlog.event import NO_TIME
from rdpdoctor.readers.eventlog.table import WANTED, full_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rdpdoctor.readers.eventlog.event import Event
    from rdpdoctor.readers.eventlog.tally import Tally

_FIELDS: Mapping[str, str] = {
    **{"Level": "Level", "Date and Time": "TimeCreated", "Source": "ProviderName", "Event ID": "Id"},
    **{"Id": "Id", "ProviderName": "ProviderName", "LogName": "LogName", "TimeCreated": "TimeCreated"},
    **{"RecordId": "RecordId", "MachineName": "MachineName", "ActivityId": "ActivityId"},
    **{"LevelDisplayName": "Level", "Message": "Message", **loose.OLDER},
}
_WIDEST = 200


def read(file: TextIO, tally: Tally) -> Iterator[Event]:
    """Events of interest, in file order."""
    first = file.readline(1 << 16)
    while first.startswith("#TYPE") or first.strip() == "":
        if not first:
            return
        first = file.readline(1 << 16)
    delimiter = max(",;\t", key=first.count)
    columns = _columns(next(csv.reader([first], delimiter=delimiter), []))
    rows = csv.reader((line.replace("\0", "") for line in _lines(file)), delimiter=delimiter)
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            tally.lose(f"a damaged line ({error})")
            continue
        if row is None:
            return
        if not row:  # an empty line
            continue
        tally.records += 1
        columns = columns or _guess(row)
        if columns is None or len(row) <= columns["Id"]:
            continue
        fields = {name: row[place] for name, place in columns.items() if place < len(row)}
        loose.note(fields, tally)
        message = fields.pop("Message", None) or (row[-1] if "Message" not in columns else "")
        event = loose.event(fields, message=message)
        if event is not None:
            yield event


def plausible(text: str) -> bool:
    """Whether the beginning of a file looks like one of these."""
    lines = [line for line in text.splitlines()[:400] if line.strip() and not line.startswith("#TYPE")]
    if not lines:
        return False
    delimiter = max(",;\t", key=lines[0].count)
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return False
    return _columns(rows[0]) is not None or any(_guess(row) for row in rows if len(row) >= 4)


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(1 << 20):
        yield line


def _columns(header: Sequence[str]) -> dict[str, int] | None:
    """Field → place, from an English header."""
    found: dict[str, int] = {}
    for place, name in enumerate(header[:_WIDEST]):
        if (field := _FIELDS.get(name.strip().strip('"'))) is not None:
            found.setdefault(field, place)
    return found if {"Id", "ProviderName", "TimeCreated"} <= found.keys() else None


def _guess(row: Sequence[str]) -> dict[str, int] | None:
    """The same from a row: the source is one we know, the id the whole number nearest behind it."""
    for place, text in enumerate(row[:_WIDEST]):
        if full_name(text.strip()) not in WANTED:
            continue
        numbers = [n for n, other in enumerate(row[:_WIDEST]) if other.strip().isdecimal() and n != place]
        times = [
            n for n, other in enumerate(row[:_WIDEST]) if loose.time_of(other) != NO_TIME and n not in numbers
        ]
        if numbers and times:
            nearest = min(numbers, key=lambda n: (abs(n - place), -n))
            return {"ProviderName": place, "Id": nearest, "TimeCreated": times[0]}
    return None
