"""A trained model: the archive in S3 and the training job that made it, once per fingerprint."""

from __future__ import annotations

from typing import Any

from constructs import Construct

from sandcastle.config import Workload
from sandcastle.dataset import Dataset
from sandcastle.fingerprint import training_fingerprint
from sandcastle.job_resource import JobResource
from sandcastle.naming import WorkloadNames
from sandcastle.permissions import list_objects, pull_image, put_metrics, read_objects, write_logs, write_objects
from sandcastle.promises import may, may_not
from sandcastle.roles import ServiceRole, Statement


class TrainedModel(Construct):
    """A model trained by one of AWS's built-in algorithms, below ``<workload>/<fingerprint>/<job>/output/``.

    On spot capacity the job keeps checkpoints beside its output, from which SageMaker resumes it. Algorithms delete
    their older checkpoints (XGBoost keeps five), and SageMaker's copying mirrors that to S3: so the job may delete, but
    nothing beside the checkpoints of its own fingerprint.
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
    ) -> None:
        """``image`` is the algorithm's URI. Call ``run`` to add the job itself."""
        super().__init__(scope, construct_id)
        self._workload, self._dataset, self._names = workload, dataset, names
        self._image, self._bucket = image, models_bucket_name
        self.fingerprint = training_fingerprint(
            data=dataset.fingerprint,
            image=image,
            instance=workload.train.instance,
            channels=workload.train.channels,
            hyperparameters=workload.train.hyperparameters,
        )
        own, data = f"{workload.name}/*", f"{workload.name}/{dataset.fingerprint}"
        kept = f"{models_bucket_arn}/{workload.name}/{self.fingerprint}/checkpoints/*"
        checkpoints = (
            [
                Statement(
                    ["s3:GetObject", "s3:DeleteObject"],
                    [kept],
                    reason="a spot job resumes from its checkpoints and deletes older ones, within one fingerprint",
                ),
                list_objects(models_bucket_arn, own),
            ]
            if workload.train.spot
            else []
        )
        deleting = (
            [
                may("s3:GetObject", kept),
                may("s3:DeleteObject", kept),
                may_not(
                    "s3:DeleteObject", f"{models_bucket_arn}/{workload.name}/{self.fingerprint}/{names.job_prefix}*"
                ),
                may_not("s3:DeleteObject", f"{models_bucket_arn}/other/*"),
                may_not("s3:DeleteObject", f"{data_bucket_arn}/*"),
            ]
            if workload.train.spot
            else [may_not("s3:DeleteObject", "*")]
        )
        self.role = ServiceRole(
            self,
            "Role",
            service="sagemaker.amazonaws.com",
            source_account=True,
            description=f"Trains the model of {workload.name}",
            statements=[
                read_objects(
                    data_bucket_arn,
                    *(f"{data}/{name}/*" for name in workload.train.channels),
                    reason="all files of exactly its channels in exactly its dataset",
                ),
                list_objects(data_bucket_arn, f"{data}/*"),
                write_objects(
                    models_bucket_arn,
                    own,
                    reason="the workload's own folder; below it lies one folder per fingerprint, which changes",
                ),
                *checkpoints,
                *write_logs("/aws/sagemaker/TrainingJobs", f"{names.job_prefix}-*"),
                put_metrics("/aws/sagemaker/TrainingJobs"),
                *pull_image(image),
            ],
            promises=[
                may("s3:GetObject", f"{data_bucket_arn}/{data}/train/*"),
                may("s3:PutObject", f"{models_bucket_arn}/{workload.name}/*"),
                may_not("s3:GetObject", f"{data_bucket_arn}/{data}/test/*"),
                may_not("s3:PutObject", f"{data_bucket_arn}/*"),
                may_not("s3:PutObject", f"{models_bucket_arn}/other/*"),
                *deleting,
                may_not("sagemaker:CreateEndpoint", "*"),
                may_not("iam:PassRole", "*"),
            ],
        )

    @property
    def uri(self) -> str:
        """The folder of the fingerprint's jobs, without a slash at the end."""
        return f"s3://{self._bucket}/{self._workload.name}/{self.fingerprint}"

    def run(self, service_token: str, tags: dict[str, str]) -> JobResource:
        """Add the resource that runs the job; call it after the dataset's."""
        return JobResource(
            self,
            "Job",
            resource_type="Custom::SandcastleTrainedModel",
            kind="training",
            service_token=service_token,
            names=self._names,
            fingerprint=self.fingerprint,
            result=self.uri,
            request=self._request(tags),
        )

    def _request(self, tags: dict[str, str]) -> dict[str, Any]:
        """Return the CreateTrainingJob request without the job's name."""
        train = self._workload.train
        stopping = {"MaxRuntimeInSeconds": train.max_runtime_minutes * 60}
        request: dict[str, Any] = {
            "AlgorithmSpecification": {"TrainingImage": self._image, "TrainingInputMode": "File"},
            "HyperParameters": dict(train.hyperparameters),
            "InputDataConfig": [
                _channel(name, content_type, f"{self._dataset.uri}/{name}/")
                for name, content_type in train.channels.items()
            ],
            "OutputDataConfig": {"S3OutputPath": self.uri},
            "ResourceConfig": {
                "InstanceCount": 1,
                "InstanceType": train.instance,
                "VolumeSizeInGB": train.volume_gb,
            },
            "EnableNetworkIsolation": True,
            "EnableManagedSpotTraining": train.spot,
            "RoleArn": self.role.arn,
            "StoppingCondition": stopping,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        if train.max_wait_minutes is not None:
            stopping["MaxWaitTimeInSeconds"] = train.max_wait_minutes * 60
            request["CheckpointConfig"] = {"S3Uri": f"{self.uri}/checkpoints"}
        return request


def _channel(name: str, content_type: str, uri: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "ContentType": content_type,
        "CompressionType": "None",
        "RecordWrapperType": "None",
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        },
    }
