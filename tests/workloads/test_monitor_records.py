"""What is captured at a pipeline's endpoint, in the form of its baseline; and the analyzer's judgement of it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.localcloud.jobs.monitor_programs import CAPTURE, CSV, captured, environment, put, run

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "assets" / "pipeline" / "monitor_records.py"


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("monitor_records", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def exchange(request: tuple[str, Any], answer: tuple[str, Any]) -> Any:
    def side(encoding: str, data: Any) -> Any:
        return SimpleNamespace(encoding=encoding, data=data if isinstance(data, str) else json.dumps(data))

    return SimpleNamespace(endpoint_input=side(*request), endpoint_output=side(*answer))


def values(found: Any) -> list[list[Any]]:
    """Rows, each in the order of its keys."""
    return [[row[key] for key in sorted(row)] for row in (found if isinstance(found, list) else [found])]


_PREDICTION = {"prediction": 7, "confidence": 0.9}


@pytest.mark.parametrize(
    ("request_", "answer", "rows"),
    [
        (("CSV", "1,2"), ("CSV", "7,0.9\n"), [["7", "1", "2"]]),
        (("CSV", "1,2\n3,4"), ("JSON", [_PREDICTION, _PREDICTION]), [[7, "1", "2"], [7, "3", "4"]]),
        (("JSON", [[1, 2]]), ("JSON", [_PREDICTION]), [[7, 1, 2]]),
        (("JSON", {"samples": [[[1, 2], [3, 4]]]}), ("JSON", _PREDICTION), [[7, 1, 2, 3, 4]]),
        (("JSON", [{"b": 2, "a": 1}]), ("CSV", "7,0.9"), [["7", 1, 2]]),
        (("JSON", [{"a": 1}]), ("CSV", "7"), [["7", 1, None]]),
        (("CSV", "1,2\n3,4"), ("CSV", "7,8"), [["7", "1", "2"], ["8", "3", "4"]]),
        (("JSON", {"image": "https://example.com/7.png"}), ("JSON", [_PREDICTION]), []),
        (("CSV", "1,2"), ("JSON", {"error": "no"}), []),
        (("CSV", "1,2"), ("BASE64", "AAAA"), []),
        (("CSV", "1,2\n3,4"), ("JSON", [_PREDICTION]), []),
        (("JSON", "{"), ("JSON", [_PREDICTION]), []),
    ],
)
def test_rows_of_an_exchange(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request_: Any, answer: Any, rows: Any
) -> None:
    features = [{"name": name} for name in ("digit", "a", "b")]
    (tmp_path / "constraints.json").write_text(json.dumps({"features": features}))
    monkeypatch.setenv("baseline_constraints", str(tmp_path / "constraints.json"))  # as Model Monitor names it
    monkeypatch.setenv("SANDCASTLE_ANSWER", "json:prediction")
    found = script.preprocess_handler(exchange(request_, answer))
    assert ([] if found == [] else values(found)) == rows


@pytest.mark.parametrize(("score", "expected"), [("0.7", 1), ("0.3", 1), ("0.2", 0), ("much", None)])
def test_a_score_becomes_a_class(
    script: Any, monkeypatch: pytest.MonkeyPatch, score: str, expected: int | None
) -> None:
    for name, value in (("KIND", "binary"), ("ANSWER", "csv"), ("THRESHOLD", "0.3")):
        monkeypatch.setenv(f"SANDCASTLE_{name}", value)
    found = script.preprocess_handler(exchange(("CSV", "1,2"), ("CSV", score)))
    assert found == [] if expected is None else values(found) == [[expected, "1", "2"]]


def test_the_analyzer_compares_position_by_position(tmp_path: Path) -> None:
    """CSV asked, JSON answered: without the script that is no data to analyse, with it nothing is wrong."""
    rows = [(n % 3, n % 5, (n * 7) % 11) for n in range(300)]
    table = "digit,a,b\n" + "".join(f"{digit},{a},{b}\n" for digit, a, b in rows)
    put(tmp_path, "processing/input/baseline_dataset_input/rows.csv", table)
    baseline = run(tmp_path, environment(CSV))
    assert baseline.code == 0, baseline.log
    traffic = []
    for digit, a, b in rows:
        line = json.loads(captured([(f"{a},{b}", json.dumps([{"prediction": digit, "confidence": 0.9}]))]))
        line["captureData"]["endpointOutput"]["encoding"] = "JSON"
        traffic.append(json.dumps(line))
    put(tmp_path, "processing/data/x.jsonl", "\n".join(traffic))
    put(tmp_path, "processing/script/monitor_records.py", SCRIPT.read_text())
    for name in ("constraints", "statistics"):
        put(tmp_path, f"processing/{name}.json", json.dumps(baseline.file(f"{name}.json")))
    variables = environment(
        CAPTURE,
        dataset_source="/opt/ml/processing/data",
        # the script reads it by itself, where a job has an /opt/ml of its own
        baseline_constraints=str(tmp_path / "processing/constraints.json"),
        baseline_statistics=str(tmp_path / "processing/statistics.json"),
    )
    refused = run(tmp_path, variables)
    assert refused.code == 255
    assert "Encoding mismatch: Encoding is CSV for endpointInput" in refused.text("failure")
    with_script = {"record_preprocessor_script": "/opt/ml/processing/script/monitor_records.py"}
    result = run(tmp_path, {**variables, **with_script})
    assert result.code == 0, result.log
    assert result.violations == []
