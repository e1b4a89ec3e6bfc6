"""The step types that call the API of SageMaker: which operations, and what their jobs are called.

Names and the longest custom prefixes: [DG] build-and-manage-access, "Customize access management for Pipelines jobs".
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass

_ALPHABET = string.ascii_letters + string.digits
_TOKEN = 10
#: of a step's name in a job's name
_STEP = 20


class PrefixTooLong(ValueError):
    """A custom prefix leaves no room for what AWS adds to it."""


@dataclass(frozen=True)
class ApiStep:
    """A step that makes one thing through the API, and waits for it when that is a job."""

    #: in operations and members: "TrainingJob"
    noun: str
    #: member of the step's Metadata
    metadata: str
    #: whether the step is over only when the thing is
    waits: bool = True
    #: longest name of the thing ([B])
    longest: int = 63
    #: longest custom prefix of that name ([DG])
    longest_prefix: int = 38

    @property
    def create(self) -> str:
        """CreateTrainingJob."""
        return f"Create{self.noun}"

    @property
    def describe(self) -> str:
        """DescribeTrainingJob."""
        return f"Describe{self.noun}"

    @property
    def stop(self) -> str:
        """StopTrainingJob."""
        return f"Stop{self.noun}"

    @property
    def name(self) -> str:
        """TrainingJobName."""
        return f"{self.noun}Name"

    @property
    def arn(self) -> str:
        """TrainingJobArn."""
        return f"{self.noun}Arn"

    def check_prefix(self, prefix: str) -> None:
        """Raises PrefixTooLong."""
        if len(prefix) > self.longest_prefix:
            raise PrefixTooLong(
                f"{self.name} is a custom prefix of the job's name: {prefix!r} has {len(prefix)} characters, and at "
                f"most {self.longest_prefix} are allowed"
            )

    def job_name(self, execution: str, step: str, prefix: str | None = None, failures: int = 0) -> str:
        """``<custom prefix>-<execution id>-<token>``, or ``pipelines-<execution id>-<step>-<token>`` without one.

        After a failed attempt the number of failures follows ([DG]; names of first attempts in the field end with the
        token, [R] facts containers 7). A tuning job's name is too short for ``pipelines-`` and the step ([K] how AWS
        shortens it). The token is cut where a prefix leaves less room than it takes. Raises PrefixTooLong.
        """
        ending = f"-{failures}" if failures else ""
        if prefix is not None:
            self.check_prefix(prefix)
            start = f"{prefix}-{execution}"
        elif self.longest > 32:
            short = step.replace("_", "-")[:_STEP].rstrip("-").replace("--", "-")
            start = f"pipelines-{execution}-{short}"
        else:
            start = execution
        room = self.longest - len(start) - len(ending) - 1
        token = "".join(secrets.choice(_ALPHABET) for _ in range(min(_TOKEN, room)))
        return f"{start}-{token}{ending}"


API_STEPS: Mapping[str, ApiStep] = {
    "Training": ApiStep("TrainingJob", "TrainingJob"),
    "Processing": ApiStep("ProcessingJob", "ProcessingJob"),
    "Transform": ApiStep("TransformJob", "TransformJob"),
    "Tuning": ApiStep("HyperParameterTuningJob", "TuningJob", longest=32, longest_prefix=6),
    "Model": ApiStep("Model", "Model", waits=False),
    "RegisterModel": ApiStep("ModelPackage", "RegisterModel", waits=False),
    "QualityCheck": ApiStep("ProcessingJob", "QualityCheck"),
}
