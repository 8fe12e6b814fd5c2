"""What a file says, as observations. Each value of the registry gets what the knowledge says of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from rdpdoctor.facts import Observation, Source, Stage, Value
from rdpdoctor.knowledge.settings import registry
from rdpdoctor.readers.host.model import Listener, Raw, Rule, Setting
from rdpdoctor.readers.host.text import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_USUAL = 3389
_CERTIFICATES, _RULES, _ADAPTERS, _PORTS = 200, 300, 50, 300
#: Below are the ports of domain controllers and name servers, which speak both too (RFC 6335).
_REGISTERED = 1024
#: Ports that the collector looks at beside that of Remote Desktop.
_COLLECTED = (3389, 3391, 443)
#: How Windows writes the same folder and the same account in other words.
_FOLDERS = (
    (re.compile(r"^[a-z]:\\windows(?=\\)", re.IGNORECASE), "%SystemRoot%"),
    (re.compile(r"^[a-z]:(?=\\programdata)", re.IGNORECASE), "%SystemDrive%"),
)


class _Row(Protocol):
    """What makes an observation of a tag, a stage and arguments."""

    def __call__(self, tag: str, stage: Stage = ..., **args: Value) -> Observation: ...


_SIDES = {"server": ("server", "both", "gateway"), "client": ("client", "both")}


def observe(raw: Raw, kind: str, role: str | None) -> Iterator[Observation]:
    """role: server or client; None where nobody knows, and then all that is told counts."""
    source = Source.BUNDLE if kind == "bundle" else Source.FILE

    def row(tag: str, stage: Stage = Stage.HOST, **args: Value) -> Observation:
        return Observation(tag, args, stage, source)

    settings = list(_settings(raw, role))
    yield row(
        "host.read",
        kind=kind,
        parts=list(dict.fromkeys(raw.kinds)),
        computer=raw.computer,
        collected=raw.collected,
        system=raw.system,
        build=raw.build,
        role=role,
        settings=len(settings),
        listener_key=raw.listener_key if role != "client" else None,
        lost=list(raw.lost),
    )
    for args in settings:
        yield Observation("host.setting", args, Stage.HOST, source)
    for test in raw.tested:
        yield row(
            "host.tested",
            Stage.TCP,
            host=test.host,
            address=test.address,
            port=test.port,
            opened=test.opened,
            pinged=test.pinged,
        )
    for adapter in raw.adapters[:_ADAPTERS]:
        yield row("host.adapter", name=adapter.name, mtu=adapter.mtu, vpn=adapter.vpn)
    if raw.clock is not None:
        clock = raw.clock
        yield row(
            "host.clock",
            source=clock.source,
            stratum=clock.stratum,
            synced=clock.synced,
            offset_s=clock.offset_s,
        )
    if raw.update is not None:
        yield row("host.update", latest=raw.update[0], installed=raw.update[1])
    if role != "client":
        yield from _server(raw, row, kind)
    yield from raw.events


def _server(raw: Raw, row: _Row, kind: str) -> Iterator[Observation]:
    """What only matters of the machine that is connected to."""
    for service in raw.services:
        yield row("host.service", name=service.name, state=service.state, start=service.start)
    if raw.listeners is not None:
        pid = next((one.pid for one in raw.services if one.name.lower() == "termservice"), None) or raw.owner
        if all(one.pid is None for one in raw.listeners):
            pid = None
        reached = [one for one in raw.listeners if not one.address.startswith(("127.", "::1"))]
        own = [one for one in reached if pid and one.pid == pid]
        tcp = _ports(one.port for one in reached if one.protocol.startswith("tcp"))
        local = [one for one in raw.listeners if one not in reached and one.protocol.startswith("tcp")]
        told = _ports(one.port for one in (*reached, *local) if one.protocol.startswith("tcp"))
        if not tcp and len(told) > 1:  # somebody looked for 127.0.0.1, and not for the port
            told = []
        asked = _ports([raw.port or _USUAL, *_COLLECTED]) if kind == "bundle" else told if raw.part else None
        yield row(
            "host.listeners",
            tcp=tcp,
            udp=_ports(one.port for one in reached if one.protocol.startswith("udp")),
            service=_ports(one.port for one in own if one.protocol.startswith("tcp")) if pid else None,
            asked=asked,
            local=_ports(one.port for one in local),
            both=_ports(one.port for one in reached if _speaks_both(one, reached)),
        )
    if raw.members is not None:
        yield row("host.members", Stage.NLA, members=raw.members)
    if raw.sessions is not None:
        users = sum(not one.listener and one.user for one in raw.sessions)
        listens = any(one.listener and one.name.lower().startswith("rdp-tcp") for one in raw.sessions)
        yield row("host.sessions", listener=listens, users=users, lines=len(raw.sessions))
    bound = raw.bound or _bound(raw.settings)
    if raw.stores or raw.certificates or bound:
        yield row("host.certificates", bound=bound, stores=list(raw.stores), held=len(raw.certificates))
    for one in sorted(raw.certificates, key=lambda one: one.thumbprint != bound)[:_CERTIFICATES]:
        yield row(
            "host.certificate",
            store=one.store,
            thumbprint=one.thumbprint,
            bound=one.thumbprint == bound,
            subject=one.subject,
            issuer=one.issuer,
            not_before=one.not_before,
            not_after=one.not_after,
            has_key=one.has_key,
            opened=one.opened,
            readable=one.readable,
            key=one.key,
            key_bits=one.key_bits,
            signature=one.signature,
            usages=None if one.usages is None else list(one.usages),
        )
    if raw.rules is not None or raw.profiles:
        yield row(
            "host.firewall", rules=len(raw.rules or []), whole=kind == "bundle", known=raw.rules is not None
        )
    for profile in raw.profiles[:20]:
        yield row(
            "host.firewall-profile",
            name=profile.name,
            enabled=profile.enabled,
            blocks_all=profile.blocks_all,
            default=profile.default,
            active=profile.active,
        )
    for rule in [one for one in raw.rules or [] if _concerns(one)][:_RULES]:
        yield row(
            "host.firewall-rule",
            name=rule.name,
            enabled=rule.enabled,
            action=rule.action,
            protocol=rule.protocol,
            ports=None if rule.ports is None else list(rule.ports),
            remote=list(rule.remote),
            profiles=list(rule.profiles),
        )
    if raw.licensing:
        found = raw.licensing
        yield row(
            "host.licensing",
            mode=number(found.get("mode"), 0, 100),
            session_host=found.get("terminal_mode") == 1 if "terminal_mode" in found else None,
            grace_days=number(found.get("grace_days"), 0, 10_000),
            servers=number(found.get("servers"), 0, 1_000),
        )


def _ports(ports: Iterable[int]) -> list[Value]:
    return list(sorted(set(ports))[:_PORTS])


def _speaks_both(one: Listener, listeners: Iterable[Listener]) -> bool:
    """Whether its process takes datagrams on the same port, as Remote Desktop does. 4 is Windows itself."""
    return (
        one.pid not in (None, 4)
        and one.port >= _REGISTERED
        and one.protocol.startswith("tcp")
        and any(
            each.protocol.startswith("udp") and (each.port, each.pid) == (one.port, one.pid)
            for each in listeners
        )
    )


def _bound(settings: Iterable[Setting]) -> str | None:
    """The thumbprint that the listener names."""
    for one in settings:
        if one.name.lower() == "sslcertificatesha1hash" and isinstance(one.value, str):
            text = one.value.upper()
            if re.fullmatch(r"[0-9A-F]{40}", text) and text.strip("0"):
                return text
    return None


def _concerns(rule: Rule) -> bool:
    """Remote Desktop is served by svchost.exe; a rule for another program says nothing about it."""
    program = rule.program.lower()
    return not program or program.endswith("svchost.exe") or program in ("any", "system", "*")


def _settings(raw: Raw, role: str | None) -> Iterator[dict[str, Value]]:
    given = [*raw.settings, *_of_services(raw)]
    for one in given:
        found = registry.find(one.key, one.name)
        if found is None:
            if one.name.lower() == "computername" and isinstance(one.value, str):
                raw.computer = raw.computer or one.value
            continue
        setting = found.setting
        if role is not None and setting.side not in _SIDES.get(role, ()):
            continue
        by_policy = found.by_policy if one.by_policy is None else one.by_policy
        value = _usual(one.value) if isinstance(one.value, str) else one.value
        judged = setting.judge(value) if value is not None else None
        shown = None if setting.secret or setting.personal or value is None else str(value)[:300]
        yield {
            "name": setting.name,
            "setting": setting.path,
            "path": one.key,
            "value": shown,
            "number": value if isinstance(value, int) and value < 2**53 else None,
            "set": one.value is not None,
            "by": "policy" if by_policy else "local",
            "side": setting.side,
            "effect": judged.effect if judged is not None else None,
            "at": judged.at if judged is not None else None,
            "says": judged.says if judged is not None else None,
        }


def _of_services(raw: Raw) -> Iterator[Setting]:
    """A service that is switched off says what its value in the registry would say."""
    for service in raw.services:
        if service.start == "disabled":
            yield Setting(
                rf"HKLM\SYSTEM\CurrentControlSet\Services\{service.name}", "Start", 4, by_policy=False
            )


def _usual(text: str) -> str:
    for pattern, word in _FOLDERS:
        text = pattern.sub(word, text)
    return re.sub(r"(?i)^(NT AUTHORITY\\)NETWORK SERVICE$", r"\1NetworkService", text)
