"""`make scenarios`: plays the whole suite twice and writes `docs/scenarios.md`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .case import Played, wrong
from .collect import cases
from .page import page
from .play import play_all
from .score import score

if TYPE_CHECKING:
    from .case import Case

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scenarios.md"


def main() -> int:
    """The page is written only where this machine could play every case; 1 where one of them went wrong."""
    known = list(cases().values())
    lacking = {case.lacks for case in known if case.lacks}
    if lacking:
        print(f"error: not every case can be played here: {'; '.join(sorted(lacking))}", file=sys.stderr)
        return 2
    results = play_all([(case, everything) for everything in (False, True) for case in known])
    played: dict[bool, list[tuple[Case, Played]]] = {False: [], True: []}
    failed = 0
    for (name, everything), one in results.items():
        if isinstance(one, BaseException):
            print(f"{name}: {one!r}", file=sys.stderr)
            failed += 1
        else:
            played[everything].append((cases()[name], one))
            if (found := wrong(cases()[name], one)) and not everything:
                print(f"{name}: {'; '.join(found)}", file=sys.stderr)
                failed += 1
    order = list(cases())
    for rows in played.values():
        rows.sort(key=lambda row: order.index(row[0].name))
    PAGE.write_text(page(played[False], played[True]), encoding="utf-8")
    for everything, rows in played.items():
        total = score(rows)
        kind = "everything" if everything else "planned"
        print(f"{kind}: first cause right {total.top}, stage {total.stage}, {total.connections} connections")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
