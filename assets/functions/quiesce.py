"""Custom::SandcastleQuiesce: brings everything to rest that an environment made at run time, before its stacks go.

It runs first of all: its stack depends on every other. What CloudFormation cannot delete while something runs it finds
at rest, and what it does not know is gone. Whose things are whose is decided in ``ours``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from aws import client
from environment_stacks import held_by, stacks_of
from janitor import Turn, run
from ours import Ours
from quiesce_endpoints import delete_endpoints, delete_parts, endpoints_of
from quiesce_jobs import give_up_warm_pools, stop_jobs
from quiesce_logs import EndpointLogs, delete_job_logs, delete_monitor_logs
from quiesce_pipelines import stop_pipelines
from quiesce_registry import empty_registry
from quiesce_rules import disable_rules
from quiesce_schedules import delete_definitions, jobs_of, stop_schedules


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda entry point.

    Properties: ``Environment``, ``DomainArn`` of its Studio, empty without one, and ``LateLogSeconds``, how long after
    its end an endpoint may still log.
    """
    properties = event["ResourceProperties"]
    late = float(properties["LateLogSeconds"])
    run(event, context, turns(properties["Environment"], properties["DomainArn"], late, client))


def turns(environment: str, domain_arn: str, late_seconds: float, get_client: Callable[[str], Any]) -> Turn:
    """Return a turn that does everything that can be done now and says what is left.

    What starts other things comes first. Each part is tried in every turn, whatever became of the others; what does not
    pass (no permission) is raised after all have been tried.
    """

    @cache
    def in_stacks() -> dict[str, str]:
        cloudformation = get_client("cloudformation")
        return held_by(cloudformation, stacks_of(cloudformation, environment))

    ours = Ours(get_client("sagemaker"), environment, domain_arn, in_stacks)
    endpoint_logs = EndpointLogs(get_client("logs"), ours.prefix, late_seconds)
    watching: set[str] = set()

    def turn() -> str:
        ours.refused = None
        disable_rules(ours, get_client("events"), in_stacks())
        pipelines = stop_pipelines(ours)
        schedules, watched = stop_schedules(ours)
        watching.update(watched)
        jobs = stop_jobs(ours)
        left = [*pipelines, *schedules, *jobs, *give_up_warm_pools(ours)]
        endpoints, kept = endpoints_of(ours)
        endpoint_logs.saw(endpoints)
        autoscaling, cloudwatch = get_client("application-autoscaling"), get_client("cloudwatch")
        left += delete_endpoints(ours, endpoints, set(watched.values()), autoscaling, cloudwatch)
        left += delete_definitions(ours) if not schedules else []
        left += empty_registry(ours) if not pipelines else []
        if not endpoints and not jobs:  # an endpoint is made of them, and a transform job uses a model to its end
            left += delete_parts(ours)
        left += endpoint_logs.delete([*kept, *endpoints])
        if not left and not ours.refused:
            prefixes = (ours.prefix, ours.tuning_prefix)
            delete_job_logs(get_client("logs"), get_client("resourcegroupstaggingapi"), prefixes, environment)
            delete_monitor_logs(get_client("logs"), jobs_of(ours, watching))
        if ours.refused:
            print("; ".join(left))
            raise ours.refused
        return "; ".join(left)

    return turn
