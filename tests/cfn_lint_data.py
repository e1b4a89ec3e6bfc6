"""Where cfn-lint keeps AWS's resource schemas and its service authorization reference: read without importing it.

To import it takes seconds, in each process that collects tests.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

DATA = Path(str(getattr(find_spec("cfnlint"), "origin", ""))).parent / "data"
