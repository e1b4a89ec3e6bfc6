"""What SageMaker is asked for when a baseline is made: a job of an analyzer. Plain Python, texts may be tokens.

A deploy's job and a pipeline's step ask the same way. Environment and paths are those of Model Monitor's analyzer, as
the SDK writes them (``QualityCheckStep``); the portable analyzer is told in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandcastle.processing_request import (
    INPUT,
    OUTPUT,
    Machine,
    Program,
    Value,
    entry,
    processing_input,
    processing_output,
    tag_list,
)

VOLUME_GB, MINUTES = 20, 30
"""What a job of an analyzer has: disk, and the most that an hourly judgement of model quality may take
(MonitoringStoppingCondition)."""

_DATASET = "baseline_dataset_input"

BASELINE_OUTPUT = "quality_check_output"
"""The one output of such a job."""

_FORMAT = {"csv": {"header": True, "output_columns_position": "START"}}
"""Of both datasets: CSV with a header, what the model says in front of what it was asked."""


@dataclass(frozen=True)
class Analyzer:
    """Who looks for drift: an image and the role of its jobs. ``code`` is the address of the portable analyzer's
    archive; Model Monitor's image has its own program.
    """

    image: str
    role_arn: str
    code: str = ""

    @property
    def program(self) -> Program | None:
        """The program that runs on the image, None where that is the image's own."""
        return Program("analyze", self.image, self.role_arn, code={"code": self.code}) if self.code else None

    @property
    def specification(self) -> dict[str, Any]:
        """``AppSpecification`` of a request."""
        return {"ImageUri": self.image, **(entry(self.program) if self.program else {})}

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """What the program itself is read from."""
        code = self.program.code if self.program else {}
        return [processing_input(name, uri, f"{INPUT}/{name}") for name, uri in code.items()]


def baseline_request(
    analyzer: Analyzer,
    dataset: Value,
    reports: Value,
    *,
    instance: Value,
    tags: Mapping[str, str],
    variables: Mapping[str, str],
) -> dict[str, Any]:
    """Return the CreateProcessingJob request without the job's name: ``dataset`` is read, ``reports`` written to."""
    machine = Machine(instance, VOLUME_GB, MINUTES)
    return {
        "AppSpecification": analyzer.specification,
        "Environment": {
            "dataset_format": json.dumps(_FORMAT),
            "dataset_source": f"{INPUT}/{_DATASET}",
            "output_path": OUTPUT,
            "publish_cloudwatch_metrics": "Disabled",
            **variables,
        },
        "ProcessingInputs": [*analyzer.inputs, processing_input(_DATASET, dataset, f"{INPUT}/{_DATASET}")],
        "ProcessingOutputConfig": {"Outputs": [processing_output(BASELINE_OUTPUT, reports, OUTPUT)]},
        "ProcessingResources": machine.resources,
        "RoleArn": analyzer.role_arn,
        "StoppingCondition": machine.stopping_condition,
        "Tags": tag_list(tags),
    }


def of_predictions(problem_type: str) -> dict[str, str]:
    """Return what an analyzer is told of the predictions that ``assets/pipeline/evaluate.py`` writes."""
    return {
        "analysis_type": "MODEL_QUALITY",
        "problem_type": problem_type,
        "inference_attribute": "prediction",
        "ground_truth_attribute": "label",
        **({"probability_attribute": "probability"} if problem_type == "BinaryClassification" else {}),
    }
