"""The built-in XGBoost's `train`: the real library behind SageMaker's contract.

With several hosts the files of sharded channels are collected on the first, which trains on all of them. AWS's hosts
train one model side by side (Rabit), to the same end.
"""

import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import datasets
import sagemaker_io
import settings
import shards
from engine import MODEL_NAME, Booster, TrainingCallback, train
from hosts import Hosts
from sagemaker_io import UserError

CHECKPOINT = "xgboost-checkpoint"
_CHECKPOINTS_KEPT = 5
#: the platform does not upload files with this ending
_UNFINISHED = ".sagemaker-ignore"
#: texts of XGBoost's own errors that are about the caller's data or settings
_CALLERS_FAULT = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "AUC: the dataset only contains pos or neg samples",
    "base_score must be in (0,1) for logistic loss",
    "label must be nonnegative",
    "Parameter reg_lambda should be greater equal to 0",
)


def log(text: str, level: str = "INFO") -> None:
    """One line in the container's log format."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%d:%H:%M:%S", time.gmtime(now))
    sys.stdout.write(f"[{stamp}:{level}] {text}\n")


class Monitor(TrainingCallback):  # type: ignore[misc]  # the library is not typed
    """Prints the metrics of a round in one write: `[0]<TAB>train-auc:0.92188<TAB>validation-auc:0.91031`."""

    def __init__(self, done: int) -> None:
        """`done`: rounds of the checkpoint that this training continues."""
        super().__init__()
        self.done = done

    def after_iteration(self, _model: Any, epoch: int, evals_log: dict[str, dict[str, list[float]]]) -> bool:
        """Never stops the training."""
        scores = [f"{data}-{name}:{values[-1]:.5f}" for data, of in evals_log.items() for name, values in of.items()]
        sys.stdout.write("\t".join([f"[{self.done + epoch}]", *scores]) + "\n")
        sys.stdout.flush()
        return False


class Saver(TrainingCallback):  # type: ignore[misc]  # the library is not typed
    """Saves the model after every round: as a numbered checkpoint, as the model itself, or both."""

    def __init__(self, checkpoints: Path | None, model: Path | None, done: int) -> None:
        super().__init__()
        self.done = done
        self.checkpoints = checkpoints
        self.model = model

    def after_iteration(self, model: Any, epoch: int, _evals_log: Any) -> bool:
        """Never stops the training."""
        raw = bytes(model.save_raw("ubj"))
        if self.checkpoints:
            number = self.done + epoch
            _write(self.checkpoints / f"{CHECKPOINT}.{number}", raw)
            (self.checkpoints / f"{CHECKPOINT}.{number - _CHECKPOINTS_KEPT}").unlink(missing_ok=True)
        if self.model:
            _write(self.model, raw)
        return False


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: the file appears under its name only when it is complete."""
    partial = path.with_name(path.name + _UNFINISHED)
    partial.write_bytes(content)
    partial.replace(path)


def last_checkpoint(directory: Path) -> tuple[Any, int]:
    """The newest checkpoint and how many rounds it has; (None, 0) without one."""
    found = {
        int(match[1]): path
        for path in directory.iterdir()
        if (match := re.fullmatch(rf"{CHECKPOINT}\.(\d+)", path.name))
    }
    if not found:
        return None, 0
    newest = max(found)
    booster = Booster()
    booster.load_model(bytearray(found[newest].read_bytes()))
    log(f"Checkpoint loaded from {found[newest]}")
    log(f"Resuming from iteration {newest + 1}")
    return booster, newest + 1


def channels() -> tuple[str, bool]:
    """(content kind of the train channel, whether there is a validation channel). Raises UserError."""
    given = sagemaker_io.read_config("inputdataconfig")
    if "train" not in given:
        raise UserError("Missing required channel: train")
    for name, value in given.items():
        if name not in ("train", "validation", "code"):
            raise UserError(f"Extraneous channel found: {name}")
        if value.get("TrainingInputMode") == "Pipe":
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {value}")
    return datasets.content_kind(given["train"].get("ContentType")), "validation" in given


def run() -> None:
    """Validate on every host, load, train and save on the first. Raises UserError."""
    parameters = settings.validated(sagemaker_io.read_config("hyperparameters"))
    kind, has_validation = channels()
    hosts = Hosts.of_job()
    if len(hosts.names) == 1:
        fit(parameters, kind, has_validation, None)
        return

    def on_the_first(parts: list[bytes]) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            shards.unpack(parts[1:], Path(folder))
            fit(parameters, kind, has_validation, Path(folder))
        return b""

    hosts.combine(b"" if hosts.first else shards.pack(), on_the_first)


def fit(parameters: dict[str, Any], kind: str, has_validation: bool, of_others: Path | None) -> None:
    """Load, train, save. Raises UserError."""
    weights = bool(parameters.pop("csv_weights", 0))
    matrices = [(datasets.load("train", kind, weights, of_others), "train")]
    if has_validation:
        matrices.append((datasets.load("validation", kind, weights, of_others), "validation"))
        if kind != "libsvm":  # whose rows do not say what they leave out
            datasets.check_widths(matrices[0][0], matrices[1][0])
    log(f"Train matrix has {matrices[0][0].num_row()} rows and {matrices[0][0].num_col()} columns")
    if has_validation:
        log(f"Validation matrix has {matrices[1][0].num_row()} rows")

    rounds = parameters.pop("num_round")
    patience = parameters.pop("early_stopping_rounds", None)
    keep_on_stop = parameters.pop("save_model_on_termination", "false") == "true"
    local = sagemaker_io.read_config("checkpointconfig").get("LocalPath")
    # without a private /opt/ml the configured path lies below the base directory instead
    directory = sagemaker_io.BASE / Path(local).relative_to("/opt/ml") if local else None
    booster, done = last_checkpoint(directory) if directory else (None, 0)
    model = sagemaker_io.MODEL / MODEL_NAME
    if keep_on_stop:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # the model of the last round is in place
    callbacks: list[Any] = [Monitor(done)]
    if directory or keep_on_stop:
        callbacks.append(Saver(directory, model if keep_on_stop else None, done))
    try:
        trained = train(
            parameters,
            matrices[0][0],
            num_boost_round=max(rounds - done, 0),
            evals=matrices,
            early_stopping_rounds=patience if has_validation else None,
            xgb_model=booster,
            callbacks=callbacks,
            verbose_eval=False,
        )
    except ValueError as error:  # XGBoostError is one
        if any(text in str(error) for text in _CALLERS_FAULT):
            raise UserError(str(error)) from error
        raise UserError(f"XGB train call failed with exception:\n {error}") from error
    if patience and has_validation and rounds > done:
        trained = trained[: trained.best_iteration + 1]
    model.parent.mkdir(parents=True, exist_ok=True)
    _write(model, bytes(trained.save_raw("ubj")))


def main() -> None:
    """As the container: exit 0, or 1 with the reason in output/failure."""
    log("Running XGBoost Sagemaker in algorithm mode")
    try:
        run()
    except UserError as error:
        log(str(error), "ERROR")
        sagemaker_io.fail(f"framework error: \n{error}", 1)


if __name__ == "__main__":
    main()
