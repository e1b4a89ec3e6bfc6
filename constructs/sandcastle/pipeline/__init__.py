"""A workload's pipelines as plain data: what trains and registers its models, and what deploys them."""

from sandcastle.pipeline.definition import Definition
from sandcastle.pipeline.deployment import deployment_pipeline
from sandcastle.pipeline.parts import Functions, Judging, Names, Parts
from sandcastle.pipeline.training import training_pipeline

__all__ = ["Definition", "Functions", "Judging", "Names", "Parts", "deployment_pipeline", "training_pipeline"]
