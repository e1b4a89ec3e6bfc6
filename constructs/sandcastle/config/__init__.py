"""The environment file: loading, checking, and the typed result that the stacks are made from."""

from sandcastle.config.doctor_notes import doctor_notes
from sandcastle.config.environment import (
    INTERFACE_ENDPOINTS,
    NOTEBOOK_USER,
    ZONES,
    Artifact,
    Environment,
    NightlyStop,
    Notebook,
    PipelineSettings,
    Prepare,
    Range,
    Studio,
    Train,
    Tuning,
    User,
    Workload,
)
from sandcastle.config.loader import environment_path, load_environment, no_region, workload_names, written_region
from sandcastle.config.monitoring import BATCH, MONITOR_IMAGE, PORTABLE_IMAGE, Engine, Monitor, MonitorKind
from sandcastle.config.problem import ConfigError, Problem
from sandcastle.config.serving import Deployment, Scaling, Serve, Variant

__all__ = [
    "BATCH",
    "INTERFACE_ENDPOINTS",
    "MONITOR_IMAGE",
    "NOTEBOOK_USER",
    "PORTABLE_IMAGE",
    "ZONES",
    "Artifact",
    "ConfigError",
    "Deployment",
    "Engine",
    "Environment",
    "Monitor",
    "MonitorKind",
    "NightlyStop",
    "Notebook",
    "PipelineSettings",
    "Prepare",
    "Problem",
    "Range",
    "Scaling",
    "Serve",
    "Studio",
    "Train",
    "Tuning",
    "User",
    "Variant",
    "Workload",
    "doctor_notes",
    "environment_path",
    "load_environment",
    "no_region",
    "workload_names",
    "written_region",
]
