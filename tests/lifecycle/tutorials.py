"""A workload's notebook, run as a person of a deployed environment with exactly that person's rights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from operations.target import Target
from operations.tutorial import Results, execute, settings_of
from tests.lifecycle.conftest import Cloud
from tests.lifecycle.sessions import session_of

AT_LEAST: dict[str, dict[str, float]] = {
    "bank": {"rows": 2000, "accuracy": 0.88, "auc": 0.75},
    "mnist-linear": {"rows": 250, "accuracy": 0.97, "f1": 0.90},
    "mnist-kmeans": {"rows": 250, "purity": 0.70},
    "digits": {"rows": 250, "accuracy": 0.90},
    "penguins": {"rows": 60, "accuracy": 0.93},
    "fraud": {"rows": 500, "auc": 0.90, "best_auc": 0.90},
}
"""What each notebook's results must reach; they are taken on rows that no training has seen."""


def tutorial_of(cloud: Cloud, environment: str, workload: str, user: str) -> Results:
    """Run the notebook with the user's credentials, insist on its results, and that it leaves nothing behind."""
    with as_root(cloud) as target:
        settings = settings_of(target, environment, user)
    session = session_of(cloud, settings.role.rpartition("/")[2])
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
    found = execute(workload, settings, env)
    for name, least in AT_LEAST[workload].items():
        assert found.values[name] >= least, f"{workload}: {name} is {found.values[name]}, not {least} or more"
    assert made_by(cloud, environment, user) == []
    return found


def made_by(cloud: Cloud, environment: str, user: str) -> list[str]:
    """Return the models, configurations and endpoints that carry the user's name."""
    sagemaker, prefix = cloud.client("sagemaker"), f"sandcastle-{environment}--users-{user}--"
    found = [one["EndpointName"] for one in sagemaker.list_endpoints(NameContains=prefix)["Endpoints"]]
    found += [one["ModelName"] for one in sagemaker.list_models(NameContains=prefix)["Models"]]
    configs = sagemaker.list_endpoint_configs(NameContains=prefix)["EndpointConfigs"]
    return [*found, *(one["EndpointConfigName"] for one in configs)]


@contextmanager
def as_root(cloud: Cloud) -> Iterator[Target]:
    """The target that the command has, with the account's own credentials."""
    settings = {"AWS_ENDPOINT_URL": cloud.endpoint}
    root = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with patch.dict(os.environ, root | settings):
        yield Target("local", "000000000000", "us-east-1", settings)
