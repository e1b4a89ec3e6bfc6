"""MiniStack reads the models of services by itself, and makes a session of botocore for each.

Together with what our own sessions read, that was a quarter of the server's time in a deployment.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from ministack.core import iam_actions, responses


def share() -> None:
    """Give MiniStack what everybody reads."""
    shared = create_loader()

    def document(service: str) -> Any:
        try:
            return shared.load_service_model(service, "service-2")
        except UnknownServiceError:
            return {}

    @cache
    def model(service: str) -> ServiceModel | None:
        name = responses._BOTOCORE_NAME.get(service, service)
        found = document(name)
        return ServiceModel(found, name) if found else None

    iam_actions._load_botocore_model = document
    responses._service_model = model
