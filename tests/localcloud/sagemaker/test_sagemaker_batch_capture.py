"""What transform jobs capture, and schedules that look at it, on a clock that moves only when told."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from localcloud.sagemaker import durations
from tests.localcloud.sagemaker import monitored
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, World

_CAPTURED = "s3://bucket/captured"
_HOUR = "2027/01/15/08"
"""The folder of START."""

_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture
def served(world: World) -> World:
    """A model, and two objects to transform."""
    world.call("CreateModel", ModelName="model", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    world.backend.objects |= {"s3://bucket/in/a.csv": b"x,1\ny,2\n", "s3://bucket/in/deep/b.csv": b"z,3\n"}
    return world


def transformed(world: World, name: str = "job", source: str = "s3://bucket/in/", **members: Any) -> dict[str, Any]:
    """A transform job with capture, from its beginning to its end."""
    form = members.pop("form", "text/csv")
    capture = {"DestinationS3Uri": f"{_CAPTURED}/", **members.pop("capture", {})}
    world.call(
        "CreateTransformJob",
        TransformJobName=name,
        ModelName="model",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": members.pop("listed", "S3Prefix"), "S3Uri": source}},
            "ContentType": form,
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": "s3://bucket/out", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        DataCaptureConfig=capture,
        **members,
    )
    world.clock.advance(durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)

    def job() -> dict[str, Any]:
        return world.call("DescribeTransformJob", TransformJobName=name)

    world.wait_until(lambda: job()["TransformJobStatus"] != "InProgress")
    return job()


def below(world: World, prefix: str) -> dict[str, bytes]:
    return {uri: body for uri, body in world.backend.objects.items() if uri.startswith(prefix)}


def test_manifests_say_which_objects_went_in_and_came_out(served: World) -> None:
    ended = transformed(served)
    assert ended["TransformJobStatus"] == "Completed"
    assert ended["DataCaptureConfig"] == {"DestinationS3Uri": f"{_CAPTURED}/"}
    [(went_in, objects)] = below(served, f"{_CAPTURED}/input/").items()
    [(came_out, answers)] = below(served, f"{_CAPTURED}/output/").items()
    assert re.fullmatch(f"{_CAPTURED}/input/{_HOUR}/{_ID}.json", went_in)
    assert came_out == went_in.replace("/input/", "/output/")
    assert json.loads(objects) == [{"prefix": "s3://bucket/in/"}, "a.csv", "deep/b.csv"]
    assert json.loads(answers) == [{"prefix": "s3://bucket/out/"}, "a.csv.out", "deep/b.csv.out"]
    # nothing is copied, and nothing is added to the answers
    assert served.backend.objects["s3://bucket/out/a.csv.out"] == b"X,1\nY,2\n"
    assert len(below(served, _CAPTURED)) == 2


@pytest.mark.parametrize(
    ("source", "manifest"),
    [
        ("s3://bucket/in/a.csv", [{"prefix": "s3://bucket/in/"}, "a.csv"]),
        ("s3://bucket/in/de", [{"prefix": "s3://bucket/in/"}, "deep/b.csv"]),
        ("s3://bucket/list.json", [{"prefix": "s3://bucket/"}, "in/a.csv"]),
    ],
)
def test_a_manifest_leads_to_the_objects_however_they_were_given(
    served: World, source: str, manifest: list[Any]
) -> None:
    served.backend.objects["s3://bucket/list.json"] = json.dumps([{"prefix": "s3://bucket/in/"}, "a.csv"]).encode()
    listed = "ManifestFile" if source.endswith(".json") else "S3Prefix"
    assert transformed(served, source=source, listed=listed)["TransformJobStatus"] == "Completed"
    [body] = below(served, f"{_CAPTURED}/input/").values()
    assert json.loads(body) == manifest


def test_each_record_of_an_output_has_an_id_if_that_is_asked_for(served: World) -> None:
    transformed(served, capture={"GenerateInferenceId": True})
    rows = served.backend.objects["s3://bucket/out/a.csv.out"].decode().splitlines()
    said = [re.fullmatch(f"([XY],[12]),({_ID}),2027-01-15T08:00:00Z", row) for row in rows]
    assert [match and match[1] for match in said] == ["X,1", "Y,2"]
    assert len({match[2] for match in said if match}) == 2


def test_ids_within_json_lines(served: World) -> None:
    served.backend.objects["s3://bucket/in/a.csv"] = b'{"A": 1}\n{"A": 2}\n'
    transformed(
        served, source="s3://bucket/in/a.csv", form="application/jsonlines", capture={"GenerateInferenceId": True}
    )
    rows = [json.loads(line) for line in served.backend.objects["s3://bucket/out/a.csv.out"].splitlines()]
    assert [row["A"] for row in rows] == [1, 2]
    assert {row["SageMakerInferenceTime"] for row in rows} == {"2027-01-15T08:00:00Z"}
    assert len({row["SageMakerInferenceId"] for row in rows}) == 2


def test_an_output_that_can_have_no_id_fails_as_one_that_the_model_refuses(served: World) -> None:
    ended = transformed(served, form="application/jsonlines", capture={"GenerateInferenceId": True})
    assert ended["FailureReason"] == "ClientError: See job logs for more information"
    assert "a line of the output is no JSON" in served.backend.logs[0][2]
    assert below(served, _CAPTURED) == {}  # what fails is not captured


def test_ids_in_an_output_of_another_form_are_refused(served: World) -> None:
    with pytest.raises(Exception, match="GenerateInferenceId needs outputs in CSV, JSON or JSON lines") as refused:
        transformed(served, form="image/png", capture={"GenerateInferenceId": True})
    assert "image/png" in str(refused.value)


def definition(**members: Any) -> dict[str, Any]:
    """A definition that looks at what transform jobs captured."""
    given = {
        "DataCapturedDestinationS3Uri": f"{_CAPTURED}/",
        "DatasetFormat": {"Csv": {"Header": False}},
        "LocalPath": "/opt/ml/processing/input/batch",
        **members,
    }
    return monitored.definition(DataQualityJobInput={"BatchTransformInput": given})


def watched(world: World, **members: Any) -> World:
    """An hourly schedule over what transform jobs capture, Scheduled."""
    world.call("CreateDataQualityJobDefinition", **definition(**members))
    world.call("CreateMonitoringSchedule", **monitored.schedule())
    world.clock.advance(durations.SCHEDULE_CHANGE)
    return world


def fire(world: World) -> Any:
    """Let the next hour come and the execution's process start."""
    world.clock.advance(3600 - world.clock.now() % 3600)
    world.clock.advance(durations.MONITORING_DELAY)

    def newest() -> dict[str, Any]:
        found: dict[str, Any] = world.call("ListMonitoringExecutions")["MonitoringExecutionSummaries"][0]
        return found

    world.wait_until(lambda: newest()["MonitoringExecutionStatus"] != "Pending")
    world.clock.advance(durations.JOB_STARTING + durations.JOB_IMAGE_DOWNLOAD)
    assert "EndpointName" not in newest()
    return world.backend.jobs[-1].spec


