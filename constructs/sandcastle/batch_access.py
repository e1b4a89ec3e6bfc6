"""What the role of a model needs for batch transform jobs, which work in its name and not in one of their own."""

from __future__ import annotations

from dataclasses import dataclass

from sandcastle.naming import WorkloadNames
from sandcastle.permissions import list_objects, read_objects, write_logs, write_objects
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import Statement

_OWN = "transform jobs of this workload, whose names end with the time when they were started"


@dataclass(frozen=True)
class BatchAccess:
    """A job reads the test split, or what was put below ``<workload>/transform/``, and writes below that."""

    names: WorkloadNames
    data_bucket_arn: str
    dataset: str
    """The dataset's fingerprint."""

    @property
    def _test(self) -> str:
        return f"{self.names.workload}/{self.dataset}/test/*"

    @property
    def _folder(self) -> str:
        return f"{self.names.workload}/transform/*"

    def statements(self) -> list[Statement]:
        """What is allowed."""
        return [
            read_objects(self.data_bucket_arn, self._test, self._folder, reason=_OWN),
            write_objects(self.data_bucket_arn, self._folder, reason=_OWN),
            list_objects(self.data_bucket_arn, self._test, self._folder),
            *write_logs("/aws/sagemaker/TransformJobs", f"{self.names.job_prefix}-*"),
        ]

    def promises(self) -> list[Promise]:
        """What can be relied on."""
        data, workload = self.data_bucket_arn, self.names.workload
        return [
            may("s3:GetObject", f"{data}/{self._test}"),
            may("s3:PutObject", f"{data}/{self._folder}"),
            may_not("s3:GetObject", f"{data}/{workload}/{self.dataset}/train/*"),
            may_not("s3:PutObject", f"{data}/{workload}/{self.dataset}/*"),
            may_not("s3:PutObject", f"{data}/other/*"),
        ]
