"""Transform jobs as state machines, and how objects are cut and put together."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.sagemaker import durations
from localcloud.sagemaker.ports import Reply, Unreachable
from localcloud.sagemaker.transform.payloads import AssembleWith, SplitType, TooLarge, assemble, split
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
        monkeypatch.setattr(server, "invoke", lambda body, headers: refusal if b"z" in body else echo(body, headers))
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
    for change, member in (
        ({"DataProcessing": {"JoinSource": "Input"}}, "DataProcessing.JoinSource = 'Input'"),
        ({"source": {"SplitType": "RecordIO"}}, "TransformInput.SplitType = 'RecordIO'"),
        ({"source": {"CompressionType": "Gzip"}}, "TransformInput.CompressionType = 'Gzip'"),
    ):
        refused = served.refusal("CreateTransformJob", **request(**change))
        assert refused.message == f"[localcloud] CreateTransformJob: {member} is not supported yet"
    assert served.refusal("DescribeTransformJob", TransformJobName="nobody").code == "ResourceNotFound"
    assert served.refusal("StopTransformJob", TransformJobName="nobody").code == "ResourceNotFound"


@pytest.mark.parametrize(
    ("strategy", "limit", "expected"),
    [
        ("SingleRecord", 0, [b"aa", b"bb", b"cc"]),
        ("MultiRecord", 0, [b"aa\nbb\ncc"]),
        ("MultiRecord", 5, [b"aa\nbb", b"cc"]),
        ("MultiRecord", 4, [b"aa", b"bb", b"cc"]),
        ("MultiRecord", 2, [b"aa", b"bb", b"cc"]),
    ],
)
def test_lines(strategy: Any, limit: int, expected: list[bytes]) -> None:
    assert list(split(b"aa\nbb\r\n\ncc\n", "Line", strategy, limit)) == expected


def test_records_that_are_too_large() -> None:
    assert list(split(b"aa\n", "None", "MultiRecord", 3)) == [b"aa\n"]
    kinds: tuple[SplitType, ...] = ("None", "Line")
    for kind in kinds:
        with pytest.raises(TooLarge, match="a payload of 4 bytes"):
            list(split(b"aaaa", kind, "MultiRecord", 3))


@pytest.mark.parametrize(("how", "expected"), [("None", b"a\nb"), ("Line", b"a\nb\n")])
def test_replies_put_together(how: AssembleWith, expected: bytes) -> None:
    assert assemble([b"a\n", b"b"], how) == expected
