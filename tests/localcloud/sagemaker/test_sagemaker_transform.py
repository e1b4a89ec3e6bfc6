"""Transform jobs as state machines, and how objects are cut and put together."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from localcloud.sagemaker import durations
from localcloud.sagemaker.ports import Reply, Unreachable
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, World


def request(**members: Any) -> dict[str, Any]:
    source = {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}},
        "ContentType": "text/csv",
        "SplitType": "Line",
        **members.pop("source", {}),
    }
    target = {"S3OutputPath": "s3://bucket/out", "AssembleWith": "Line", **members.pop("target", {})}
    return {
        "TransformJobName": "job",
        "ModelName": "model",
        "TransformInput": source,
        "TransformOutput": target,
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **members,
    }


@pytest.fixture
def served(world: World) -> World:
    """A model, and two objects to transform."""
    container = {"Image": IMAGE, "Environment": {"LEVEL": "1"}}
    world.call("CreateModel", ModelName="model", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    world.backend.objects |= {"s3://bucket/in/a.csv": b"x,1\ny,2\n", "s3://bucket/in/deep/b.csv": b"z,3\n"}
    return world


def launch(world: World) -> None:
    world.clock.advance(durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)


def describe(world: World) -> dict[str, Any]:
    return world.call("DescribeTransformJob", TransformJobName="job")


def wait_for_end(world: World) -> dict[str, Any]:
    world.wait_until(lambda: describe(world)["TransformJobStatus"] not in ("InProgress", "Stopping"))
    return describe(world)


def outputs(world: World) -> dict[str, bytes]:
    return {uri: body for uri, body in world.backend.objects.items() if uri.startswith("s3://bucket/out")}


def test_every_object_gets_an_output(served: World) -> None:
    created = served.call("CreateTransformJob", **request(MaxPayloadInMB=1, BatchStrategy="MultiRecord"))
    assert created["TransformJobArn"].endswith(":transform-job/job")
    assert describe(served)["TransformJobStatus"] == "InProgress"
    launch(served)
    ended = wait_for_end(served)
    assert ended["TransformJobStatus"] == "Completed"
    assert ended["TransformEndTime"] >= ended["TransformStartTime"]
    assert outputs(served) == {"s3://bucket/out/a.csv.out": b"X,1\nY,2\n", "s3://bucket/out/deep/b.csv.out": b"Z,3\n"}
    [server] = served.backend.servers
    assert server.stopped.is_set()
    assert server.headers == [{"content-type": "text/csv"}] * 2
    assert server.spec.environment == {
        "LEVEL": "1",
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1",
    }
    assert server.spec.log_group == "/aws/sagemaker/TransformJobs"
    [line] = served.meter.snapshot()
    assert (line["kind"], line["rate_key"]) == ("transform-instance", "ml.m5.large transform")
    listed = served.call("ListTransformJobs", StatusEquals="Completed")["TransformJobSummaries"]
    assert [job["TransformJobName"] for job in listed] == ["job"]


def test_an_object_that_the_model_refuses_gets_none(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start = served.backend.start_server

    def picky(scope: Any, spec: Any) -> Any:
        server = start(scope, spec)
        echo = server.invoke
        refusal = Reply(415, {}, b"what is that?")
        monkeypatch.setattr(server, "invoke", lambda body, *given: refusal if b"z" in body else echo(body, *given))
        return server

    monkeypatch.setattr(served.backend, "start_server", picky)
    served.call("CreateTransformJob", **request())
    launch(served)
    ended = wait_for_end(served)
    assert (ended["TransformJobStatus"], ended["FailureReason"]) == (
        "Failed",
        "ClientError: See job logs for more information",
    )
    assert list(outputs(served)) == ["s3://bucket/out/a.csv.out"]
    assert served.backend.logs == [
        ("/aws/sagemaker/TransformJobs", "job/data-log", f"[sagemaker logs]: bucket/in/deep/b.csv: {line}")
        for line in ("Bad HTTP status received from algorithm: 415", "Message:", "what is that?")
    ]


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda world: setattr(world.backend, "start_failure", "no ping"), "AlgorithmError: no ping"),
        (lambda world: world.backend.objects.clear(), "ClientError: No S3 objects found under"),
        (lambda world: setattr(world.backend, "unwritable", True), "ClientError: Failed to upload output"),
        (lambda world: world.call("DeleteModel", ModelName="model"), "ClientError: the model of this transform job"),
    ],
)
def test_what_fails_a_job(served: World, prepare: Any, reason: str) -> None:
    served.call("CreateTransformJob", **request())
    prepare(served)
    launch(served)
    ended = wait_for_end(served)
    assert ended["TransformJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith(reason)
    assert outputs(served) == {}


def test_a_server_that_dies(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start = served.backend.start_server

    def dying(scope: Any, spec: Any) -> Any:
        server = start(scope, spec)
        server.reply = Unreachable("it has ended")
        return server

    monkeypatch.setattr(served.backend, "start_server", dying)
    served.call("CreateTransformJob", **request())
    launch(served)
    assert wait_for_end(served)["FailureReason"] == "AlgorithmError: See job logs for more information"


def test_a_stopped_job_leaves_no_output(served: World) -> None:
    served.backend.hold.clear()  # the server is on its way up
    served.call("CreateTransformJob", **request())
    launch(served)
    served.call("StopTransformJob", TransformJobName="job")
    assert describe(served)["TransformJobStatus"] == "Stopping"
    served.backend.hold.set()
    assert wait_for_end(served)["TransformJobStatus"] == "Stopped"
    assert outputs(served) == {}
    again = served.refusal("StopTransformJob", TransformJobName="job")
    assert again.message == "The request was rejected because the transform job is in status Stopped."


def test_what_is_refused(served: World) -> None:
    missing = served.refusal("CreateTransformJob", **request(ModelName="other"))
    assert missing.code == "ValidationException"
    assert missing.message.startswith('Could not find model "arn:aws:sagemaker:')
    large = served.refusal("CreateTransformJob", **request(MaxPayloadInMB=60, MaxConcurrentTransforms=2))
    assert "must not be greater than 100 MB" in large.message
    for change, text in (
        (
            {"DataProcessing": {"InputFilter": "features"}},
            "DataProcessing is not valid: 'features' does not begin with $.",
        ),
        ({"DataProcessing": {"OutputFilter": "$[?(@.a)]"}}, "DataProcessing is not valid: '[?(@.a)]' of"),
        (
            {"DataProcessing": {"InputFilter": "$[1:]"}, "source": {"ContentType": "image/png"}},
            "ContentType 'image/png' has no records",
        ),
        (
            {"DataProcessing": {"InputFilter": "$[1:]"}, "source": {"SplitType": "RecordIO"}},
            "DataProcessing is not supported with SplitType RecordIO.",
        ),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "target": {"AssembleWith": "None"}},
            "JoinSource Input needs AssembleWith Line with SplitType Line",
        ),
    ):
        refused = served.refusal("CreateTransformJob", **request(**change))
        assert text in refused.message
        assert refused.code == "ValidationException"
    assert served.refusal("DescribeTransformJob", TransformJobName="nobody").code == "ResourceNotFound"
    assert served.refusal("StopTransformJob", TransformJobName="nobody").code == "ResourceNotFound"


def run(world: World, **members: Any) -> dict[str, Any]:
    """A job of these members from its beginning to its end."""
    world.call("CreateTransformJob", **request(**members))
    launch(world)
    return wait_for_end(world)


def test_filters_and_join(served: World) -> None:
    rows = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    assert run(served, DataProcessing=rows)["TransformJobStatus"] == "Completed"
    # the model got what stands behind the first column, and echoed it
    assert served.backend.servers[0].bodies == [b"1\n2", b"3"]
    assert outputs(served) == {"s3://bucket/out/a.csv.out": b"x,1\ny,2\n", "s3://bucket/out/deep/b.csv.out": b"z,3\n"}


def test_a_model_that_gives_too_few_predictions(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    replying(served, monkeypatch, Reply(200, {}, b"one\n"))
    ended = run(served, DataProcessing={"JoinSource": "Input"})
    assert ended["FailureReason"] == "ClientError: See job logs for more information"
    assert list(outputs(served)) == ["s3://bucket/out/deep/b.csv.out"]
    assert "the model gave 1 predictions for 2 records" in served.backend.logs[0][2]


def test_a_manifest_and_compressed_objects(served: World) -> None:
    served.backend.objects |= {
        "s3://bucket/list": json.dumps([{"prefix": "s3://bucket/in/"}, "deep/c.csv.gz"]).encode(),
        "s3://bucket/in/deep/c.csv.gz": gzip.compress(b"q\n"),
    }
    source = {
        "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://bucket/list"}},
        "CompressionType": "Gzip",
    }
    assert run(served, source=source)["TransformJobStatus"] == "Completed"
    assert outputs(served) == {"s3://bucket/out/in/deep/c.csv.gz.out": b"Q\n"}


def test_an_object_that_cannot_be_read_fails_alone(served: World) -> None:
    served.backend.objects |= {"s3://bucket/in/a.csv": gzip.compress(b"x"), "s3://bucket/in/deep/b.csv": b"plain"}
    ended = run(served, source={"CompressionType": "Gzip"})
    assert ended["TransformJobStatus"] == "Failed"
    assert list(outputs(served)) == ["s3://bucket/out/a.csv.out"]
    assert "bucket/in/deep/b.csv: the object is not gzip" in served.backend.logs[0][2]


def test_a_manifest_that_is_none(served: World) -> None:
    source = {"DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://bucket/in/a.csv"}}}
    assert (
        run(served, source=source)["FailureReason"] == "ClientError: s3://bucket/in/a.csv is no manifest of S3 objects."
    )


def test_what_nobody_says_the_server_may_wish(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start = served.backend.start_server

    def wishing(scope: Any, spec: Any) -> Any:
        server = start(scope, spec)
        server.wishes = {"BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 1, "MaxConcurrentTransforms": 2}
        return server

    monkeypatch.setattr(served.backend, "start_server", wishing)
    run(served)
    assert sorted(served.backend.servers[0].bodies) == [b"x,1", b"y,2", b"z,3"]
    other = World()
    other.call("CreateModel", ModelName="model", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    other.backend.objects |= {"s3://bucket/in/a.csv": b"x,1\ny,2\n"}
    monkeypatch.setattr(served.backend, "start_server", start)
    run(other, BatchStrategy="MultiRecord")
    assert other.backend.servers[0].bodies == [b"x,1\ny,2"]


def test_an_invocation_that_fails_is_repeated(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    replying(served, monkeypatch, Reply(500, {}, b"oh"))
    config = {"InvocationsMaxRetries": 2, "InvocationsTimeoutInSeconds": 30}
    ended = run(served, source={"SplitType": "None"}, target={"AssembleWith": "None"}, ModelClientConfig=config)
    assert ended["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert served.backend.servers[0].limits == [30] * 6  # two objects, three times each


def replying(world: World, monkeypatch: pytest.MonkeyPatch, reply: Reply) -> None:
    """Let servers answer with this."""
    start = world.backend.start_server

    def scripted(scope: Any, spec: Any) -> Any:
        server = start(scope, spec)
        server.reply = reply
        return server

    monkeypatch.setattr(world.backend, "start_server", scripted)