def test_a_schedule_looks_at_the_objects_that_the_manifests_of_its_hours_list(served: World) -> None:
    watched(served)
    transformed(served, "first", "s3://bucket/in/a.csv")
    transformed(served, "second", "s3://bucket/in/deep/")
    job = fire(served)
    manifests = sorted(below(served, f"{_CAPTURED}/input/{_HOUR}/"))
    data = [one for one in job.inputs if one.data_type == "ManifestFile"]
    assert sorted(one.s3_uri for one in data) == manifests
    assert [one.local_path for one in data] == [f"/opt/ml/processing/input/batch/{number}" for number in (1, 2)]
    assert job.outputs[0].s3_uri == "s3://bucket/reports/schedule/2027/01/15/09"
    told = job.environment
    assert told["dataset_format"] == '{"csv":{"header":false}}'
    assert told["dataset_source"] == "/opt/ml/processing/input/batch"
    assert told["start_time"] == "2027-01-15T08:00:00Z"
    assert told["sagemaker_monitoring_schedule_name"] == "schedule"
    assert "sagemaker_endpoint_name" not in told
    assert "sagemaker_endpoint_datacapture_prefix" not in told


def test_offsets_lead_to_the_manifests_of_an_hour_ago(served: World) -> None:
    watched(served, StartTimeOffset="-PT2H", EndTimeOffset="-PT1H")
    transformed(served)
    empty = fire(served)  # at 9 it looks at 7: the job has to find nothing, and to say so
    assert [(one.data_type, one.s3_uri) for one in empty.inputs] == [("S3Prefix", f"{_CAPTURED}/input/2027/01/15/07")]
    job = fire(served)
    assert [one.data_type for one in job.inputs] == ["ManifestFile"]


def test_a_schedule_over_batches_is_described_without_an_endpoint(served: World) -> None:
    watched(served)
    described = served.call("DescribeDataQualityJobDefinition", JobDefinitionName="definition")
    assert described["DataQualityJobInput"]["BatchTransformInput"]["DatasetFormat"] == {"Csv": {"Header": False}}
    [listed] = served.call("ListMonitoringSchedules")["MonitoringScheduleSummaries"]
    assert "EndpointName" not in listed
    assert served.call("ListMonitoringSchedules", EndpointName="watched")["MonitoringScheduleSummaries"] == []


def test_what_is_refused(world: World) -> None:
    def refusal(kind: str = "DataQuality", **given: Any) -> str:
        asked = monitored.definition(kind)
        asked[f"{kind}JobInput"] = {**asked[f"{kind}JobInput"], **given}
        return str(world.refusal(f"Create{kind}JobDefinition", **asked).message)

    batch = definition()["DataQualityJobInput"]["BatchTransformInput"]
    either = "The job input must contain either EndpointInput or BatchTransformInput."
    monitored.endpoint(world)
    assert refusal(BatchTransformInput=batch) == either
    assert refusal("ModelQuality", BatchTransformInput=batch) == (
        "[localcloud] CreateModelQualityJobDefinition: ModelQualityJobInput.BatchTransformInput is not supported yet"
    )
    for form, text in (
        ({"Parquet": {}}, "BatchTransformInput.DatasetFormat.Parquet is not supported yet"),
        ({}, "DatasetFormat must contain exactly one of Csv, Json and Parquet."),
    ):
        asked = definition(DatasetFormat=form)
        assert text in world.refusal("CreateDataQualityJobDefinition", **asked).message
