"""Leaves one or more of every kind behind, as users, jobs and a destroy that went wrong would."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from operations.target import Target
from sandcastle import tuning_names
from tests.localcloud.sagemaker import live
from tests.localcloud.sagemaker.live import Workshop, wait_for

SLEEP = "import time; time.sleep(600)"
SCRIPT = base64.b64encode(b"#!/bin/bash\ntrue\n").decode()


class Furniture:
    """Things of one environment in a localcloud; ``prefix`` begins its names, ``tags`` are on all that takes tags."""

    def __init__(self, target: Target, server: Any, environment: str) -> None:
        self.target = target
        self.environment = environment
        self.prefix = f"sandcastle-{environment}--"
        self.tags = [{"Key": "sandcastle:environment", "Value": environment}]
        self.workshop = Workshop(f"left-by-{environment}", "")
        self.server = server
        self.client = target.client
        self.sm = target.client("sagemaker")

    def all(self) -> None:
        """One or more of every kind that localcloud has."""
        self.storage()
        role = live.role(self.server, f"jobs-of-{self.environment}", self._pipeline_statements())
        self.client("iam").tag_role(RoleName=f"jobs-of-{self.environment}", Tags=self.tags)
        self.workshop = Workshop(self.workshop.bucket, role)
        for leave in (self.logs, self.watching, self.code, self.network, self.money, self.triggers, self.hosting,
                      self.registry, self.notebook, self.monitoring, self.studio, self.pipeline, self.jobs,
                      self.warm_pool):  # fmt: skip
            leave()

    def storage(self) -> None:
        """A bucket with versions, a delete marker and half an upload."""
        s3, bucket = self.client("s3"), self.workshop.bucket
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": self.tags})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=bucket, Key="model", Body=b"x" * 1000)
        s3.put_object(Bucket=bucket, Key="model", Body=b"y" * 500)
        s3.delete_object(Bucket=bucket, Key="model")
        upload = s3.create_multipart_upload(Bucket=bucket, Key="half")["UploadId"]
        s3.upload_part(Bucket=bucket, Key="half", UploadId=upload, PartNumber=1, Body=b"z" * 200)

    def logs(self) -> None:
        """A tagged group, a group that an endpoint brought, and streams in all groups that an account shares."""
        logs = self.client("logs")
        logs.create_log_group(
            logGroupName=f"/aws/lambda/{self.environment}-function", tags={"sandcastle:environment": self.environment}
        )
        logs.create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{self.prefix}gone")
        for shared in ("TrainingJobs", "ProcessingJobs", "TransformJobs", "NotebookInstances"):
            group = f"/aws/sagemaker/{shared}"
            with suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName=f"{self.prefix}old-1a2b/algo-1-1")
        trial = f"{tuning_names.of_environment(self.environment)}8f52-01234567-5f0c2-01-001-0f0444b1/algo-1-1"
        logs.create_log_stream(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=trial)

    def watching(self) -> None:
        """A topic, an alarm by its tag, and a dashboard by its name."""
        self.client("sns").create_topic(Name=f"topic-of-{self.environment}", Tags=self.tags)
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=f"alarm-of-{self.environment}", Namespace="Test", MetricName="M", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold", Tags=self.tags,
        )  # fmt: skip
        self.client("cloudwatch").put_dashboard(
            DashboardName=f"{self.prefix}dashboard-1a2b3c4d", DashboardBody=json.dumps({"widgets": []})
        )

    def code(self) -> None:
        """A function with its role, and a state machine."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("index.py", "def handler(event, context): pass")
        role = self._role("function", "lambda.amazonaws.com")
        self.client("lambda").create_function(
            FunctionName=f"function-of-{self.environment}", Runtime="python3.13", Role=role, Handler="index.handler",
            Code={"ZipFile": archive.getvalue()}, Tags={"sandcastle:environment": self.environment},
        )  # fmt: skip
        self.client("stepfunctions").create_state_machine(
            name=f"machine-of-{self.environment}", roleArn=role,
            definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
            tags=[{"key": "sandcastle:environment", "value": self.environment}],
        )  # fmt: skip

    def network(self) -> None:
        """A network with subnets in two zones, routes, a group, and endpoints of both types."""
        ec2 = self.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=self._ec2_tags("vpc"))["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=f"us-east-1{zone}",
                TagSpecifications=self._ec2_tags("subnet"),
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ab")
        ]  # fmt: skip
        routes = ec2.create_route_table(VpcId=self.vpc, TagSpecifications=self._ec2_tags("route-table"))
        ec2.create_security_group(
            VpcId=self.vpc, GroupName=f"group-of-{self.environment}", Description="d",
            TagSpecifications=self._ec2_tags("security-group"),
        )  # fmt: skip
        ec2.create_vpc_endpoint(
            VpcId=self.vpc, VpcEndpointType="Gateway", ServiceName="com.amazonaws.us-east-1.s3",
            RouteTableIds=[routes["RouteTable"]["RouteTableId"]], TagSpecifications=self._ec2_tags("vpc-endpoint"),
        )  # fmt: skip
        ec2.create_vpc_endpoint(
            VpcId=self.vpc, VpcEndpointType="Interface", ServiceName="com.amazonaws.us-east-1.sts",
            SubnetIds=self.subnets, PrivateDnsEnabled=False, TagSpecifications=self._ec2_tags("vpc-endpoint"),
        )  # fmt: skip

    def money(self) -> None:
        """A budget with an action that attaches a policy, and the policy."""
        name, account = f"budget-of-{self.environment}", self.target.account
        iam, budgets = self.client("iam"), self.client("budgets")
        deny = {"Version": "2012-10-17"}
        deny |= {"Statement": [{"Effect": "Deny", "Action": "sagemaker:CreateEndpoint", "Resource": "*"}]}
        policy = iam.create_policy(
            PolicyName=f"limit-of-{self.environment}", PolicyDocument=json.dumps(deny), Tags=self.tags
        )["Policy"]["Arn"]
        acting = self._role("acting", "budgets.amazonaws.com")
        limit = {"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY"}
        budgets.create_budget(
            AccountId=account, Budget={**limit, "BudgetLimit": {"Amount": "10", "Unit": "USD"}}, ResourceTags=self.tags
        )
        budgets.create_budget_action(
            AccountId=account, BudgetName=name, NotificationType="ACTUAL", ActionType="APPLY_IAM_POLICY",
            ActionThreshold={"ActionThresholdValue": 100, "ActionThresholdType": "PERCENTAGE"},
            Definition={"IamActionDefinition": {"PolicyArn": policy, "Roles": [f"jobs-of-{self.environment}"]}},
            ExecutionRoleArn=acting, ApprovalModel="AUTOMATIC",
            Subscribers=[{"SubscriptionType": "EMAIL", "Address": "team@example.com"}],
        )  # fmt: skip

    def triggers(self) -> None:
        """A schedule group with a schedule, a schedule elsewhere under one of our names, and an event rule."""
        scheduler = self.client("scheduler")
        group = f"group-of-{self.environment}"
        scheduler.create_schedule_group(Name=group, Tags=self.tags)
        machine = f"arn:aws:states:us-east-1:{self.target.account}:stateMachine:machine-of-{self.environment}"
        role = self._role("schedule", "scheduler.amazonaws.com")
        daily = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}}
        daily |= {"Target": {"Arn": machine, "RoleArn": role, "Input": "{}"}}
        scheduler.create_schedule(Name="wake", GroupName=group, **daily)
        scheduler.create_schedule(Name=f"{self.prefix}notebook-job", **daily)
        self.client("events").put_rule(
            Name=f"rule-of-{self.environment}", ScheduleExpression="rate(1 day)", Tags=self.tags
        )

    def hosting(self) -> None:
        """An endpoint that scales in steps, with its config and its model."""
        s3, name = self.client("s3"), f"{self.prefix}bank"
        s3.put_object(Bucket=self.workshop.bucket, Key="data/train/train.csv", Body=live.ROWS.encode())
        self.workshop.endpoint(self.server, name)
        scaling, which = self.client("application-autoscaling"), {"ServiceNamespace": "sagemaker"}
        which |= {
            "ResourceId": f"endpoint/{name}/variant/all", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"
        }  # fmt: skip
        scaling.register_scalable_target(**which, MinCapacity=1, MaxCapacity=2)
        tracking = {"TargetValue": 70.0}
        tracking["PredefinedMetricSpecification"] = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
        scaling.put_scaling_policy(
            **which, PolicyName="track", PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking,
        )  # fmt: skip

    def registry(self) -> None:
        """A model package group with a version in it."""
        group = f"registry-of-{self.environment}"
        self.sm.create_model_package_group(ModelPackageGroupName=group, Tags=self.tags)
        model = self.sm.describe_model(ModelName=f"{self.prefix}bank")["PrimaryContainer"]
        self.sm.create_model_package(
            ModelPackageGroupName=group,
            InferenceSpecification={
                "Containers": [{"Image": model["Image"], "ModelDataUrl": model["ModelDataUrl"]}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )

    def jobs(self) -> None:
        """A training, a processing and a tuning job that run."""
        training = self.workshop.training()
        training["AlgorithmSpecification"] = {
            "TrainingImage": live.SKLEARN, "TrainingInputMode": "File", "ContainerEntrypoint": ["python3", "-c", SLEEP],
        }  # fmt: skip
        self.sm.create_training_job(TrainingJobName=f"endless-of-{self.environment}", Tags=self.tags, **training)
        self.sm.create_processing_job(
            ProcessingJobName=f"{self.prefix}sleeps", Tags=self.tags, **self.workshop.processing(SLEEP)
        )
        trial = self.workshop.training(num_round="100", num_parallel_tree="1000000")  # busy, and silent
        static = trial.pop("HyperParameters")
        self.sm.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=f"tuning-of-{self.environment}"[:32],
            HyperParameterTuningJobConfig={
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
                "ParameterRanges": {
                    "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.9"}]
                },
            },
            TrainingJobDefinition={**trial, "StaticHyperParameters": static},
            Tags=self.tags,
        )

    def warm_pool(self) -> None:
        """A training job that has ended and kept its instances, for as long as that is possible."""
        warm = self.workshop.training()
        warm["ResourceConfig"]["KeepAlivePeriodInSeconds"] = 21600
        name = f"warm-of-{self.environment}"
        self.sm.create_training_job(TrainingJobName=name, Tags=self.tags, **warm)
        wait_for(
            lambda: self.sm.describe_training_job(TrainingJobName=name)["TrainingJobStatus"],
            lambda status: status == "Completed",
        )

    def notebook(self) -> None:
        """A notebook instance that is InService, with its lifecycle config."""
        name = f"notebook-of-{self.environment}"
        self.sm.create_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName=name, OnStart=[{"Content": SCRIPT}], Tags=self.tags
        )
        self.sm.create_notebook_instance(
            NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=self.workshop.role, Tags=self.tags,
            LifecycleConfigName=name,
        )  # fmt: skip
        wait_for(
            lambda: self.sm.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"],
            lambda status: status == "InService",
        )

    def monitoring(self) -> None:
        """An hourly schedule on the endpoint, by a definition."""
        definition = f"definition-of-{self.environment}"
        self.sm.create_data_quality_job_definition(
            JobDefinitionName=definition, Tags=self.tags, **self.workshop.definition(f"{self.prefix}bank", SLEEP)
        )
        self.sm.create_monitoring_schedule(
            MonitoringScheduleName=f"schedule-of-{self.environment}",
            MonitoringScheduleConfig={
                "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
                "MonitoringJobDefinitionName": definition,
                "MonitoringType": "DataQuality",
            },
            Tags=self.tags,
        )

    def pipeline(self) -> None:
        """A pipeline with an execution whose step sleeps."""
        name = f"pipeline-of-{self.environment}"
        step = {"Name": "Sleep", "Type": "Processing", "Arguments": self.workshop.processing(SLEEP)}
        document = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [step]}
        self.sm.create_pipeline(
            PipelineName=name, PipelineDefinition=json.dumps(document), RoleArn=self.workshop.role, Tags=self.tags
        )
        arn = self.sm.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
        wait_for(
            lambda: self.sm.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"],
            lambda steps: [step["StepStatus"] for step in steps] == ["Executing"],
        )

    def studio(self) -> None:
        """What a deleted domain left in the network, and a domain with a user, a space, an app and a script."""
        gone = self._domain("gone")
        self.sm.delete_domain(DomainId=gone)
        self._settled(lambda: self.sm.describe_domain(DomainId=gone), "gone")
        self.sm.create_studio_lifecycle_config(
            StudioLifecycleConfigName=f"script-of-{self.environment}", StudioLifecycleConfigContent=SCRIPT,
            StudioLifecycleConfigAppType="JupyterLab", Tags=self.tags,
        )  # fmt: skip
        self.domain = self._domain("here")
        inside = {"DomainId": self.domain}
        self.sm.create_user_profile(**inside, UserProfileName="ada")
        self._settled(lambda: self.sm.describe_user_profile(**inside, UserProfileName="ada"))
        self.sm.create_space(
            **inside, SpaceName="lab", OwnershipSettings={"OwnerUserProfileName": "ada"},
            SpaceSettings={
                "AppType": "JupyterLab",
                "SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 10}},
            },
            SpaceSharingSettings={"SharingType": "Private"},
        )  # fmt: skip
        self._settled(lambda: self.sm.describe_space(**inside, SpaceName="lab"))
        app = {**inside, "SpaceName": "lab", "AppType": "JupyterLab", "AppName": "default"}
        self.sm.create_app(**app, ResourceSpec={"InstanceType": "ml.t3.medium"})
        self._settled(lambda: self.sm.describe_app(**app))

    def _domain(self, name: str) -> str:
        arn: str = self.sm.create_domain(
            DomainName=f"{name}-of-{self.environment}", AuthMode="IAM", VpcId=self.vpc, SubnetIds=self.subnets,
            DefaultUserSettings={"ExecutionRole": self.workshop.role}, Tags=self.tags,
        )["DomainArn"]  # fmt: skip
        domain = arn.rpartition("/")[2]
        self._settled(lambda: self.sm.describe_domain(DomainId=domain))
        return domain

    def _settled(self, describe: Callable[[], Any], wanted: str = "InService") -> None:
        def status() -> str:
            try:
                return str(describe()["Status"])
            except self.sm.exceptions.ResourceNotFound:
                return "gone"

        wait_for(status, lambda found: found == wanted)

    def _role(self, name: str, service: str) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        made = self.client("iam").create_role(
            RoleName=f"{name}-of-{self.environment}", Tags=self.tags,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )  # fmt: skip
        return str(made["Role"]["Arn"])

    def _ec2_tags(self, kind: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": self.tags}]

    def _pipeline_statements(self) -> list[dict[str, Any]]:
        verbs = ("Create", "Describe", "Stop")
        may = [f"sagemaker:{verb}ProcessingJob" for verb in verbs] + ["sagemaker:AddTags"]
        role = f"arn:aws:iam::{self.target.account}:role/jobs-of-{self.environment}"
        return [
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role},
            {"Effect": "Allow", "Action": may, "Resource": "*"},
        ]
