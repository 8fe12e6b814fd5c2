"""What several files show becomes journals: one for each client and server. Pure."""

from rdpdoctor.readers.joined.pairs import Joined, Reading, beside, join

__all__ = ["Joined", "Reading", "beside", "join"]
