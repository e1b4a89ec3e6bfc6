"""A notebook as one HTML page with everything in it, for reading and printing; and as what may be committed."""

from __future__ import annotations

import copy
import html
import re
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

if TYPE_CHECKING:
    from nbformat import NotebookNode

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.55 system-ui, sans-serif; color: #1f2933; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
h1, h2 {{ line-height: 1.25; margin-top: 2.2rem; }}
pre {{ overflow-x: auto; padding: .7rem .9rem; border-radius: .3rem; font-size: .84rem; line-height: 1.4; }}
.code pre {{ background: #f5f7fa; border-left: 3px solid #2166ac; }}
.output {{ overflow-x: auto; margin-bottom: 1.2rem; }}
.output pre {{ margin: .2rem 0; padding: .2rem .9rem; white-space: pre-wrap; }}
.output img {{ max-width: 100%; }}
.error pre {{ background: #fdecea; }}
table {{ border-collapse: collapse; font-size: .84rem; }}
th, td {{ padding: .25rem .7rem; border-bottom: 1px solid #e4e7eb; text-align: right; }}
{colours}
</style>
</head>
<body>
{body}
</body>
</html>
"""

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def page(notebook: NotebookNode, title: str) -> str:
    """Return the notebook as an HTML page that needs no other file. Its text is ours and its outputs the notebook's."""
    markdown, colours = MarkdownIt("commonmark").enable("table"), HtmlFormatter(nobackground=True)
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(markdown.render(cell.source))
        elif cell.cell_type == "code" and cell.source.strip():
            parts.append(f'<div class="code">{highlight(cell.source, PythonLexer(), colours)}</div>')
            parts += [_output(one) for one in cell.outputs]
    return _PAGE.format(title=html.escape(title), colours=colours.get_style_defs(".code"), body="\n".join(parts))


def _output(output: Any) -> str:
    """Return the richest form of an output that a page can show."""
    if output.output_type == "stream":
        return f'<div class="output"><pre>{html.escape(output.text)}</pre></div>'
    if output.output_type == "error":
        return f'<div class="output error"><pre>{html.escape(f"{output.ename}: {output.evalue}")}</pre></div>'
    data = output.data
    if "image/png" in data:
        return f'<div class="output"><img alt="" src="data:image/png;base64,{data["image/png"].strip()}"></div>'
    if "text/html" in data:
        return f'<div class="output">{data["text/html"]}</div>'
    return f'<div class="output"><pre>{html.escape(data.get("text/plain", ""))}</pre></div>'


def written(notebook: NotebookNode) -> str:
    """Return the notebook as the text of its file."""
    import nbformat

    text: str = nbformat.writes(notebook, version=4)  # type: ignore[no-untyped-call]  # nbformat has no types
    return text + "\n"


def tidied(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook as it may be committed: without times, ids and addresses that differ from run to run.

    Format 4.4, because 4.5 gives every cell a random id.
    """
    tidy = copy.deepcopy(notebook)
    tidy.nbformat, tidy.nbformat_minor = 4, 4
    tidy.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in tidy.cells:
        cell.pop("id", None)
        cell.metadata = {}
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            output.pop("metadata", None)
            if output.output_type != "stream":
                output.metadata = {}
                text = output.data.get("text/plain")
                if isinstance(text, str):
                    output.data["text/plain"] = _ADDRESS.sub("", text)
    return tidy
