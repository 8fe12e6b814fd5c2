"""Scenario files: `scenarios/NAME.toml` to `Scenario`. What a file may say is what is read here."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

from rdpdoctor.lab.scenario import (
    DEEDS,
    KEYS,
    LISTENERS,
    NEEDS,
    POINTS,
    PROTOCOLS,
    SIGNATURES,
    SPEAKS,
    USAGES,
    VERSIONS,
    Answer,
    Certificate,
    Check,
    Expect,
    Fault,
    Initiation,
    Member,
    Nla,
    Plan,
    Scenario,
    Tls,
    When,
)
from rdpdoctor.lab.table import ScenarioError, Table

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

STATUSES = ("healthy", "degraded", "failing", "unreachable", "unknown")
_SUFFIX = ".toml"


def _folder() -> Traversable:
    return resources.files("rdpdoctor.lab") / "scenarios"


def names() -> list[str]:
    """Every scenario's name, sorted."""
    return sorted(
        file.name.removesuffix(_SUFFIX) for file in _folder().iterdir() if file.name.endswith(_SUFFIX)
    )


def load(name: str) -> Scenario:
    """Raise ScenarioError where there is none of that name, or its file is not one."""
    known = names()
    if name not in known:
        raise ScenarioError(f"there is no scenario {name!r}; there are: {', '.join(known)}")
    return parse(name, (_folder() / f"{name}{_SUFFIX}").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Scenario:
    """A scenario from the text of its file. Raise ScenarioError, which names the key that is wrong."""
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{name}.toml: {error}") from error
    with Table(f"{name}.toml", rows) as top:
        for key in ("endpoint", "expect"):
            if not top.has(key):
                raise top.error(key, "is missing")
        return Scenario(
            name=name,
            title=top.text("title"),
            teaches=top.text("teaches").strip(),
            endpoint=_plan(top.table("endpoint")),
            expect=_expect(top.table("expect")),
            check=_check(top.table("check")),
            needs=top.texts("needs", NEEDS),
            combines=top.texts("combines"),
        )


def _plan(table: Table) -> Plan:
    with table:
        plan = replace(
            _answering(table, Plan()),
            addresses=table.texts("addresses"),
            listeners=_listeners(table.table("listeners")),
            serves=table.maybe_whole("serves"),
        )
        members = tuple(_member(row, plan) for row in table.tables("member"))
        return replace(plan, members=members)


def _member(table: Table, plan: Plan) -> Member:
    """What it does not say is as the endpoint has it."""
    with table:
        return Member(_answering(table, plan), table.maybe_text("address"), _turn(table))


def _answering(table: Table, base: Plan) -> Plan:
    """The keys that say how connections are answered."""
    segment = table.maybe_whole("segment")
    if segment is not None and segment < 1:
        raise table.error("segment", "must be at least 1")
    given: dict[str, Any] = {
        "certificates": tuple(_certificate(row) for row in table.tables("certificate")),
        "x224": _initiation(table.table("x224")),
        "tls": _tls(table.table("tls")),
        "nla": _nla(table.table("nla")),
        "faults": tuple(_fault(row) for row in table.tables("fault")),
    }
    keys = {"certificates": "certificate", "faults": "fault"}
    return replace(
        base,
        speaks=table.choice("speaks", SPEAKS, base.speaks),
        delay=table.number("delay", base.delay),
        segment=base.segment if segment is None else segment,
        **{name: value for name, value in given.items() if table.has(keys.get(name, name))},
    )


def _listeners(table: Table) -> dict[str, str]:
    with table:
        return {
            "" if key == "all" else key: table.choice(key, LISTENERS)
            for key in table.keys()  # noqa: SIM118
        }


def _initiation(table: Table) -> Initiation:
    with table:
        standard = Initiation()
        accepts = frozenset(PROTOCOLS[name] for name in table.texts("accepts", PROTOCOLS))
        always = table.maybe_text("always")
        answers = {}
        with table.table("answers") as by_request:
            for key, text in by_request.texts_by_key().items():
                try:
                    answers[int(key, 0)] = _answer(by_request, key, text)
                except ValueError as error:
                    raise by_request.error(key, f"is no requestedProtocols such as 0x0B: {error}") from error
        return Initiation(
            accepts=accepts or standard.accepts,
            flags=table.whole("flags", standard.flags),
            always=_answer(table, "always", always) if always is not None else None,
            answers=answers,
        )


def _answer(table: Table, key: str, text: str) -> Answer:
    match text.split():
        case ["plain"]:
            return Answer()
        case ["select", name] if name in PROTOCOLS:
            return Answer(select=PROTOCOLS[name])
        case ["fail", code] if code.isdigit():
            return Answer(fail=int(code))
    raise table.error(key, f"is {text!r}, not `plain`, `select PROTOCOL` or `fail CODE`")


def _certificate(table: Table) -> Certificate:
    with table:
        standard = Certificate()
        days = table.wholes("days") or standard.days
        if len(days) != 2:
            raise table.error("days", "must be two whole numbers: from and to, counted from now")
        made = Certificate(
            common_name=table.text("common_name", standard.common_name),
            names=table.texts("names"),
            key=table.choice("key", KEYS, standard.key),
            signature=table.choice("signature", SIGNATURES, standard.signature),
            days=(days[0], days[1]),
            usages=table.texts("usages", USAGES) or None if table.has("usages") else standard.usages,
            issuer=table.maybe_text("issuer"),
            chain=table.whole("chain", standard.chain),
            padding=table.whole("padding", standard.padding),
        )
        self_signed = made.issuer is None and made.chain == 1
        if made.signature == "sha1" and not (self_signed and made.key == "rsa-2048"):
            raise table.error("signature", "sha1 goes with a self-signed certificate of key rsa-2048 only")
        return made


def _tls(table: Table) -> Tls:
    with table:
        standard = Tls()
        versions = tuple(VERSIONS[name] for name in table.texts("versions", VERSIONS))
        return Tls(
            versions=(min(versions), max(versions)) if versions else standard.versions,
            ciphers=table.maybe_text("ciphers"),
            suites=table.wholes("suites"),
        )


def _nla(table: Table) -> Nla:
    with table:
        standard = Nla()
        os = table.wholes("os") or standard.os
        if len(os) != 3:
            raise table.error("os", "must be major, minor and build")
        computer = table.text("computer", standard.computer)
        dns_computer = table.text("dns_computer", computer)
        return Nla(
            version=table.whole("version", standard.version),
            computer=computer,
            domain=table.text("domain", computer),
            dns_computer=dns_computer,
            dns_domain=table.text("dns_domain", dns_computer),
            dns_tree=table.maybe_text("dns_tree"),
            os=(os[0], os[1], os[2]),
            clock=table.number("clock", 0.0),
            status=table.whole("status", standard.status),
            error=table.maybe_whole("error"),
        )


def _fault(table: Table) -> Fault:
    with table:
        does = table.choice("does", DEEDS)
        then = table.choice("then", ("close", "reset", "silence"), "silence")
        payload = _payload(table)
        if does in ("say", "flood") and not payload:
            raise table.error(does, "needs `text` or `hex`")
        return Fault(
            at=table.choice("at", POINTS),
            does=does,
            then=then,
            wait=table.number("wait", 0.0),
            length=table.whole("bytes", 0),
            pace=table.number("pace", 1.0),
            alert=table.whole("alert", 80),
            payload=payload,
            when=_when(table.table("when")),
        )


def _payload(table: Table) -> bytes:
    text, digits = table.maybe_text("text"), table.maybe_text("hex")
    try:
        return (text or "").encode() + bytes.fromhex(digits or "")
    except ValueError as error:
        raise table.error("hex", f"is not hex: {error}") from error


def _when(table: Table) -> When:
    with table:
        return When(
            every=table.maybe_whole("every"),
            after=table.maybe_whole("after"),
            over=table.maybe_whole("over"),
            cookie=table.maybe_text("cookie"),
            requested=table.wholes("requested"),
            address=table.maybe_text("address"),
            turn=_turn(table),
            segment_over=table.maybe_whole("segment_over"),
            answer_over=table.maybe_whole("answer_over"),
            sni=table.maybe_flag("sni"),
            joined=table.maybe_flag("joined"),
        )


def _turn(table: Table) -> tuple[int, int] | None:
    turn = table.wholes("turn")
    if turn and (len(turn) != 2 or not 0 <= turn[0] < turn[1]):
        raise table.error("turn", "must be two whole numbers: whose turn, of how many")
    return (turn[0], turn[1]) if turn else None


def _check(table: Table) -> Check:
    with table:
        with table.table("answers") as answers:
            given = answers.texts_by_key()
        return Check(
            host=table.maybe_text("host"),
            code=table.texts("code"),
            answers=given,
            user=table.maybe_text("user"),
            timeout=table.number("timeout", 0.0) or None,
        )


def _expect(table: Table) -> Expect:
    with table:
        return Expect(
            status=table.choice("status", STATUSES),
            stage=table.maybe_text("stage"),
            causes=table.texts("causes"),
            also=table.texts("also"),
            forbid=table.texts("forbid"),
            observed=table.texts("observed"),
        )
