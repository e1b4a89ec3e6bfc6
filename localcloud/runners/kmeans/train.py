"""The built-in K-Means' `train`, on one host or several."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import channels as files
import clustering
import first_party
import numpy as np
import sagemaker_io
import settings as hyperparameters
from first_party import NO_DATA, bad_configuration, log
from hosts import Hosts
from model import Centres
from parameter_table import Settings
from sagemaker_io import UserError, media_type

_CHANNELS = ("train", "test")
_CONTENT_TYPES = (files.RECORDIO, f"{files.CSV};label_size=0")


def read_channels(settings: Settings) -> dict[str, files.Floats]:
    """The rows of this host. Raises UserError."""
    given = sagemaker_io.read_config("inputdataconfig")
    unknown = sorted(set(given) - set(_CHANNELS))
    if unknown:
        raise bad_configuration(f"Additional properties are not allowed ({unknown[0]!r} was unexpected)")
    if "train" not in given:
        raise bad_configuration("'train' is a required property")
    return {name: _read(name, given[name].get("ContentType"), settings) for name in _CHANNELS if name in given}


def _read(name: str, content_type: str | None, settings: Settings) -> files.Floats:
    kind, parameters = media_type(content_type or files.RECORDIO)
    # the service takes the first column of a CSV file for a label unless it is told that there is none
    if kind not in (files.RECORDIO, files.CSV) or (kind == files.CSV and parameters.get("label_size") != "0"):
        raise bad_configuration(f"{content_type!r} is not one of {list(_CONTENT_TYPES)}")
    rows = files.read(name, kind, labelled=False).features
    if not len(rows):
        raise UserError(NO_DATA if name == "train" else f"The {name} channel is empty.")
    if rows.shape[1] != settings.feature_dim:
        raise UserError(
            f"The data of channel '{name}' has {rows.shape[1]} features and the hyperparameter feature_dim is "
            f"{settings.feature_dim}."
        )
    return rows


def run() -> None:
    """Validate, read and summarise on every host; put together, judge and save on the first. Raises UserError."""
    settings = hyperparameters.validated(sagemaker_io.read_config("hyperparameters"))
    log(f"Final configuration: { {name: str(value) for name, value in settings.values.items()} }")
    hosts = Hosts.of_job()
    channels = read_channels(settings)
    rows = channels["train"]
    began = time.monotonic()
    summary = clustering.summarise(settings, rows, hosts.number, log)
    seconds = max(time.monotonic() - began, 1e-9)
    seen = len(rows) * settings.epochs
    log(f"processed a total of {seen} examples")
    log(f"#progress_metric: host={hosts.current}, completed 100.0 % of epochs")
    log(f"#throughput_metric: host={hosts.current}, train throughput={seen / seconds} records/second")

    def put_together(parts: list[bytes]) -> bytes:
        everything = clustering.Summary.of(parts)
        centres, distance = clustering.shrink(settings, everything, log)
        _report("train", settings, distance, float(everything.weights.sum()))
        if "test" in channels:
            squares = clustering.nearest(channels["test"], centres)[1]
            _report("test", settings, float(np.mean(squares)), len(squares))
        else:
            log("Test data is not provided.")
        Centres(centres).save(sagemaker_io.MODEL)
        return b""

    hosts.combine(summary.to_bytes(), put_together)


def _report(channel: str, settings: Settings, mean: float, rows: float) -> None:
    for metric in settings.eval_metrics:
        value = mean if metric == "msd" else mean * rows
        log(f"#{channel}_score (algo-1) : ('{metric}', {value})")
        log(f"#quality_metric: host=algo-1, {channel} {metric} <loss>={value}")


if __name__ == "__main__":
    first_party.main(run)
