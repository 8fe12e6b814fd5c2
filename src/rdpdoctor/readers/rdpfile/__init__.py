"""`.rdp` files: what a client was told to do."""

from rdpdoctor.readers.rdpfile.parse import RdpFileError, RdpSettings, parse_rdp_file, read_rdp_file, sniff
from rdpdoctor.readers.rdpfile.read import RdpFile, read_rdp

__all__ = [
    "RdpFile",
    "RdpFileError",
    "RdpSettings",
    "parse_rdp_file",
    "read_rdp",
    "read_rdp_file",
    "sniff",
]
