"""MiniStack takes the models of services from where everybody takes them.

By itself it reads each of them twice more and makes a session of botocore for each service, which were a fifth of the
server's time in a deployment.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel
from ministack.core import iam_actions, responses

from localcloud import botocore_models


def share() -> None:
    """Replace MiniStack's own reading. A service that botocore does not know has an empty document and no model."""

    def document(service: str) -> Any:
        try:
            return botocore_models.loader().load_service_model(service, "service-2")
        except UnknownServiceError:
            return {}

    def model(service: str) -> ServiceModel | None:
        try:
            return botocore_models.service_model(responses._BOTOCORE_NAME.get(service, service))
        except UnknownServiceError:
            return None

    iam_actions._load_botocore_model = document
    responses._service_model = model
