"""Was what a tool said true? Each judge gives "right", or what was wrong; the truth is `servers.Fleet`'s."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.servers import Fleet

#: What nmap calls the ways in, and whether these servers have them.
_NMAP = {
    "Native RDP": True,
    "SSL": True,
    "CredSSP (NLA)": False,
    "CredSSP with Early User Auth": False,
    "RDSTLS": False,
}


def _sum_up(wrong: list[str], hosts: int) -> str:
    if not wrong:
        return "right"
    return "; ".join(
        f"{what}, {count} of {hosts}" if hosts > 1 else what for what, count in Counter(wrong).items()
    )


def reports(stdout: str) -> list[dict[str, Any]]:
    """The reports in what `check --json` or `--jsonl` printed; none where it is something else."""
    try:
        return [json.loads(line) for line in stdout.splitlines() if line.strip()]
    except ValueError:
        try:
            whole = json.loads(stdout)
        except ValueError:
            return []
        return whole if isinstance(whole, list) else [whole]


def rdpdoctor(stdout: str, truth: Fleet) -> str:
    by_address = {report["target"]["address"]: report for report in reports(stdout)}
    wrong: list[str] = []
    for host in truth.hosts:
        report = by_address.get(host)
        wrong += ["no report"] if report is None else _wrong_in(report, truth)
    return _sum_up(wrong, len(truth.hosts))


def _wrong_in(report: dict[str, Any], truth: Fleet) -> list[str]:
    wrong = []
    if report["verdict"]["status"] not in ("healthy", "degraded"):
        wrong.append(f"says {report['verdict']['status']}")
    server = _args(report, "derived.server")
    ways = server.get("nla"), server.get("layer"), sorted(server.get("accepts", []))
    if ways != ("absent", "tls", ["rdp", "tls"]):
        wrong.append(f"says NLA {ways[0]}, layer {ways[1]}, accepts {', '.join(ways[2])}")
    if str(_args(report, "tls.certificate").get("sha256", "")).replace(":", "").lower() != truth.certificate:
        wrong.append("another certificate, or none")
    offered = set(_args(report, "derived.versions").get("offered", []))
    if offered != {"TLS 1.2", "TLS 1.3"}:
        wrong.append(f"says {', '.join(sorted(offered)) or 'no TLS version'}")
    if any(row["tag"] == "probe.crashed" for row in report["observations"]):
        wrong.append("a probe crashed")
    return wrong


def _args(report: dict[str, Any], tag: str) -> dict[str, Any]:
    return next((row["args"] for row in report["observations"] if row["tag"] == tag), {})


def nmap(stdout: str, truth: Fleet) -> str:
    parts = re.split(r"^Nmap scan report for ", stdout, flags=re.MULTILINE)[1:]
    by_host = {part.split("\n", 1)[0].split()[-1].strip("()"): part for part in parts}
    wrong: list[str] = []
    for host in truth.hosts:
        said = set(re.findall(r"^\|\s+(.+?): SUCCESS$", by_host.get(host, ""), flags=re.MULTILINE))
        claims = [name for name, there in _NMAP.items() if name in said and not there]
        misses = [name for name, there in _NMAP.items() if there and name not in said]
        if claims:
            wrong.append(f"claims {', '.join(claims)}")
        if misses:
            wrong.append(f"misses {', '.join(misses)}")
    return _sum_up(wrong, len(truth.hosts))


def floor(stdout: str, wanted: Counter[str]) -> str:
    """It does not look at what servers say; only whether it made the connections it was to make."""
    try:
        made = Counter(json.loads(stdout))
    except ValueError:
        return "broke"
    return "does not look" if made == wanted else f"made {dict(made)} of {dict(wanted)}"


def connections(report: dict[str, Any]) -> Counter[str]:
    """The connections of one check by how far they went, as `floor.py` is to make them."""
    made = _args(report, "check.connections").get("made", 0)
    rows = report["observations"]
    whole = {row["args"]["attempt"] for row in rows if row["tag"] == "tls.completed"}
    begun = {
        row["args"]["attempt"] for row in rows if row["tag"].startswith("tls.") and "attempt" in row["args"]
    }
    return Counter({"tls": len(whole), "hello": len(begun - whole), "x224": made - len(begun)})
