"""A workload's pipelines, for the commands ``sandcastle pipeline ...``: their plan, their executions, their versions.

``plan`` reads a definition, ``execution`` what AWS says of one run of it; ``tree`` and ``drawing`` show both together.
"""
