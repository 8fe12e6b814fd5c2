"""`python -m rdpdoctor.knowledge`: check every knowledge file and write the index anew. For developers."""

from __future__ import annotations

import sys

from rdpdoctor.knowledge import store
from rdpdoctor.knowledge.errors import KnowledgeError


def main() -> int:
    try:
        text = store.index_text()
    except KnowledgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    (store.FOLDER / store.INDEX).write_text(text, encoding="ascii", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
