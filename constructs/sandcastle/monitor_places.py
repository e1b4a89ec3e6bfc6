"""Where a workload's monitors read and write: the same for both engines. Folders have no slash at the end.

In the reports bucket lie baselines by fingerprint, and reports by endpoint, schedule and hour; in the data bucket the
true labels, by the hour in which they were delivered. (A pipeline's monitors have folders of their own, see
``PipelinePlaces``: a baseline belongs to a version there.)
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MonitorPlaces:
    """Names of the buckets, and the workload's folders in them."""

    workload: str
    data_bucket: str
    reports_bucket: str

    @property
    def folder(self) -> str:
        """All that monitors write, in the reports bucket."""
        return f"{self.workload}/monitoring"

    @property
    def reports(self) -> str:
        """The address below which reports lie: ``<endpoint>/<schedule>/yyyy/mm/dd/hh/`` with three files."""
        return f"s3://{self.reports_bucket}/{self.folder}/reports"

    @property
    def transforms(self) -> str:
        """In the data bucket all that transform jobs read and write, but for the test split."""
        return f"{self.workload}/transform"

    @property
    def captured(self) -> str:
        """Where transform jobs leave what they captured: below it lie ``input/yyyy/mm/dd/hh/`` with manifests."""
        return f"s3://{self.data_bucket}/{self.transforms}/captured"

    @property
    def manifests(self) -> str:
        """The folder of manifests for runs of the portable engine, in the reports bucket."""
        return f"{self.folder}/manifests"

    @property
    def truth_folder(self) -> str:
        """True labels in the data bucket."""
        return f"{self.workload}/ground-truth"

    @property
    def truth(self) -> str:
        """Their address: below it lie ``yyyy/mm/dd/hh/*.jsonl``."""
        return f"s3://{self.data_bucket}/{self.truth_folder}"

    def baseline(self, fingerprint: str, part: str) -> str:
        """Return the address of a baseline; ``part`` is ``data`` or ``model``."""
        return f"s3://{self.reports_bucket}/{self.folder}/baselines/{fingerprint}/{part}"

    def evaluation(self, fingerprint: str) -> str:
        """Return the address of what the model says of the test split, which its baseline is made of."""
        return f"s3://{self.reports_bucket}/{self.folder}/evaluations/{fingerprint}"
