"""Pipelines: the definition (``definition``), its expressions (``expressions``), and what executes it (``engine``).

The API is in ``kinds.pipeline`` and ``kinds.pipeline_execution``. Shapes are those that SDK v3 emits (facts sdkv3 1,
containers 7). Step types that are not here are refused by name when a pipeline is created.
"""
