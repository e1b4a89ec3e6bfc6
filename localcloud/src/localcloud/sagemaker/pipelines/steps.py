"""The step types that call the API of SageMaker: which operations, and what their jobs are called."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass

_ALPHABET = string.ascii_letters + string.digits
_RANDOM = 10


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

    def job_name(self, execution: str, step: str) -> str:
        """``pipelines-<execution id>-<step>-<10 random characters>``, the step cut to fit ([R] facts containers 7).

        A tuning job's name is too short for that ([K] how AWS shortens it).
        """
        ending = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
        start = f"pipelines-{execution}" if self.longest > 32 else execution
        room = self.longest - len(start) - len(ending) - 2
        return f"{start}-{step.replace('_', '-')[: max(room, 0)].rstrip('-')}-{ending}".replace("--", "-")


API_STEPS: Mapping[str, ApiStep] = {
    "Training": ApiStep("TrainingJob", "TrainingJob"),
    "Processing": ApiStep("ProcessingJob", "ProcessingJob"),
    "Transform": ApiStep("TransformJob", "TransformJob"),
    "Tuning": ApiStep("HyperParameterTuningJob", "TuningJob", longest=32),
    "Model": ApiStep("Model", "Model", waits=False),
    "RegisterModel": ApiStep("ModelPackage", "RegisterModel", waits=False),
}
