"""What the jobs of monitoring schedules logged: streams whose names lead back to nothing but an execution."""

from __future__ import annotations

from collections.abc import Iterator

from operations.audit.finding import Finding
from operations.audit.logs import SAGEMAKER, stream_finding, streams_of
from operations.audit.sagemaker import SCHEDULES, owned
from operations.audit.survey import Survey

_GROUP = f"{SAGEMAKER}ProcessingJobs"
_KINDS = ("groundtruth-merge-", "model-monitoring-", "model-quality-monitoring-")
"""How SageMaker names these jobs; time and hash that follow are the same for both jobs of an execution."""


def monitor_streams(survey: Survey) -> Iterator[Finding]:
    """Yield the streams of jobs that the environment's schedules started, also of schedules that are gone.

    Executions stay listed (API reference, DeleteMonitoringSchedule). A schedule starts hundreds in a month: so the
    streams are listed once, not asked for job by job.
    """
    schedules = {one["MonitoringScheduleName"] for one, _ in owned(survey, SCHEDULES)}
    runs = survey.pages("sagemaker", "list_monitoring_executions", "MonitoringExecutionSummaries")
    jobs = {
        run["ProcessingJobArn"].rsplit("/", 1)[-1]
        for run in runs
        if "ProcessingJobArn" in run
        and (run["MonitoringScheduleName"] in schedules or survey.owner.by_run_time_name(run["MonitoringScheduleName"]))
    }
    ours = {job.removeprefix(kind) for job in jobs for kind in _KINDS if job.startswith(kind)}
    groups = survey.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=_GROUP)
    if not ours or _GROUP not in [group["logGroupName"] for group in groups]:
        return
    for kind, streams in survey.each(lambda kind: streams_of(survey, _GROUP, kind), _KINDS):
        for stream in streams:
            if stream["logStreamName"].split("/", 1)[0].removeprefix(kind) in ours:
                yield stream_finding(survey, _GROUP, stream, "of a monitoring schedule's job")
