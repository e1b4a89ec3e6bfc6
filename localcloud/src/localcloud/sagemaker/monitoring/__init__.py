"""Model Monitor: when a schedule fires, what it analyses, and the processing job that comes of it.

The API is in ``kinds.job_definition`` and ``kinds.monitoring_schedule``. Names, environment and inputs of a run are
those of real ones (facts containers 5.1).
"""
