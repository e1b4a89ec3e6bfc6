"""Which actions of SageMaker start or enlarge something that is billed: what a spending limit denies.

By name, from AWS's service authorization reference and botocore's model; a test sorts every action of both into billed
and free, so that a new one cannot be overlooked. An action is on the list when some request of it costs more than
not making it: a job, an instance, a disk, a capacity, a review by people. What ends spending is never on it.
"""

from __future__ import annotations

_JOBS = (
    "CreateAIBenchmarkJob",
    "CreateAIRecommendationJob",
    "CreateAutoMLJob",
    "CreateAutoMLJobV2",
    "CreateCompilationJob",
    "CreateEdgePackagingJob",
    "CreateHyperParameterTuningJob",
    "CreateInferenceExperiment",
    "CreateInferenceRecommendationsJob",
    "CreateJob",
    "CreateLabelingJob",
    "CreateMonitoringSchedule",
    "CreateOptimizationJob",
    "CreateProcessingJob",
    "CreateTrainingJob",
    "CreateTrainingSession",
    "CreateTransformJob",
    "RetryPipelineExecution",
    "StartHumanLoop",
    "StartInferenceExperiment",
    "StartMonitoringSchedule",
    "StartPipelineExecution",
    "TrainHubModel",
    "UpdateInferenceExperiment",
    "UpdateMonitoringSchedule",
)

_VALIDATIONS = ("CreateAlgorithm", "CreateModelPackage")
"""With a validation they start transform jobs."""

_INSTANCES_AND_DISKS = (
    "AttachClusterNodeVolume",
    "BatchAddClusterNodes",
    "CreateApp",
    "CreateCluster",
    "CreateDomain",
    "CreateEndpoint",
    "CreateFeatureGroup",
    "CreateInferenceComponent",
    "CreateInferenceRouter",
    "CreateMlflowApp",
    "CreateMlflowTrackingServer",
    "CreateNotebookInstance",
    "CreatePartnerApp",
    "CreateSpace",
    "DeployHubModel",
    "StartMlflowTrackingServer",
    "StartNotebookInstance",
    "UpdateCluster",
    "UpdateClusterInference",
    "UpdateEndpoint",
    "UpdateEndpointWeightsAndCapacities",
    "UpdateFeatureGroup",
    "UpdateInferenceComponent",
    "UpdateInferenceComponentRuntimeConfig",
    "UpdateInferenceRouter",
    "UpdateMlflowTrackingServer",
    "UpdateNotebookInstance",
    "UpdatePartnerApp",
    "UpdateSpace",
)

_CAPACITY = ("CreateReservedCapacity", "CreateTrainingPlan", "ExtendTrainingPlan")

BILLED_ACTIONS = tuple(
    f"sagemaker:{name}" for name in sorted((*_JOBS, *_VALIDATIONS, *_INSTANCES_AND_DISKS, *_CAPACITY))
)
"""Not among them: UpdateTrainingJob, which is how a warm pool is given up, and InvokeEndpoint, which on an endpoint of
instances costs nothing more and without which nobody is served."""
