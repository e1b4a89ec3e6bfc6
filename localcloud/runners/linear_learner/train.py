"""The built-in Linear Learner's `train`."""

import sys
import threading
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import evaluation
import numpy as np
import sagemaker_io
import settings as hyperparameters
from fit import Channel, Fit, default_configuration
from recordio import RecordError, read_matrix
from sagemaker_io import UserError, data_files, media_type
from settings import AUTO, Settings
from tabular import parse_csv

#: exit code by which the service's own algorithms blame the caller: the job fails with ClientError
CUSTOMER_ERROR = 2
_CHANNELS = ("train", "validation", "test")
_CONTENT_TYPES = ("application/x-recordio-protobuf", "text/csv")


def log(text: str, level: str = "INFO") -> None:
    """One line in the service's format: `[11/24/2020 18:53:56 INFO 140513285547840] ...`."""
    stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
    sys.stdout.write(f"[{stamp} {level} {threading.get_ident()}] {text}\n")
    sys.stdout.flush()


def _bad_configuration(caused_by: str) -> UserError:
    return UserError(
        "Unable to initialize the algorithm. Failed to validate input data configuration. "
        f"(caused by ValidationError)\n\nCaused by: {caused_by}"
    )


def read_channels(settings: Settings) -> dict[str, Channel]:
    """All channels of the job. Raises UserError."""
    given = sagemaker_io.read_config("inputdataconfig")
    unknown = sorted(set(given) - set(_CHANNELS))
    if unknown:
        raise _bad_configuration(f"Additional properties are not allowed ({unknown[0]!r} was unexpected)")
    if "train" not in given:
        raise _bad_configuration("'train' is a required property")
    found = {name: _read(name, given[name].get("ContentType"), settings) for name in _CHANNELS if name in given}
    width = found["train"].features.shape[1]
    for name, channel in found.items():
        if channel.features.shape[1] != width:
            raise UserError(
                f"The data of channel '{name}' has {channel.features.shape[1]} features and that of channel 'train' "
                f"has {width}."
            )
    return found


def _read(name: str, content_type: str | None, settings: Settings) -> Channel:
    kind, parameters = media_type(content_type or _CONTENT_TYPES[0])
    if kind not in _CONTENT_TYPES or parameters.get("label_size", "1") != "1":
        raise _bad_configuration(f"{content_type!r} is not one of {list(_CONTENT_TYPES)}")
    files = list(data_files(name))
    try:
        if kind == "text/csv":
            table = np.concatenate([parse_csv(path.read_text()) for path in files]) if files else np.empty((0, 1))
            channel = Channel(table[:, 1:].astype(np.float32), table[:, 0].astype(np.float32))
        else:
            features, labels = read_matrix(b"".join(path.read_bytes() for path in files), only_float32=True)
            if labels is None:
                raise RecordError("records without a label")
            channel = Channel(features, labels)
    except ValueError as error:  # RecordError is one
        raise UserError(
            f"Unable to read data channel '{name}'. Requested content-type is '{kind}'. Please verify the data "
            f"matches the requested content-type. (caused by {type(error).__name__})\n\nCaused by: {error}"
        ) from error
    return _checked(name, channel, settings)


def _checked(name: str, channel: Channel, settings: Settings) -> Channel:
    rows, width = channel.features.shape
    if rows == 0 or (name == "train" and rows < settings.mini_batch_size):
        raise UserError(
            "No training data processed. Either the training channel is empty or the mini-batch size is too high. "
            "Verify that training data contains non-empty files and the mini-batch size is less than the number of "
            "records per training host."
            if name == "train"
            else f"The {name} channel is empty."
        )
    if settings.feature_dim not in (AUTO, width):
        raise UserError(
            f"The data of channel '{name}' has {width} features and the hyperparameter feature_dim is "
            f"{settings.feature_dim}."
        )
    if not (np.isfinite(channel.features).all() and np.isfinite(channel.labels).all()):
        raise UserError(f"The data of channel '{name}' contains values that are missing or not finite.")
    classes = {"binary_classifier": 2, "multiclass_classifier": settings.num_classes}.get(settings.predictor_type)
    if classes and not np.isin(channel.labels, np.arange(classes)).all():
        raise UserError(
            f"The labels of channel '{name}' must be whole numbers from 0 to {classes - 1} for a "
            f"{settings.predictor_type}."
        )
    return channel


def run() -> None:
    """Validate, read, train, judge, save. Raises UserError."""
    settings = hyperparameters.validated(sagemaker_io.read_config("hyperparameters"))
    log(default_configuration(settings))
    channels = read_channels(settings)
    fit = Fit(settings, channels["train"], channels.get("validation"), log)
    if settings.num_models != AUTO and settings.num_models > fit.models:
        log(f"num_models is {settings.num_models}; {fit.models} are trained here", "WARNING")
    model = fit.run()
    for name, channel in channels.items():
        for metric, kind, value in evaluation.report(model, settings, channel.features, channel.labels):
            log(f"#{name}_score (algo-1) : ('{metric}', {value})")
            log(f"#quality_metric: host=algo-1, {name} {metric} <{kind}>={value}")
    if "test" not in channels:
        log("Test data is not provided.")
    model.save(sagemaker_io.MODEL)


def main() -> None:
    """As the container: exit 0, 2 when the caller can put it right, 1 when not; the reason in output/failure."""
    log("Docker entrypoint called with argument(s): train")
    try:
        run()
    except UserError as error:
        log(f"Customer Error: {error}", "ERROR")
        sagemaker_io.fail(str(error), CUSTOMER_ERROR)
    except Exception as error:
        traceback.print_exc()
        sagemaker_io.fail(f"Algorithm Error: {error} (caused by {type(error).__name__})", 1)


if __name__ == "__main__":
    main()
