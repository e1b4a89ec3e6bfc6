"""The environment file: loading, checking, and the typed result that the stacks are made from."""

from sandcastle.config.environment import Environment, Prepare, Serve, Train, Workload
from sandcastle.config.loader import load_environment, workload_names
from sandcastle.config.problem import ConfigError, Problem

__all__ = [
    "ConfigError",
    "Environment",
    "Prepare",
    "Problem",
    "Serve",
    "Train",
    "Workload",
    "load_environment",
    "workload_names",
]
