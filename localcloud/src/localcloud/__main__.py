"""``python -m localcloud``: the same command as the console script."""

import sys

from localcloud.cli import main

sys.exit(main())
