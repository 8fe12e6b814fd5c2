"""The one error of this room."""

from __future__ import annotations


class KnowledgeError(Exception):
    """A knowledge file is wrong. Says where and what to do about it, since whoever reads it is about to
    mend it.
    """

    def __init__(self, file: str, key: str, mend: str) -> None:
        super().__init__(f"{file}: {key}: {mend}")
        self.file, self.key, self.mend = file, key, mend
