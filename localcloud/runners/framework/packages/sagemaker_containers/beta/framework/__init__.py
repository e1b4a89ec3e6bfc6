"""The part of the older toolkit that is meant for handlers."""

from sagemaker_inference import content_types
from sagemaker_inference import encoder as encoders

from sagemaker_containers.beta.framework import worker

__all__ = ["content_types", "encoders", "worker"]
