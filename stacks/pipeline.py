"""A workload with a pipeline: everything that its runs need, and nothing that runs by itself."""

from __future__ import annotations

import json
from dataclasses import replace

import aws_cdk as cdk
from constructs import Construct

from sandcastle.archives import source_archive
from sandcastle.assets import Assets
from sandcastle.baseline_request import Analyzer
from sandcastle.batch_access import BatchAccess
from sandcastle.code import code_asset, script_asset
from sandcastle.config import MONITOR_IMAGE, PORTABLE_IMAGE, Environment, PipelineSettings, Workload
from sandcastle.config.catalogue import image_uri
from sandcastle.dashboard import Row
from sandcastle.dashboard_monitors import Watching
from sandcastle.dataset import Dataset
from sandcastle.endpoint_alarms import EndpointAlarms
from sandcastle.endpoint_config import ServingPlaces
from sandcastle.job_logs import JobLogs
from sandcastle.monitor_alarm import MonitorAlarm, Reported
from sandcastle.monitor_roles import SERVICE_JOBS, merger_of
from sandcastle.naming import PipelineNames
from sandcastle.pipeline import Functions, Judging, Names, Parts, deployment_pipeline, training_pipeline
from sandcastle.pipeline.training import VERSION_DIGITS
from sandcastle.pipeline_events import PipelineEvents
from sandcastle.pipeline_functions import EndpointPlan, PipelineFunctions
from sandcastle.pipeline_places import PipelinePlaces
from sandcastle.pipeline_portable import PipelinePortableSchedules
from sandcastle.pipeline_roles import Buckets, evaluate_role, monitor_role, pipeline_role
from sandcastle.processing_request import Program
from sandcastle.resource import EnvironmentStack, Resource
from sandcastle.serving_role import serving_role
from sandcastle.spending_limit import SpendingLimit
from sandcastle.training_role import TrainingRole
from stacks.foundation import Foundation
from stacks.guardrails import Guardrails


