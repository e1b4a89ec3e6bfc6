"""A dataset: a processing job that prepares the workload's data, once per fingerprint."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from sandcastle.archives import REQUIREMENTS
from sandcastle.assets import Assets
from sandcastle.code import NOT_CODE, code_asset
from sandcastle.config import Environment, Workload
from sandcastle.fingerprint import data_fingerprint
from sandcastle.job_resource import JobResource
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import (
    ON_AWS,
    PARTITION,
    list_objects,
    pull_image,
    put_metrics,
    read_objects,
    write_logs,
    write_objects,
)
from sandcastle.processing_request import (
    ASKED,
    BASELINE,
    PREPARED,
    Machine,
    Program,
    output_folders,
    processing_request,
)
from sandcastle.promises import may, may_not
from sandcastle.roles import ServiceRole, Statement


class Dataset(Construct):
    """Train, validation and test data of a workload in S3, below ``<workload>/<fingerprint>/``.

    The job runs the workload's ``prepare.py`` on AWS's scikit-learn image, without a network: what it reads (its
    code, and the public object when the environment wants the full data) SageMaker puts before it as files.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        workload: Workload,
        names: WorkloadNames,
        image: str,
        data_bucket_name: str,
        data_bucket_arn: str,
        baseline: bool = False,
        asked: bool = False,
    ) -> None:
        """``image`` is the URI that the prepare job runs on. Call ``run`` to add the job itself.

        With ``baseline`` the training rows are written once more, with a header, for monitors; with ``asked`` a third
        time, without their label, for monitors of transform jobs.
        """
        super().__init__(scope, construct_id)
        self._workload, self._names, self._bucket = workload, names, data_bucket_name
        stack = cdk.Stack.of(self)
        code = code_asset(stack, workload.folder, (*NOT_CODE, *_not_for_data(workload)))
        shared = code_asset(stack, Assets(environment.root).shared)
        inputs = {}
        readable = [(f"arn:{PARTITION}:s3:::{asset.bucket}", asset.key) for asset in (code, shared)]
        if workload.full_data:
            bucket, _, key = workload.full_data.removeprefix("s3://").partition("/")
            inputs["full"] = workload.full_data
            readable.append((f"arn:{PARTITION}:s3:::{bucket}", key))
        self.fingerprint = data_fingerprint(
            code=code.digest,
            shared_code=shared.digest,
            source=workload.full_data or "sample",
            image=image,
            instance=workload.prepare.instance,
            baseline=baseline,
            asked=asked,
        )
        self._outputs = (*PREPARED, *([BASELINE] if baseline else []), *([ASKED] if asked else []))
        self.role = ServiceRole(
            self,
            "Role",
            service="sagemaker.amazonaws.com",
            source_account=True,
            description=f"Prepares the data of {workload.name}",
            statements=[
                *_read(readable),
                write_objects(
                    data_bucket_arn,
                    f"{workload.name}/*",
                    reason="the workload's own folder; below it lies one folder per fingerprint, which changes",
                ),
                *write_logs("/aws/sagemaker/ProcessingJobs", f"{names.job_prefix}-*"),
                put_metrics("/aws/sagemaker/ProcessingJobs", unseen=ON_AWS),
                *pull_image(image),
            ],
            promises=[
                *(may("s3:GetObject", f"{arn}/{key}") for arn, key in readable),
                may("s3:PutObject", f"{data_bucket_arn}/{workload.name}/*"),
                may_not("s3:PutObject", f"{data_bucket_arn}/other/*"),
                may_not("s3:GetObject", f"{data_bucket_arn}/*"),
                may_not("s3:DeleteObject", "*"),
                may_not("sagemaker:CreateTrainingJob", "*"),
                may_not("iam:PassRole", "*"),
            ],
        )
        self.program = Program(
            module="prepare",
            image=image,
            role_arn=self.role.arn,
            code={"workload": code.url, "shared": shared.url},
            inputs=inputs,
            variables={
                "SANDCASTLE_DATA": "full" if workload.full_data else "sample",
                **({"SANDCASTLE_BASELINE": "true"} if baseline else {}),
                **({"SANDCASTLE_ASKED": "true"} if asked else {}),
            },
        )

    @property
    def uri(self) -> str:
        """Where the data lies, without a slash at the end."""
        return f"s3://{self._bucket}/{self._workload.name}/{self.fingerprint}"

    def run(self, service_token: str, tags: dict[str, str]) -> JobResource:
        """Add the resource that runs the job."""
        return JobResource(
            self,
            "Job",
            resource_type="Custom::SandcastleDataset",
            kind="processing",
            service_token=service_token,
            names=self._names,
            fingerprint=self.fingerprint,
            result=self.uri,
            request=self._request(tags),
        )

    def _request(self, tags: dict[str, str]) -> dict[str, Any]:
        """Return the CreateProcessingJob request without the job's name."""
        prepare = self._workload.prepare
        return processing_request(
            self.program,
            Machine(prepare.instance, prepare.volume_gb, prepare.max_runtime_minutes),
            outputs=output_folders({name: f"{self.uri}/{name}" for name in self._outputs}),
            tags=tags,
        )


def _not_for_data(workload: Workload) -> tuple[str, ...]:
    """Return what of the folder's code prepares no data: another way to train must not prepare it again."""
    train = workload.train
    files = (train.script, workload.serve.script, train.artifact and train.artifact.file)
    return (REQUIREMENTS, *(name for name in files if name))


def _read(objects: list[tuple[str, str]]) -> list[Statement]:
    """Allow reading exactly these objects, and finding them: SageMaker lists what it is to download."""
    return [statement for arn, key in objects for statement in (read_objects(arn, key), list_objects(arn, f"{key}*"))]
