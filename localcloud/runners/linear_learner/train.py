"""The built-in Linear Learner's `train`.

With several hosts the rows of channels that are sharded are collected on the first, which trains on all of them: the
model is the one that a single host makes of the same data. AWS's hosts train side by side on a parameter server.
"""

import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import channels as files
import evaluation
import first_party
import numpy as np
import sagemaker_io
import settings as hyperparameters
from first_party import NO_DATA, bad_configuration, log
from fit import Channel, Fit, default_configuration
from hosts import Hosts
from sagemaker_io import UserError, media_type
from settings import AUTO, Settings

_CHANNELS = ("train", "validation", "test")
_CONTENT_TYPES = (files.RECORDIO, files.CSV)


def read_channels(settings: Settings) -> dict[str, Channel]:
    """All channels of this host. Raises UserError."""
    given = sagemaker_io.read_config("inputdataconfig")
    unknown = sorted(set(given) - set(_CHANNELS))
    if unknown:
        raise bad_configuration(f"Additional properties are not allowed ({unknown[0]!r} was unexpected)")
    if "train" not in given:
        raise bad_configuration("'train' is a required property")
    found = {name: _read(name, given[name].get("ContentType"), settings) for name in _CHANNELS if name in given}
    for name, channel in found.items():
        width, trained = channel.features.shape[1], found["train"].features.shape[1]
        if width != trained:
            raise UserError(
                f"The data of channel '{name}' has {width} features and that of channel 'train' has {trained}."
            )
    return found


def _read(name: str, content_type: str | None, settings: Settings) -> Channel:
    kind, parameters = media_type(content_type or _CONTENT_TYPES[0])
    if kind not in _CONTENT_TYPES or parameters.get("label_size", "1") != "1":
        raise bad_configuration(f"{content_type!r} is not one of {list(_CONTENT_TYPES)}")
    table = files.read(name, kind, labelled=True)
    labels = table.labels if table.labels is not None else np.empty(0, np.float32)
    rows, width = table.features.shape
    if rows == 0 or (name == "train" and rows < settings.mini_batch_size):
        raise UserError(NO_DATA if name == "train" else f"The {name} channel is empty.")
    if settings.feature_dim not in (AUTO, width):
        raise UserError(
            f"The data of channel '{name}' has {width} features and the hyperparameter feature_dim is "
            f"{settings.feature_dim}."
        )
    classes = {"binary_classifier": 2, "multiclass_classifier": settings.num_classes}.get(settings.predictor_type)
    if classes and not np.isin(labels, np.arange(classes)).all():
        row = int(np.flatnonzero(~np.isin(labels, np.arange(classes)))[0])
        raise UserError(
            f"The labels of channel '{name}' must be whole numbers from 0 to {classes - 1} for a "
            f"{settings.predictor_type}. Row {row + 1} of its data has the label {labels[row]:g}."
        )
    return Channel(table.features, labels)


def _sharded(channels: dict[str, Channel]) -> bytes:
    """The rows that no other host has."""
    given = sagemaker_io.read_config("inputdataconfig")
    content = io.BytesIO()
    arrays = {
        f"{name}.{part}": getattr(channel, part)
        for name, channel in channels.items()
        if given[name].get("S3DistributionType") == "ShardedByS3Key"
        for part in ("features", "labels")
    }
    np.savez(content, **arrays)
    return content.getvalue()


def _together(channels: dict[str, Channel], parts: list[bytes]) -> dict[str, Channel]:
    """The channels of the first host, and in those that are sharded the rows of all."""
    hosts = [np.load(io.BytesIO(part), allow_pickle=False) for part in parts]
    return {
        name: Channel(
            np.concatenate([host[f"{name}.features"] for host in hosts]),
            np.concatenate([host[f"{name}.labels"] for host in hosts]),
        )
        if f"{name}.features" in hosts[0]
        else channel
        for name, channel in channels.items()
    }


def train(settings: Settings, channels: dict[str, Channel]) -> None:
    """Train, judge, save. Raises UserError."""
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


def run() -> None:
    """Validate and read on every host, train on the first. Raises UserError."""
    settings = hyperparameters.validated(sagemaker_io.read_config("hyperparameters"))
    log(default_configuration(settings))
    channels = read_channels(settings)
    hosts = Hosts.of_job()
    if len(hosts.names) == 1:
        train(settings, channels)
        return

    def on_the_first(parts: list[bytes]) -> bytes:
        train(settings, _together(channels, parts))
        return b""

    hosts.combine(_sharded(channels), on_the_first)


if __name__ == "__main__":
    first_party.main(run)
