"""What the toolkit knows of a job, and how it tells the script: arguments and SM_ variables.

Names and formats as in aws/sagemaker-training-toolkit (`environment.py`, `mapping.py`, `params.py`): values that are
JSON are decoded, so `"3"` is the number 3 and `"true"` becomes `True` on the command line; variables hold JSON.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_io import BASE, read_config

#: hyperparameters that are the toolkit's own and not the script's; others that begin so are "framework parameters"
_OWN = (
    "sagemaker_program",
    "sagemaker_submit_directory",
    "sagemaker_enable_cloudwatch_metrics",
    "sagemaker_region",
    "sagemaker_container_log_level",
    "sagemaker_job_name",
    "sagemaker_s3_output",
    "default_user_module_name",
    "_tuning_objective_metric",
)
_PREFIX = "sagemaker_"
#: ways of distributing a script that have launchers of their own
_LAUNCHERS = (
    "sagemaker_mpi_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_multi_worker_mirrored_strategy_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_ddp_enabled",
    "sagemaker_pytorch_xla_multi_worker_enabled",
    "sagemaker_torch_distributed_enabled",
)
_INFO = 20


def decode(text: Any) -> Any:
    """A hyperparameter's value: JSON when it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        return text


def to_text(value: Any) -> str:
    """A value as one command line argument."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={value[key]}" for key in sorted(value))
    return str(value)


def to_variable(value: Any) -> str:
    """A value as an environment variable."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class TrainingEnvironment:
    """The job as its files and variables describe it."""

    hyperparameters: dict[str, Any]
    """The script's own."""
    framework_parameters: dict[str, Any]
    own: dict[str, Any]
    resources: dict[str, Any]
    channels: dict[str, Any]

    @classmethod
    def read(cls) -> "TrainingEnvironment":
        """From the files under input/config."""
        everything = {name: decode(text) for name, text in read_config("hyperparameters").items()}
        own = {name: value for name, value in everything.items() if name in _OWN}
        parameters = {
            name: value for name, value in everything.items() if name.startswith(_PREFIX) and name not in _OWN
        }
        rest = {name: value for name, value in everything.items() if name not in own and name not in parameters}
        return cls(rest, parameters, own, read_config("resourceconfig"), read_config("inputdataconfig"))

    @property
    def program(self) -> str | None:
        """The script's name; the variable SAGEMAKER_PROGRAM wins."""
        return os.environ.get("SAGEMAKER_PROGRAM") or self.own.get("sagemaker_program") or None

    @property
    def submit_directory(self) -> str:
        """Where the code is: a folder, an archive or an S3 address."""
        return str(self.own.get("sagemaker_submit_directory") or BASE / "code")

    @property
    def unsupported(self) -> str | None:
        """A launcher that is asked for and not built here."""
        return next((name for name in _LAUNCHERS if self.framework_parameters.get(name)), None)

    def arguments(self) -> list[str]:
        """`--name value` for every hyperparameter, sorted by name; a name of one letter has one dash."""
        return [
            part
            for name in sorted(self.hyperparameters)
            for part in (f"--{name}" if len(name) > 1 else f"-{name}", to_text(self.hyperparameters[name]))
        ]

    def variables(self) -> dict[str, str]:
        """The SM_ variables."""
        described = self._described()
        values = {
            **described,
            "hps": self.hyperparameters,
            "framework_params": self.framework_parameters,
            "channels": sorted(self.channels),
            "user_args": self.arguments(),
            "training_env": described | {"hyperparameters": self.hyperparameters},
        }
        values |= {f"channel_{name}": self._data(name) for name in self.channels}
        values |= {f"hp_{name}": value for name, value in self.hyperparameters.items()}
        return {f"SM_{name.upper()}": to_variable(value) for name, value in values.items()}

    def _described(self) -> dict[str, Any]:
        resources = self.resources
        hosts = resources.get("hosts", ["algo-1"])
        group = resources.get("current_group_name", "homogeneousCluster")
        groups = {each["instance_group_name"]: each for each in resources.get("instance_groups", [])}
        program = self.program or ""
        return {
            "hosts": hosts,
            "current_host": resources.get("current_host", hosts[0]),
            "master_hostname": hosts[0],
            "is_master": resources.get("current_host", hosts[0]) == hosts[0],
            "current_instance_type": resources.get("current_instance_type", "local"),
            "current_instance_group": group,
            "current_instance_group_hosts": groups.get(group, {}).get("hosts", []),
            "instance_groups": list(groups),
            "instance_groups_dict": groups,
            "distribution_instance_groups": [],
            "is_hetero": len(groups) > 1,
            "network_interface_name": resources.get("network_interface_name", "eth0"),
            "resource_config": resources,
            "input_data_config": self.channels,
            "channel_input_dirs": {name: self._data(name) for name in self.channels},
            "user_entry_point": program,
            "module_name": program.removesuffix(".py"),
            "module_dir": self.submit_directory,
            "log_level": self.own.get("sagemaker_container_log_level", _INFO),
            "framework_module": os.environ.get("SAGEMAKER_TRAINING_MODULE"),
            "job_name": os.environ.get("TRAINING_JOB_NAME"),
            "input_dir": str(BASE / "input"),
            "input_config_dir": str(BASE / "input" / "config"),
            "model_dir": str(BASE / "model"),
            "output_dir": str(BASE / "output"),
            "output_data_dir": str(BASE / "output" / "data"),
            "output_intermediate_dir": str(BASE / "output" / "intermediate"),
            "num_cpus": os.cpu_count() or 1,
            "num_gpus": 0,
            "num_neurons": 0,
        }

    @staticmethod
    def _data(channel: str) -> str:
        return str(BASE / "input" / "data" / channel)
