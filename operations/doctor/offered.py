"""What AWS must offer: container images, Lambda's runtime, Model Monitor."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from operations.audit.survey import pages
from operations.doctor.finding import Case, Finding
from sandcastle.config.catalogue import image_uri
from sandcastle.runtimes import PYTHON

_MISSING = ("RepositoryNotFoundException", "ImageNotFoundException", "RegistryNotFoundException")


def images(case: Case) -> Iterator[Finding]:
    """The image of every job and endpoint is in AWS's registry of the region; one who pulls may also look."""
    keys = {key for one in case.environment.workloads for key in one.images}
    uris = sorted(uri for key in keys if (uri := image_uri(key, case.target.region)))
    if case.target.name == "local":
        if uris:
            yield Finding("ok", "images", f"localcloud has runners of its own for {len(uris)} images")
        return
    client = case.target.client("ecr")
    there = 0
    for uri in uris:
        host, _, rest = uri.partition("/")
        name, _, tag = rest.partition(":")
        missing = Finding(
            "blocker", "images", f"{uri} is not in AWS's registry",
            "Choose another region, or update constructs/sandcastle/image_uris.json (operations/tools/image_map.py).",
        )  # fmt: skip
        try:
            found = client.batch_get_image(
                registryId=host.split(".")[0], repositoryName=name, imageIds=[{"imageTag": tag or "latest"}]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
            yield missing
            continue
        if found.get("images"):
            there += 1
        else:
            yield missing
    if there:
        yield Finding("ok", "images", f"{there} container images are in {case.target.region}")


def runtime(case: Case) -> Iterator[Finding]:
    """Lambda checks the name of a runtime before it lists anything, so that a list tells whether it has it."""
    try:
        case.target.client("lambda").list_layers(CompatibleRuntime=PYTHON, MaxItems=1)
    except ClientError as error:
        if "compatibleRuntime" not in str(error):
            raise
        yield Finding(
            "blocker",
            "runtime",
            f"Lambda has no {PYTHON} in {case.target.region}",
            "Choose another region in the file.",
        )
        return
    yield Finding("ok", "runtime", f"Lambda has {PYTHON}")


def model_monitor(case: Case) -> Iterator[Finding]:
    """AWS closed Model Monitor to new customers on 2026-07-30; no call tells who counts as one.

    Who has a schedule is a customer. Everybody else may only try: so it stays unknown.
    """
    works = case.environment.workloads
    watched = [one for one in works if one.monitors or one.pipeline]
    by_engine = any(one.engine == "model-monitor" for one in watched)
    if monitor_state(case) == "available":
        yield Finding("ok", "Model Monitor", "this account may use it")
        return
    found = "unknown: AWS takes no new customers since 2026-07-30, and there is no monitoring schedule here"
    if by_engine:
        yield Finding(
            "warning", "Model Monitor", f"{found}; this file needs it",
            "Say `monitoring: {engine: portable}` (or auto) in the file.",
        )  # fmt: skip
    else:
        watching = "its monitors look with the portable engine" if watched else "this file has no monitors"
        yield Finding("ok", "Model Monitor", f"{found}; {watching}")


def monitor_state(case: Case) -> str:
    """Return ``available`` or ``unknown``."""
    if case.target.name == "local":
        return "available"
    client = case.target.client("sagemaker")
    return "available" if pages(client, "list_monitoring_schedules", "MonitoringScheduleSummaries") else "unknown"
