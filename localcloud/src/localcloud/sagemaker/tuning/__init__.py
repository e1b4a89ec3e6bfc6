"""Hyperparameter tuning: where the trials search and what each comes to. The API is in ``kinds.tuning_job``."""
