"""Journals told in a few words: what a check would have written down, complete and well-formed.

Arguments that a test does not name get a dull value of their declared type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdpdoctor.diagnosis import Diagnosis, diagnose
from rdpdoctor.facts import Journal, Observation, Source, Target
from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.tags import faults

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = "2026-11-22T10:00:00.000Z"
ORDINARY = 0x0B
_DULL: Mapping[str, Any] = {"str": "", "int": 0, "float": 1.0, "bool": False, "list": [], "object": {}}

#: A Windows server's own certificate for itself.
SELF_SIGNED: Mapping[str, Any] = {
    "subject": "CN=srv01.corp.example",
    "common_name": "srv01.corp.example",
    "issuer": "CN=srv01.corp.example",
    "serial": "1a",
    "not_before": "2026-09-01T00:00:00Z",
    "not_after": "2027-03-01T00:00:00Z",
    "names": [],
    "key": "RSA",
    "key_bits": 2048,
    "signature": "sha256WithRSAEncryption",
    "sha1": "aa",
    "sha256": "aabb",
    "self_signed": True,
    "usages": ["1.3.6.1.5.5.7.3.1"],
}
CHALLENGE: Mapping[str, Any] = {
    "version": 6,
    "target_name": "CORP",
    "computer": "SRV01",
    "domain": "CORP",
    "dns_computer": "srv01.corp.example",
    "dns_domain": "corp.example",
    "os_version": "10.0.20348",
    "server_time": NOW,
    "skew_ms": 12.0,
    "uncertainty_ms": 4.0,
}


class Story:
    """See `attempt`; everything returns the story, so that one can go on telling."""

    def __init__(self, host: str = "srv01.corp.example", address: str = "10.0.4.21") -> None:
        self.journal = Journal(Target(host, host, 3389), NOW)
        self.address = address
        self.attempts = 0

    def see(self, tag: str, source: Source = Source.PROBE, **args: Any) -> Story:
        declared = load().tags[tag]
        if tag.endswith((".silent", ".stalled")):  # as long as a check waits
            args = {"waited_ms" if tag == "tcp.silent" else "elapsed_ms": 8000.0, **args}
        full = {
            name: args.get(name, None if kind.endswith("?") else _DULL[kind])
            for name, kind in declared.args.items()
        }
        observation = Observation(tag, {**full, **args}, declared.stage, source, float(len(self.journal)))
        assert not faults(observation, load().tags), faults(observation, load().tags)
        self.journal.add(observation)
        return self

    def resolved(self, *addresses: str) -> Story:
        found = list(addresses) or [self.address]
        return self.see("dns.resolved", name=self.journal.target.host, addresses=found, via="system")

    def dialled(self, outcome: str = "connected", address: str | None = None, **args: Any) -> Story:
        more = {"rtt_ms": 14.0} if outcome == "connected" else {}
        return self.see(f"tcp.{outcome}", address=address or self.address, port=3389, **{**more, **args})

    def attempt(
        self,
        x224: str | int | tuple[str, int] = 8,
        tls: str | tuple[str, Any] | None = None,
        nla: str | int | Mapping[str, Any] | None = None,
        *,
        role: str = "repeat",
        variant: str = "ordinary",
        requested: int = ORDINARY,
        cookie: str | None = "rdpdoctor",
        at_once: int = 1,
        address: str | None = None,
        hello: str = "client",
        certificate: Mapping[str, Any] | None = None,
        **args: Any,
    ) -> Story:
        """One connection. x224: a selected protocol, ("failure", code), "plain", or how it ended.

        tls: "TLS 1.3" (completed; answered for a hello of our own), or how it ended; with its code, its
        sample or the bytes received. nla: a challenge's odd values, an errorCode, "answered", or how it
        ended. certificate: its odd values. Further arguments go to the last stage.
        """
        self.attempts += 1
        self.dialled(address=address)
        who = {
            "attempt": self.attempts,
            "address": address or self.address,
            "role": role,
            "variant": variant,
            "at_once": at_once,
        }
        last = args if tls is None else {}
        self._x224(x224, {**who, "requested": requested, "cookie": cookie, **last})
        if tls is not None:
            self._tls(tls, {**who, "hello": hello, **({} if nla is not None else args)})
            if certificate is not None or (isinstance(tls, str) and tls.startswith("TLS")):
                self.see(
                    "tls.certificate",
                    **{**who, "hello": hello, "position": 0, **SELF_SIGNED, **(certificate or {})},
                )
        if nla is not None:
            self._nla(nla, {**who, **args})
        return self

    def walk(self, *args: Any, **kwargs: Any) -> Story:
        if "dns.resolved" not in {row.tag for row in self.journal}:
            self.resolved()
        return self.attempt(*args, role="walk", **kwargs)

    def healthy(self, **kwargs: Any) -> Story:
        return self.walk(8, "TLS 1.3", {}, **kwargs)

    def matrix(self, answers: Mapping[int, str | int | tuple[str, int]], at_once: int = 1) -> Story:
        for requested, answer in answers.items():
            self.attempt(answer, role="matrix", requested=requested, at_once=at_once)
        return self

    def versions(self, outcome: str | tuple[str, Any], *names: str) -> Story:
        for name in names or ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"):
            self.attempt(8, outcome, role="versions", hello=name)
        return self

    def spoken(self, *offered: str) -> Story:
        for name in ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"):
            self.see("tls.version", version=name, offered=name in offered)
        return self

    def code(self, reason: int, extended: int | None = None) -> Story:
        return self.see("code.shown", Source.CODE, reason=reason, extended=extended, text=hex(reason))

    def answer(self, question: str, answer: str) -> Story:
        return self.see("answer.given", Source.ANSWER, question=question, answer=answer)

    def diagnosis(self) -> Diagnosis:
        found = diagnose(self.journal, load())
        for row in found.observations:
            assert not faults(row, load().tags), faults(row, load().tags)
        return found

    def _x224(self, what: str | int | tuple[str, int], args: Mapping[str, Any]) -> None:
        if isinstance(what, int):
            self.see("x224.selected", **{**args, "selected": what, "flags": 0x1F})
        elif isinstance(what, tuple):
            self.see("x224.failure", **{**args, "code": what[1]})
        else:
            self.see(f"x224.{what}", **args)

    def _tls(self, what: str | tuple[str, Any], args: Mapping[str, Any]) -> None:
        word, extra = what if isinstance(what, tuple) else (what, None)
        if word.startswith("TLS"):
            tag = "tls.completed" if args["hello"] == "client" else "tls.answered"
            self.see(tag, **{"version": word, "suite": "TLS_AES_256_GCM_SHA384", **args})
            return
        more: dict[str, Any] = {"after": "client-hello"}
        more |= {"alerted": {"name": "an_alert"}, "malformed": {"detail": "no record"}}.get(word, {})
        if extra is not None:
            more[{"alerted": "alert", "malformed": "sample", "rejected": "reason"}.get(word, "received")] = (
                extra
            )
        self.see(f"tls.{word}", **{**more, **args})

    def _nla(self, what: str | int | Mapping[str, Any], args: Mapping[str, Any]) -> None:
        if isinstance(what, int):
            self.see("nla.error", **{**args, "version": 6, "code": what})
        elif isinstance(what, str):
            self.see(f"nla.{what}", **args)
        else:
            self.see("nla.challenged", **{**args, **CHALLENGE, **what})
