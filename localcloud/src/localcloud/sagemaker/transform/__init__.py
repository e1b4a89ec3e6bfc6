"""Batch transform: what is sent and the work of a job. The API is in ``kinds.transform_job``."""
