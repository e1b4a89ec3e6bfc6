"""What the names of tuning jobs begin with. Plain Python, no CDK.

A tuning job's name has 32 characters at most, so that those of its training jobs, which SageMaker derives from it, stay
within 63. Too few for the names of environment and workload: hashes stand for them, of 24 and of 16 bits.
"""

from __future__ import annotations

import hashlib


def of_environment(environment: str) -> str:
    """Return what the names of all the environment's tuning jobs begin with: ``sc-25bf8e-``."""
    return f"sc-{_digest(environment, 6)}-"


def of_workload(environment: str, workload: str) -> str:
    """Return what the names of the workload's tuning jobs begin with, before a dash: ``sc-25bf8e-8f52``."""
    return of_environment(environment) + _digest(workload, 4)


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
