"""CloudFormation types of the service, one module each.

They call the service's own API in the process, as CloudFormation does; what the API refuses, the stack shows.
"""

from __future__ import annotations

from localcloud.sagemaker.cfn import (
    app,
    domain,
    endpoint,
    endpoint_config,
    job_definition,
    model,
    model_package_group,
    monitoring_schedule,
    notebook_instance,
    notebook_lifecycle_config,
    pipeline,
    space,
    studio_lifecycle_config,
    user_profile,
)
from localcloud.sagemaker.core import Core


def install(core: Core) -> None:
    """Teach CloudFormation every type."""
    model.install(core)
    endpoint_config.install()
    endpoint.install(core)
    job_definition.install(core)
    monitoring_schedule.install(core)
    pipeline.install(core)
    model_package_group.install(core)
    notebook_lifecycle_config.install()
    notebook_instance.install(core)
    studio_lifecycle_config.install()
    domain.install(core)
    user_profile.install(core)
    space.install(core)
    app.install(core)
