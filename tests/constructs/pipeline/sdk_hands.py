"""What the pipeline in ``sdk_pipeline`` is put together from: steps by the classes of the genuine SDK v3, offline.

Import the SDK inside functions: it costs four seconds of CPU, and asks for a region.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from sandcastle.config import Workload
from sandcastle.pipeline import Parts

BASE = "/opt/ml/processing"
RUN = "import runpy,sys; sys.path[:0]=sys.argv[1:]; runpy.run_module('{}', run_name='__main__')"


@contextmanager
def offline() -> Iterator[None]:
    """The SDK without a network: no metadata service, no look at a role, and no telemetry (it has no switch)."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "offline",
            "AWS_SECRET_ACCESS_KEY": "offline",
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAGEMAKER_VALIDATE_ROLE": "false",
        }.items():
            patch.setenv(name, value)
        from sagemaker.core.telemetry import telemetry_logging

        patch.setattr(telemetry_logging, "_send_telemetry_request", lambda *_args, **_more: None)
        level = logging.root.level
        logging.root.setLevel(logging.ERROR)  # importing the SDK has set it to INFO
        try:
            yield
        finally:
            logging.root.setLevel(level)


class Hands:
    """Makes steps of one workload. Call inside ``offline``."""

    def __init__(self, workload: Workload, parts: Parts, fingerprint: str, approve: float, review: float) -> None:
        """Make a session that uploads nothing, and the pipeline's parameters."""
        from sagemaker.core.workflow.execution_variables import ExecutionVariables
        from sagemaker.core.workflow.parameters import ParameterFloat, ParameterString
        from sagemaker.core.workflow.pipeline_context import PipelineSession

        class Session(PipelineSession):
            def default_bucket(self) -> str:
                raise AssertionError("nothing is uploaded")

        self.workload, self.parts = workload, parts
        self.session = Session()
        self.tags = [{"Key": key, "Value": value} for key, value in parts.tags.items()]
        self.version = ParameterString("DataVersion", default_value=fingerprint[:12])
        self.approve = ParameterFloat("ApproveAccuracy", default_value=approve)
        self.review = ParameterFloat("ReviewAccuracy", default_value=review)
        self.processing = ParameterString("ProcessingInstanceType", default_value=workload.prepare.instance)
        self.training = ParameterString("TrainingInstanceType", default_value=workload.train.instance)
        self.execution = ExecutionVariables.PIPELINE_EXECUTION_ID
        self.seed = int(fingerprint[:7], 16)

    def processing_step(
        self,
        name: str,
        program: Any,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, tuple[Any, str]],
        environment: Mapping[str, Any],
        files: Any = None,
    ) -> Any:
        from sagemaker.core.network import NetworkConfig
        from sagemaker.core.processing import Processor
        from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
        from sagemaker.mlops.workflow.steps import ProcessingStep

        prepare = self.workload.prepare
        processor = Processor(
            role=program.role_arn,
            image_uri=program.image,
            entrypoint=["python3", "-c", RUN.format(program.module)],
            instance_count=1,
            instance_type=self.processing,
            volume_size_in_gb=prepare.volume_gb,
            max_runtime_in_seconds=prepare.max_runtime_minutes * 60,
            env=dict(environment),
            tags=self.tags,
            network_config=NetworkConfig(enable_network_isolation=True),
            sagemaker_session=self.session,
        )
        arguments = processor.run(
            inputs=[
                ProcessingInput(
                    input_name=key,
                    s3_input=ProcessingS3Input(
                        s3_uri=uri,
                        local_path=f"{BASE}/input/{key}",
                        s3_data_type="S3Prefix",
                        s3_input_mode="File",
                        s3_data_distribution_type="FullyReplicated",
                        s3_compression_type="None",
                    ),
                )
                for key, uri in {**program.code, **program.inputs, **inputs}.items()
            ],
            outputs=[
                ProcessingOutput(
                    output_name=key,
                    s3_output=ProcessingS3Output(s3_uri=uri, local_path=path, s3_upload_mode="EndOfJob"),
                )
                for key, (uri, path) in outputs.items()
            ],
            arguments=[f"{BASE}/input/{key}/{uri.rpartition('/')[2]}" for key, uri in program.code.items()],
        )
        return ProcessingStep(name, step_args=arguments, property_files=files, **self.cached(), **self.retried())

    def trainer(self, hyperparameters: Mapping[str, str]) -> Any:
        from sagemaker.core.shapes import MetricDefinition
        from sagemaker.core.training.configs import Compute, Networking, OutputDataConfig, StoppingCondition
        from sagemaker.train import ModelTrainer

        train, parts = self.workload.train, self.parts
        script = {
            "sagemaker_container_log_level": "20",
            "sagemaker_program": train.script,
            "sagemaker_region": parts.region,
            "sagemaker_submit_directory": f"/opt/ml/input/data/code/{parts.source.rpartition('/')[2]}",
        }
        limits = {"max_runtime_in_seconds": train.max_runtime_minutes * 60}
        if train.max_wait_minutes is not None:
            limits["max_wait_time_in_seconds"] = train.max_wait_minutes * 60
        trainer = ModelTrainer(
            training_image=parts.training_image,
            training_input_mode="File",
            role=parts.training_role,
            sagemaker_session=self.session,
            compute=Compute(
                instance_type=self.training,
                instance_count=train.instances,
                volume_size_in_gb=train.volume_gb,
                enable_managed_spot_training=train.spot,
            ),
            networking=Networking(enable_network_isolation=not train.internet),
            stopping_condition=StoppingCondition(**limits),
            output_data_config=OutputDataConfig(s3_output_path=parts.models, compression_type=None),
            hyperparameters={**hyperparameters, **(script if train.script else {})},
            tags=[{"key": tag["Key"], "value": tag["Value"]} for tag in self.tags],
        )
        metrics = [MetricDefinition(name=name, regex=regex) for name, regex in train.metrics.items()]
        return trainer.with_metric_definitions(metrics) if metrics else trainer

    def channels(self, prepare: Any) -> list[Any]:
        from sagemaker.core.shapes import Channel, DataSource, S3DataSource

        train, parts = self.workload.train, self.parts
        found = {name: (self.output(prepare, name), kind) for name, kind in train.channels.items()}
        if parts.source:
            found["code"] = (parts.source, None)
        return [
            Channel(
                channel_name=name,
                data_source=DataSource(
                    s3_data_source=S3DataSource(
                        s3_data_type="S3Prefix", s3_uri=uri, s3_data_distribution_type="FullyReplicated"
                    )
                ),
                compression_type="None",
                record_wrapper_type="None",
                **({"content_type": kind} if kind else {}),
            )
            for name, (uri, kind) in found.items()
        ]

    def quality(self, name: str, config: Any) -> Any:
        from sagemaker.mlops.workflow.check_job_config import CheckJobConfig
        from sagemaker.mlops.workflow.quality_check_step import QualityCheckStep

        job = CheckJobConfig(
            role=self.parts.monitor_role,
            instance_count=1,
            instance_type=self.processing,
            volume_size_in_gb=20,
            max_runtime_in_seconds=1800,
            tags=self.tags,
            sagemaker_session=self.session,
        )
        return QualityCheckStep(
            name,
            quality_check_config=config,
            check_job_config=job,
            skip_check=True,
            register_new_baseline=True,
            model_package_group_name=self.parts.names.group,
            **self.cached(),
        )

    def function(self, name: str, arn: str, inputs: Any, outputs: Mapping[str, str], after: Any = None) -> Any:
        from sagemaker.core.lambda_helper import Lambda
        from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep

        return LambdaStep(
            name,
            lambda_func=Lambda(function_arn=arn, session=self.session),
            inputs=inputs,
            outputs=[LambdaOutput(key, LambdaOutputTypeEnum[kind]) for key, kind in outputs.items()],
            depends_on=after,
        )

    def join(self, *values: Any) -> Any:
        from sagemaker.core.workflow.functions import Join

        return Join(on="/", values=list(values))

    def output(self, step: Any, name: str) -> Any:
        return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri

    def cached(self) -> dict[str, Any]:
        from sagemaker.mlops.workflow.steps import CacheConfig

        return {"cache_config": CacheConfig(enable_caching=True, expire_after="P30D")}

    def retried(self) -> dict[str, Any]:
        from sagemaker.mlops.workflow.retry import (
            SageMakerJobExceptionTypeEnum,
            SageMakerJobStepRetryPolicy,
            StepExceptionTypeEnum,
            StepRetryPolicy,
        )

        service = [StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING]
        job = [SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT, SageMakerJobExceptionTypeEnum.CAPACITY_ERROR]
        return {
            "retry_policies": [
                StepRetryPolicy(service, interval_seconds=10, backoff_rate=2.0, max_attempts=4),
                SageMakerJobStepRetryPolicy(job, interval_seconds=60, backoff_rate=2.0, expire_after_mins=240),
            ]
        }
