"""The models of services that botocore ships, read once for the whole process: SageMaker's takes 0.2 s and 30 MB."""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel


@cache
def loader() -> Loader:
    """What reads them, for sessions as their ``data_loader``: it keeps what it has read."""
    return Loader()


@cache
def service_model(name: str) -> ServiceModel:
    """The newest API version of ``name`` ("sagemaker", "s3"). Raises botocore's UnknownServiceError."""
    return ServiceModel(loader().load_service_model(name, "service-2"), name)
