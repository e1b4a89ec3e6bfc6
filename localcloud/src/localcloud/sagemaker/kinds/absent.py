"""Kinds that cannot be created here yet: listing them honestly finds nothing.

An audit asks for everything that could cost money. Every other operation on these kinds is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from localcloud.sagemaker.api.supported import ANY
from localcloud.sagemaker.core import Operation, Request

#: operation -> list member of its reply
EMPTY_LISTS: Mapping[str, str] = {
    "ListAutoMLJobs": "AutoMLJobSummaries",
    "ListClusters": "ClusterSummaries",
    "ListCodeRepositories": "CodeRepositorySummaryList",
    "ListCompilationJobs": "CompilationJobSummaries",
    "ListExperiments": "ExperimentSummaries",
    "ListFeatureGroups": "FeatureGroupSummaries",
    "ListHubs": "HubSummaries",
    "ListImages": "Images",
    "ListInferenceComponents": "InferenceComponents",
    "ListInferenceExperiments": "InferenceExperiments",
    "ListInferenceRecommendationsJobs": "InferenceRecommendationsJobs",
    "ListLabelingJobs": "LabelingJobSummaryList",
    "ListMlflowApps": "Summaries",
    "ListMlflowTrackingServers": "TrackingServerSummaries",
    "ListModelBiasJobDefinitions": "JobDefinitionSummaries",
    "ListModelCards": "ModelCardSummaries",
    "ListModelExplainabilityJobDefinitions": "JobDefinitionSummaries",
    "ListOptimizationJobs": "OptimizationJobSummaries",
    "ListProjects": "ProjectSummaryList",
    "ListTrainingPlans": "TrainingPlanSummaries",
    "ListTrials": "TrialSummaries",
    "ListWorkteams": "Workteams",
}


class AbsentKinds:
    """Empty lists."""

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it; any filter is honoured by finding nothing."""
        return {name: Operation(partial(_nothing, member), ANY) for name, member in EMPTY_LISTS.items()}

    def reset(self) -> None:
        """There is nothing to forget."""


def _nothing(member: str, request: Request) -> dict[str, Any]:
    del request
    return {member: []}
