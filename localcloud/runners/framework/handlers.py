"""The customer's handler functions with the toolkits' defaults in the places of those that are missing.

`model_fn(model_dir)`, `input_fn(body, content_type)`, `predict_fn(data, model)`, `output_fn(prediction, accept)`, or
`transform_fn(model, body, content_type, accept)` instead of the last three. In the PyTorch image each may take one
more argument, the context (sagemaker-inference); the scikit-learn image's toolkit is older and hands none over.
"""

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from types import ModuleType
from typing import Any

from context import Context
from defaults import Defaults
from sagemaker_inference.errors import UnsupportedFormatError

Function = Callable[..., Any]
_INSTEAD = ("input_fn", "predict_fn", "output_fn")


@contextmanager
def _status(code: int) -> Iterator[None]:
    try:
        yield
    except UnsupportedFormatError as error:
        error.status = code
        raise


@dataclass(frozen=True)
class Handlers:
    """The functions of one endpoint."""

    functions: dict[str, Function]
    with_context: bool

    @classmethod
    def of(cls, module_name: str, defaults: Defaults) -> "Handlers":
        """Import the customer's module, or do without when there is none. Raises ValueError, and what it raises."""
        found = importlib.util.find_spec(module_name)
        module = importlib.import_module(module_name) if found is not None else ModuleType(module_name)
        own = {name: getattr(module, name, None) for name in ("model_fn", "transform_fn", *_INSTEAD)}
        if own["transform_fn"] and any(own[name] for name in _INSTEAD):
            raise ValueError(
                "Cannot use transform_fn implementation in conjunction with input_fn, predict_fn, and/or output_fn "
                "implementation"
            )
        functions = {name: function or getattr(defaults, name, None) for name, function in own.items()}
        return cls(
            {name: function for name, function in functions.items() if function is not None}, defaults.with_context
        )

    def load(self, model_dir: str, context: Context) -> Any:
        """The model."""
        return self._call("model_fn", context, model_dir)

    def transform(self, model: Any, body: Any, content_type: str, accept: str, context: Context) -> Any:
        """The reply to one request: its body, or (body, content type)."""
        if "transform_fn" in self.functions:
            return self._call("transform_fn", context, model, body, content_type, accept)
        with _status(415):
            data = self._call("input_fn", context, body, content_type)
        prediction = self._call("predict_fn", context, data, model)
        with _status(406):
            return self._call("output_fn", context, prediction, accept)

    def _call(self, name: str, context: Context, *arguments: Any) -> Any:
        function = self.functions[name]
        if not self.with_context:
            return function(*arguments)
        takes = len(signature(function).parameters)
        if takes == len(arguments) + 1:
            return function(*arguments, context)
        if takes != len(arguments):
            raise TypeError(f"{name} takes {takes} arguments but {len(arguments)} were given.")
        return function(*arguments)
