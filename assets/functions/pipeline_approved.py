"""Target of a rule of EventBridge: somebody has approved a version in the registry, so it is deployed.

The event is ``SageMaker Model Package State Change`` (SageMaker developer guide, "Events that SageMaker AI sends to
EventBridge"). A version that is registered as approved makes such an event, too: the execution that registers it
deploys it, so only an update of the approval counts here (``UpdatedModelPackageFields``). SageMaker may send several
events for one change, and EventBridge each of them more than once: all of them ask with the same token.

Variables of the function: ``DEPLOYMENT_PIPELINE``, the pipeline's name, and ``GROUP``, that of the package group.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

from aws import client
from pipeline_settings import version_of_package

APPROVED = "Approved"


def handler(event: dict[str, Any], context: Any) -> str:
    """Lambda entry point: return what was done, in words. Raises ClientError, whereupon EventBridge tries again."""
    del context
    done = start(client("sagemaker"), event["detail"], os.environ["DEPLOYMENT_PIPELINE"], os.environ["GROUP"])
    print(done)
    return done


def start(sagemaker: Any, detail: dict[str, Any], pipeline: str, group: str) -> str:
    """Start the deployment of the version that the event is about, if it was just approved; say what was done.

    Raises ClientError, and ValueError for a version whose evaluation nobody can find.
    """
    arn = detail["ModelPackageArn"]
    version = version_of_package(arn)
    if detail.get("ModelPackageGroupName") != group:
        return f"{arn} is not of {group}"
    if "ModelApprovalStatus" not in (detail.get("UpdatedModelPackageFields") or ()):
        return f"version {version} of {group}: its approval has not changed"
    if detail.get("ModelApprovalStatus") != APPROVED:
        return f"version {version} of {group} is {detail.get('ModelApprovalStatus')}"
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    if package["ModelApprovalStatus"] != APPROVED:
        return f"version {version} of {group} is {package['ModelApprovalStatus']} by now"
    folder = package.get("CustomerMetadataProperties", {}).get("folder")
    if not folder:
        raise ValueError(f"version {version} of {group} does not say where its evaluation is (property `folder`)")
    reply = sagemaker.start_pipeline_execution(
        PipelineName=pipeline,
        PipelineExecutionDisplayName=f"version-{version}",
        PipelineExecutionDescription=f"Version {version} was approved",
        PipelineParameters=[
            {"Name": "ModelPackageArn", "Value": arn},
            {"Name": "Folder", "Value": folder},
        ],
        ClientRequestToken=token(arn, detail),
    )
    return f"version {version} of {group} is being deployed by {reply['PipelineExecutionArn']}"


def token(arn: str, detail: dict[str, Any]) -> str:
    """Return what all events of one approval have in common, 64 characters of the 32 to 128 that SageMaker takes."""
    return hashlib.sha256(f"{arn} {detail.get('LastModifiedTime', '')}".encode()).hexdigest()
