"""Where the runs of a workload's pipeline read and write: keys and patterns of keys in the environment's buckets.

Below ``<workload>/pipeline/`` lie in the data bucket one folder for each version of the data, and ``runs`` with a
folder for each run; in the models' bucket a folder for each training job; in the reports bucket what is captured, and
what is said about it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PipelinePlaces:
    """Names of buckets and the workload's folders in them. Folders have no slash at the end."""

    workload: str
    data_bucket: str
    models_bucket: str
    reports_bucket: str

    @property
    def folder(self) -> str:
        """The pipeline's folder, of the same name in the buckets of data and of models."""
        return f"{self.workload}/pipeline"

    @property
    def data(self) -> str:
        """Its address in the data bucket."""
        return f"s3://{self.data_bucket}/{self.folder}"

    @property
    def models(self) -> str:
        """Its address in the models' bucket."""
        return f"s3://{self.models_bucket}/{self.folder}"

    @property
    def archives(self) -> str:
        """Models: the folder between has the job's name."""
        return f"{self.folder}/*/output/model.tar.gz"

    def prepared(self, output: str) -> str:
        """Return the files of one output of the prepare job; the folder between has the data's version."""
        return f"{self.folder}/*/{output}/*"

    def made_by_runs(self, *parts: str) -> str:
        """Return what runs leave at this place; the folder before it has the run's id."""
        return "/".join((self.folder, "runs", "*", *parts))

    @property
    def reports(self) -> str:
        """What monitoring says, and the true labels that it is told."""
        return f"monitoring/{self.workload}"

    @property
    def truth(self) -> str:
        """Those labels, by the hour in which they come."""
        return f"{self.reports}/ground-truth"

    @property
    def reports_uri(self) -> str:
        """Their address."""
        return f"s3://{self.reports_bucket}/{self.reports}"
