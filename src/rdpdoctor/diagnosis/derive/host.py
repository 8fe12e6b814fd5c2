"""What facts of a machine amount to: which of two values counts, and what stands in a connection's way.

A policy beats the local value (Microsoft's documents of each policy); of the same place the last one that was
read counts. Everything is told as it was when the file was made.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rdpdoctor.diagnosis.derive import hostcertificate, hostodd, hostrights, hostwall
from rdpdoctor.diagnosis.derive.finding import Finding, named
from rdpdoctor.diagnosis.view import View, flag, number, text, whole
from rdpdoctor.facts import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rdpdoctor.facts import Observation, Value

READ = "host.read"
USUAL_PORT = 3389
#: Windows builds from here on speak TLS 1.3 (Schannel's table of versions in Microsoft's documents).
_SPEAKS_TLS13 = 20_348
#: Of a clock against another one, in seconds: Kerberos takes no more (MS-KILE 3.1.1.2; the usual policy).
_SKEW = 300.0
#: Bytes. Ethernet has 1,500; a tunnel takes some tens of these, and below that something else does.
_LOW_MTU = 1_400
#: Suites that current clients do not offer (RFC 7465 and 8996, Schannel's tables of suites).
_OLD = re.compile(r"RC4|NULL|EXPORT|_DES_|_3DES_")
#: Characters of a value that observations keep.
_CUT = 300
#: Win32_TerminalServiceSetting.LicensingType.
_NOT_CHOSEN = 5


def derive(view: View) -> Iterator[Observation]:
    if READ not in view:
        return
    found = [*_settings(view), *_service(view)]
    found += _listener(view, found)
    found += _moved(view, found)
    found = [_later(one, {each.means for each in found}) for one in found]
    found += [*hostwall.find(view, port_of(view)), *hostcertificate.find(view), *_rest(view)]
    found += hostrights.find(view, effective(view))
    found += hostodd.find(view)
    computer = next((name for row in view.all(READ) if (name := text(row, "computer"))), None)
    for one in found:
        yield one.told(computer)


#: Values that count when the service starts, and what shows that it has started without them.
_AT_START = {r"TermService\Start": "service.running", "fEnableWinStation": "listener.there"}


def _later(one: Finding, means: set[str]) -> Finding:
    """What runs goes on until it is started anew."""
    if one.weight == "breaks" and _AT_START.get(one.means) in means:
        return replace(one, weight="warns")
    return one


def port_of(view: View) -> int:
    """Where Remote Desktop listens, as far as the registry tells, else where the client went."""
    row = effective(view).get("PortNumber")
    return (whole(row, "number") if row is not None else None) or view.target.port


def effective(view: View) -> dict[str, Observation]:
    """Name of a setting (`named`) → the row that counts, where one is set."""
    chosen: dict[str, Observation] = {}
    for row in view.all("host.setting"):
        name = named(row)
        before = chosen.get(name)
        if not flag(row, "set"):
            if before is not None and text(before, "by") == text(row, "by"):
                del chosen[name]
            continue
        if before is None or text(before, "by") != "policy" or text(row, "by") == "policy":
            chosen[name] = row
    return chosen


def _settings(view: View) -> Iterator[Finding]:
    for name, row in effective(view).items():
        effect, at = text(row, "effect"), text(row, "at")
        if effect not in ("breaks", "weakens", "limits"):
            continue
        if name == "PortNumber" and whole(row, "number") == view.target.port:
            continue
        weight = {"breaks": "breaks" if at else "warns", "weakens": "warns"}.get(effect, "notes")
        if name == r"TLS 1.2\Server\Enabled" and _other_versions(view):
            weight = "warns"
        yield Finding(
            name,
            weight,
            Stage(at) if at in tuple(Stage) else Stage.HOST,
            [row],
            says=text(row, "says"),
            by=text(row, "by"),
            setting=text(row, "path"),
            value=text(row, "value"),
            number=whole(row, "number"),
        )
    suites = effective(view).get("Functions")
    names = (text(suites, "value") or "").replace(",", " ") if suites is not None else ""
    if suites is not None and names and len(names) < _CUT and all(map(_OLD.search, names.split())):
        yield Finding("ciphers.old", "warns", Stage.TLS, [suites], setting=text(suites, "path"))
    off = effective(view).get("fDenyTSConnections")
    if off is not None and whole(off, "number") == 0:
        yield Finding("remote-desktop.on", "good", Stage.TCP, [off])


def _other_versions(view: View) -> bool:
    """Whether the server may speak another one than TLS 1.2: what nobody switched off may be on."""
    build = max((whole(row, "build") or 0 for row in view.all(READ)), default=0)
    set_ = effective(view)
    for version in ("1.0", "1.1", "1.3"):
        row = set_.get(rf"TLS {version}\Server\Enabled")
        off = row is not None and whole(row, "number") == 0
        if not off and not (version == "1.3" and 0 < build < _SPEAKS_TLS13):
            return True
    return False


def _service(view: View) -> Iterator[Finding]:
    rows = [row for row in view.all("host.service") if (text(row, "name") or "").lower() == "termservice"]
    row = next((row for row in reversed(rows) if text(row, "state")), None)
    if row is None:
        return
    state = text(row, "state") or ""
    if state == "running":
        yield Finding("service.running", "good", Stage.TCP, [row])
    elif state in ("stopped", "stopping", "paused"):
        yield Finding("service.stopped", "breaks", Stage.TCP, [row], value=state)
    else:
        yield Finding("service.starting", "warns", Stage.TCP, [row], value=state)


def _listener(view: View, before: list[Finding]) -> Iterator[Finding]:
    """Nothing that listens, which what was found before may explain."""
    explained = any(one.weight == "breaks" and one.at is Stage.TCP for one in before)
    port = port_of(view)
    runs = any(one.means == "service.running" for one in before)
    for row in view.all("host.listeners"):
        ports, asked = row.args.get("tcp"), row.args.get("asked")
        if not isinstance(ports, list | tuple) or (isinstance(asked, list | tuple) and port not in asked):
            continue
        own = row.args.get("service")
        local = row.args.get("local")
        if isinstance(local, list | tuple) and port in local and port not in ports and not explained:
            yield Finding("listener.local", "breaks", Stage.TCP, [row], number=port)
        elif port in ports:
            if isinstance(own, list | tuple) and runs and port not in own:
                yield Finding("listener.other", "warns", Stage.TCP, [row], number=port)
            else:
                yield Finding("listener.there", "good", Stage.TCP, [row], number=port)
        elif not explained and isinstance(own, list | tuple) and own:
            yield Finding("listener.elsewhere", "breaks", Stage.TCP, [row], value=_listed(own), number=port)
        elif not explained:
            yield Finding("listener.missing", "breaks", Stage.TCP, [row], number=port)
            both = row.args.get("both")
            if isinstance(both, list | tuple) and len(both) == 1:
                yield Finding(
                    "listener.maybe-elsewhere", "notes", Stage.TCP, [row], value=_listed(both), number=port
                )
    for row in view.all("host.sessions"):
        if flag(row, "listener") is False and not explained:
            yield Finding("listener.not-listed", "breaks", Stage.TCP, [row])
        elif flag(row, "listener"):
            yield Finding("listener.listed", "good", Stage.TCP, [row])
    for row in view.all(READ):
        if flag(row, "listener_key") is False:
            yield Finding("listener.no-key", "breaks", Stage.TCP, [row])


def _moved(view: View, before: list[Finding]) -> Iterator[Finding]:
    """Where only the registry tells of the port, and nobody else knows that it is not the usual one."""
    row = effective(view).get("PortNumber")
    seen = (
        "check.connections" in view
        or "tcp.connected" in view
        or any(one.means == "listener.there" for one in before)
    )
    if row is not None and not seen and whole(row, "number") == view.target.port != USUAL_PORT:
        yield Finding("port.moved", "notes", Stage.TCP, [row], number=view.target.port)


def _listed(ports: Sequence[Value]) -> str:
    return " and ".join(str(port) for port in ports[:3])


def _rest(view: View) -> Iterator[Finding]:
    for row in view.all("host.clock"):
        off = number(row, "offset_s")
        if off is not None and abs(off) > _SKEW:
            yield Finding("clock.off", "warns", Stage.NLA, [row], number=int(min(abs(off), 1e12)))
        elif flag(row, "synced") is False:
            yield Finding("clock.alone", "notes", Stage.NLA, [row])
    for row in view.all("host.adapter"):
        mtu = whole(row, "mtu")
        if mtu is not None and mtu < _LOW_MTU:
            yield Finding("mtu.low", "notes", Stage.PATH, [row], value=text(row, "name"), number=mtu)
    for row in view.all("host.licensing"):
        if flag(row, "session_host") is not True:
            continue
        days, servers = whole(row, "grace_days"), whole(row, "servers")
        if days == 0 and servers == 0:
            yield Finding("licensing.grace-over", "warns", Stage.LICENSING, [row])
        elif whole(row, "mode") == _NOT_CHOSEN:
            yield Finding("licensing.no-mode", "warns", Stage.LICENSING, [row])
    for row in view.all("host.tested"):
        host, port = text(row, "host") or "", whole(row, "port")
        if port != view.target.port and port != USUAL_PORT:
            continue
        if flag(row, "opened") is False:
            yield Finding("test.failed", "breaks", Stage.TCP, [row], value=host, number=port)
        elif flag(row, "opened"):
            yield Finding("test.opened", "good", Stage.TCP, [row], value=host, number=port)
