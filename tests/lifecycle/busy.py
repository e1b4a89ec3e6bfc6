"""Keeps an environment busy: everything that runs in SageMaker, started under the roles of one of its workloads."""

from __future__ import annotations

import json
from typing import Any

from sandcastle.config.catalogue import image_uri
from tests.lifecycle.conftest import Cloud

_TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
_MAY = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_SLEEP = ["python3", "-c", "import time; print('asleep', flush=True); time.sleep(900)"]
_RESOURCES = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}}


class Busy:
    """A deployed environment with the workload ``bank``. What is started gets names that begin with ``name``.

    It belongs to the environment, or to the ``owner`` that is given instead. Everything runs under a role that may do
    anything and outlives the environment: what is tried is not what roles may do.
    """

    def __init__(self, cloud: Cloud, environment: str, name: str, *, owner: str = "") -> None:
        self._cloud = cloud
        self._sagemaker = cloud.client("sagemaker")
        self._tags = [{"Key": "sandcastle:environment", "Value": owner or environment}]
        self._name = name
        self._job = self._sagemaker.describe_training_job(TrainingJobName=cloud.jobs()[0])
        self._role = self._anything()
        endpoint = self._sagemaker.list_endpoints(NameContains=f"sandcastle-{environment}--bank-")["Endpoints"][0]
        described = self._sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"])
        config = self._sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
        self.variants = config["ProductionVariants"]
        self._model = self._sagemaker.describe_model(ModelName=self.variants[0]["ModelName"])

    def training(self, name: str, rounds: int = 100_000, keep_alive: int = 0) -> None:
        """Start a training job."""
        resources = {**self._job["ResourceConfig"], "KeepAlivePeriodInSeconds": keep_alive}
        self._sagemaker.create_training_job(
            TrainingJobName=f"{self._name}-{name}",
            HyperParameters={**self._job["HyperParameters"], "num_round": str(rounds)},
            **{**self._training(), "ResourceConfig": resources},
            Tags=self._tags,
        )

    def warm_pool(self) -> None:
        """Leave instances of a finished training job."""
        self._cloud.post("quotas", {"ml.m5.xlarge for training warm pool usage": 4})
        self.training("warm", rounds=2, keep_alive=3600)
        name = f"{self._name}-warm"

        def kept() -> bool:
            job = self._sagemaker.describe_training_job(TrainingJobName=name)
            return bool(job.get("WarmPoolStatus", {}).get("Status") == "Available")

        self._cloud.until(kept, "the warm pool")

    def tuning(self) -> None:
        """Start a tuning job, with a training job of it."""
        name = f"{self._name}-tuning"
        self._sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig={
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 1},
                "ParameterRanges": {
                    "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}]
                },
            },
            TrainingJobDefinition={
                **self._training(),
                "StaticHyperParameters": {
                    key: value for key, value in self._job["HyperParameters"].items() if key != "eta"
                }
                | {"num_round": "100000"},
            },
            Tags=self._tags,
        )
        listed = self._sagemaker.list_training_jobs
        self._cloud.until(lambda: listed(NameContains=name)["TrainingJobSummaries"], "a training job of the tuning job")

    def processing(self) -> None:
        """Start a processing job that sleeps."""
        self._sagemaker.create_processing_job(
            ProcessingJobName=f"{self._name}-processing", **self._sleeping(), Tags=self._tags
        )

    def transform(self) -> None:
        """Start a batch transform of so many small objects that it takes a while."""
        rows = "".join(f"{','.join(['0'] * 59)}\n" for _ in range(2000))
        url = str(self._job["OutputDataConfig"]["S3OutputPath"])
        bucket = url.removeprefix("s3://").partition("/")[0]
        s3 = self._cloud.client("s3")
        for part in range(60):
            s3.put_object(Bucket=bucket, Key=f"bank/batch/{part}.csv", Body=rows.encode())
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/bank/batch/"}
        self._sagemaker.create_transform_job(
            TransformJobName=f"{self._name}-transform",
            ModelName=self.model(),
            TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
            TransformOutput={"S3OutputPath": f"s3://{bucket}/bank/batch-out"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            Tags=self._tags,
        )

    def pipeline(self) -> None:
        """Start an execution of a new pipeline."""
        name = f"{self._name}-pipeline"
        step = {"Name": "Sleep", "Type": "Processing", "Arguments": self._sleeping()}
        self._sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [step]}),
            RoleArn=self._role,
            Tags=self._tags,
        )
        self._sagemaker.start_pipeline_execution(PipelineName=name)

    def schedule(self) -> None:
        """Have a monitoring schedule whose job of the hour runs."""
        name = f"{self._name}-quality"
        endpoint = self.endpoint("watched", captured=True)
        self._cloud.half_past()
        row = ",".join(["0"] * 59)  # without data of the hour its job would fail
        self._cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=row)
        self._cloud.advance(120)  # until it is written
        self.watch(endpoint, name)
        runs = self._sagemaker.list_monitoring_executions
        self._cloud.advance(2 * 3600)
        which = {"MonitoringScheduleName": name}
        self._cloud.until(lambda: runs(**which)["MonitoringExecutionSummaries"], "a job of the schedule")

    def watch(self, endpoint: str, name: str) -> None:
        """Have a schedule of this name that watches an endpoint which captures, and a definition beside its own."""
        bucket = str(self._job["OutputDataConfig"]["S3OutputPath"]).removeprefix("s3://").partition("/")[0]
        output = {"S3Uri": f"s3://{bucket}/bank/monitoring", "LocalPath": "/opt/ml/processing/output"}
        source = {"EndpointInput": {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input"}}
        runs_as = {"JobResources": _RESOURCES, "RoleArn": self._role, "Tags": self._tags}
        image = image_uri("sklearn", "us-east-1")
        self._sagemaker.create_data_quality_job_definition(
            JobDefinitionName=name,
            DataQualityAppSpecification={"ImageUri": image, "ContainerEntrypoint": _SLEEP},
            DataQualityJobInput=source,
            DataQualityJobOutputConfig={"MonitoringOutputs": [{"S3Output": output}]},
            **runs_as,
        )
        truth = {"GroundTruthS3Input": {"S3Uri": f"s3://{bucket}/bank/truth"}}
        self._sagemaker.create_model_quality_job_definition(
            JobDefinitionName=f"{name}-of-the-model",
            ModelQualityAppSpecification={"ImageUri": image, "ProblemType": "BinaryClassification"},
            ModelQualityJobInput={
                "EndpointInput": {
                    **source["EndpointInput"],
                    "ProbabilityAttribute": "0",
                    "ProbabilityThresholdAttribute": 0.5,
                },
                **truth,
            },
            ModelQualityJobOutputConfig={"MonitoringOutputs": [{"S3Output": output}]},
            **runs_as,
        )
        self._sagemaker.create_monitoring_schedule(
            MonitoringScheduleName=name,
            MonitoringScheduleConfig={
                "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
                "MonitoringJobDefinitionName": name,
                "MonitoringType": "DataQuality",
            },
            Tags=self._tags,
        )
        describe, which = self._sagemaker.describe_monitoring_schedule, {"MonitoringScheduleName": name}
        self._cloud.until(lambda: describe(**which)["MonitoringScheduleStatus"] == "Scheduled", "the schedule")

    def scaled_endpoint(self) -> str:
        """Have an endpoint whose alarm of step scaling outlives it; return the alarm's name."""
        endpoint = self.endpoint("scaled")
        scaling = self._cloud.client("application-autoscaling")
        target = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{endpoint}/variant/{self.variants[0]['VariantName']}",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
        scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=3)
        step = {"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}
        policy = scaling.put_scaling_policy(
            **target,
            PolicyName="steps",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [step]},
        )
        alarm = f"wake-{endpoint}"
        self._cloud.client("cloudwatch").put_metric_alarm(
            AlarmName=alarm, Namespace="AWS/SageMaker", MetricName="Invocations", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=100.0, ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[policy["PolicyARN"]],
        )  # fmt: skip
        return alarm

    def endpoint(self, name: str, captured: bool = False) -> str:
        """Have an endpoint of the workload's model; return its name."""
        full = f"{self._name}-{name}"
        bucket = str(self._job["OutputDataConfig"]["S3OutputPath"]).removeprefix("s3://").partition("/")[0]
        capture: dict[str, Any] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{bucket}/bank/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        }
        # the workload's own role writes no captures here
        variants = [{**one, "ModelName": self.model(name)} for one in self.variants] if captured else self.variants
        self._sagemaker.create_endpoint_config(
            EndpointConfigName=full,
            ProductionVariants=variants,
            Tags=self._tags,
            **({"DataCaptureConfig": capture} if captured else {}),
        )
        self._sagemaker.create_endpoint(EndpointName=full, EndpointConfigName=full, Tags=self._tags)
        describe = self._sagemaker.describe_endpoint
        self._cloud.until(lambda: describe(EndpointName=full)["EndpointStatus"] == "InService", "the endpoint")
        return full

    def model(self, name: str = "model") -> str:
        """Have a model like the workload's, which may do anything; return its name."""
        name = f"{self._name}-{name}"
        self._sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self._role,
            PrimaryContainer=self._model["PrimaryContainer"],
            Tags=self._tags,
        )
        return name

    def package(self) -> None:
        """Have a version in a group."""
        group = f"{self._name}-models"
        self._sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=self._tags)
        container = {key: self._model["PrimaryContainer"][key] for key in ("Image", "ModelDataUrl")}
        types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
        self._sagemaker.create_model_package(
            ModelPackageGroupName=group, InferenceSpecification={"Containers": [container], **types}
        )

    def _anything(self) -> str:
        """Return a role that jobs may do anything with, made once."""
        iam, name = self._cloud.client("iam"), "busy"
        if name not in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
            trust, may = ({"Version": "2012-10-17", "Statement": [one]} for one in (_TRUST, _MAY))
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
            iam.put_role_policy(RoleName=name, PolicyName="anything", PolicyDocument=json.dumps(may))
        arn: str = iam.get_role(RoleName=name)["Role"]["Arn"]
        return arn

    def _training(self) -> dict[str, Any]:
        algorithm = {key: self._job["AlgorithmSpecification"][key] for key in ("TrainingImage", "TrainingInputMode")}
        same = ("InputDataConfig", "OutputDataConfig", "ResourceConfig")
        return {
            **{key: self._job[key] for key in same},
            "RoleArn": self._role,
            "AlgorithmSpecification": algorithm,
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }

    def _sleeping(self) -> dict[str, Any]:
        return {
            "RoleArn": self._role,
            "AppSpecification": {"ImageUri": image_uri("sklearn", "us-east-1"), "ContainerEntrypoint": _SLEEP},
            "ProcessingResources": _RESOURCES,
        }
