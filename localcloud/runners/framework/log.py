"""Log lines in the toolkit's format: `2026-01-31 12:00:00,000 sagemaker-training-toolkit INFO     ...`."""

import sys
import time


def log(text: str, level: str = "INFO", name: str = "sagemaker-training-toolkit") -> None:
    """Print one line (or several that belong together)."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    sys.stdout.write(f"{stamp},{int(now * 1000) % 1000:03d} {name} {level:<8} {text}\n")
    sys.stdout.flush()
