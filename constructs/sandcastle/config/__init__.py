"""The environment file: loading, checking, and the typed result that the stacks are made from."""

from sandcastle.config.doctor_notes import doctor_notes
from sandcastle.config.environment import (
    INTERFACE_ENDPOINTS,
    NOTEBOOK_USER,
    ZONES,
    Environment,
    NightlyStop,
    Notebook,
    Prepare,
    Serve,
    Studio,
    Train,
    User,
    Workload,
)
from sandcastle.config.loader import environment_path, load_environment, no_region, workload_names, written_region
from sandcastle.config.problem import ConfigError, Problem

__all__ = [
    "INTERFACE_ENDPOINTS",
    "NOTEBOOK_USER",
    "ZONES",
    "ConfigError",
    "Environment",
    "NightlyStop",
    "Notebook",
    "Prepare",
    "Problem",
    "Serve",
    "Studio",
    "Train",
    "User",
    "Workload",
    "doctor_notes",
    "environment_path",
    "load_environment",
    "no_region",
    "workload_names",
    "written_region",
]
