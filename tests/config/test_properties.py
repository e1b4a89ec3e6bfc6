"""Whatever is done to a valid file, loading it gives an environment or a ConfigError that says where to look."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sandcastle.config import ConfigError
from tests.config.conftest import VALID, make_project

PROJECT = make_project(Path(tempfile.mkdtemp(prefix="sandcastle-config-")))
WORDS = st.sampled_from(
    ["name", "region", "workloads", "plain", "endpoint", "spot", "kind", "x", "", "no", "0", "data"]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.text(max_size=12), st.dates())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)


def checked(text: bytes) -> None:
    """Load the text; a refusal must name a file, and a line that the file has."""
    lines = text.count(b"\n") + text.count(b"\r") + text.count("\u2028".encode()) + text.count("\x85".encode()) + 2
    try:
        PROJECT.load(text)
    except ConfigError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.file == "environments/test.yaml"
            assert 1 <= problem.line <= lines
            assert problem.message
            assert f"{problem.file}:{problem.line}:" in str(error)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, one in inner for path in paths(one, (*here, key)))]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_value_in_any_place(data: st.DataObject) -> None:
    document = {"top": yaml.safe_load(VALID)}
    path = ("top", *data.draw(st.sampled_from(paths(document["top"]))))
    target: Any = document
    for step in path[:-1]:
        target = target[step]
    match data.draw(st.sampled_from(["replace", "remove", "add"])):
        case "replace":
            target[path[-1]] = data.draw(VALUES)
        case "remove":
            del target[path[-1]]
        case _ if isinstance(target[path[-1]], dict):
            target[path[-1]][data.draw(WORDS)] = data.draw(VALUES)
    if "top" in document:
        checked(yaml.safe_dump(document["top"], allow_unicode=data.draw(st.booleans())).encode())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_text_in_any_place(data: st.DataObject) -> None:
    text = VALID.encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    noise = st.one_of(st.binary(max_size=6), st.text("{}[]:,&*!|>-#\"'\n\t %@`?~<=.", max_size=6).map(str.encode))
    checked(text[:start] + data.draw(noise) + text[end:])
