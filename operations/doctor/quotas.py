"""Service quotas: for every instance type and use in the file, how many the account may have, has, and needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from operations.audit.survey import pages
from operations.doctor.finding import Case, Finding
from operations.doctor.in_use import DOMAINS, NOTEBOOKS, PROFILES, in_use
from sandcastle.config import Environment, Workload


@dataclass(frozen=True)
class Quota:
    """One quota as Service Quotas lists it."""

    code: str
    value: float
    adjustable: bool


MONITORS = 2
"""How many jobs watch a pipeline's endpoint in an hour."""


def needed(environment: Environment) -> Counter[str]:
    """Return how much of each quota the environment needs, by the name that AWS gives the quota.

    That is for a deployment and, of workloads with a pipeline, for a run of each. Workloads are prepared and trained
    side by side. Of the types that users of Studio may choose, each is needed once: how many they will start, nobody
    knows.
    """
    need = Counter[str]()
    for workload in environment.workloads:
        need.update(_of_runs(workload) if workload.pipeline else _of_a_deployment(workload))
        kind = "spot training job" if workload.train.spot else "training job"
        if workload.training_instances:
            need[f"{workload.train.instance} for {kind} usage"] += workload.training_instances
    if environment.notebook:
        need[f"{environment.notebook.instance} for notebook instance usage"] += 1
        need[NOTEBOOKS] += 1
    if environment.studio:
        need[DOMAINS] += 1
        need[PROFILES] += len(environment.studio.users)
        for instance in environment.studio.instances:
            need[f"Studio JupyterLab Apps running on {instance} instances"] += 1
    return need


def _of_a_deployment(workload: Workload) -> Counter[str]:
    """Return what preparing and serving need; what training needs is counted alike for all workloads."""
    need = Counter[str]()
    for instance, count in workload.serve.started_instances.items():
        need[f"{instance} for endpoint usage"] += count
    need[f"{workload.prepare.instance} for processing job usage"] += 1
    return need


def _of_runs(workload: Workload) -> Counter[str]:
    """Return what runs of a pipeline need besides training, where they need most at a time.

    Every candidate is judged by a job of its own, beside the data's baseline. The new version's instances of the
    endpoint run beside the old ones until they take over. An hour's monitoring may come at any time.
    """
    need = Counter[str]()
    search = workload.train.tuning
    candidates = 1 + (min(2, search.max_jobs) if search else 0)
    need[f"{workload.prepare.instance} for processing job usage"] += candidates + 1 + MONITORS
    need[f"{workload.serve.instance} for transform job usage"] += 1
    for instance, count in workload.serve.started_instances.items():
        need[f"{instance} for endpoint usage"] += 2 * count
    return need


def quotas(case: Case) -> Iterator[Finding]:
    """Compare what is needed, besides what others in the account use now, with what the account may have."""
    need, known = needed(case.environment), _known(case)
    used = in_use(case, need)
    enough = 0
    for name, count in sorted(need.items()):
        quota = known.get(name)
        if quota is None:
            yield Finding(
                "warning", "quota", f"Service Quotas has no quota {name!r} in {case.target.region}",
                "Look whether the instance type is offered there: Service Quotas > AWS services > Amazon SageMaker.",
            )  # fmt: skip
        elif quota.value < used[name] + count:
            wanted = used[name] + max(count, _users(case, name))
            others = f", {used[name]} in use by others" if used[name] else ""
            yield Finding(
                "blocker", "quota", f"{name}: {quota.value:g} allowed, {count} needed{others}",
                _raise_it(case, quota, wanted),
            )  # fmt: skip
        elif quota.value < used[name] + _users(case, name):
            yield Finding(
                "warning", "quota",
                f"{name}: {quota.value:g} allowed, not enough for all {_users(case, name)} users at a time",
                _raise_it(case, quota, used[name] + _users(case, name)),
            )  # fmt: skip
        else:
            enough += 1
    if enough:
        yield Finding("ok", "quota", f"enough of {enough} of the {len(need)} quotas that the file needs")


def too_low(case: Case) -> dict[str, float]:
    """Return the quotas that do not suffice, with their values, for whoever only synthesises."""
    need, known = needed(case.environment), _known(case)
    return {
        name: known[name].value for name, count in sorted(need.items()) if name in known and known[name].value < count
    }


def _users(case: Case, name: str) -> int:
    """Return how many users of Studio may want this at the same time; 0 for a quota that is not about apps."""
    return len(case.environment.studio.users) if case.environment.studio and name.startswith("Studio ") else 0


def _raise_it(case: Case, quota: Quota, wanted: int) -> str:
    if not quota.adjustable:
        return "AWS does not raise this one: choose another instance type in the file."
    return (
        f"aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code {quota.code} "
        f"--desired-value {wanted} --region {case.target.region} (granted in minutes to days), "
        "or another instance type in the file"
    )


def _known(case: Case) -> dict[str, Quota]:
    """Return the account's quotas by name; where none is applied, AWS's default counts (ListServiceQuotas)."""
    client = case.target.client("service-quotas")
    found: dict[str, Quota] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for item in pages(client, operation, "Quotas", ServiceCode="sagemaker"):
            found[item["QuotaName"]] = Quota(item["QuotaCode"], item["Value"], item.get("Adjustable", True))
    return found
