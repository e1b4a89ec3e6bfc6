"""The role of a workload's training jobs: its data, its own folder of models, its script, its logs."""

from __future__ import annotations

from constructs import Construct

from sandcastle.code import UploadedAsset
from sandcastle.config import Train
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import (
    PARTITION,
    list_objects,
    pull_image,
    put_metrics,
    read_objects,
    write_logs,
    write_objects,
)
from sandcastle.promises import Promise, may, may_not
from sandcastle.roles import ServiceRole, Statement

LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingRole(ServiceRole):
    """What the jobs of one trained model may do, those of a tuning job, too.

    On spot capacity a job keeps checkpoints beside its output, from which SageMaker resumes it. Algorithms delete
    their older checkpoints (XGBoost keeps five), and SageMaker's copying mirrors that to S3: so the job may delete, but
    nothing beside the checkpoints of its own fingerprint.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        train: Train,
        names: WorkloadNames,
        fingerprint: str,
        image: str,
        data_bucket_arn: str,
        data_folder: str,
        models_bucket_arn: str,
        source: UploadedAsset | None,
        held_out: str = "",
    ) -> None:
        """``data_folder`` is the key of the dataset's folder; ``source`` the script's archive, if there is a script.

        ``held_out`` is the key of what is promised not to be read, if it is not that folder's ``test/*``.
        """
        own = f"{names.workload}/{fingerprint}"
        kept = f"{models_bucket_arn}/{own}/checkpoints/*"
        checkpoints, deleting = (
            _checkpoints(kept, models_bucket_arn, data_bucket_arn, names, own)
            if train.spot
            else ([], [may_not("s3:DeleteObject", "*")])
        )
        script = _script(source) if source else ([], [])
        super().__init__(
            scope,
            construct_id,
            service="sagemaker.amazonaws.com",
            source_account=True,
            description=f"Trains the model of {names.workload}",
            statements=[
                read_objects(
                    data_bucket_arn,
                    *(f"{data_folder}/{name}/*" for name in train.channels),
                    reason="all files of exactly its channels in exactly its dataset",
                ),
                list_objects(data_bucket_arn, f"{data_folder}/*"),
                *script[0],
                write_objects(
                    models_bucket_arn,
                    f"{names.workload}/*",
                    reason="the workload's own folder; below it lies one folder per fingerprint, which changes",
                ),
                *checkpoints,
                *write_logs(LOG_GROUP, *(f"{begin}-*" for begin in names.prefixes)),
                put_metrics(LOG_GROUP),
                *pull_image(image),
            ],
            promises=[
                *(may("s3:GetObject", f"{data_bucket_arn}/{data_folder}/{name}/*") for name in train.channels),
                *script[1],
                may("s3:PutObject", f"{models_bucket_arn}/{names.workload}/*"),
                may_not("s3:GetObject", f"{data_bucket_arn}/{held_out or f'{data_folder}/test/*'}"),
                may_not("s3:PutObject", f"{data_bucket_arn}/*"),
                may_not("s3:PutObject", f"{models_bucket_arn}/other/*"),
                *deleting,
                may_not("sagemaker:CreateEndpoint", "*"),
                may_not("iam:PassRole", "*"),
            ],
        )


def _checkpoints(
    kept: str, models_bucket_arn: str, data_bucket_arn: str, names: WorkloadNames, own: str
) -> tuple[list[Statement], list[Promise]]:
    statements = [
        Statement(
            ["s3:GetObject", "s3:DeleteObject"],
            [kept],
            reason="a spot job resumes from its checkpoints and deletes older ones, within one fingerprint",
        ),
        list_objects(models_bucket_arn, f"{names.workload}/*"),
    ]
    promises = [
        may("s3:GetObject", kept),
        may("s3:DeleteObject", kept),
        may_not("s3:DeleteObject", f"{models_bucket_arn}/{own}/{names.job_prefix}*"),
        may_not("s3:DeleteObject", f"{models_bucket_arn}/other/*"),
        may_not("s3:DeleteObject", f"{data_bucket_arn}/*"),
    ]
    return statements, promises


def _script(source: UploadedAsset) -> tuple[list[Statement], list[Promise]]:
    """Allow reading exactly the script's archive, and finding it: SageMaker lists what it is to download."""
    bucket = f"arn:{PARTITION}:s3:::{source.bucket}"
    statements = [read_objects(bucket, source.key), list_objects(bucket, f"{source.key}*")]
    return statements, [may("s3:GetObject", f"{bucket}/{source.key}"), may_not("s3:PutObject", f"{bucket}/*")]
