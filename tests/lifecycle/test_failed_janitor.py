"""A janitor that fails for good: the stack cannot delete itself any more, and the destroy reaches zero all the same."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.lifecycle.conftest import Cloud, running_localcloud
from tests.lifecycle.environments import written
from tests.lifecycle.stand import stand

BROKEN = """
import json, urllib.request

def handler(event, context):
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "FAILED", "Reason": "broken on purpose", "PhysicalResourceId": event["PhysicalResourceId"]}
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(request).read()
"""


@pytest.mark.parametrize("after_a_failed_delete", ["hold-back", pytest.param("go-on", marks=pytest.mark.exhaustive)])
def test_a_janitor_that_never_succeeds(after_a_failed_delete: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Both ways in which CloudFormation may behave after a failed deletion (facts on it disagree)."""
    with running_localcloud(tmp_path_factory, LOCALCLOUD_FAILED_DELETE=after_a_failed_delete) as cloud:
        place = stand(cloud, written("janitor", studio={"users": ["ada"]})).up()
        cloud.client("s3").put_object(Bucket=place.outputs["DataBucket"], Key="users/ada/notes", Body=b"")
        _break_the_bucket_janitor(cloud)
        report = place.destroy()
        assert report["clean"] is True
        assert report["attempts"] > 1
        assert any("data" in swept for swept in report["swept"])
        cloud.assert_nothing_left(place.file)


def _break_the_bucket_janitor(cloud: Cloud) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("bucket_contents.py", BROKEN)
    client = cloud.client("lambda")
    names = [
        item["FunctionName"] for page in client.get_paginator("list_functions").paginate() for item in page["Functions"]
    ]
    janitor = next(name for name in names if "-foundation-" in name)
    client.update_function_code(FunctionName=janitor, ZipFile=archive.getvalue())
