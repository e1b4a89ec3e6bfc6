"""What the functions behind a workload's jobs may do with them: to start, to look, to stop, to read how logs end."""

from __future__ import annotations

from dataclasses import dataclass

from sandcastle.naming import WorkloadNames
from sandcastle.permissions import GROUP_REASON, log_group_arn, sagemaker_arn
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import Statement

_JOBS_REASON = "jobs of this workload; a job's name ends with fingerprint, stack and attempt"
_TUNING_REASON = "tuning jobs of this workload, which their names begin with, and the training jobs that they started"
_LOG_REASON = "log streams of this workload's jobs; a stream's name ends with fingerprint, host and time"
_LIST_REASON = "listing jobs is not about one job: the service authorization reference names no resource"

_UNDONE = "a change that is undone while its job runs: localcloud's CloudFormation lets the job end first"
_TRAINED_BEFORE = "only when a workload that now comes with its model has trained one before"
_TUNED_BEFORE = "only when a workload that does not tune in this environment did so before"


@dataclass(frozen=True)
class JobPermissions:
    """The jobs of one workload: datasets always, models by training or tuning jobs, or by none.

    ``trains`` and ``tunes`` say what is started. A workload that could tune (``tunable``) and does not must still be
    able to find and stop what it started when it did, and one that does not train any more, too.
    """

    names: WorkloadNames
    trains: bool
    tunes: bool
    tunable: bool

    @property
    def _jobs(self) -> list[str]:
        return [sagemaker_arn(kind, f"{self.names.job_prefix}-*") for kind in ("training-job", "processing-job")]

    @property
    def _tuning(self) -> str:
        return sagemaker_arn("hyper-parameter-tuning-job", f"{self.names.tuning_prefix}-*")

    @property
    def _trials(self) -> str:
        return sagemaker_arn("training-job", f"{self.names.tuning_prefix}-*")

    @property
    def _streams(self) -> list[str]:
        groups = [log_group_arn(f"/aws/sagemaker/{kind}Jobs") for kind in ("Training", "Processing")]
        found = [f"{group}:log-stream:{self.names.job_prefix}-*" for group in groups]
        return [*found, *([f"{groups[0]}:log-stream:{self.names.tuning_prefix}-*"] if self.tunable else [])]

    def start_statements(self) -> list[Statement]:
        """To start jobs, to find those that exist, and to stop those that nobody wants any more."""
        statements = [
            Statement(
                [
                    "sagemaker:AddTags",
                    "sagemaker:CreateProcessingJob",
                    *(["sagemaker:CreateTrainingJob"] if self.trains else []),
                    "sagemaker:DescribeProcessingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:StopProcessingJob",
                    "sagemaker:StopTrainingJob",
                ],
                self._jobs,
                reason=_JOBS_REASON,
                unseen={
                    "sagemaker:StopProcessingJob": _UNDONE,
                    "sagemaker:StopTrainingJob": _UNDONE,
                    **({} if self.trains else {"sagemaker:DescribeTrainingJob": _TRAINED_BEFORE}),
                },
            ),
            self._listing(),
        ]
        if self.tunes:
            actions = ["sagemaker:AddTags", "sagemaker:CreateHyperParameterTuningJob"]
            statements.append(Statement(actions, [self._tuning], reason=_TUNING_REASON))
        return [*statements, *self._tuning_statements(starting=True)]

    def look_statements(self) -> list[Statement]:
        """To look at jobs, to stop them, and to read how their logs end."""
        groups = [f"{log_group_arn(f'/aws/sagemaker/{kind}Jobs')}:*" for kind in ("Training", "Processing")]
        return [
            Statement(
                [
                    "sagemaker:DescribeProcessingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:StopProcessingJob",
                    "sagemaker:StopTrainingJob",
                ],
                self._jobs,
                reason=_JOBS_REASON,
            ),
            self._listing(),
            *self._tuning_statements(starting=False),
            Statement(["logs:DescribeLogStreams"], groups, reason=GROUP_REASON),
            Statement(["logs:GetLogEvents"], self._streams, reason=_LOG_REASON),
        ]

    def start_promises(self) -> list[Promise]:
        """What holds of who starts."""
        other, tuning = sagemaker_arn("training-job", "other-*"), "sagemaker:CreateHyperParameterTuningJob"
        return [
            may("sagemaker:CreateProcessingJob", self._jobs[1]),
            (may if self.trains else may_not)("sagemaker:CreateTrainingJob", self._jobs[0]),
            may("sagemaker:StopTrainingJob", self._jobs[0]),
            may_not("sagemaker:CreateTrainingJob", other),
            *([may(tuning, self._tuning), may("sagemaker:StopHyperParameterTuningJob", self._tuning)] * self.tunes),
            may_not(tuning, sagemaker_arn("hyper-parameter-tuning-job", "other-*") if self.tunes else "*"),
        ]

    def look_promises(self) -> list[Promise]:
        """What holds of who looks: it starts nothing, and reads no log of others."""
        groups = [log_group_arn(f"/aws/sagemaker/{kind}Jobs") for kind in ("Training", "Processing")]
        return [
            may("sagemaker:DescribeTrainingJob", self._jobs[0]),
            may("sagemaker:StopProcessingJob", self._jobs[1]),
            *([may("sagemaker:StopHyperParameterTuningJob", self._tuning)] * self.tunable),
            *(may("logs:GetLogEvents", stream) for stream in self._streams),
            *(may_not("logs:GetLogEvents", f"{arn}:log-stream:other-*") for arn in groups),
            may_not("sagemaker:CreateTrainingJob", "*"),
            may_not("sagemaker:CreateProcessingJob", "*"),
            may_not("sagemaker:CreateHyperParameterTuningJob", "*"),
        ]

    def _listing(self) -> Statement:
        actions = ["sagemaker:ListProcessingJobs", "sagemaker:ListTrainingJobs"]
        return Statement(
            [*actions, *(["sagemaker:ListHyperParameterTuningJobs"] if self.tunable else [])],
            ["*"],
            reason=_LIST_REASON,
            unseen=self._unless_tuned(["sagemaker:ListHyperParameterTuningJobs"]),
        )

    def _tuning_statements(self, *, starting: bool) -> list[Statement]:
        """To look at tuning jobs and stop them; to look at the best of their training jobs, or at one that failed."""
        if not self.tunable:
            return []
        looking = ["sagemaker:DescribeHyperParameterTuningJob", "sagemaker:StopHyperParameterTuningJob"]
        if not starting:
            looking.append("sagemaker:ListTrainingJobsForHyperParameterTuningJob")
        undone = {"sagemaker:StopHyperParameterTuningJob": _UNDONE} if starting else {}
        return [
            Statement(looking, [self._tuning], reason=_TUNING_REASON, unseen=undone | self._unless_tuned(looking)),
            Statement(["sagemaker:DescribeTrainingJob"], [self._trials], reason=_TUNING_REASON),
        ]

    def _unless_tuned(self, actions: list[str]) -> dict[str, str]:
        return {} if self.tunes or not self.tunable else dict.fromkeys(actions, _TUNED_BEFORE)
