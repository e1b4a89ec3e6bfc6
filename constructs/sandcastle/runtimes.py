"""What our Lambda functions run on."""

PYTHON = "python3.13"
"""The runtime of every function of ours."""
