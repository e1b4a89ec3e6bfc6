"""The lines of code of a review: the call that makes each construct, or nothing at all."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from tests.synthesis import ROOT


def test_constructs_are_known_by_the_line_that_makes_them(tmp_path: Path) -> None:
    import aws_cdk as cdk

    from sandcastle.resource import Resource
    from sandcastle.sources import recorded

    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    with recorded(ROOT) as lines:
        stack = cdk.Stack(app, "S")
        frame = inspect.currentframe()
        assert frame is not None
        here = frame.f_lineno
        Resource(stack, "Topic", "AWS::SNS::Topic", tagged=False)
    Resource(stack, "Later", "AWS::SNS::Topic", tagged=False)
    assert lines["S/Topic"] == f"tests/stacks/test_sources.py:{here + 1}"
    assert set(lines) == {"S", "S/Topic"}


def test_without_jsii_s_metaclass_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    import constructs

    from sandcastle.sources import recorded

    class Other:
        pass

    monkeypatch.setattr(constructs, "Construct", Other)
    with recorded(ROOT) as lines:
        Other()
    assert lines == {}
