"""SageMaker's service quotas: how many instances of each type, apps, domains an account may have at a time.

Names and the refusal are AWS's own words. The defaults are generous, AWS's are often 0 for a new account; any of them
can be changed while the server runs (``POST /_localcloud/quotas``). A record says what it uses (``Record.uses``), so
that the utilization is always the sum of what exists.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from localcloud.botocore_models import service_model
from localcloud.sagemaker import errors


@dataclass(frozen=True)
class Quota:
    """One quota as Service Quotas lists it; ``unit`` is the noun of the refusal."""

    name: str
    unit: str
    default: float
    known_code: str = ""

    @property
    def code(self) -> str:
        """AWS's code where it is known; for the others one of our own, since AWS's follow from nothing."""
        return self.known_code or "L-" + hashlib.sha256(self.name.encode()).hexdigest()[:8].upper()


#: instances of one type for one use
_PER_TYPE = 20
#: use -> the enum of the service model that lists its instance types
_USES = {
    "endpoint": "ProductionVariantInstanceType",
    "training job": "TrainingInstanceType",
    "spot training job": "TrainingInstanceType",
    "training warm pool": "TrainingInstanceType",
    "processing job": "ProcessingInstanceType",
    "transform job": "TransformInstanceType",
    "notebook instance": "InstanceType",
}
_APPS = ("JupyterLab", "CodeEditor")
#: of the whole account; codes as public quota tools have them
_ACCOUNT = (
    Quota("Number of instances across all training jobs", "Instances", 100, "L-00C91CB5"),
    Quota("Number of instances across all processing jobs", "Instances", 100, "L-F311B08F"),
    Quota("Number of instances across all transform jobs", "Instances", 100, "L-60D2A6F0"),
    Quota("Number of instances across active endpoints", "Instances", 100, "L-7A3DF611"),
    Quota("Total number of notebook instances", "NotebookInstances", 50, "L-04CE2E67"),
    Quota("Total domains", "Domains", 10, "L-B683BCB0"),
    Quota("Maximum number of Studio user profiles allowed per account", "UserProfiles", 200, "L-AC46C40F"),
    Quota("Maximum number of Studio spaces allowed per account", "Spaces", 200, "L-8E5333B4"),
)


def instances(instance_type: str, use: str) -> str:
    """The quota's name for instances: ``instances("ml.m5.large", "spot training job")``."""
    return f"{instance_type} for {use} usage"


def apps(app_type: str, instance_type: str) -> str:
    """The quota's name for apps of JupyterLab or CodeEditor spaces."""
    return f"Studio {app_type} Apps running on {instance_type} instances"


@cache
def table() -> Mapping[str, Quota]:
    """Every quota by name."""
    return {quota.name: quota for quota in _all()}


def _all() -> Iterator[Quota]:
    for use, shape in _USES.items():
        for instance_type in _types(shape):
            yield Quota(instances(instance_type, use), "Instances", _PER_TYPE)
    for app_type in _APPS:
        for instance_type in _types("AppInstanceType"):
            yield Quota(apps(app_type, instance_type), "Apps", _PER_TYPE)
    yield from _ACCOUNT


def _types(shape: str) -> list[str]:
    names: list[str] = service_model("sagemaker").shape_for(shape).enum  # type: ignore[attr-defined]  # a string shape
    return [name for name in names if name.startswith("ml.")]


class Quotas:
    """The values of one server, the same in every account and region. Thread-safe."""

    def __init__(self) -> None:
        """Every quota at its default."""
        self._lock = threading.Lock()
        self._changed: dict[str, float] = {}

    def value(self, name: str) -> float:
        """The value in force."""
        with self._lock:
            return self._changed.get(name, table()[name].default)

    def set(self, values: Mapping[str, float]) -> None:
        """Change some. Raises ValueError and changes nothing when a name is unknown or a value is no amount."""
        for name, value in values.items():
            if name not in table():
                raise ValueError(f"no quota {name!r}; names are AWS's, such as 'ml.m5.large for endpoint usage'")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise ValueError(f"quota {name!r}: {value!r} is not a number of at least 0")
        with self._lock:
            self._changed.update(values)

    def changed(self) -> dict[str, float]:
        """What is not at its default."""
        with self._lock:
            return dict(self._changed)

    def reset(self) -> None:
        """Every quota at its default again."""
        with self._lock:
            self._changed.clear()

    def require(self, wanted: Mapping[str, float], used: Mapping[str, float]) -> None:
        """Raise ResourceLimitExceeded, in AWS's words, for the first quota that ``wanted`` more would exceed."""
        for name, delta in wanted.items():
            current, limit, unit = used.get(name, 0), self.value(name), table()[name].unit
            if current + delta > limit:
                raise errors.resource_limit_exceeded(
                    f"The account-level service limit '{name}' is {limit:g} {unit}, with current utilization of "
                    f"{current:g} {unit} and a request delta of {delta:g} {unit}. Please use AWS Service Quotas to "
                    "request an increase for this quota. If AWS Service Quotas is not available, contact AWS support "
                    "to request an increase for this quota."
                )


@cache
def default_quotas() -> Quotas:
    """The server's quotas."""
    return Quotas()
