"""What YAML itself allows and this project does not, and the other way round."""

from __future__ import annotations

import pytest
import yaml

from tests.config.conftest import VALID, Project

REFUSED = [
    ("", 1, "empty"),
    ("name: [1, 2", 1, "not valid YAML"),
    ("a: 1\nb: {c: 2\nd: 3\n", 3, "not valid YAML"),
    ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
    ("a: &x [*x]\n", 1, "contains itself"),
    ("a: 1\n---\nb: 2\n", 2, "single document"),
    ("a: 1\nb: *missing\n", 2, "undefined alias"),
    ("a: 1\nb: !!python/object:os.system ls\n", 2, "cannot be read"),
    ("a: 1\nb: 2026-02-30\n", 2, "cannot be read"),
    ("a: 1\n? [b]\n: 2\n", 2, "not text"),
    ("a: 1\n7: 2\n", 2, "not text"),
    ("base: &b {x: 1}\na: {<<: *b}\n", 2, "not text"),
    (b"a: 1\nb: \xff\n", 2, "not valid YAML"),
    ("a: 1\nb: \x00\n", 2, "not valid YAML"),
    ("- a\n- b\n", 1, "must be a map"),
    ("just text\n", 1, "must be a map"),
    ("null\n", 1, "must be a map"),
]


@pytest.mark.parametrize(("text", "line", "message"), REFUSED)
def test_refused(project: Project, text: str | bytes, line: int, message: str) -> None:
    error = project.refuse(text)
    assert any(problem.line == line and message in problem.message for problem in error.problems), str(error)


def test_a_file_that_expands_without_end_is_refused(project: Project) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "more than 10000 values" in str(project.refuse("\n".join(lines)))


def test_a_large_file_is_refused_before_it_is_parsed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    start = VALID + "# "
    project.load(start + "x" * (256_000 - len(start)))

    def parse(content: bytes) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(yaml, "SafeLoader", parse)
    (problem,) = project.refuse(start + "x" * (256_001 - len(start))).problems
    assert (problem.line, problem.message) == (1, "the file is too large: more than 256 kB")


def test_nesting_without_end_is_refused(project: Project) -> None:
    assert "not valid YAML" in str(project.refuse("a: " + "[" * 5000))


def test_anchors_are_fine(project: Project) -> None:
    text = VALID.replace("plain: {}", "plain: {endpoint: &e {capture_percent: 50}}")
    text = text.replace("{instance: ml.m5.large, capture_percent: 50}", "*e")
    environment = project.load(text)
    assert [workload.serve.capture_percent for workload in environment.workloads] == [50, 50]
