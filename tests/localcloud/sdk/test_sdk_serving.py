"""The genuine SDK v3 serves on localcloud: core resources, ModelBuilder, every kind of endpoint, Transformer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.localcloud.sagemaker.live import XGBOOST, Workshop, wait_for
from tests.localcloud.sdk.environment import Genuine

#: one row for each class
BODY = b"9.0,1.0\n1.0,9.0"


@pytest.fixture(scope="module")
def artifact(genuine: Genuine) -> str:
    """The model.tar.gz of a trained XGBoost."""
    workshop = Workshop.open(genuine.localcloud, "sdk-serving")
    name = workshop.model(genuine.localcloud, "sdk-serving")
    container = genuine.client("sagemaker").describe_model(ModelName=name)["PrimaryContainer"]
    return str(container["ModelDataUrl"])


@pytest.fixture(scope="module")
def model(genuine: Genuine, artifact: str) -> Any:
    """A ``sagemaker.core.resources.Model``."""
    from sagemaker.core.resources import Model
    from sagemaker.core.shapes import ContainerDefinition

    return Model.create(
        model_name="sdk-model",
        primary_container=ContainerDefinition(image=XGBOOST, model_data_url=artifact),
        execution_role_arn=genuine.role,
    )


def right(body: bytes) -> bool:
    """The first row is of class 1, the second of class 0."""
    first, second = (float(line) for line in body.decode().split())
    return first > 0.5 > second


def read(body: Any) -> bytes:
    return body if isinstance(body, bytes) else bytes(body.read())


def test_core_resources(genuine: Genuine, model: Any) -> None:
    from sagemaker.core.resources import Endpoint, EndpointConfig
    from sagemaker.core.shapes import ProductionVariant

    for name in ("sdk-one", "sdk-two"):
        variant = ProductionVariant(
            variant_name="all",
            model_name=model.model_name,
            initial_instance_count=1,
            instance_type="ml.m5.large",
            initial_variant_weight=1.0,
        )
        EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])
    endpoint = Endpoint.create(endpoint_name="sdk-core", endpoint_config_name="sdk-one")
    endpoint.wait_for_status("InService")
    found = Endpoint.get("sdk-core")
    reply = found.invoke(body=BODY, content_type="text/csv", accept="text/csv")
    assert right(read(reply.body))
    assert reply.invoked_production_variant == "all"
    endpoint.endpoint_config_name = "sdk-two"  # how the SDK is told
    endpoint.update()
    endpoint.wait_for_status("InService")
    assert Endpoint.get("sdk-core").endpoint_config_name == "sdk-two"
    assert "sdk-core" in {each.endpoint_name for each in Endpoint.get_all()}
    endpoint.delete()
    endpoint.wait_for_delete()
    with pytest.raises(genuine.client("sagemaker").exceptions.ClientError, match="Could not find endpoint"):
        Endpoint.get("sdk-core")
    EndpointConfig.get("sdk-one").delete()


def build(genuine: Genuine, artifact: str, name: str) -> Any:
    """A ModelBuilder that has built its model."""
    from sagemaker.serve import ModelBuilder

    builder = ModelBuilder(
        s3_model_data_url=artifact,
        image_uri=XGBOOST,
        role_arn=genuine.role,
        sagemaker_session=genuine.session,
        instance_type="ml.m5.large",
        dependencies={},
    )
    built = builder.build(model_name=name)
    assert built.primary_container.image == XGBOOST
    return builder


def test_model_builder(genuine: Genuine, artifact: str) -> None:
    builder = build(genuine, artifact, "sdk-built")
    endpoint = builder.deploy(endpoint_name="sdk-built", initial_instance_count=1, instance_type="ml.m5.large")
    assert endpoint.endpoint_status == "InService"
    assert right(read(endpoint.invoke(body=BODY, content_type="text/csv").body))
    endpoint.delete()


@pytest.mark.exhaustive  # the SDK looks only every half minute
def test_model_builder_serverless(genuine: Genuine, artifact: str) -> None:
    from sagemaker.core.inference_config import ServerlessInferenceConfig

    builder = build(genuine, artifact, "sdk-serverless")
    config = ServerlessInferenceConfig(memory_size_in_mb=2048, max_concurrency=3)
    endpoint = builder.deploy(endpoint_name="sdk-serverless", inference_config=config)
    [variant] = endpoint.production_variants
    assert variant.current_serverless_config.memory_size_in_mb == 2048
    assert right(read(endpoint.invoke(body=BODY, content_type="text/csv").body))
    endpoint.delete()


@pytest.mark.exhaustive  # the SDK looks only every half minute
def test_model_builder_asynchronous(genuine: Genuine, artifact: str) -> None:
    from sagemaker.core.inference_config import AsyncInferenceConfig

    builder = build(genuine, artifact, "sdk-async")
    config = AsyncInferenceConfig(
        output_path=f"s3://{genuine.bucket}/async/out",
        failure_path=f"s3://{genuine.bucket}/async/failed",
        max_concurrent_invocations_per_instance=2,
    )
    endpoint = builder.deploy(
        endpoint_name="sdk-async", initial_instance_count=1, instance_type="ml.m5.large", inference_config=config
    )
    source = genuine.put("async/in/rows.csv", BODY)
    made = endpoint.invoke_async(input_location=source, content_type="text/csv", inference_id="mine")
    assert made.inference_id == "mine"
    assert made.failure_location.startswith(f"s3://{genuine.bucket}/async/failed/")
    key = made.output_location.removeprefix(f"s3://{genuine.bucket}/")
    s3 = genuine.client("s3")
    wait_for(lambda: s3.list_objects_v2(Bucket=genuine.bucket, Prefix=key)["KeyCount"], bool)
    assert right(s3.get_object(Bucket=genuine.bucket, Key=key)["Body"].read())
    endpoint.delete()


def test_transformer(genuine: Genuine, model: Any) -> None:
    from sagemaker.core.transformer import Transformer

    rows = b"a,9.0,1.0\nb,1.0,9.0\n"
    genuine.put("batch/in/one.csv", rows)
    genuine.put("batch/in/more/two.csv", rows)
    transformer = Transformer(
        model_name=model.model_name,
        instance_count=2,
        instance_type="ml.m5.large",
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        max_payload=1,
        max_concurrent_transforms=2,
        output_path=f"s3://{genuine.bucket}/batch/out",
        sagemaker_session=genuine.session,
    )
    transformer.transform(
        f"s3://{genuine.bucket}/batch/in/",
        content_type="text/csv",
        split_type="Line",
        input_filter="$[1:]",
        join_source="Input",
        output_filter="$[0,-1]",
        wait=True,
        logs=False,
    )
    s3 = genuine.client("s3")
    for name in ("one.csv.out", "more/two.csv.out"):
        body = s3.get_object(Bucket=genuine.bucket, Key=f"batch/out/{name}")["Body"].read().decode()
        first, second = (line.split(",") for line in body.splitlines())
        assert (first[0], second[0]) == ("a", "b")
        assert float(first[1]) > 0.5 > float(second[1])


@pytest.mark.exhaustive
def test_a_transform_job_that_fails(genuine: Genuine, model: Any) -> None:
    """The SDK tells the service's reason; objects that are good have their output."""
    from sagemaker.core.transformer import Transformer

    genuine.put("bad/in/good.csv", b"9.0,1.0\n")
    genuine.put("bad/in/wrong.csv", b"9.0,one\n")
    transformer = Transformer(
        model_name=model.model_name,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{genuine.bucket}/bad/out",
        sagemaker_session=genuine.session,
    )
    with pytest.raises(Exception, match="ClientError: See job logs for more information"):
        transformer.transform(f"s3://{genuine.bucket}/bad/in/", content_type="text/csv", wait=True, logs=False)
    listed = genuine.client("s3").list_objects_v2(Bucket=genuine.bucket, Prefix="bad/out/")["Contents"]
    assert [each["Key"] for each in listed] == ["bad/out/good.csv.out"]
    events = genuine.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TransformJobs", filterPattern='"bad/in/wrong.csv"'
    )["events"]
    assert "Bad HTTP status received from algorithm: 415" in json.dumps(events)
