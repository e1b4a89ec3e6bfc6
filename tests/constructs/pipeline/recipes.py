"""Workloads and parts for tests of pipelines: plain values where the stack has tokens."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from sandcastle.config import Workload, load_environment
from sandcastle.pipeline import Functions, Judging, Names, Parts
from sandcastle.processing_request import Program
from tests.synthesis import ROOT

FINGERPRINT = "0123456789abcdef"
TAGS = {"sandcastle:environment": "test", "sandcastle:stack": "pipeline-digits", "sandcastle:workload": "digits"}


def role(name: str) -> str:
    """Return the ARN of a role."""
    return f"arn:aws:iam::000000000000:role/{name}"


def image(name: str) -> str:
    """Return the URI of an image."""
    return f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{name}:1"


def arn(name: str) -> str:
    """Return the ARN of a function."""
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


@cache
def workload(name: str) -> Workload:
    """Return a workload as the environment ``everything`` has it, with a plain endpoint."""
    environment = load_environment("everything", ROOT, "us-east-1")
    (found,) = (one for one in environment.workloads if one.name == name)
    return found


def parts(name: str) -> Parts:
    """Return the parts of a workload's pipelines."""
    binary = name in ("bank", "fraud")
    script = workload(name).train.script
    return Parts(
        region="us-east-1",
        names=Names(jobs=f"sandcastle-test--{name}--p", tuning="sabc12", group=f"sandcastle-test--{name}--5f0c2a10"),
        functions=Functions(arn("choose"), arn("deploy"), arn("confirm"), arn("schedules")),
        judging=Judging("binary", "csv") if binary else Judging("multiclass", "json:prediction"),
        prepare=Program(
            "prepare",
            image("sklearn"),
            role("prepare"),
            code={"workload": "s3://assets/workload.zip", "shared": "s3://assets/shared.zip"},
            variables={"SANDCASTLE_DATA": "sample"},
        ),
        evaluate=Program("evaluate", image("train"), role("evaluate"), code={"evaluate": "s3://assets/evaluate.zip"}),
        data=f"s3://data/{name}/pipeline",
        models=f"s3://models/{name}/pipeline",
        source="s3://assets/source.tar.gz" if script else "",
        training_image=image("train"),
        serving_image=image("serve"),
        monitor_image="156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer",
        training_role=role("train"),
        monitor_role=role("monitor"),
        serving_role=role("serve"),
        tags=TAGS,
    )


def without_tuning(one: Workload) -> Workload:
    """Return the workload with nothing to search for."""
    return replace(one, train=replace(one.train, tuning=None))
