"""What a .rdp file makes its client ask for, against what the server was seen to take.

Our own check asks as a current client does, whatever the file says; this is where the two part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive.server import answers
from rdpdoctor.diagnosis.view import Args, View, derived, text, whole
from rdpdoctor.facts import Observation, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

_RDSAAD, _HYBRID_REQUIRED = 0x10, 5
_WITHOUT_CREDSSP = (0x00, 0x01)
#: RESTRICTED_ADMIN_MODE_SUPPORTED (MS-RDPBCGR 2.2.1.2.1).
_RESTRICTED_ADMIN = 0x08


def derive(view: View) -> Iterator[Observation]:
    given = {text(row, "name"): row for row in view.all("file.setting")}
    if not given:
        return
    selected, failed, flags = answers(view)
    for name, value, need, met in (
        ("enablecredsspsupport", 0, "credssp", not _insists(selected, failed)),
        ("restrictedadmin", 1, "restricted-admin", flags is None or bool(flags & _RESTRICTED_ADMIN)),
        ("enablerdsaadauth", 1, "entra", selected.get(_RDSAAD) == _RDSAAD and not _by_address(view)),
    ):
        row = given.get(name)
        if row is None or whole(row, "number") != value or not (selected or failed):
            continue
        args: Args = {"need": need, "met": met, "setting": f"{name}:i:{value}"}
        yield derived("file-asks", Stage.X224, args, (row,))


def _insists(selected: dict[int, int], failed: dict[int, int]) -> bool:
    """Whether the server refuses a client because it lacks CredSSP."""
    return any(failed.get(one) == _HYBRID_REQUIRED for one in _WITHOUT_CREDSSP) and not any(
        one in selected for one in _WITHOUT_CREDSSP
    )


def _by_address(view: View) -> bool:
    return any(text(row, "kind") == "entra-by-address" for row in view.all("file.contradiction"))
