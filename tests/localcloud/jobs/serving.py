"""A model server for a test, not started yet."""

from __future__ import annotations

import uuid
from typing import Any

from localcloud.jobs.model_server import ModelServer, ServerSpec
from tests.localcloud.jobs.cloud import Cloud


def server(cloud: Cloud, image: str, model: str | None, role: str | None = None, **fields: Any) -> ModelServer:
    spec = ServerSpec(
        endpoint=f"e-{uuid.uuid4().hex[:8]}",
        variant="AllTraffic",
        image=image,
        model_data_url=model,
        role_arn=role or cloud.full_role(),
        **fields,
    )
    return ModelServer(spec, cloud.platform, healthy_limit=20)
