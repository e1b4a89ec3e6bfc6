"""The handler functions that an image has of its own, and how its toolkit answers.

PyTorch: aws/sagemaker-pytorch-inference-toolkit. scikit-learn: aws/sagemaker-scikit-learn-container on
sagemaker-containers.
"""

import importlib
import json
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from context import Context
from sagemaker_containers.beta.framework import worker
from sagemaker_inference import content_types, decoder, encoder
from sagemaker_inference.errors import BaseInferenceToolkitError, GenericInferenceToolkitError, UnsupportedFormatError
from serving import Reply

_TEXT = "text/plain; charset=utf-8"


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


class Defaults:
    """One image's."""

    with_context: bool

    def model_fn(self, model_dir: str) -> Any:
        """Load the model."""
        raise NotImplementedError("Please provide a model_fn implementation.")

    def input_fn(self, body: Any, content_type: str) -> Any:
        """Body to data. Raises UnsupportedFormatError."""
        raise NotImplementedError

    def predict_fn(self, data: Any, model: Any) -> Any:
        """Data to prediction."""
        raise NotImplementedError

    def output_fn(self, prediction: Any, accept: str) -> Any:
        """Prediction to reply. Raises UnsupportedFormatError."""
        raise NotImplementedError

    def reply(self, result: Any, accept: str, context: Context) -> Reply:
        """The HTTP reply of what the handler returned."""
        raise NotImplementedError

    def failure(self, error: Exception) -> Reply:
        """The HTTP reply of what it raised."""
        raise NotImplementedError


class PyTorch(Defaults):
    """A TorchScript file, tensors in and out."""

    with_context = True

    def __init__(self) -> None:
        self._torch: Any = importlib.import_module("torch")

    def model_fn(self, model_dir: str) -> Any:
        """`model.pt`, or the only .pt or .pth file there is, saved as TorchScript."""
        path = Path(model_dir) / "model.pt"
        if not path.exists():
            found = sorted(each for each in Path(model_dir).iterdir() if each.suffix in (".pt", ".pth"))
            if len(found) != 1:
                names = [each.name for each in found]
                raise ValueError(f"Exactly one .pth or .pt file is required for PyTorch models: {names}")
            path = found[0]
        try:
            return self._torch.jit.load(str(path), map_location="cpu").eval()
        except RuntimeError as error:
            raise RuntimeError(f"Failed to load {path}. Please ensure model is saved using torchscript.") from error

    def input_fn(self, body: Any, content_type: str) -> Any:
        """A tensor; of float32 from JSON and CSV."""
        array = decoder.decode(body, content_type)
        if content_type in content_types.UTF8_TYPES:
            return self._torch.FloatTensor(array)
        return self._torch.from_numpy(array)

    def predict_fn(self, data: Any, model: Any) -> Any:
        """The model's output."""
        with self._torch.no_grad():
            model.eval()
            return model(data)

    def output_fn(self, prediction: Any, accept: str) -> Any:
        """The first of the accepted types that has an encoder."""
        if isinstance(prediction, self._torch.Tensor):
            prediction = prediction.detach().cpu().numpy().tolist()
        for kind in accept.replace(" ", "").split(","):
            if kind in encoder.SUPPORTED_CONTENT_TYPES:
                return encoder.encode(prediction, kind)
        raise UnsupportedFormatError(accept)

    def reply(self, result: Any, accept: str, context: Context) -> Reply:
        """A body, or (body, content type)."""
        body, kind = result if isinstance(result, tuple) else (result, accept)
        return Reply(context.status or 200, _bytes(body), context.reply_type or kind, context.reply_headers)

    def failure(self, error: Exception) -> Reply:
        """The message and the trace; the status of a toolkit error, else 500."""
        known = error if isinstance(error, BaseInferenceToolkitError) else GenericInferenceToolkitError(500, str(error))
        trace = "".join(traceback.format_exception(error))
        return Reply(known.status_code, f"{known.message}\n{trace}".encode(), _TEXT)


class ScikitLearn(Defaults):
    """Arrays in and out; the model has `predict`."""

    with_context = False

    def input_fn(self, body: Any, content_type: str) -> Any:
        """An array; of float32 from JSON and CSV."""
        array = decoder.decode(body, content_type)
        return array.astype(np.float32) if content_type in content_types.UTF8_TYPES else array

    def predict_fn(self, data: Any, model: Any) -> Any:
        """`model.predict`."""
        return model.predict(data)

    def output_fn(self, prediction: Any, accept: str) -> Any:
        """In the accepted type."""
        return worker.Response(encoder.encode(prediction, accept), accept, mimetype=accept)

    def reply(self, result: Any, accept: str, context: Context) -> Reply:
        """A Response, (body, content type), or a body alone, which Flask takes for HTML."""
        del accept, context
        if isinstance(result, tuple):
            return Reply(200, _bytes(result[0]), result[1])
        if isinstance(result, worker.Response):
            kind = result.mimetype or result.accept or content_types.JSON
            return Reply(int(result.status), _bytes(result.response or b""), kind, result.headers or {})
        return Reply(200, _bytes(result), "text/html; charset=utf-8")

    def failure(self, error: Exception) -> Reply:
        """A type without a codec is told as JSON; of anything else the caller learns nothing, the log everything."""
        if isinstance(error, UnsupportedFormatError):
            document = {
                "error": type(error).__name__,
                "error-message": str(error),
                "stack-trace": "".join(traceback.format_exception(error)),
            }
            return Reply(error.status or 500, json.dumps(document).encode(), content_types.JSON)
        text = "The server encountered an internal error and was unable to complete your request."
        return Reply(500, f"<title>500 Internal Server Error</title>\n<p>{text}</p>\n".encode(), "text/html")
