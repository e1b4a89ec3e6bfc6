"""Ways to serve, with real models: what endpoints answer to bodies that are no good, serverless, asynchronous."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from localcloud.sagemaker.runtime import BODY_LIMIT
from tests.localcloud.sagemaker import live
from tests.localcloud.sagemaker.live import Workshop

pytestmark = pytest.mark.localcloud

LINEAR = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
RECORDIO = "application/x-recordio-protobuf"
#: a frame that says 100 bytes and has three
CUT_OFF = struct.pack("<II", 0xCED7230A, 100) + b"abc"
#: a whole frame whose bytes are no protobuf
NO_RECORD = struct.pack("<II", 0xCED7230A, 4) + b"\xff\xff\xff\xff"


@pytest.fixture(scope="module")
def workshop(localcloud: Any) -> Workshop:
    made = Workshop.open(localcloud, "serving-live")
    may = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    localcloud.client("iam").put_role_policy(RoleName="serving-live-jobs", PolicyName="tell", PolicyDocument=document)
    return made


@pytest.fixture(scope="module")
def xgboost(localcloud: Any, workshop: Workshop) -> str:
    """A model of two columns."""
    return workshop.model(localcloud, "serving-xgboost")


@pytest.fixture(scope="module")
def linear(localcloud: Any, workshop: Workshop) -> str:
    """A binary classifier of two columns."""
    sm, name = localcloud.client("sagemaker"), "serving-linear"
    request = workshop.training()
    request["AlgorithmSpecification"]["TrainingImage"] = LINEAR
    request["HyperParameters"] = {
        "predictor_type": "binary_classifier",
        "feature_dim": "2",
        "epochs": "1",
        "num_models": "1",
        "mini_batch_size": "20",
    }
    sm.create_training_job(TrainingJobName=name, **request)
    job = live.wait_for(
        lambda: sm.describe_training_job(TrainingJobName=name), lambda found: found["TrainingJobStatus"] != "InProgress"
    )
    assert job["TrainingJobStatus"] == "Completed", job
    container = {"Image": LINEAR, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sm.create_model(ModelName=name, ExecutionRoleArn=workshop.role, PrimaryContainer=container)
    return name


def host(localcloud: Any, model: str, name: str, config: dict[str, Any] | None = None, **variant: Any) -> str:
    """An endpoint in service, on one instance unless the variant says otherwise."""
    sm = localcloud.client("sagemaker")
    on = variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    variants = [{"VariantName": "all", "ModelName": model, **on}]
    sm.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **(config or {}))
    sm.create_endpoint(EndpointName=name, EndpointConfigName=name)
    live.wait_for(lambda: sm.describe_endpoint(EndpointName=name), lambda found: found["EndpointStatus"] == "InService")
    return name


@pytest.fixture(scope="module")
def endpoints(localcloud: Any, xgboost: str, linear: str) -> dict[str, str]:
    return {model: host(localcloud, model, model) for model in (xgboost, linear)}


@pytest.fixture(scope="module")
def runtime(localcloud: Any) -> Any:
    return localcloud.client("sagemaker-runtime")


@pytest.mark.parametrize(
    ("model", "body", "content_type", "status", "text"),
    [
        ("serving-xgboost", CUT_OFF, RECORDIO, 415, "recordio-protobuf"),
        ("serving-xgboost", NO_RECORD, RECORDIO, 415, "recordio-protobuf"),
        ("serving-xgboost", b"9,1\n9", "text/csv", 415, "Loading csv data failed"),
        ("serving-xgboost", b"9,one", "text/csv", 415, "Loading csv data failed"),
        ("serving-xgboost", b"9,1,5", "text/csv", 400, "Feature size of csv inference data 3 is not consistent"),
        ("serving-xgboost", b"9,1", "image/png", 415, "Content-type image/png is not supported."),
        ("serving-linear", CUT_OFF, RECORDIO, 400, "unable to parse the request body"),
        ("serving-linear", NO_RECORD, RECORDIO, 400, "unable to parse the request body"),
        ("serving-linear", b"9,1\n9", "text/csv", 400, "different numbers of columns"),
        ("serving-linear", b"9,one", "text/csv", 400, "unable to parse the request body"),
        ("serving-linear", b"9,1,5", "text/csv", 400, "each row must have 2 features, not 3"),
        ("serving-linear", b"9,nan", "text/csv", 400, "row 1 contains a value that is missing or not finite"),
        ("serving-linear", b"9,1", "image/png", 415, "Content type image/png is not supported"),
    ],
)
def test_a_body_that_the_model_cannot_read(
    runtime: Any, endpoints: dict[str, str], model: str, body: bytes, content_type: str, status: int, text: str
) -> None:
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName=endpoints[model], Body=body, ContentType=content_type)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status
    assert text in answer["OriginalMessage"]
    assert f"Received client error ({status}) from primary" in answer["Error"]["Message"]
    assert answer["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{model}")


def test_a_missing_value_is_none_of_the_errors_of_xgboost(runtime: Any, endpoints: dict[str, str]) -> None:
    reply = runtime.invoke_endpoint(EndpointName=endpoints["serving-xgboost"], Body=b"9,nan", ContentType="text/csv")
    assert 0 < float(reply["Body"].read()) < 1


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"Body": b""}, "Value at 'body' failed to satisfy constraint: Member must not be null"),
        ({"Body": b"1" * (BODY_LIMIT + 1)}, "Member must have length less than or equal to 6291456"),
        ({"EndpointName": "nobody"}, "Endpoint nobody of account 000000000000 not found."),
        ({"TargetVariant": "other"}, "Variant other of endpoint serving-xgboost not found."),
        ({"TargetModel": "a.tar.gz"}, "[localcloud] InvokeEndpoint: TargetModel is not supported yet"),
    ],
    ids=["empty", "oversize", "endpoint", "variant", "target model"],
)
def test_a_request_that_reaches_no_model(
    runtime: Any, endpoints: dict[str, str], request_: dict[str, Any], text: str
) -> None:
    asked = {"EndpointName": endpoints["serving-xgboost"], "Body": b"9,1", "ContentType": "text/csv", **request_}
    with pytest.raises(runtime.exceptions.ClientError) as caught:
        runtime.invoke_endpoint(**asked)
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("ValidationError", 400)
    assert text in answer["Error"]["Message"]


def test_an_endpoint_that_failed_answers_nobody(localcloud: Any, sm: Any, workshop: Workshop, runtime: Any) -> None:
    localcloud.client("s3").put_object(Bucket=workshop.bucket, Key="no-model.tar.gz", Body=b"no archive")
    container = {"Image": live.XGBOOST, "ModelDataUrl": f"s3://{workshop.bucket}/no-model.tar.gz"}
    sm.create_model(ModelName="serving-broken", ExecutionRoleArn=workshop.role, PrimaryContainer=container)
    variant = {"VariantName": "all", "ModelName": "serving-broken", "InstanceType": "ml.m5.large"}
    sm.create_endpoint_config(
        EndpointConfigName="serving-broken", ProductionVariants=[variant | {"InitialInstanceCount": 1}]
    )
    sm.create_endpoint(EndpointName="serving-broken", EndpointConfigName="serving-broken")
    live.wait_for(
        lambda: sm.describe_endpoint(EndpointName="serving-broken")["EndpointStatus"], lambda found: found == "Failed"
    )
    with pytest.raises(
        runtime.exceptions.ClientError, match="Endpoint serving-broken of account 000000000000 not found"
    ) as caught:
        runtime.invoke_endpoint(EndpointName="serving-broken", Body=b"9,1", ContentType="text/csv")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_serverless(localcloud: Any, sm: Any, xgboost: str, runtime: Any) -> None:
    config = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    name = host(localcloud, xgboost, "serving-serverless", ServerlessConfig=config)
    arn = sm.describe_endpoint(EndpointName=name)["EndpointArn"]
    assert not [line for line in localcloud.admin("GET", "meter")["readings"] if line["arn"].startswith(arn)]
    for _ in range(3):
        reply = runtime.invoke_endpoint(EndpointName=name, Body=b"9,1", ContentType="text/csv")
        assert float(reply["Body"].read()) > 0.5
    [line] = [line for line in localcloud.admin("GET", "meter")["readings"] if line["arn"].startswith(arn)]
    assert (line["kind"], line["rate_key"], line["running"]) == ("serverless-inference", "serverless 2048 MB", False)
    assert 0.003 <= line["seconds"] < 60
    setups = live.wait_for(lambda: metric(localcloud, "ModelSetupTime", name, VariantName="all"), bool)
    assert sum(point["SampleCount"] for point in setups) == 1  # the first alone was a cold start


@pytest.mark.exhaustive  # by default one scales from zero and back in test_autoscaling_live
def test_asynchronous(localcloud: Any, sm: Any, xgboost: str, workshop: Workshop, runtime: Any) -> None:
    s3, sqs = localcloud.client("s3"), localcloud.client("sqs")
    topics, queue = _topics(localcloud, sqs)
    output = {
        "S3OutputPath": f"s3://{workshop.bucket}/async/out",
        "S3FailurePath": f"s3://{workshop.bucket}/async/failed",
        "NotificationConfig": {"SuccessTopic": topics[0], "ErrorTopic": topics[1]},
    }
    name = host(
        localcloud,
        xgboost,
        "serving-async",
        {"AsyncInferenceConfig": {"OutputConfig": output}},
        InstanceType="ml.m5.large",
        InitialInstanceCount=1,
    )
    for key, body in (("good.csv", b"9,1\n1,9"), ("bad.csv", b"9,one")):
        s3.put_object(Bucket=workshop.bucket, Key=f"async/in/{key}", Body=body)
    _scale(sm, name, 0)
    made = [
        runtime.invoke_endpoint_async(
            EndpointName=name, InputLocation=f"s3://{workshop.bucket}/async/in/{key}", ContentType="text/csv"
        )
        for key in ("good.csv", "bad.csv")
    ]
    assert [reply["ResponseMetadata"]["HTTPStatusCode"] for reply in made] == [202, 202]
    waiting = live.wait_for(lambda: metric(localcloud, "HasBacklogWithoutCapacity", name), bool)
    assert max(point["Maximum"] for point in waiting) == 1.0
    _scale(sm, name, 1)
    told: dict[str, Any] = {}
    while len(told) < 2:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages", []):
            document = json.loads(json.loads(message["Body"])["Message"])
            told[document["inferenceId"]] = document
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    good, bad = (told[reply["InferenceId"]] for reply in made)
    assert (good["invocationStatus"], bad["invocationStatus"]) == ("Completed", "Failed")
    assert good["responseParameters"]["outputLocation"] == made[0]["OutputLocation"]
    scores = [float(score) for score in _read(s3, made[0]["OutputLocation"]).split()]
    assert scores[0] > 0.5 > scores[1]
    assert "Received client error (415) from primary" in bad["failureReason"]
    assert "Loading csv data failed" in _read(s3, made[1]["FailureLocation"])


def metric(localcloud: Any, name: str, endpoint: str, **dimensions: str) -> list[dict[str, Any]]:
    """Sums of a metric of the endpoint over all of its time."""
    named = {"EndpointName": endpoint, **dimensions}
    points: list[dict[str, Any]] = localcloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in named.items()],
        StartTime=0,
        EndTime=localcloud.admin("GET", "clock")["now"] + 60,
        Period=86_400,
        Statistics=["SampleCount", "Maximum"],
    )["Datapoints"]
    return points


def _scale(sm: Any, name: str, count: int) -> None:
    sm.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "all", "DesiredInstanceCount": count}]
    )
    live.wait_for(lambda: sm.describe_endpoint(EndpointName=name)["EndpointStatus"], lambda found: found == "InService")


def _topics(localcloud: Any, sqs: Any) -> tuple[list[str], str]:
    """Two topics, and the queue that both deliver to."""
    sns = localcloud.client("sns")
    queue = sqs.create_queue(QueueName="serving-live")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    may = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    topics = [sns.create_topic(Name=f"serving-live-{kind}")["TopicArn"] for kind in ("done", "wrong")]
    for topic in topics:
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topics, queue


def _read(s3: Any, uri: str) -> str:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    text: str = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return text


def test_both_kinds_by_cloudformation(localcloud: Any, sm: Any, xgboost: str, workshop: Workshop) -> None:
    output = {"S3OutputPath": f"s3://{workshop.bucket}/async/out"}
    on = {"VariantName": "all", "ModelName": xgboost}
    # CloudFormation passes numbers as text
    serverless = {**on, "ServerlessConfig": {"MemorySizeInMB": "1024", "MaxConcurrency": "3"}}
    instances = {**on, "InstanceType": "ml.m5.large", "InitialInstanceCount": "1"}
    properties = {
        "Serverless": {"ProductionVariants": [serverless]},
        "Async": {"ProductionVariants": [instances], "AsyncInferenceConfig": {"OutputConfig": output}},
    }
    stack = live.Stack(localcloud, "serving-live")
    kind = "AWS::SageMaker::EndpointConfig"
    made = stack.create({name: {"Type": kind, "Properties": each} for name, each in properties.items()})
    assert made == "CREATE_COMPLETE", stack.reasons()
    found = {
        name: sm.describe_endpoint_config(EndpointConfigName=stack.physical_id(name).rpartition("/")[2])
        for name in properties
    }
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": 3}
    assert found["Serverless"]["ProductionVariants"][0]["ServerlessConfig"] == config
    assert found["Async"]["AsyncInferenceConfig"]["OutputConfig"] == output
    assert stack.delete() == "DELETE_COMPLETE"
