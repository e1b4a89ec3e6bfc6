"""The framework images' `serve`: handlers of the customer, defaults of the toolkits, errors as these give them."""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from localcloud.jobs.executor import InputSpec
from localcloud.jobs.model_server import ModelServer, ServerSpec
from localcloud.jobs.runner_environments import ENVIRONMENTS, ensure
from tests.localcloud.jobs.cloud import PYTORCH_INFERENCE, PYTORCH_TRAINING, RUNNERS, Cloud
from tests.localcloud.jobs.runner_modules import RUNNERS as PROGRAMS
from tests.localcloud.jobs.test_framework_training import archive

PYTHON = RUNNERS / "classic" / "bin" / "python"
JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
Answer = tuple[int, str, bytes]


@dataclass(frozen=True)
class Server:
    port: int

    def ask(
        self, body: bytes | str, kind: str, accept: str = "", method: str = "POST", path: str = "/invocations"
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {"Content-Type": kind} | ({"Accept": accept} if accept else {})
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.headers.get("Content-Type", ""), reply.read()
        finally:
            connection.close()


def start(folder: Path, code: Mapping[str, str], port: int, **environment: str) -> subprocess.Popen[str]:
    (folder / "model" / "code").mkdir(parents=True)
    (folder / "model" / "factor.txt").write_text("10")
    for name, text in code.items():
        (folder / "model" / "code" / name).write_text(text)
    settings = {"SAGEMAKER_BASE_DIR": str(folder), "SAGEMAKER_BIND_TO_PORT": str(port), "PATH": os.defpath}
    return subprocess.Popen(
        [str(PYTHON), "-u", str(PROGRAMS / "framework" / "serve.py")],
        env=settings | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, code: Mapping[str, str], **environment: str) -> Iterator[Server]:
    port = free_port()
    process = start(folder, code, port, **environment)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "listening" in line:
                break
        else:
            pytest.fail("the server ended")
        yield Server(port)
    finally:
        process.terminate()
        process.communicate(timeout=20)


#: a model with `predict`, and modules that have the names of the toolkit's own
PLAIN = {
    "inference.py": (
        "import pathlib, log, source\n"
        "class Model:\n"
        "    def __init__(self, factor): self.factor = factor\n"
        "    def predict(self, rows): return (rows * self.factor).sum(axis=1)\n"
        "def model_fn(model_dir):\n"
        "    assert (log.WHOSE, source.WHOSE) == ('mine', 'mine')\n"
        "    return Model(float(pathlib.Path(model_dir, 'factor.txt').read_text()))\n"
    ),
    "log.py": "WHOSE = 'mine'\n",
    "source.py": "WHOSE = 'mine'\n",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("plain"), PLAIN) as server:
        yield server


def npy(values: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, np.array(values))
    return content.getvalue()


@pytest.mark.parametrize(
    ("body", "kind", "accept", "reply_type", "reply"),
    [
        ("[[1, 2], [3, 4]]", JSON, "", JSON, b"[30.0, 70.0]"),
        ("[[1, 2], [3, 4]]", JSON, "*/*", JSON, b"[30.0, 70.0]"),
        ("1,2\n3,4\n", CSV, CSV, CSV, b"30.0\n70.0\n"),
        (npy([[1.0, 2.0]]), NPY, JSON, JSON, b"[30.0]"),
        ("[[1, 2]]", JSON, NPY, NPY, npy(np.array([30.0], np.float32))),
    ],
)
def test_defaults_of_scikit_learn(
    plain: Server, body: bytes | str, kind: str, accept: str, reply_type: str, reply: bytes
) -> None:
    assert plain.ask(body, kind, accept) == (200, reply_type, reply)
    assert plain.ask("", "", method="GET", path="/ping")[0] == 200


@pytest.mark.parametrize(
    ("body", "kind", "accept", "status", "text"),
    [
        ("x", "image/png", "image/png", 415, "Content type image/png is not supported by this framework."),
        ("[[1, 2]]", JSON, "image/png", 406, "Content type image/png is not supported by this framework."),
        ("[[1, 2]", JSON, "", 500, "500 Internal Server Error"),
        ("", CSV, "", 500, "500 Internal Server Error"),
    ],
)
def test_errors_of_scikit_learn(plain: Server, body: str, kind: str, accept: str, status: int, text: str) -> None:
    found, reply_type, content = plain.ask(body, kind, accept)
    assert found == status
    assert text in content.decode()
    if status != 500:
        document = json.loads(content)
        assert (reply_type, document["error"]) == (JSON, "UnsupportedFormatError")
        assert "Traceback" in document["stack-trace"]


def test_concurrent_requests_get_their_own_answers(plain: Server) -> None:
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda n: plain.ask(f"[[{n}, 0]]", JSON)[2], range(200)))
    assert replies == [f"[{n * 10.0}]".encode() for n in range(200)]


