"""What several files show becomes journals: one for each client and server. Pure."""

from rdpdoctor.readers.joined.model import Joined, Reading
from rdpdoctor.readers.joined.pairs import beside, join

__all__ = ["Joined", "Reading", "beside", "join"]
