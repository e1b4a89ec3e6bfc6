"""Figures, each beside its baseline. Some are measured of localcloud's own modules, in this process."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "localcloud" / "src"))
