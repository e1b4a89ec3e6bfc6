"""What the role of a model needs for batch transform jobs, which work in its name and not in one of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandcastle.naming import WorkloadNames
from sandcastle.permissions import list_objects, read_objects, write_logs, write_objects
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import Statement

_OWN = "transform jobs of this workload, whose names end with the time when they were started"


@dataclass(frozen=True)
class BatchAccess:
    """A job reads ``reads``, keys of the data bucket or patterns of them, or what was put below
    ``<workload>/transform/``; it writes below that and to ``writes``.

    ``private`` are keys of the workload's own that it is promised not to read, ``kept`` those that it must not write.
    """

    names: WorkloadNames
    data_bucket_arn: str
    reads: Sequence[str]
    private: Sequence[str]
    kept: Sequence[str]
    writes: Sequence[str] = ()

    @property
    def _folder(self) -> str:
        return f"{self.names.workload}/transform/*"

    def statements(self) -> list[Statement]:
        """What is allowed."""
        return [
            read_objects(self.data_bucket_arn, *self.reads, self._folder, reason=_OWN),
            write_objects(self.data_bucket_arn, *self.writes, self._folder, reason=_OWN),
            list_objects(self.data_bucket_arn, *self.reads, self._folder),
            *write_logs("/aws/sagemaker/TransformJobs", f"{self.names.job_prefix}-*"),
        ]

    def promises(self) -> list[Promise]:
        """What can be relied on."""
        data = self.data_bucket_arn
        return [
            *(may("s3:GetObject", f"{data}/{key}") for key in self.reads),
            *(may("s3:PutObject", f"{data}/{key}") for key in (*self.writes, self._folder)),
            *(may_not("s3:GetObject", f"{data}/{key}") for key in self.private),
            *(may_not("s3:PutObject", f"{data}/{key}") for key in self.kept),
            may_not("s3:PutObject", f"{data}/other/*"),
        ]


def of_dataset(names: WorkloadNames, data_bucket_arn: str, dataset: str) -> BatchAccess:
    """Return what a job over the test split of a dataset needs; ``dataset`` is its fingerprint."""
    own = f"{names.workload}/{dataset}"
    return BatchAccess(names, data_bucket_arn, reads=[f"{own}/test/*"], private=[f"{own}/train/*"], kept=[f"{own}/*"])