def test_handlers_that_answer_themselves(tmp_path: Path) -> None:
    code = {
        "mine.py": (
            "import json\n"
            "from sagemaker_containers.beta.framework import worker\n"
            "def model_fn(model_dir): return 2\n"
            "def input_fn(body, content_type): return json.loads(body)\n"
            "def predict_fn(data, model): return data * model\n"
            "def output_fn(prediction, accept):\n"
            "    if prediction > 100: return worker.Response('too much', status=400, mimetype='text/plain')\n"
            "    if prediction < 0: return 'below zero'\n"
            "    return json.dumps({'twice': prediction}), accept\n"
        )
    }
    with serving(tmp_path, code, SAGEMAKER_PROGRAM="mine.py", SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/x") as server:
        assert server.ask("4", JSON) == (200, "text/x", b'{"twice": 8}')
        assert server.ask("400", JSON) == (400, "text/plain", b"too much")
        assert server.ask("-1", JSON) == (
            200,
            "text/html; charset=utf-8",
            b"below zero",
        )  # Flask's type for a bare text
        # a body over the limit is refused before any handler sees it
        assert server.ask(b"x" * (6 * 1024 * 1024 + 1), CSV)[0] == 413


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ({"inference.py": "import no_such_module\n"}, "No module named 'no_such_module'"),
        ({"inference.py": "def predict_fn(data, model): return data\n"}, "Please provide a model_fn implementation"),
        ({}, "Please provide a model_fn implementation"),
        (
            {"inference.py": "def transform_fn(*a): pass\ndef input_fn(*a): pass\n"},
            "Cannot use transform_fn implementation in conjunction with input_fn, predict_fn, and/or output_fn",
        ),
        pytest.param(
            {"inference.py": "", "requirements.txt": "no-such-package-at-all==1\n"},
            "No matching distribution found for no-such-package-at-all==1",
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_what_keeps_it_from_starting_is_in_the_log(tmp_path: Path, code: dict[str, str], text: str) -> None:
    process = start(tmp_path, code, free_port(), PIP_NO_INDEX="1")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert text in output


# --- PyTorch ----------------------------------------------------------------------------------------------------

TRAIN = """
import os, pathlib, shutil, torch
torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
rows = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [2.0, 1.0]])
labels = rows @ torch.tensor([[3.0], [-1.0]])
optimizer = torch.optim.Adam(model.parameters(), lr=float(os.environ["SM_HP_LR"]))
for epoch in range(600):
    loss = torch.nn.functional.mse_loss(model(rows), labels)
    optimizer.zero_grad(); loss.backward(); optimizer.step()
print(f"val_loss={loss.item():.8f};")
folder = pathlib.Path(os.environ["SM_MODEL_DIR"])
torch.jit.save(torch.jit.trace(model, rows), str(folder / "model.pt"))
(folder / "code").mkdir()
shutil.copy("inference.py", folder / "code" / "inference.py")
"""
HANDLER = """
from sagemaker_inference import decoder
from sagemaker_inference.errors import BaseInferenceToolkitError
import torch
def input_fn(body, content_type, context):
    rows = decoder.decode(body, content_type)
    if rows.shape[-1] != 2:
        raise BaseInferenceToolkitError(400, "each row must have 2 numbers", "Bad Request")
    context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", context.get_request_header(0, "x-mine"))
    return torch.tensor(rows, dtype=torch.float32)
"""


@pytest.mark.exhaustive
def test_pytorch_trains_a_script_and_serves_it_with_the_toolkits_defaults(cloud: Cloud) -> None:
    """The real library. Its environment is made when it is missing: minutes, and 1.3 GB."""
    ensure("pytorch")
    assert ENVIRONMENTS["pytorch"].ready
    code = cloud.put("pytorch/code.tar.gz", archive({"train.py": TRAIN, "inference.py": HANDLER}))
    outcome, _ = cloud.run(
        cloud.training(
            cloud.full_role(),
            image=PYTORCH_TRAINING,
            inputs=[InputSpec("code", code)],
            hyperparameters={
                "sagemaker_program": "train.py",
                "sagemaker_submit_directory": "/opt/ml/input/data/code/code.tar.gz",
                "lr": "0.05",
            },
            metric_definitions=[{"Name": "validation:loss", "Regex": "val_loss=(.*?);"}],
            network_isolation=True,
        )
    )
    assert outcome.status == "Completed", outcome.failure_reason
    assert outcome.metrics[-1][1] < 0.01
    role = cloud.full_role()
    spec = ServerSpec("e", "main", PYTORCH_INFERENCE, outcome.artifact_uri, role_arn=role, network_isolation=True)
    server = ModelServer(spec, cloud.platform)
    server.start()
    try:
        status, headers, body = server.invoke(b"[[1, 1], [2, 0]]", {"Content-Type": JSON, "X-Mine": "yes"})
        assert (status, headers["content-type"]) == (200, JSON)
        assert headers["x-amzn-sagemaker-custom-attributes"] == "yes"
        assert np.allclose(json.loads(body), [[2.0], [6.0]], atol=0.5)
        status, _, body = server.invoke(b"[[1, 1, 1]]", {"Content-Type": JSON})
        assert status == 400
        assert body.startswith(b"each row must have 2 numbers\nTraceback")
        status, _, body = server.invoke(b"[[1, 1]]", {"Content-Type": JSON, "Accept": "image/png"})
        assert (status, body.split(b"\n")[0]) == (500, b"Content type image/png is not supported by this framework.")
    finally:
        server.stop()
