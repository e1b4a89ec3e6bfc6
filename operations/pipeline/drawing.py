"""A pipeline as a picture: one SVG file that needs nothing else, with the colours of an execution.

Graphviz lays it out and draws it, as WebAssembly in the pinned Node (npm package ``@viz-js/viz``): nothing of the
machine is used.
"""

from __future__ import annotations

import html
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from operations.errors import OperationError
from operations.pipeline.execution import Execution, State
from operations.pipeline.plan import Plan, Step
from operations.pipeline.tree import took
from operations.project import NODE, ROOT
from operations.target import without_aws

_PROGRAM = """
const text = require('fs').readFileSync(0, 'utf8');
require('@viz-js/viz').instance().then(viz => {
  const made = viz.render(text, { format: 'svg', engine: 'dot' });
  if (made.status !== 'success') throw new Error(JSON.stringify(made.errors));
  process.stdout.write(made.output);
});
"""

_INK, _SOFT, _LINE, _FAINT = "#1f2933", "#616e7c", "#7b8794", "#cbd2d9"
_PLAIN = ("#ffffff", "#9aa5b1")
_COLOURS = {
    State.WAITING: _PLAIN,
    State.RUNNING: ("#dbeafe", "#2166ac"),
    State.SUCCEEDED: ("#dff3e3", "#2e7d32"),
    State.CACHED: ("#dff1f4", "#0f7b8a"),
    State.REUSED: ("#dff1f4", "#0f7b8a"),
    State.FAILED: ("#fbdcd9", "#b42318"),
    State.STOPPED: ("#fdf0cf", "#8c6d1f"),
    State.SKIPPED: ("#f5f7fa", _FAINT),
    State.UNREACHED: ("#f5f7fa", _FAINT),
}
"""Background and border of a step in each state. The words in the box say the same without colour."""


def draw(plan: Plan, title: str, execution: Execution | None, notes: Mapping[str, str], now: datetime | None) -> str:
    """Return the SVG of a definition, coloured by one of its executions if there was one.

    Raises OperationError when Graphviz is not installed or refuses.
    """
    return _rendered(_graph(plan, title, execution, notes, now))


def _rendered(graph: str) -> str:
    run = subprocess.run(
        [str(NODE), "-e", _PROGRAM], input=graph, capture_output=True, text=True, check=False, cwd=ROOT,
        env=without_aws({}),
    )  # fmt: skip
    if run.returncode:
        said = run.stderr.strip().splitlines()
        why = next((line for line in said if "Error" in line), said[-1] if said else "")
        raise OperationError(f"Graphviz could not draw the pipeline. Run: make install\n{why}")
    return run.stdout[run.stdout.index("<svg") :]


def _graph(plan: Plan, title: str, execution: Execution | None, notes: Mapping[str, str], now: datetime | None) -> str:
    """Return the picture in Graphviz's language."""
    lines = [
        "digraph pipeline {",
        'graph [rankdir=TB, ordering=out, nodesep=0.35, ranksep=0.42, pad=0.3, fontname="Helvetica", bgcolor="white",',
        f'  labelloc=t, fontsize=15, fontcolor="{_INK}", label={_heading(title, execution, now)}]',
        'node [shape=box, style="rounded,filled", fontname="Helvetica", margin="0.16,0.09", penwidth=1.4]',
        f'edge [fontname="Helvetica", fontsize=10, fontcolor="{_SOFT}", arrowsize=0.7, penwidth=1.2]',
        *(_box(step, execution, notes, now) for step in plan.steps.values()),
        *_arrows(plan, execution),
        "}",
    ]
    return "\n".join(lines)


def _heading(title: str, execution: Execution | None, now: datetime | None) -> str:
    below = "as defined; it has never run"
    if execution and now:
        below = f"execution {execution.id}: {execution.status}"
    rows = (f"<b>{html.escape(title)}</b>", f'<font point-size="11" color="{_SOFT}">{html.escape(below)}</font>', " ")
    return f"<{_lines(rows)}>"


def _lines(texts: Iterable[str]) -> str:
    """Return lines of text as a table: Graphviz sets plain lines of different sizes too close."""
    rows = "".join(f"<tr><td>{text}</td></tr>" for text in texts)
    return f'<table border="0" cellborder="0" cellspacing="0" cellpadding="1">{rows}</table>'


def _box(step: Step, execution: Execution | None, notes: Mapping[str, str], now: datetime | None) -> str:
    state = execution.state(step.name) if execution else None
    fill, border = _COLOURS[state] if state else _PLAIN
    faint = state in (State.SKIPPED, State.UNREACHED)
    words = [step.kind]
    if execution and state and now:
        words += [state.value] if state is not State.SUCCEEDED else []
        words += [time] if (time := took(execution, step.name, now)) else []
    ink, soft = (_SOFT, _LINE) if faint else (_INK, _SOFT)
    lines = [f'<font point-size="12" color="{ink}"><b>{html.escape(step.name)}</b></font>']
    for text in (" · ".join(words), notes.get(step.name, "")):
        if text:
            lines.append(f'<font point-size="9.5" color="{soft}">{html.escape(_short(text))}</font>')
    shape = ', shape=hexagon, style="filled", margin="0.02,0.03"' if step.kind == "Condition" else ""
    tip = json.dumps(f"{step.name}: {', '.join(words)}")
    return f'"{step.name}" [label=<{_lines(lines)}>, fillcolor="{fill}", color="{border}", tooltip={tip}{shape}]'


def _arrows(plan: Plan, execution: Execution | None) -> Iterator[str]:
    for name, step in plan.steps.items():
        faint = execution is not None and execution.state(name) in (State.SKIPPED, State.UNREACHED)
        style = f'color="{_FAINT}", style=dashed' if faint else f'color="{_LINE}"'
        for one in plan.direct[name]:
            # what a branch needs from outside must not pull that down to the branch
            weight = 1 if plan.steps[one].branch == step.branch else 0
            yield f'"{one}" -> "{name}" [{style}, weight={weight}]'
        if step.branch and not _comes_later(plan, name):
            word = "yes" if step.branch.outcome else "no"
            yield f'"{step.branch.condition}" -> "{name}" [{style}, label="  {word}"]'


def _comes_later(plan: Plan, name: str) -> bool:
    """Say whether a step of a branch waits for another one of it, so that its condition is not what it waits for."""
    branch = plan.steps[name].branch
    return any(plan.steps[one].branch == branch for one in plan.direct[name])


def _short(text: str) -> str:
    return text if len(text) <= 48 else text[:47] + "…"
