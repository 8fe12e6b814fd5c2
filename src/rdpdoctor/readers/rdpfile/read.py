"""The way in: a `.rdp` file becomes observations."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rdpdoctor.facts import Observation, Source, Stage
from rdpdoctor.readers.rdpfile.contradictions import contradictions, is_host, signed_names, split
from rdpdoctor.readers.rdpfile.parse import parse_rdp_file, read_rdp_file

if TYPE_CHECKING:
    from pathlib import Path

    from rdpdoctor.facts import Value
    from rdpdoctor.readers.rdpfile.parse import RdpSettings

#: Settings that connections depend on, whatever their value.
_TOLD = frozenset(
    {
        *("full address", "alternate full address", "server port", "kdcproxyname", "loadbalanceinfo"),
        *("authentication level", "enablecredsspsupport", "negotiate security layer", "restrictedadmin"),
        *("enablerdsaadauth", "targetisaadjoined", "prompt for credentials", "promptcredentialonce"),
        *("gatewayhostname", "gatewayusagemethod", "gatewayprofileusagemethod", "gatewaycredentialssource"),
        *("rdgiskdcproxy", "use redirection server name", "administrative session", "pcb"),
        "autoreconnection enabled",
    }
)
_DEFAULT_PORT = 3389
#: Contradictions, secrets; and characters of a value.
_MOST, _LONGEST = 50, 200


@dataclass(frozen=True, slots=True)
class RdpFile:
    """host: without brackets or port, as written; None where the file names none. gateway: where it is used.

    lost: what could not be used, a phrase each.
    """

    host: str | None
    port: int
    user: str | None
    gateway: str | None
    settings: RdpSettings
    observations: tuple[Observation, ...]
    lost: tuple[str, ...]


def read_rdp(given: Path | bytes) -> RdpFile:
    """Raise OSError, or RdpFileError where the content is something else."""
    settings = parse_rdp_file(given) if isinstance(given, bytes) else read_rdp_file(given)
    address = settings.text("full address") or settings.text("alternate full address")
    host, port = split(address) if address else ("", None)
    if not is_host(host):
        host = ""
    line = settings.number("server port")
    if port is None:
        port = line if line is not None and 0 < line < 65536 else _DEFAULT_PORT
    rows = [_about(settings, host or None, port), *observations(settings)]
    return RdpFile(host or None, port, settings.user, settings.gateway, settings, tuple(rows), settings.lost)


def observations(settings: RdpSettings) -> list[Observation]:
    """What the settings say, without the target."""
    from rdpdoctor.knowledge.settings.rdpfile import lines

    rows: list[Observation] = []
    known = lines()
    for name, (kind, value) in settings.values.items():
        line = known.get(name)
        if name in settings.secrets or kind == "b" or (line is None and name not in _TOLD):
            continue
        judged = line.judge(value) if line is not None and kind == line.type else None
        if judged is None and name not in _TOLD:
            continue
        told = None if line is not None and line.personal else value.strip()[:_LONGEST]
        effect = judged.effect if judged is not None else None
        rows.append(_row("file.setting", name=name, value=told, number=settings.number(name), effect=effect))
    rows += [_row("file.secret", name=name[:_LONGEST]) for name in settings.secrets[:_MOST]]
    for odd, name, other in islice(contradictions(settings), _MOST):
        cut = other[:_LONGEST] if other is not None else None
        rows.append(_row("file.contradiction", kind=odd, name=name[:_LONGEST], other=cut))
    rows += _signature(settings)
    rows += [_row("file.part-lost", what=what) for what in settings.lost]
    return rows


def _signature(settings: RdpSettings) -> list[Observation]:
    value, scope = settings.text("signature"), signed_names(settings)
    if value is None or not scope:
        return []
    from rdpdoctor.readers.rdpfile.signature import look

    found = look(value, scope, settings.lines)
    by = found.signer
    return [
        _row(
            "file.signature",
            state=found.state,
            signer=(by.common_name or by.subject)[:_LONGEST] if by is not None else None,
            issuer=by.issuer[:_LONGEST] if by is not None else None,
            begins=by.not_before.isoformat() if by is not None else None,
            ends=by.not_after.isoformat() if by is not None else None,
            thumbprint=by.sha1 if by is not None else None,
            self_signed=by.self_signed if by is not None else None,
            lines=len(scope),
        )
    ]


def _about(settings: RdpSettings, host: str | None, port: int) -> Observation:
    from rdpdoctor.knowledge.settings.rdpfile import lines

    return _row(
        "file.read",
        settings=len(settings.values),
        unknown=len(settings.values.keys() - lines().keys()),
        encoding=settings.encoding,
        signed="signature" in settings.values,
        host=host[:_LONGEST] if host else None,
        port=port,
        gateway=settings.gateway[:_LONGEST] if settings.gateway else None,
    )


def _row(tag: str, **args: Value) -> Observation:
    return Observation(tag, args, Stage.HOST, Source.FILE)
