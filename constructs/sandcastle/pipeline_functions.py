"""The functions of a pipeline: those behind its Lambda steps, and those that events of EventBridge call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.functions import Function
from sandcastle.naming import PipelineNames
from sandcastle.permissions import (
    list_objects,
    pass_roles,
    read_objects,
    sagemaker_arn,
    scaled_endpoints,
)
from sandcastle.pipeline.baselines import DATA_FOLDER, MODEL_FOLDER
from sandcastle.pipeline_places import PipelinePlaces
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import ServiceRole, Statement

STEP_SECONDS = 590
"""How long a function may work that a pipeline waits for: the pipeline gives up after ten minutes (SageMaker developer
guide, "Lambda step"), and before that the function says what it has waited for."""

_EVENT_SECONDS = 60

_CONFIGS = "configurations of this endpoint; their names end with the version and a hash of the settings"
_MODELS = "models that runs of this pipeline made; SageMaker ends their names with the run's id and a random part"
_SMOKE = "rows and answers of the smoke tests of this pipeline; the folder between is a run's"
_VERSIONS = "versions of exactly this group, by number"
_DEFINITIONS = "definitions of the endpoint's two schedules; their names end with a hash of the content"
_LISTED = "a list of all there are: the service authorization reference names no resource"
_BASELINES = "baselines of this pipeline's versions; the folder before is that of the data's version, or of a run"
_FAILED_FIRST = "only when the endpoint that a first run makes fails to start"
_OTHER_BASELINES = "only when a version has other baselines than the one before"


@dataclass(frozen=True)
class EndpointPlan:
    """How the endpoint is to be, as ``assets/functions/pipeline_settings.py`` and ``pipeline_monitors.py`` read it.

    ``variables`` are what all functions that deal with the endpoint are told, ``monitoring`` what the one that watches
    it is told besides, or all that it is told where the monitors are ``portable``. The roles are those that models and
    monitoring jobs work as.
    """

    variables: Mapping[str, str]
    monitoring: Mapping[str, str]
    monitor_role: ServiceRole
    portable: bool = False


class PipelineFunctions(Construct):
    """Six functions, each with a role of its own.

    ``choose``, ``deploy``, ``confirm`` and ``schedules`` are steps; ``approved`` hears that somebody approved a
    version, ``failed`` that a run failed. ``spending`` are the roles of those that can start something that is billed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        names: PipelineNames,
        places: PipelinePlaces,
        data_bucket_arn: str,
        plan: EndpointPlan,
        topic_arn: str,
        code: UploadedAsset,
    ) -> None:
        """``topic_arn`` hears of runs that failed."""
        super().__init__(scope, construct_id)
        self._names, self._code = names, code
        self._endpoint = sagemaker_arn("endpoint", names.endpoint)
        self._configs = sagemaker_arn("endpoint-config", f"{names.endpoint}-*")
        self._models = sagemaker_arn("model", f"{names.pipeline_job_prefix}-*")
        self._packages = sagemaker_arn("model-package", f"{names.group}/*")
        self.choose = self._function("Choose", "pipeline_choose.handler", "Chooses the best model of a run", [], [], 60)
        self.deploy = self._deploy(places, data_bucket_arn, plan.variables)
        self.confirm = self._confirm(plan.variables)
        self.schedules = self._schedules(plan, places, data_bucket_arn)
        self.approved = self._approved()
        self.failed = self._failed(environment, topic_arn)
        spending = (self.deploy, self.approved) if plan.portable else (self.deploy, self.schedules, self.approved)
        self.spending = [one.role for one in spending]

    @property
    def steps(self) -> list[str]:
        """ARNs of the functions that a pipeline calls."""
        return [one.arn for one in (self.choose, self.deploy, self.confirm, self.schedules)]

    def _deploy(self, places: PipelinePlaces, data: str, variables: Mapping[str, str]) -> Function:
        rows = places.made_by_runs("Evaluate*", "smoke", "*")
        answers = places.made_by_runs("smoke-answers", "*")
        return self._function(
            "Deploy",
            "pipeline_deploy.deploy",
            "Tests the answers of a version of the model, then begins to bring it into service",
            [
                read_objects(data, rows, answers, reason=_SMOKE),
                list_objects(data, f"{places.folder}/runs/*", unseen="only when answers are missing: so S3 says so"),
                Statement(
                    [f"sagemaker:{verb}Endpoint" for verb in ("Create", "Update")],
                    [self._endpoint, self._configs],
                    reason=_CONFIGS,
                ),
                Statement(
                    ["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"],
                    [self._endpoint],
                    unseen={"sagemaker:DeleteEndpoint": _FAILED_FIRST},
                ),
                scaled_endpoints(_FAILED_FIRST),
                Statement(
                    ["sagemaker:AddTags", "sagemaker:ListTags"],
                    [self._endpoint, self._configs],
                    reason=_CONFIGS,
                    unseen={"sagemaker:ListTags": "only when another version is in service in the end"},
                ),
                Statement(
                    [f"sagemaker:{verb}EndpointConfig" for verb in ("Create", "Describe")],
                    [self._configs],
                    reason=_CONFIGS,
                ),
                Statement(["sagemaker:DeleteModel"], [self._models], reason=_MODELS),
                Statement(["sagemaker:DescribeModelPackage"], [self._packages], reason=_VERSIONS),
            ],
            [
                may("sagemaker:UpdateEndpoint", self._endpoint),
                may("s3:GetObject", f"{data}/{rows}"),
                may_not("sagemaker:UpdateEndpoint", sagemaker_arn("endpoint", "other")),
                may_not("sagemaker:DeleteModel", sagemaker_arn("model", "other")),
                may_not("sagemaker:UpdateModelPackage", "*"),
                may_not("s3:PutObject", "*"),
                may_not("iam:PassRole", "*"),
            ],
            STEP_SECONDS,
            variables,
        )

    def _confirm(self, variables: Mapping[str, str]) -> Function:
        return self._function(
            "Confirm",
            "pipeline_deploy.confirm",
            "Waits until a version of the model is in service, and deletes what earlier ones left",
            [
                Statement(
                    ["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"],
                    [self._endpoint],
                    unseen={"sagemaker:DeleteEndpoint": _FAILED_FIRST},
                ),
                scaled_endpoints(_FAILED_FIRST),
                Statement(
                    [
                        "sagemaker:AddTags",
                        "sagemaker:DeleteEndpointConfig",
                        "sagemaker:DescribeEndpointConfig",
                        "sagemaker:ListTags",
                    ],
                    [self._configs],
                    reason=_CONFIGS,
                ),
                Statement(["sagemaker:ListEndpointConfigs"], ["*"], reason=_LISTED),
                Statement(["sagemaker:DeleteModel"], [self._models], reason=_MODELS),
            ],
            [
                may("sagemaker:DescribeEndpoint", self._endpoint),
                may("sagemaker:DeleteEndpointConfig", self._configs),
                may_not("sagemaker:DeleteEndpointConfig", sagemaker_arn("endpoint-config", "other")),
                may_not("sagemaker:UpdateEndpoint", "*"),
                may_not("sagemaker:CreateEndpoint", "*"),
                may_not("iam:PassRole", "*"),
            ],
            STEP_SECONDS,
            variables,
        )

    def _schedules(self, plan: EndpointPlan, places: PipelinePlaces, data: str) -> Function:
        """Return what has the endpoint watched: the portable engine's schedules are there, and call for nothing."""
        baselines = [places.prepared(DATA_FOLDER), places.made_by_runs("Evaluate*", MODEL_FOLDER, "*")]
        makes = [] if plan.portable else self._makes_schedules(plan.monitor_role.arn)
        promised = (
            [may_not("iam:PassRole", "*")] if plan.portable else self._promised_of_schedules(plan.monitor_role.arn)
        )
        return self._function(
            "Schedules",
            "pipeline_watched.handler" if plan.portable else "pipeline_schedules.handler",
            "Has the endpoint watched with the baselines of the version that it serves",
            [
                Statement(["sagemaker:DescribeEndpoint"], [self._endpoint]),
                Statement(["sagemaker:DescribeModelPackage"], [self._packages], reason=_VERSIONS),
                *makes,
                read_objects(data, *baselines, reason=_BASELINES),
                list_objects(data, *baselines),
                Statement(["s3:PutObject"], [f"{data}/{one}" for one in baselines], reason=_BASELINES),
            ],
            [
                *promised,
                *(may("s3:PutObject", f"{data}/{one}") for one in baselines),
                may_not("s3:PutObject", f"{data}/{places.folder}/version/test/test.csv"),
                may_not("s3:DeleteObject", "*"),
                may_not("sagemaker:DeleteMonitoringSchedule", "*"),
                may_not("sagemaker:UpdateEndpoint", "*"),
            ],
            STEP_SECONDS,
            plan.monitoring if plan.portable else {**plan.variables, **plan.monitoring},
            memory_mb=1024,  # to read the statistics of many columns
        )

    def _makes_schedules(self, role: str) -> list[Statement]:
        kinds = ("DataQualityJobDefinition", "ModelQualityJobDefinition")
        folders = ("data-quality", "model-quality")
        definitions = [
            sagemaker_arn(f"{folder}-job-definition", f"{schedule}-*")
            for folder, schedule in zip(folders, self._names.schedules, strict=True)
        ]
        return [
            *(
                Statement(
                    ["sagemaker:AddTags", f"sagemaker:Create{kind}", f"sagemaker:Delete{kind}"],
                    [arn],
                    reason=_DEFINITIONS,
                    unseen={f"sagemaker:Delete{kind}": _OTHER_BASELINES},
                )
                for kind, arn in zip(kinds, definitions, strict=True)
            ),
            Statement([f"sagemaker:List{kind}s" for kind in kinds], ["*"], reason=_LISTED),
            Statement(
                [
                    "sagemaker:AddTags",
                    *(f"sagemaker:{verb}MonitoringSchedule" for verb in ("Create", "Describe", "Update")),
                ],
                [sagemaker_arn("monitoring-schedule", one) for one in self._names.schedules],
                unseen={"sagemaker:UpdateMonitoringSchedule": _OTHER_BASELINES},
            ),
            pass_roles([role], "sagemaker.amazonaws.com"),
        ]

    def _promised_of_schedules(self, role: str) -> list[Promise]:
        return [
            *(
                may("sagemaker:UpdateMonitoringSchedule", sagemaker_arn("monitoring-schedule", one))
                for one in self._names.schedules
            ),
            may("iam:PassRole", role, iam__PassedToService="sagemaker.amazonaws.com"),
            may_not("iam:PassRole", role, iam__PassedToService="lambda.amazonaws.com"),
            may_not("sagemaker:CreateMonitoringSchedule", sagemaker_arn("monitoring-schedule", "other")),
        ]

    def _approved(self) -> Function:
        pipeline = sagemaker_arn("pipeline", self._names.deployment)
        return self._function(
            "Approved",
            "pipeline_approved.handler",
            "Has a version of the model deployed that somebody approved",
            [
                Statement(["sagemaker:StartPipelineExecution"], [pipeline]),
                Statement(["sagemaker:DescribeModelPackage"], [self._packages], reason=_VERSIONS),
            ],
            [
                may("sagemaker:StartPipelineExecution", pipeline),
                may_not("sagemaker:StartPipelineExecution", sagemaker_arn("pipeline", self._names.training)),
                may_not("sagemaker:UpdateModelPackage", "*"),
                may_not("sagemaker:UpdateEndpoint", "*"),
                may_not("iam:PassRole", "*"),
            ],
            _EVENT_SECONDS,
            {"DEPLOYMENT_PIPELINE": self._names.deployment, "GROUP": self._names.group},
        )

    def _failed(self, environment: str, topic_arn: str) -> Function:
        runs = [
            sagemaker_arn("pipeline", f"{name}/execution/*") for name in (self._names.training, self._names.deployment)
        ]
        return self._function(
            "Failed",
            "pipeline_failed.handler",
            "Tells the topic that a run of a pipeline failed, and why",
            [
                Statement(
                    ["sagemaker:DescribePipelineExecution", "sagemaker:ListPipelineExecutionSteps"],
                    runs,
                    reason="runs of exactly these two pipelines, by the ids that SageMaker gives them",
                ),
                Statement(["sns:Publish"], [topic_arn]),
            ],
            [
                may("sns:Publish", topic_arn),
                *(may("sagemaker:DescribePipelineExecution", arn) for arn in runs),
                may_not("sagemaker:StartPipelineExecution", "*"),
                may_not("sagemaker:RetryPipelineExecution", "*"),
            ],
            _EVENT_SECONDS,
            {"ENVIRONMENT": environment, "WORKLOAD": self._names.workload, "TOPIC_ARN": topic_arn},
        )

    def _function(
        self,
        construct_id: str,
        handler: str,
        description: str,
        statements: Sequence[Statement],
        promises: Sequence[Promise],
        seconds: int,
        variables: Mapping[str, str] | None = None,
        memory_mb: int = 256,
    ) -> Function:
        return Function(
            self,
            construct_id,
            handler=handler,
            description=description,
            code=self._code,
            timeout_seconds=seconds,
            statements=statements,
            promises=promises,
            variables=variables,
            memory_mb=memory_mb,
        )
