"""`python -m rdpdoctor`."""

import sys

from rdpdoctor.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
