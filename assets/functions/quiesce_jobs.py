"""Jobs that run, and instances that finished ones keep: all of them are billed by the second."""

from __future__ import annotations

from ours import Ours, counted


def stop_jobs(ours: Ours) -> list[str]:
    """Stop every job; return what has not ended yet, in words by kind. Raises ClientError.

    Tuning jobs first: one that is stopped stops its training jobs, and starts no more of them.
    """
    sagemaker = ours.sagemaker
    kinds = (
        (
            "tuning",
            "HyperParameterTuningJob",
            "list_hyper_parameter_tuning_jobs",
            sagemaker.stop_hyper_parameter_tuning_job,
        ),
        ("training", "TrainingJob", "list_training_jobs", sagemaker.stop_training_job),
        ("processing", "ProcessingJob", "list_processing_jobs", sagemaker.stop_processing_job),
        ("transform", "TransformJob", "list_transform_jobs", sagemaker.stop_transform_job),
    )
    left = []
    for word, stem, listing, stop in kinds:
        names, refusal, name = [], "", f"{stem}Name"
        for status in ("InProgress", "Stopping"):
            for job in ours.listed(listing, f"{stem}Summaries", name, f"{stem}Arn", StatusEquals=status):
                if status == "InProgress":
                    refusal = ours.ask(stop, **{name: job[name]}) or refusal
                names.append(job[name])
        left.append(counted(f"{word} job", names, refusal))
    return [text for text in left if text]


def give_up_warm_pools(ours: Ours) -> list[str]:
    """Give up the instances that finished jobs keep; return which are still kept. Raises ClientError.

    A stopped job keeps them, too (facts on teardown, 1.11). Those in use belong to a job that runs.
    """
    names, refusal, give_up = [], "", ours.sagemaker.update_training_job
    for job in ours.listed(
        "list_training_jobs",
        "TrainingJobSummaries",
        "TrainingJobName",
        "TrainingJobArn",
        WarmPoolStatusEquals="Available",
    ):
        name = job["TrainingJobName"]
        refusal = ours.ask(give_up, TrainingJobName=name, ResourceConfig={"KeepAlivePeriodInSeconds": 0}) or refusal
        names.append(name)
    return [text for text in [counted("warm pool", names, refusal)] if text]
