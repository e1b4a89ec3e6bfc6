"""What a spending limit denies: everything that starts or enlarges something billed, and nothing that ends it.

Every action that AWS knows of SageMaker is sorted here: denied, or free, or not of a kind that could cost. An action
that is new in botocore or in the service authorization data (as cfn-lint ships it) fails until somebody sorts it.
"""

from __future__ import annotations

import json

import boto3
import pytest

from sandcastle.billed_actions import BILLED_ACTIONS
from tests.cfn_lint_data import DATA

READS = ("BatchDescribe", "BatchGet", "Describe", "Get", "List", "QueryLineage", "Render", "Search")
ENDS = ("BatchDelete", "Delete", "Deregister", "Detach", "Disable", "Disassociate", "Stop")

FREE = {
    "records that cost nothing, and settings of what exists": """
        AddAssociation AddTags AssociateTrialComponent CreateAIWorkloadConfig CreateAction CreateAppImageConfig
        CreateArtifact CreateClusterSchedulerConfig CreateCodeRepository CreateComputeQuota CreateContext
        CreateDataQualityJobDefinition CreateDeviceFleet CreateEdgeDeploymentPlan CreateEdgeDeploymentStage
        CreateEndpointConfig CreateExperiment CreateFlowDefinition CreateHub CreateHubContentReference
        CreateHumanTaskUi CreateImage CreateImageVersion CreateLineageGroupPolicy CreateModel
        CreateModelBiasJobDefinition CreateModelCard CreateModelCardExportJob CreateModelExplainabilityJobDefinition
        CreateModelPackageGroup CreateModelQualityJobDefinition CreateNotebookInstanceLifecycleConfig CreatePipeline
        CreateProject CreateSharedModel CreateStudioLifecycleConfig CreateTrial CreateTrialComponent CreateUserProfile
        CreateWorkforce CreateWorkteam EnableSagemakerServicecatalogPortfolio ImportHubContent PutEndpointPolicy
        PutLineageGroupPolicy PutModelPackageGroupPolicy PutResourcePolicy RegisterDevices SendSharedModelEvent
        StartEdgeDeploymentStage UpdateAction UpdateAppImageConfig UpdateArtifact UpdateClusterSchedulerConfig
        UpdateCodeRepository UpdateComputeQuota UpdateContext UpdateDeviceFleet UpdateDevices UpdateDomain
        UpdateExperiment UpdateFeatureMetadata UpdateHub UpdateHubContent UpdateHubContentReference UpdateImage
        UpdateImageVersion UpdateMlflowApp UpdateModelCard UpdateModelPackage UpdateMonitoringAlert
        UpdateNotebookInstanceLifecycleConfig UpdatePipeline UpdatePipelineExecution UpdatePipelineVersion UpdateProject
        UpdateReward UpdateSharedModel UpdateTrial UpdateTrialComponent UpdateUserProfile UpdateWorkforce
        UpdateWorkteam""",
    "doors to what runs already": """
        AccessModelPackage AttachClusterNodeNetworkInterface CallMlflowAppApi CallPartnerAppApi CallWithBearerToken
        CreateHubContentPresignedUrls CreatePartnerAppPresignedUrl CreatePresignedDomainUrl
        CreatePresignedMlflowAppUrl CreatePresignedMlflowTrackingServerUrl CreatePresignedNotebookInstanceUrl
        StartSession""",
    "repairs of what runs already": """
        BatchRebootClusterNodes BatchReplaceClusterNodes CompleteRollout CreateClusterExtension
        StartClusterHealthCheck UpdateClusterExtension UpdateClusterSoftware""",
    "calls of what runs already, by those whom it serves": """
        BatchPutMetrics BatchWriteRecord ExecuteSamplingOperation ExecuteTrainingOperation InvokeEndpoint
        InvokeEndpointAsync InvokeEndpointWithResponseStream PutRecord Sample SampleTrainingSession
        SampleTrainingSessionWithResponseStream SampleWithResponseStream SendHeartbeat""",
    "answers that a waiting pipeline needs to come to an end": """
        SendPipelineExecutionStepFailure SendPipelineExecutionStepSuccess""",
    "the only way to give up a warm pool": "UpdateTrainingJob",
}


def known() -> set[str]:
    """Return every action of SageMaker that botocore or AWS's authorization data knows, in lower case."""
    client = boto3.client("sagemaker", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    file = DATA / "AdditionalSpecs" / "Policies.json"
    authorized = json.loads(file.read_text())["sagemaker"]["Actions"]
    return {name.lower() for name in [*client.meta.service_model.operation_names, *authorized]}


def billed() -> set[str]:
    return {action.removeprefix("sagemaker:").lower() for action in BILLED_ACTIONS}


def free() -> set[str]:
    return {name.lower() for names in FREE.values() for name in names.split()}


def begins(name: str, beginnings: tuple[str, ...]) -> bool:
    return name.startswith(tuple(one.lower() for one in beginnings))


def test_every_action_is_sorted_once() -> None:
    rest = {name for name in known() if not begins(name, (*READS, *ENDS))}
    assert rest - billed() - free() == set(), "new in AWS: does it start or enlarge something billed?"
    assert free() - rest == set()
    assert billed() & free() == set()


def test_every_denied_action_exists_and_is_named_once() -> None:
    assert billed() <= known()
    assert len(BILLED_ACTIONS) == len(billed())


def test_nothing_that_ends_spending_or_looks_is_denied() -> None:
    assert [name for name in billed() if begins(name, (*READS, *ENDS)) or "tags" in name or "url" in name] == []


@pytest.mark.parametrize("verb", ["Create", "Start"])
@pytest.mark.parametrize(
    "thing", ["TrainingJob", "ProcessingJob", "TransformJob", "HyperParameterTuningJob", "NotebookInstance", "Endpoint"]
)
def test_what_the_bill_is_made_of_is_denied(verb: str, thing: str) -> None:
    name = f"{verb}{thing}".lower()
    assert name in billed() or name not in known()


def test_it_fits_into_a_managed_policy() -> None:
    """6,144 characters without white space (IAM quotas)."""
    assert len(json.dumps(BILLED_ACTIONS, separators=(",", ":"))) < 5000
