"""The training pipeline of a workload, written with the classes of the genuine SDK v3, as its users do.

Nothing here uses our builders. Texts and numbers come from the workload and the parts; what the SDK cannot be given is
said where it is missing. Import the SDK inside functions: it costs four seconds of CPU, and asks for a region.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sandcastle.config import Workload
from sandcastle.pipeline import Parts
from tests.constructs.pipeline.sdk_hands import BASE, Hands


def definition(workload: Workload, parts: Parts, fingerprint: str, approve: float, review: float) -> dict[str, Any]:
    """Return the definition that ``Pipeline.definition`` writes."""
    return Author(workload, parts, fingerprint, approve, review).definition()


class Author(Hands):
    """Writes the pipeline. Call inside ``offline``."""

    def definition(self) -> dict[str, Any]:
        from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo, ConditionLessThan
        from sagemaker.core.workflow.functions import Join
        from sagemaker.mlops.workflow.condition_step import ConditionStep
        from sagemaker.mlops.workflow.fail_step import FailStep
        from sagemaker.mlops.workflow.pipeline import Pipeline

        workload, parts = self.workload, self.parts
        prepare = self.prepare()
        train = self.train(prepare)
        candidates: dict[str, Any] = {}
        steps = [prepare, train]
        if workload.train.tuning:
            tune = self.tune(prepare, workload.train.tuning)
            steps.append(tune)
            bucket = parts.models.removeprefix("s3://")
            for place in range(min(2, workload.train.tuning.max_jobs)):
                candidates[f"Top{place + 1}"] = tune.get_top_model_s3_uri(top_k=place, s3_bucket=bucket)
        candidates["Plain"] = train.properties.ModelArtifacts.S3ModelArtifacts
        evaluated = {name: self.evaluate(name, model, prepare) for name, model in candidates.items()}
        data_baseline = self.data_baseline(prepare)
        best = self.choose(candidates, evaluated)
        outputs = best.properties.Outputs
        model_baseline = self.model_baseline(outputs)
        approved = self.register("RegisterApproved", "Approved", outputs, data_baseline, model_baseline)
        pending = self.register("RegisterPending", "PendingManualApproval", outputs, data_baseline, model_baseline)
        enough = ConditionGreaterThanOrEqualTo(left=outputs["accuracy"], right=self.review)
        deploy = ConditionStep(
            "GoodEnoughToDeploy",
            conditions=[enough, ConditionGreaterThanOrEqualTo(left=outputs["accuracy"], right=self.approve)],
            if_steps=[approved, *self.deployment(approved.properties.ModelPackageArn, outputs["folder"])],
            else_steps=[],
        )
        review = ConditionStep(
            "GoodEnoughToReview",
            conditions=[enough, ConditionLessThan(left=outputs["accuracy"], right=self.approve)],
            if_steps=[pending],
            else_steps=[],
        )
        weak = FailStep(
            "TooWeak",
            error_message=Join(
                on="",
                values=[
                    "The best model is ",
                    outputs["name"],
                    " with an accuracy of ",
                    outputs["accuracy_text"],
                    ", below the least that a person may approve, ",
                    self.review,
                    " (parameter ReviewAccuracy)",
                ],
            ),
        )
        decide = ConditionStep(
            "GoodEnough",
            conditions=[enough],
            if_steps=[],
            else_steps=[weak],
        )
        pipeline = Pipeline(
            name="digits",
            parameters=[self.version, self.approve, self.review, self.processing, self.training],
            steps=[*steps, *evaluated.values(), data_baseline, best, model_baseline, decide, deploy, review],
            pipeline_experiment_config=None,
            sagemaker_session=self.session,
        )
        found: dict[str, Any] = json.loads(pipeline.definition())
        return found

    # ---- processing --------------------------------------------------------------------------------------------------

    def prepare(self) -> Any:
        program, parts = self.parts.prepare, self.parts
        folders = ("train", "validation", "test", "about", "baseline")
        outputs = {name: (self.join(parts.data, self.version, name), f"{BASE}/output/{name}") for name in folders}
        environment = {**program.variables, "SANDCASTLE_DATA_VERSION": self.version}
        return self.processing_step("Prepare", program, {}, outputs, environment)

    def evaluate(self, name: str, model: Any, prepare: Any) -> Any:
        from sagemaker.core.workflow.properties import PropertyFile

        serve, judging = self.workload.serve, self.parts.judging
        step = f"Evaluate{name}"
        inputs = {"model": model, "test": self.output(prepare, "test"), "about": self.output(prepare, "about")}
        environment = {
            "SANDCASTLE_KIND": judging.kind,
            "SANDCASTLE_ANSWER": judging.answer,
            "SANDCASTLE_THRESHOLD": str(judging.threshold),
            "SANDCASTLE_CONTENT_TYPE": serve.content_type,
            "SANDCASTLE_ACCEPT": serve.accept,
            **({"SANDCASTLE_PROGRAM": serve.script} if serve.script else {}),
        }
        self.report = PropertyFile(name="Evaluation", output_name="results", path="evaluation/evaluation.json")
        outputs = {"results": (self.join(self.parts.data, "runs", self.execution, step), f"{BASE}/output")}
        return self.processing_step(step, self.parts.evaluate, inputs, outputs, environment, files=[self.report])

    # ---- training ----------------------------------------------------------------------------------------------------

    def train(self, prepare: Any) -> Any:
        from sagemaker.mlops.workflow.steps import TrainingStep

        trainer = self.trainer(self.workload.train.hyperparameters)
        arguments = trainer.train(input_data_config=self.channels(prepare))
        return TrainingStep("Train", step_args=arguments, **self.cached(), **self.retried())

    def tune(self, prepare: Any, search: Any) -> Any:
        from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
        from sagemaker.mlops.workflow.steps import TuningStep
        from sagemaker.train.tuner import HyperparameterTuner

        def ranged(one: Any) -> Any:
            if one.kind == "categorical":
                return CategoricalParameter(list(one.values))
            number, kind = (float, ContinuousParameter) if one.kind == "continuous" else (int, IntegerParameter)
            return kind(number(one.low), number(one.high), scaling_type=one.scale)

        train = self.workload.train
        fixed = {name: value for name, value in train.hyperparameters.items() if name not in search.ranges}
        tuner = HyperparameterTuner(
            model_trainer=self.trainer(fixed),
            objective_metric_name=search.objective,
            objective_type=search.goal,
            hyperparameter_ranges={name: ranged(one) for name, one in search.ranges.items()},
            metric_definitions=[{"Name": name, "Regex": regex} for name, regex in train.metrics.items()] or None,
            max_jobs=search.max_jobs,
            max_parallel_jobs=search.parallel_jobs,
            strategy=search.strategy,
            random_seed=self.seed,
            tags=self.tags,
        )
        return TuningStep(
            "Tune", step_args=tuner.tune(inputs=self.channels(prepare)), **self.cached(), **self.retried()
        )

    # ---- judging and registering -------------------------------------------------------------------------------------

    def choose(self, candidates: Mapping[str, Any], evaluated: Mapping[str, Any]) -> Any:
        from sagemaker.core.workflow.functions import JsonGet

        path = f"{self.parts.judging.kind}_classification_metrics.accuracy.value"
        inputs: dict[str, Any] = {}
        for name, model in candidates.items():
            step = evaluated[name]
            inputs[f"{name}_accuracy"] = JsonGet(step_name=step.name, property_file=self.report, json_path=path)
            inputs[f"{name}_model"] = model
            inputs[f"{name}_folder"] = self.output(step, "results")
        outputs = {"name": "String", "model": "String", "folder": "String", "accuracy": "Float"}
        return self.function("ChooseBest", self.parts.functions.choose, inputs, {**outputs, "accuracy_text": "String"})

    def data_baseline(self, prepare: Any) -> Any:
        from sagemaker.core.model_monitor import DatasetFormat
        from sagemaker.mlops.workflow.quality_check_step import DataQualityCheckConfig

        config = DataQualityCheckConfig(
            baseline_dataset=self.output(prepare, "baseline"),
            dataset_format=DatasetFormat.csv(header=True),
            output_s3_uri=self.join(self.parts.data, self.version, "data-quality"),
        )
        return self.quality("DataQualityBaseline", config)

    def model_baseline(self, best: Any) -> Any:
        from sagemaker.core.model_monitor import DatasetFormat
        from sagemaker.mlops.workflow.quality_check_step import ModelQualityCheckConfig

        binary = self.parts.judging.kind == "binary"
        config = ModelQualityCheckConfig(
            baseline_dataset=self.join(best["folder"], "predictions"),
            dataset_format=DatasetFormat.csv(header=True),
            output_s3_uri=self.join(best["folder"], "model-quality"),
            problem_type="BinaryClassification" if binary else "MulticlassClassification",
            inference_attribute="prediction",
            probability_attribute="probability" if binary else None,
            ground_truth_attribute="label",
        )
        return self.quality("ModelQualityBaseline", config)

    def register(self, name: str, status: str, best: Any, data: Any, model: Any) -> Any:
        from sagemaker.core.drift_check_baselines import DriftCheckBaselines
        from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
        from sagemaker.mlops.workflow.model_step import ModelStep
        from sagemaker.serve.model_builder import ModelBuilder

        def source(uri: Any) -> Any:
            return MetricsSource(content_type="application/json", s3_uri=uri)

        def baselines(which: str) -> dict[str, Any]:
            return {
                "model_statistics": source(getattr(model.properties, f"{which}Statistics")),
                "model_constraints": source(getattr(model.properties, f"{which}Constraints")),
                "model_data_statistics": source(getattr(data.properties, f"{which}Statistics")),
                "model_data_constraints": source(getattr(data.properties, f"{which}Constraints")),
            }

        serve, parts = self.workload.serve, self.parts
        script = {
            "SAGEMAKER_PROGRAM": serve.script,
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
            "SAGEMAKER_REGION": parts.region,
        }
        builder = ModelBuilder(
            image_uri=parts.serving_image,
            s3_model_data_url=best["model"],
            role_arn=parts.serving_role,
            sagemaker_session=self.session,
            instance_type=serve.instance,
            env_vars=script if serve.script else {},
            dependencies={},  # the default looks for them, which needs a bucket
        )
        arguments = builder.register(
            model_package_group_name=parts.names.group,
            approval_status=status,
            content_types=[serve.content_type],
            response_types=[serve.accept],
            inference_instances=[serve.instance],
            transform_instances=[serve.instance],
            model_metrics=ModelMetrics(**baselines("CalculatedBaseline")),
            drift_check_baselines=DriftCheckBaselines(**baselines("BaselineUsedForDriftCheck")),
            customer_metadata_properties={
                "accuracy": best["accuracy_text"],
                "candidate": best["name"],
                "data_version": self.version,
                "execution": self.execution,
                "folder": best["folder"],
            },
        )
        return ModelStep(name, step_args=arguments, retry_policies=self.retried()["retry_policies"][:1])

    # ---- deployment --------------------------------------------------------------------------------------------------

    def deployment(self, package: Any, folder: Any) -> list[Any]:
        model = self.model(package)
        smoke = self.smoke_test(model, folder)
        arguments = {
            "package": package,
            "model": model.properties.ModelName,
            "folder": folder,
            "answers": smoke.properties.TransformOutput.S3OutputPath,
            "execution": self.execution,
        }
        answers = {"endpoint": "String", "version": "Integer"}
        functions = self.parts.functions
        deploy = self.function("Deploy", functions.deploy, arguments, answers)
        confirm = self.function("Confirm", functions.confirm, arguments, answers, after=["Deploy"])
        inputs = {"package": package, "endpoint": confirm.properties.Outputs["endpoint"]}
        schedules = self.function("Schedules", functions.schedules, inputs, {"schedules": "String"})
        return [model, smoke, deploy, confirm, schedules]

    def model(self, package: Any) -> Any:
        """ModelBuilder builds no model from a version of the registry; its session, which writes the request, does."""
        from sagemaker.mlops.workflow.model_step import ModelStep

        self.session.init_model_step_arguments(SimpleNamespace(sagemaker_session=self.session))
        self.session.create_model(
            name="model",
            role=self.parts.serving_role,
            container_defs={"ModelPackageName": package},
            enable_network_isolation=not self.workload.serve.internet,
            tags=self.tags,
        )
        arguments, self.session.context = self.session.context, None
        return ModelStep("CreateModel", step_args=arguments, retry_policies=self.retried()["retry_policies"][:1])

    def smoke_test(self, model: Any, folder: Any) -> Any:
        from sagemaker.core.transformer import Transformer
        from sagemaker.mlops.workflow.steps import TransformStep

        serve = self.workload.serve
        transformer = Transformer(
            model_name=model.properties.ModelName,
            instance_count=1,
            instance_type=serve.instance,
            strategy="MultiRecord",
            assemble_with="Line",
            accept=serve.accept,
            output_path=self.join(self.parts.data, "runs", self.execution, "smoke-answers"),
            base_transform_job_name="smoke",  # else it asks SageMaker for the model
            tags=self.tags,
            sagemaker_session=self.session,
        )
        arguments = transformer.transform(
            data=self.join(folder, "smoke/input.csv"),
            data_type="S3Prefix",
            content_type=serve.content_type,
            split_type="Line",
            compression_type="None",
        )
        return TransformStep("SmokeTest", step_args=arguments, **self.retried())
