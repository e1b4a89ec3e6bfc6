"""The clients of all functions: short waits, repeated calls."""

from __future__ import annotations

import aws
import pytest


def test_no_call_takes_up_a_functions_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = aws.client("sagemaker", 3).meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 15)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}


def test_calls_that_are_tried_in_vain_fit_into_the_waiting_functions_time() -> None:
    """botocore waits at most 1, 2 and 4 seconds between four attempts."""
    import jobs

    assert jobs.CALL_ATTEMPTS * (aws.CONNECT_SECONDS + aws.READ_SECONDS) + 7 < 120
