"""The probes, in the order they run, or are offered. A new one is a new file here and a row in `PROBES`."""

from rdpdoctor.probes import (
    addresses,
    crowd,
    dns,
    identify,
    idle,
    mcs,
    nla,
    other_name,
    repeat,
    tcp,
    tls,
    tls_versions,
    variants,
    x224,
    x224_matrix,
)
from rdpdoctor.probes.base import Phase, Probe

PROBES: tuple[Probe, ...] = (
    dns.PROBE,
    tcp.PROBE,
    x224.PROBE,
    tls.PROBE,
    nla.PROBE,
    mcs.PROBE,
    x224_matrix.PROBE,
    tls_versions.PROBE,
    addresses.PROBE,
    variants.PROBE,
    identify.PROBE,
    other_name.PROBE,
    crowd.PROBE,
    repeat.PROBE,
    idle.PROBE,
)

__all__ = ["PROBES", "Phase", "Probe"]
