"""Everything that watches a workload, its endpoint and its transform jobs: baselines first, then what looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from constructs import Construct

from sandcastle.assets import Assets
from sandcastle.baseline_request import Analyzer
from sandcastle.batch_monitor import BatchDataQualityMonitor
from sandcastle.code import UploadedAsset, code_asset, script_asset
from sandcastle.config import BATCH, Workload
from sandcastle.dataset import Dataset
from sandcastle.job_resource import JobResource
from sandcastle.monitor_alarm import MonitorAlarm, Reported
from sandcastle.monitor_roles import SERVICE_JOBS, MonitorAccess, judge_role, merger_of, monitor_role
from sandcastle.monitor_schedules import ModelMonitorSchedules
from sandcastle.monitor_slack import BaselineSlack
from sandcastle.monitors import DataQualityMonitor, ModelQualityMonitor, Watched
from sandcastle.portable_batch import PortableBatchSchedule
from sandcastle.portable_schedules import PortableSchedules
from sandcastle.processing_request import Program
from sandcastle.resource import Resource
from sandcastle.roles import ServiceRole
from sandcastle.trained_model import TrainedModel


class Monitoring(Construct):
    """The monitors of one workload. First the roles, then ``run`` the jobs that make baselines, then ``watch``.

    ``roles`` are those of jobs that a deploy starts, ``spending`` those of functions that start jobs later on.
    ``outputs`` say where everything is, by name.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        assets: Assets,
        workload: Workload,
        dataset: Dataset,
        trained: TrainedModel,
        access: MonitorAccess,
        image: str,
        training_image: str,
        tags: Mapping[str, str],
    ) -> None:
        """``image`` is the engine's, ``training_image`` the one that ``trained`` comes from."""
        super().__init__(scope, construct_id)
        stack, kinds = cdk.Stack.of(self), {one.kind: one for one in workload.monitors}
        self._workload, self._access, self._dataset, self._trained = workload, access, dataset, trained
        records = script_asset(stack, assets.pipeline / "monitor_records.py")
        portable = workload.engine == "portable"
        program = code_asset(stack, assets.monitoring) if portable else None
        judges = "model-quality" in kinds
        role = monitor_role(
            self,
            "Role",
            access=access,
            code=[records, *([program] if program else [])],
            images=[image, *([merger_of(image)] if judges and not portable else [])],
            judges_model=judges,
            watches_batches=BATCH in kinds,
            streams=() if portable else SERVICE_JOBS,
        )
        self.roles: list[ServiceRole] = [role]
        analyzer = Analyzer(image, role.arn, code=program.url if program else "")
        watched = Watched(workload, access.names, access.places, analyzer, records, tags)
        self._watched, by = watched, program.digest if program else image
        self.spending: list[ServiceRole] = []
        self.data_quality: DataQualityMonitor | None = None
        self.model_quality: ModelQualityMonitor | None = None
        if data := kinds.get("data-quality"):
            self.data_quality = DataQualityMonitor(
                self, "DataQuality", monitor=data, watched=watched, dataset=dataset.fingerprint, analyzer=by
            )
        self.batch: BatchDataQualityMonitor | None = None
        if batch := kinds.get(BATCH):
            self.batch = BatchDataQualityMonitor(
                self, "BatchDataQuality", monitor=batch, watched=watched, dataset=dataset.fingerprint, analyzer=by
            )
        if model := kinds.get("model-quality"):
            code = code_asset(stack, assets.pipeline)
            judge = judge_role(
                self, "JudgeRole", access=access, code=code, image=training_image, archive=trained.readable
            )
            self.roles.append(judge)
            self.model_quality = ModelQualityMonitor(
                self,
                "ModelQuality",
                monitor=model,
                watched=watched,
                dataset=dataset.fingerprint,
                model=trained.fingerprint,
                judge=Program("evaluate", training_image, judge.arn, code={"code": code.url}),
                analyzer=by,
            )

    def run(self, service_token: str, prepared: Resource) -> None:
        """Add the jobs that make the baselines; call it after those of the data and the model."""
        siblings = [one for monitor in self._monitors for one in monitor.fingerprints]
        rows = self._dataset.uri
        self._made: dict[DataQualityMonitor | ModelQualityMonitor, JobResource] = {}
        if self.data_quality:
            (self._made[self.data_quality],) = self.data_quality.run(service_token, rows, siblings, prepared)
        if self.batch:
            (self._made[self.batch],) = self.batch.run(service_token, rows, siblings, prepared)
        if self.model_quality:
            _, self._made[self.model_quality] = self.model_quality.run(
                service_token, rows, self._trained.archive, siblings, *([] if self._trained.job else [prepared])
            )

    def watch(self, endpoint: str, code: UploadedAsset, topic_arn: str) -> None:
        """Add what looks at the endpoint of this name, an attribute of it, and at transform jobs.

        Without an endpoint it is empty. ``code`` is all functions' asset.

        ``topic_arn`` is told what is found.
        """
        access = self._access
        capture = f"s3://{access.places.reports_bucket}/{access.capture}"
        slack = BaselineSlack(
            self,
            "Slack",
            monitors=self._made,
            labelled=self._workload.evaluate.kind != "clusters",
            access=access,
            code=code,
        )
        MonitorAlarm(
            self,
            "Alarm",
            environment=access.names.environment,
            schedules=[one.schedule for one in self._monitors],
            reported=Reported(
                access.names.workload,
                access.places.reports_bucket,
                access.reports_arn,
                reports=[f"{access.places.folder}/reports"],
                watched=[capture, access.places.truth, f"{access.places.reports}/merge", access.places.captured],
                merging=self.model_quality.schedule if self.model_quality else "",
            ),
            topic_arn=topic_arn,
            code=code,
        )
        if self._workload.engine == "model-monitor":
            ModelMonitorSchedules(self, "Schedules", endpoint=endpoint, monitors=slack.resources, code=code)
            return
        of_endpoint = {one: made for one, made in slack.resources.items() if one is not self.batch}
        if of_endpoint:
            schedules = PortableSchedules(
                self,
                "Schedules",
                endpoint=endpoint,
                monitors=of_endpoint,
                watched=self._watched,
                access=access,
                capture=capture,
                code=code,
            )
            self.spending.append(schedules.role)
        if self.batch:
            batch = PortableBatchSchedule(
                self,
                "BatchSchedule",
                monitor=self.batch,
                baseline=slack.resources[self.batch],
                watched=self._watched,
                access=access,
                code=code,
            )
            self.spending.append(batch.role)

    @property
    def outputs(self) -> dict[str, str]:
        """Where reports and labels lie, and for each monitor its schedule and its baseline."""
        found = {"MonitoringEngine": self._workload.engine, "MonitoringReports": self._access.places.reports}
        if self.data_quality:
            found |= {
                "DataQualitySchedule": self.data_quality.schedule,
                "DataQualityBaseline": self.data_quality.baseline,
            }
        if self.model_quality:
            found |= {
                "ModelQualitySchedule": self.model_quality.schedule,
                "ModelQualityBaseline": self.model_quality.baseline,
                "GroundTruth": self._access.places.truth,
            }
        if self.batch:
            found |= {
                "BatchDataQualitySchedule": self.batch.schedule,
                "BatchDataQualityBaseline": self.batch.baseline,
                "BatchCapture": self._access.places.captured,
            }
        return found

    @property
    def _monitors(self) -> Sequence[DataQualityMonitor | ModelQualityMonitor]:
        return [one for one in (self.data_quality, self.model_quality, self.batch) if one]
