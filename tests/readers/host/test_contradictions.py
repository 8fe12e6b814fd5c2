"""Files with facts of one machine that contradict each other."""

from __future__ import annotations

import pytest

from tests.readers.host.craft import LISTENER, POLICY, TS, judged, packed, standing, value

SC = "SERVICE_NAME: TermService\n        STATE              : {}\n"
STOPPED, RUNNING = (SC.format(state).encode() for state in ("1  STOPPED", "4  RUNNING"))


def registry(name: str, number: int, key: str = TS, computer: str = "SRV01") -> bytes:
    system = {"computer": computer}
    return packed(
        system=system, registry=[value(key, name, number)], services=None, listeners=None, sessions=None
    )


OFF, ON = registry("fDenyTSConnections", 1), registry("fDenyTSConnections", 0)


@pytest.mark.parametrize(
    ("files", "told", "cause"),
    [
        ((OFF, ON), "fDenyTSConnections (1 and 0)", None),
        ((ON, OFF), "fDenyTSConnections (0 and 1)", "rdp.disabled"),
        ((RUNNING, STOPPED), "TermService (running and stopped)", "service.stopped"),
        (
            (registry("PortNumber", 3389, LISTENER), registry("PortNumber", 3390, LISTENER)),
            "PortNumber (3389 and 3390)",
            "port.changed",
        ),
        ((ON, ON), None, None),
        ((ON, registry("fDenyTSConnections", 1, POLICY)), None, "rdp.disabled"),
        ((OFF, registry("fDenyTSConnections", 0, computer="SRV02")), None, None),
        ((registry("MaxInstanceCount", 5, LISTENER), registry("MaxInstanceCount", 6, LISTENER)), None, None),
    ],
)
def test_both_values_are_told(files: tuple[bytes, ...], told: str | None, cause: str | None) -> None:
    found = judged(*files)
    host = next((stage.summary or "" for stage in found.stages if stage.id == "host"), "")
    assert (told is not None) == ("two values" in host)
    assert told is None or told in host
    assert (cause in standing(found)) == (cause is not None)
