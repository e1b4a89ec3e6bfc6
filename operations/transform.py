"""``sandcastle transform WORKLOAD [FILE]``: many rows through the deployed model at once, without an endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from operations.by_hand import follow, goes_on, new_name, tags_of
from operations.console import Console
from operations.definition import described_in
from operations.errors import OperationError, UsageError
from operations.outputs import model_outputs
from operations.project import display
from operations.served import known_workload
from operations.target import Target
from operations.words import count
from sandcastle.config import BATCH
from sandcastle.monitor_places import MonitorPlaces

_SHOWN = 5
"""Lines of the answers that are printed."""


def transform(
    target: Target,
    environment: str,
    workload: str,
    file: str | None,
    folder: Path,
    console: Console,
    *,
    join: bool = False,
    capture: bool = False,
) -> dict[str, Any]:
    """Run a transform job over the test split (its labels left out) or the rows of a file, and fetch the answers.

    With ``join`` each answer stands beside its row, for the test split beside its label. With ``capture`` SageMaker
    keeps which rows those were, for the workload's monitor of transform jobs; so the test split is put in S3 without
    its labels, and joined to answers it is whole rows. Raises UsageError when the file cannot be read or the model's
    answers cannot be joined, OperationError when the job does not complete.
    """
    known_workload(workload)
    outputs = model_outputs(target, environment, workload)
    described = described_in(workload)
    accept = _accept(outputs["Accept"], described)
    if join and not outputs["ContentType"] == accept == "text/csv":
        raise UsageError(
            f"--join: rows of {workload} are {outputs['ContentType']} and its answers {accept}; "
            "SageMaker joins only what has the same form."
        )
    name = new_name(environment, workload)
    bucket = urlsplit(outputs["DatasetUri"]).netloc
    here = f"s3://{bucket}/{workload}/transform/{name}"
    source, processing = f"{outputs['DatasetUri']}/test/test.csv", {"InputFilter": "$[1:]"}
    if file:
        source, processing = _upload(target, f"{here}/input/{Path(file).name}", _rows(Path(file))), {}
    elif capture:
        source, processing = _upload(target, f"{here}/input/test.csv", _asked(target, outputs["DatasetUri"])), {}
    if join:
        processing |= {"JoinSource": "Input"} | ({"OutputFilter": "$[0,-1]"} if processing else {})
    captured = MonitorPlaces(workload, bucket, "").captured
    sagemaker = target.client("sagemaker")
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=outputs["ModelName"],
        BatchStrategy="MultiRecord",
        MaxPayloadInMB=5,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": outputs["ContentType"],
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"{here}/output", "Accept": accept, "AssembleWith": "Line"},
        TransformResources={"InstanceType": described["serve"]["instance"], "InstanceCount": 1},
        Tags=tags_of(environment, workload),
        **({"DataProcessing": processing} if processing else {}),
        **({"DataCaptureConfig": {"DestinationS3Uri": captured}} if capture else {}),
    )
    console.step(f"started {name} over {file or 'the test split'}")
    told: list[str] = []

    def tell(found: dict[str, Any]) -> None:
        if found["TransformJobStatus"] not in told[-1:]:
            told.append(found["TransformJobStatus"])
            console.step(f"{name} is {told[-1]}")

    with goes_on(console, name, f"aws sagemaker stop-transform-job --transform-job-name {name}"):
        job = follow(
            target,
            lambda: sagemaker.describe_transform_job(TransformJobName=name),
            lambda found: found["TransformJobStatus"] in {"InProgress", "Stopping"},
            tell,
        )
    if job["TransformJobStatus"] != "Completed":
        why = job.get("FailureReason", "SageMaker gives no reason")
        raise OperationError(f"{name} is {job['TransformJobStatus']}: {why}\nIts log: sandcastle logs {name}")
    found = _fetched(target, workload, name, f"{here}/output/{Path(source).name}.out", folder, console)
    if capture:
        _tell_capture(outputs, workload, captured, console)
    return {**found, "captured": captured if capture else None}


def _fetched(target: Target, workload: str, name: str, address: str, folder: Path, console: Console) -> dict[str, Any]:
    """Write the answers into the folder and show the first of them."""
    parts = urlsplit(address)
    answers: bytes = target.client("s3").get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["Body"].read()
    path = folder / f"{workload}-transform.out"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(answers)
    except OSError as error:
        raise UsageError(f"--out {folder}: {error.strerror}") from error
    lines = answers.decode("utf-8", "replace").splitlines()
    for line in lines[:_SHOWN]:
        console.say(f"  {line[:200]}")
    console.say(f"{count(len(lines), 'answer')}: {address}")
    console.say(f"Written: {display(path)}")
    return {
        "workload": workload,
        "job": name,
        "output": address,
        "file": str(path),
        "lines": len(lines),
        "first": lines[:_SHOWN],
    }


def _accept(accept: str, described: dict[str, Any]) -> str:
    """Return the form of the answers in which each row has a line of its own.

    JSON has not: built-in algorithms write JSON lines instead, scripts of ours also CSV.
    """
    if accept != "application/json":
        return accept
    return "text/csv" if "framework" in described["train"] else "application/jsonlines"


def _tell_capture(outputs: dict[str, str], workload: str, captured: str, console: Console) -> None:
    console.say(f"Captured: manifests below {captured}/")
    if "BatchDataQualitySchedule" not in outputs:
        console.warn(
            f"Nothing looks at what is captured: {workload} has no monitor {BATCH} in the environment file "
            "(docs/monitoring.md)."
        )


def _rows(file: Path) -> bytes:
    try:
        body = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    if not body.strip():
        raise UsageError(f"{file} is empty; expected rows without a label")
    return body


def _asked(target: Target, dataset: str) -> bytes:
    """Return the rows of the test split without their labels, which stand first."""
    parts = urlsplit(dataset)
    key = f"{parts.path.lstrip('/')}/test/test.csv"
    body: bytes = target.client("s3").get_object(Bucket=parts.netloc, Key=key)["Body"].read()
    return b"".join(line.partition(b",")[2] + b"\n" for line in body.splitlines() if line)


def _upload(target: Target, address: str, body: bytes) -> str:
    parts = urlsplit(address)
    target.client("s3").put_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"), Body=body)
    return address
