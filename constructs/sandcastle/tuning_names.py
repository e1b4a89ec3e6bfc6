"""What the names of tuning jobs begin with. Plain Python, no CDK.

A tuning job's name has 32 characters at most, so that those of its training jobs, which SageMaker derives from it, stay
within 63. Too few for the names of environment and workload: hashes stand for them, of 24 and of 16 bits.
"""

from __future__ import annotations

import hashlib
import string

_DIGITS = string.digits + string.ascii_lowercase


def of_environment(environment: str) -> str:
    """Return what the names of all the environment's tuning jobs begin with: ``sc-25bf8e-``."""
    return f"sc-{_digest(environment, 6)}-"


def of_workload(environment: str, workload: str) -> str:
    """Return what the names of the workload's tuning jobs begin with, before a dash: ``sc-25bf8e-8f52``."""
    return of_environment(environment) + _digest(workload, 4)


def of_pipeline(environment: str, workload: str) -> str:
    """Return what the names of tuning jobs in a workload's pipeline begin with, before a dash: ``s`` and five more.

    SageMaker appends the run's id and a random part, so that a pipeline has room for six characters of one's own
    (SageMaker developer guide, "IAM access management", prefix length). Of 36 letters and digits five are 25 bits, too
    few to tell environments apart for certain: the jobs' tags do that, and only their log streams go by the name.
    """
    number = int(hashlib.sha256(f"{environment}--{workload}".encode()).hexdigest(), 16)
    return "s" + "".join(_DIGITS[number // len(_DIGITS) ** place % len(_DIGITS)] for place in range(5))


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
