"""What several files show becomes journals: one for each client and server. Pure."""

from rdpdoctor.readers.joined.pairs import Joined, Reading, join

__all__ = ["Joined", "Reading", "join"]
