"""Names of what pipelines make: SageMaker leaves room for so many characters of ours."""

from __future__ import annotations

import re

import pytest

from sandcastle import tuning_names
from sandcastle.config.checks_pipeline import LONGEST_NAMES
from sandcastle.naming import WorkloadNames


@pytest.mark.parametrize("environment", ["abc", "e" * 12, "e" * (LONGEST_NAMES - 3)])
def test_prefixes_of_a_pipeline_fit_and_lead_back(environment: str) -> None:
    names = WorkloadNames(environment, "w" * (LONGEST_NAMES - len(environment)))
    assert len(names.pipeline_job_prefix) <= 38
    assert names.pipeline_job_prefix.startswith(f"{names.job_prefix}-")
    assert re.fullmatch(r"s[0-9a-z]{5}", names.pipeline_tuning_prefix)


def test_a_pipelines_tuning_jobs_have_a_name_of_their_workload() -> None:
    assert tuning_names.of_pipeline("local", "digits") == "sq8sxb"
    pairs = [(f"environment-{one}", f"workload-{other}") for one in range(30) for other in range(30)]
    assert len({tuning_names.of_pipeline(*pair) for pair in pairs}) == len(pairs)
