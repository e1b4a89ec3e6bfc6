"""`serve` of the framework images: the customer's handlers behind /ping and /invocations.

The handlers are a module of `model.tar.gz:code/` (SAGEMAKER_PROGRAM, else inference.py; SAGEMAKER_SUBMIT_DIRECTORY
names another folder or an archive). AWS's servers have one process for each request under way; here they are as many
threads of one process, so what a handler keeps in a global is seen by all of them.
"""

import importlib
import importlib.util
import os
import sys
import tempfile
import threading
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "packages"))

import source
from context import Context
from defaults import Defaults, PyTorch, ScikitLearn
from handlers import Handlers
from log import log
from requirements import install
from sagemaker_inference import content_types
from sagemaker_io import MODEL
from serving import Reply, Request, serve

_LOG_NAME = "sagemaker-inference"
_OURS = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "shared")]


def code_folder() -> Path:
    """The folder with the handlers."""
    given = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "").removeprefix("file://")
    if not given:
        return MODEL / "code"
    place = source.here(given)
    if place.is_dir():
        return place
    unpacked = Path(tempfile.mkdtemp(prefix="code-"))
    source.fetch(given, unpacked)
    return unpacked


def step_aside(code: Path) -> None:
    """Make room for the customer's modules: they may have the names of ours, which are all imported by now."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name != "__main__" and file and str(Path(file).parent) in _OURS:
            del sys.modules[name]
    sys.path[:] = [str(code), *(each for each in sys.path if each not in _OURS)]
    os.environ["PYTHONPATH"] = ":".join(filter(None, [str(code), os.environ.get("PYTHONPATH")]))
    importlib.invalidate_caches()


def main() -> None:
    """Install what the code needs, load the model, then answer."""
    defaults: Defaults = PyTorch() if importlib.util.find_spec("torch") else ScikitLearn()
    code = code_folder()
    install(code, lambda text: log(text, name=_LOG_NAME))
    step_aside(code)
    module = os.environ.get("SAGEMAKER_PROGRAM") or "inference.py"
    handlers = Handlers.of(module.removesuffix(".py"), defaults)
    model = handlers.load(str(MODEL), Context(str(MODEL)))
    standard = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", content_types.JSON)
    at_once = threading.BoundedSemaphore(int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or os.cpu_count() or 1))

    def invoke(request: Request) -> Reply:
        context = Context(str(MODEL), request.headers)
        kind = request.content_type or content_types.JSON
        accept = standard if request.accept in ("", content_types.ANY) else request.accept
        try:
            body = request.body.decode() if kind in content_types.UTF8_TYPES else request.body
            with at_once:
                result = handlers.transform(model, body, kind, accept, context)
            return defaults.reply(result, accept, context)
        except Exception as error:  # the caller gets the toolkit's answer, the log the reason
            traceback.print_exc()
            return defaults.failure(error)

    serve(invoke)


if __name__ == "__main__":
    main()
