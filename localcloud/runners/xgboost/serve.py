"""The built-in XGBoost's `serve`. Formats, status codes and their order as in AWS's open container."""

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))

import numpy as np
import selection
from engine import Booster, DMatrix
from recordio import read_matrix
from sagemaker_io import MODEL, media_type
from serving import Reply, Request, serve
from tabular import delimiter_of, parse_csv, parse_libsvm

_ACCEPTED = ["application/json", "application/jsonlines", "application/x-recordio-protobuf", "text/csv"]
_CSV = ("csv", "text/csv")
_LIBSVM = ("libsvm", "text/libsvm", "text/x-libsvm")
_RECORDIO = ("recordio-protobuf", "application/x-recordio-protobuf")


class Model:
    """The boosters of the model directory: one, or the folds of a cross validation, averaged."""

    def __init__(self, directory: Path) -> None:
        files = sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith("."))
        if not files:
            raise RuntimeError(f"no model file in {directory}")
        self._boosters = [self._load(path) for path in files]
        self._lock = threading.Lock()
        config = json.loads(self._boosters[0].save_config())["learner"]
        self.objective: str = config["objective"]["name"]
        self.classes = int(config["learner_model_param"].get("num_class", "0"))

    @staticmethod
    def _load(path: Path) -> Any:
        booster = Booster()
        booster.load_model(bytearray(path.read_bytes()))
        booster.set_param("nthread", 1)
        return booster

    def check_width(self, kind: str, found: int) -> None:
        """Raises ValueError, in the container's words, for rows of another width than the model was trained on.

        The container lets a CSV or RecordIO row have one column less, and a libsvm row any number less.
        """
        trained = self._boosters[0].num_features()
        if kind in _LIBSVM:
            if found > trained + 1:
                raise ValueError(
                    f"Feature size of libsvm inference data {found} is larger than feature size of trained model "
                    f"{trained}."
                )
        elif found not in (trained, trained - 1):
            name = "csv" if kind in _CSV else "recordio-protobuf"
            raise ValueError(
                f"Feature size of {name} inference data {found} is not consistent with feature size of trained model "
                f"{trained}."
            )

    def predict(self, matrix: Any) -> Any:
        """One value per row, or one row of class probabilities."""
        with self._lock:
            found = [booster.predict(matrix, validate_features=False) for booster in self._boosters]
        return found[0] if len(found) == 1 else np.mean(found, axis=0)


def _matrix(request: Request) -> Any:
    """The body as a DMatrix. Raises RuntimeError with the container's text."""
    kind, _ = media_type(request.content_type)
    if kind in _CSV:
        try:
            text = request.body.strip().decode()
            return DMatrix(parse_csv(text, delimiter_of(text.partition("\n")[0])))
        except Exception as error:
            raise RuntimeError(_unreadable("csv", error)) from error
    if kind in _LIBSVM:
        try:
            return DMatrix(_dense(request.body.decode()))
        except Exception as error:
            raise RuntimeError(_unreadable("libsvm", error)) from error
    if kind in _RECORDIO:
        try:
            return DMatrix(read_matrix(request.body)[0])
        except Exception as error:
            raise RuntimeError(_unreadable("recordio-protobuf", error)) from error
    raise RuntimeError(f"Content-type {request.content_type} is not supported.")


def _unreadable(kind: str, error: Exception) -> str:
    return (
        f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n {type(error)}\n {error}"
    )


def _dense(text: str) -> Any:
    """What a libsvm line leaves out is missing, not zero, as in the sparse matrix the container makes."""
    found = parse_libsvm(text, labelled=False)
    rows = len([line for line in text.splitlines() if line.strip()])
    table = np.full((rows, found.width), np.nan, np.float32)
    table[found.rows, found.columns] = found.values
    return table


def _accept(header: str) -> str:
    """Raises ValueError for a type that is not offered."""
    name, _ = media_type(header)
    if name in ("", "*/*"):
        return os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv")
    if name not in _ACCEPTED:
        raise ValueError(f"Accept type {name} is not supported. Please use supported accept types: {_ACCEPTED}.")
    return name


def _lines(predictions: Any) -> bytes:
    rows = predictions.tolist()
    return "".join((",".join(map(str, row)) if isinstance(row, list) else str(row)) + "\n" for row in rows).encode()


def _encode(model: Model, predictions: Any, accept: str) -> Reply:
    chosen = os.environ.get("SAGEMAKER_INFERENCE_OUTPUT")
    if chosen is not None:
        try:
            names = chosen.replace(" ", "").lower().split(",")
            rows = selection.select(predictions, names, model.objective, model.classes)
            return Reply(200, selection.encode_selected(rows, accept), accept)
        except Exception as error:  # the container answers 500 whatever it was
            traceback.print_exc()
            return Reply(500, str(error).encode())
    if accept == "text/csv" or os.environ.get("SAGEMAKER_BATCH"):
        return Reply(200, _lines(predictions), "text/csv; charset=utf-8")
    if accept == "application/json":
        document = {"predictions": [{"score": score} for score in predictions.tolist()]}
        return Reply(200, json.dumps(document).encode(), accept)
    # advertised, but the container's encoder knows them only for selected fields
    return Reply(500, f"Content type {accept} is not supported by this framework.".encode())


def main() -> None:
    """Load the model, then answer."""
    model = Model(MODEL)

    def invoke(request: Request) -> Reply:
        if not request.body:
            return Reply(204)
        try:
            matrix = _matrix(request)
        except RuntimeError as error:
            return Reply(415, str(error).encode())
        try:
            model.check_width(media_type(request.content_type)[0], matrix.num_col())
            predictions = model.predict(matrix)
        except ValueError as error:  # XGBoostError is one
            return Reply(400, f"Unable to evaluate payload provided: {error}".encode())
        try:
            accept = _accept(request.accept)
        except ValueError as error:
            return Reply(406, str(error).encode())
        return _encode(model, predictions, accept)

    serve(invoke)


if __name__ == "__main__":
    main()
