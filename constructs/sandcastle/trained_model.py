"""A trained model: its archive in S3, and the job that made it, once per fingerprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

import aws_cdk as cdk
from constructs import Construct

from sandcastle.archives import model_archive, source_archive
from sandcastle.code import UploadedAsset
from sandcastle.config import Artifact, Train, Workload
from sandcastle.dataset import Dataset
from sandcastle.fingerprint import fingerprint, training_fingerprint
from sandcastle.job_resource import JobResource
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import PARTITION
from sandcastle.training_request import Places, training_request, tuning_request
from sandcastle.training_role import TrainingRole


class TrainedModel(Construct):
    """A model by one of three ways: a training job, a tuning job whose best model counts, or an archive that is there.

    A training job runs one of AWS's built-in algorithms or the workload's own script. What jobs make lies below
    ``<workload>/<fingerprint>/<job>/output/`` in the models' bucket. For an archive that is there nothing runs, and
    there is no role.

    A stack may hold several, told apart by ``variant``: they differ in their hyperparameters.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: Workload,
        dataset: Dataset,
        names: WorkloadNames,
        image: str,
        data_bucket_arn: str,
        models_bucket_name: str,
        models_bucket_arn: str,
        train: Train | None = None,
        variant: str | None = None,
    ) -> None:
        """``image`` is the URI that trains; ``train`` replaces the workload's own. Call ``run`` to add the job itself.

        ``variant`` is None for the one trained model that every stack has.
        """
        super().__init__(scope, construct_id)
        self._workload, self._dataset, self._names = workload, dataset, names
        self._train, self._image, self._variant = train or workload.train, image, variant
        self._bucket, self._bucket_arn = models_bucket_name, models_bucket_arn
        self._source: UploadedAsset | None = None
        self._there: tuple[str, str] | None = None
        self.job: JobResource | None = None
        self.role: TrainingRole | None = None
        if self._train.artifact:
            self._there, self.fingerprint = self._archive_that_is_there(self._train.artifact)
            return
        if self._train.script:
            self._source = source_archive(cdk.Stack.of(self), workload.folder)
        self.fingerprint = self._fingerprint()
        self.role = TrainingRole(
            self,
            "Role",
            train=self._train,
            names=names,
            fingerprint=self.fingerprint,
            image=image,
            data_bucket_arn=data_bucket_arn,
            data_folder=f"{workload.name}/{dataset.fingerprint}",
            models_bucket_arn=models_bucket_arn,
            source=self._source,
        )

    @property
    def kind(self) -> Literal["training", "tuning"] | None:
        """The kind of job that makes it, None for an archive that is there."""
        if self._train.artifact:
            return None
        return "tuning" if self._train.tune else "training"

    @property
    def uri(self) -> str:
        """The folder of the fingerprint's jobs, without a slash at the end."""
        return f"s3://{self._bucket}/{self._workload.name}/{self.fingerprint}"

    @property
    def archive(self) -> str:
        """The address of the model's archive; of one that a job makes only after ``run``."""
        if self._there:
            bucket, key = self._there
            return f"s3://{bucket}/{key}"
        if self.job is None:
            raise ValueError("the archive has no address before the job's resource is there: call run() first")
        return self.job.result

    @property
    def readable(self) -> tuple[str, str]:
        """What who serves it has to read: the bucket's ARN, and the key.

        A job's name is in the key, and the job of another fingerprint has another: then the key holds a ``*``.
        """
        if self._there:
            bucket, key = self._there
            return f"arn:{PARTITION}:s3:::{bucket}", key
        return self._bucket_arn, f"{self._workload.name}/*/output/model.tar.gz"

    def run(self, service_token: str, tags: dict[str, str], siblings: Sequence[str] = ()) -> JobResource | None:
        """Add the resource that runs the job, None if there is none to run; call it after the dataset's.

        ``siblings`` are the fingerprints of the stack's other trained models.
        """
        if self.kind is None:
            return None
        self.job = JobResource(
            self,
            "Job",
            resource_type="Custom::SandcastleTrainedModel",
            kind=self.kind,
            service_token=service_token,
            names=self._names,
            fingerprint=self.fingerprint,
            result=self.uri,
            request=self._request(tags),
            variant=self._variant,
            siblings=siblings,
        )
        return self.job

    def _request(self, tags: dict[str, str]) -> dict[str, Any]:
        assert self.role is not None  # noqa: S101  # what runs has a role
        places = Places(
            image=self._image,
            role_arn=self.role.arn,
            channels={name: f"{self._dataset.uri}/{name}/" for name in self._train.channels},
            models=self.uri,
            region=cdk.Stack.of(self).region,
            source=self._source.url if self._source else "",
            checkpoints=f"{self.uri}/checkpoints",
        )
        if self._train.tune and self._train.tuning:
            return tuning_request(self._train, self._train.tuning, places, tags, self.fingerprint)
        return training_request(self._train, places, tags)

    def _archive_that_is_there(self, artifact: Artifact) -> tuple[tuple[str, str], str]:
        """Return bucket and key, and the fingerprint: of the file's bytes, or of the object's address."""
        if artifact.file:
            asset = model_archive(cdk.Stack.of(self), self._workload.folder / artifact.file)
            return (asset.bucket, asset.key), fingerprint(artifact=asset.digest, image=self._image)
        bucket, _, key = str(artifact.s3).removeprefix("s3://").partition("/")
        return (bucket, key), fingerprint(artifact=artifact.s3, image=self._image)

    def _fingerprint(self) -> str:
        train = self._train
        source = {"files": self._source.digest, "script": train.script} if self._source else None
        tuning = None
        if train.tune and train.tuning:
            tuning = {**asdict(train.tuning), "metric": train.metrics.get(train.tuning.objective, "")}
        return training_fingerprint(
            data=self._dataset.fingerprint,
            image=self._image,
            instance=train.instance,
            instances=train.instances,
            channels=train.channels,
            hyperparameters=train.fixed_hyperparameters,
            source={**source, "internet": train.internet} if source else None,
            tuning=tuning,
        )