class PipelineStack(EnvironmentStack):
    """Two pipelines of one workload, the registry of its models, and who works for them.

    A run of the first trains, judges, registers and deploys; the second deploys what a person approved. The endpoint is
    made by the first run that is good enough, and has its name from here, as its alarms have to be there before.

    When it is deleted, the rules go first, then the pipelines, then functions and roles, and the logs last of all. What
    runs made is gone by then: the teardown's janitor has stopped and deleted it, as long as the roles were there.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        workload: Workload,
        pipeline: PipelineSettings,
        foundation: Foundation,
        guardrails: Guardrails,
    ) -> None:
        """``foundation`` holds the buckets that runs read and write; ``guardrails`` bound what they start."""
        super().__init__(scope, workload.stack, environment=environment, description=f"pipeline: {workload.title}")
        assets = Assets(environment.root)
        names = PipelineNames(environment.name, workload.name)
        places = PipelinePlaces(workload.name, foundation.data.name, foundation.models.name, foundation.reports.name)
        buckets = Buckets(foundation.data.arn, foundation.models.arn, foundation.reports.arn)
        captured = ServingPlaces(foundation.reports.name, workload.name)
        train, serve, topic = workload.train, workload.serve, guardrails.topic.arn
        portable = workload.engine == "portable"
        training_image, serving_image, monitor_image = (
            _image(key, self.region)
            for key in (train.image, train.serving_image, PORTABLE_IMAGE if portable else MONITOR_IMAGE)
        )
        program = code_asset(self, assets.monitoring) if portable else None
        code, judge = code_asset(self, assets.functions), code_asset(self, assets.pipeline)
        records = script_asset(self, assets.pipeline / "monitor_records.py")
        source = source_archive(self, workload.folder) if train.script else None
        tags = {**self.standard_tags, "sandcastle:workload": workload.name}

        dataset = Dataset(
            self,
            "Dataset",
            environment=environment,
            workload=workload,
            names=names,
            image=_image(workload.prepare.image, self.region),
            data_bucket_name=foundation.data.name,
            data_bucket_arn=buckets.data,
        )
        version = dataset.fingerprint[:VERSION_DIGITS]
        training = TrainingRole(
            self,
            "TrainingRole",
            train=replace(train, spot=False),  # on spot capacity too: a run's job keeps no checkpoints
            names=names,
            fingerprint="pipeline",
            image=training_image,
            data_bucket_arn=buckets.data,
            data_folder=f"{places.folder}/*",
            models_bucket_arn=buckets.models,
            source=source,
            held_out=f"{places.folder}/{version}/test/test.csv",
        )
        evaluate = evaluate_role(
            self,
            "EvaluateRole",
            names=names,
            places=places,
            buckets=buckets,
            code=judge,
            image=training_image,
            version=version,
        )
        monitor = monitor_role(
            self,
            "MonitorRole",
            names=names,
            places=places,
            buckets=buckets,
            capture=captured.capture,
            images=[monitor_image, *([] if portable else [merger_of(monitor_image)])],
            code=[records, *([program] if program else [])],
            streams=[names.run_prefix] if portable else [f"{one}-" for one in SERVICE_JOBS],
        )
        alarms = EndpointAlarms(self, "Alarms", endpoint=names.endpoint, variants=serve.variant_names, topic_arn=topic)
        serving = serving_role(
            self,
            "ServingRole",
            workload=workload,
            names=names,
            image=serving_image,
            archives=[(buckets.models, places.archives)],
            reports_bucket_arn=buckets.reports,
            places=captured,
            topic_arn=topic,
            alarms=[one.attribute("Arn") for one in alarms.resources],
            batch=BatchAccess(
                names,
                buckets.data,
                reads=[places.prepared("test"), places.made_by_runs("Evaluate*", "smoke", "*")],
                writes=[places.made_by_runs("smoke-answers", "*")],
                private=[f"{places.folder}/{version}/train/train.csv"],
                kept=[f"{places.folder}/{version}/*"],
            ),
        )
        judging = Judging.of(workload)
        functions = PipelineFunctions(
            self,
            "Functions",
            environment=environment.name,
            names=names,
            places=places,
            data_bucket_arn=buckets.data,
            plan=EndpointPlan(
                variables={
                    "ENDPOINT": names.endpoint,
                    "TAGS": json.dumps(tags),
                    "INSTANCE": serve.instance,
                    "INSTANCES": str(serve.variants[0].instances),
                    "CAPTURE_PERCENT": str(serve.capture_percent),
                    "CAPTURE_URI": captured.uri(captured.capture),
                    "SERVING_ROLE": serving.arn,
                    "ALARMS": json.dumps(alarms.names),
                },
                portable=portable,
                monitoring={"SCHEDULES": " ".join(names.schedules), "WINDOW_ROWS": str(environment.monitoring_rows)}
                if portable
                else {
                    "MONITOR_IMAGE": monitor_image,
                    "MONITOR_ROLE": monitor.arn,
                    "MONITOR_INSTANCE": workload.prepare.instance,
                    "REPORTS_URI": places.reports_uri,
                    "PROBLEM_TYPE": judging.problem_type,
                    "CONTENT_TYPE": serve.content_type,
                    "ACCEPT": serve.accept,
                    "ANSWER": judging.answer,
                    "THRESHOLD": str(judging.threshold),
                    "RECORDS_SCRIPT": records.url,
                    "WINDOW_ROWS": str(environment.monitoring_rows),
                },
                monitor_role=monitor,
            ),
            topic_arn=topic,
            code=code,
        )
        job_roles = [dataset.role, training, evaluate, monitor, serving]
        role = pipeline_role(
            self,
            "Role",
            names=names,
            places=places,
            buckets=buckets,
            tunes=train.tuning is not None,
            functions=functions.steps,
            job_roles=[one.arn for one in job_roles],
        )
        group = Resource(
            self,
            "Group",
            "AWS::SageMaker::ModelPackageGroup",
            ModelPackageGroupName=names.group,
            ModelPackageGroupDescription=f"Models of {workload.name}: {workload.title}",
            own_tags={"sandcastle:workload": workload.name},
        )
        parts = Parts(
            region=self.region,
            names=Names(names.pipeline_job_prefix, names.pipeline_tuning_prefix, names.group),
            functions=Functions(*functions.steps),
            judging=judging,
            prepare=dataset.program,
            evaluate=Program("evaluate", training_image, evaluate.arn, code={"code": judge.url}),
            data=places.data,
            models=places.models,
            source=source.url if source else "",
            training_image=training_image,
            serving_image=serving_image,
            monitor_image=monitor_image,
            monitor_code=program.url if program else "",
            training_role=training.arn,
            monitor_role=monitor.arn,
            serving_role=serving.arn,
            tags=tags,
        )
        settings = {"approve": pipeline.approve, "review": pipeline.review}
        definitions = {
            names.training: training_pipeline(workload, parts, fingerprint=dataset.fingerprint, **settings),
            names.deployment: deployment_pipeline(serve, parts),
        }
        pipelines = [
            Resource(
                self,
                construct_id,
                "AWS::SageMaker::Pipeline",
                PipelineName=name,
                PipelineDefinition={"PipelineDefinitionBody": definition.body()},
                RoleArn=role.arn,
                own_tags={"sandcastle:workload": workload.name},
            )
            for construct_id, (name, definition) in zip(("Training", "Deployment"), definitions.items(), strict=True)
        ]
        events = PipelineEvents(self, "Events", names=names, functions=functions)
        for rule in events.rules:
            for started in pipelines:
                rule.add_resource_dependency(started)
        functions.approved.resource.add_resource_dependency(pipelines[1])  # an approval that comes late starts nothing
        for registers in pipelines:
            registers.add_resource_dependency(group)
        kinds = [f"{places.reports}/{kind}" for kind in workload.watched]
        MonitorAlarm(
            self,
            "MonitorAlarm",
            environment=environment.name,
            schedules=names.schedules,
            reported=Reported(
                names.workload,
                foundation.reports.name,
                buckets.reports,
                reports=kinds,
                watched=[captured.uri(folder) for folder in (captured.capture, places.truth, f"{kinds[1]}/merge")],
                merging="" if portable else names.schedules[1],
            ),
            topic_arn=topic,
            code=code,
        )
        spending = [role, *functions.spending]
        if program:
            schedules = PipelinePortableSchedules(
                self,
                "Schedules",
                workload=workload,
                names=names,
                places=places,
                buckets=buckets,
                capture=captured.capture,
                analyzer=Analyzer(monitor_image, monitor.arn, code=program.url),
                records=records,
                tags=tags,
                code=code,
            )
            spending.append(schedules.role)
        SpendingLimit(
            self,
            "SpendingLimit",
            roles=spending,
            budget_name=guardrails.limit.name,
            topic_arn=topic,
            code=code,
        )
        logs = JobLogs(self, "JobLogs", names=names, code=code, runs=True)
        for writer in job_roles:  # as in stacks/workload.py: a deleted role brings no log group back
            writer.resource.add_resource_dependency(logs.resource)
        outputs = {
            "Endpoint": names.endpoint,
            "TrainingPipeline": pipelines[0].ref,
            "DeploymentPipeline": pipelines[1].ref,
            "PackageGroup": names.group,
            "ContentType": serve.content_type,
            "Accept": serve.accept,
            "DataUri": places.data,
        }
        for key, value in outputs.items():
            cdk.CfnOutput(self, key, value=value)
        self._part = f"{self.stack_name}:StackPart"
        cdk.CfnOutput(self, "StackPart", value=names.stack_part, export_name=self._part)
        self._names, self._workload = names, workload

    @property
    def row(self) -> Row:
        """What a dashboard in another stack shows of the endpoint, also before there is one."""
        names = replace(self._names, part=cdk.Fn.import_value(self._part))
        return Row(names.workload, names.endpoint, self._workload.serve)

    @property
    def watching(self) -> Watching:
        """What it shows of the endpoint's monitors."""
        return Watching.of(replace(self._names, part=cdk.Fn.import_value(self._part)), self._workload.watched)


def _image(key: str, region: str) -> str:
    uri = image_uri(key, region)
    if uri is None:  # loading the environment has checked it
        raise ValueError(f"no image {key!r} in {region}")
    return uri
