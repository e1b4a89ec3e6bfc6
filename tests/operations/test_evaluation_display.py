"""How the verdict and a picture are shown: in the terminal, as a document and as PNG."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from operations.evaluation import Confusion, Evaluation, EvaluationError, render_digit, render_terminal, to_json

# The numbers that the tutorial prints for the public table.
TUTORIAL = Evaluation(
    workload="bank",
    positive="Purchase",
    negative="No Purchase",
    threshold=0.5,
    origin="public",
    source="UCI Bank Marketing",
    confusion=Confusion(true_negative=10785, false_positive=151, false_negative=1124, true_positive=297),
    auc=0.77,
    requests=25,
)


def printed(what: object) -> str:
    console = Console(file=io.StringIO(), width=110, color_system=None)
    console.print(what)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_terminal_shows_the_tutorials_table() -> None:
    text = printed(render_terminal(TUTORIAL))
    assert "Overall Classification Rate: 89.7%" in text
    rows = {line.strip().split("  ")[0]: line.split() for line in text.splitlines() if line.strip()}
    lines = [line.split() for line in text.splitlines()]
    assert ["No", "Purchase", "90.6%", "(10,785)", "33.7%", "(151)", "10,936"] in lines
    assert ["Purchase", "9.4%", "(1,124)", "66.3%", "(297)", "1,421"] in lines
    assert rows["Precision"][1] == "66.3%"
    assert rows["Recall"][1] == "20.9%"
    assert rows["F1"][1] == "0.318"
    assert rows["AUC"][1] == "0.770"
    assert rows["Observed rate"][2] == "11.5%"
    assert rows["Baseline"][1] == "88.5%"
    assert "generated" not in text.lower()


def test_generated_data_is_named_in_the_title_and_beside_its_source() -> None:
    text = printed(render_terminal(replace(TUTORIAL, origin="generated", source="8,000 invented clients")))
    title, source, *_ = text.splitlines()
    assert title.strip().endswith("(generated data)")
    assert source.startswith("GENERATED DATA: 8,000 invented clients")


def test_rates_that_do_not_exist_are_shown_as_a_dash() -> None:
    empty = replace(TUTORIAL, confusion=Confusion(5, 0, 0, 0), auc=None)
    text = printed(render_terminal(empty))
    assert [line.split()[1] for line in text.splitlines() if line.strip().startswith(("Precision", "AUC"))] == [
        "-",
        "-",
    ]
    document = to_json(empty)
    assert (document["precision"], document["auc"], document["accuracy"]) == (None, None, 1.0)


def test_markup_in_class_names_is_shown_as_it_is() -> None:
    assert "[bold]yes" in printed(render_terminal(replace(TUTORIAL, positive="[bold]yes")))


def test_json_holds_counts_rates_and_the_origin() -> None:
    document = json.loads(json.dumps(to_json(replace(TUTORIAL, origin="generated"))))
    assert document["confusion"] == {
        "true_negative": 10785,
        "false_positive": 151,
        "false_negative": 1124,
        "true_positive": 297,
    }
    assert document["rows"] == 12357
    assert document["support"] == {"negative": 10936, "positive": 1421}
    assert document["accuracy"] == pytest.approx(0.8968, abs=1e-4)
    assert document["data"]["generated"] is True
    assert "generated data" in document["title"]


def drawn_text(monkeypatch: pytest.MonkeyPatch, result: Evaluation, path: Path) -> list[str]:
    """Draw, and return every text that the figure holds, by keeping the figure that is saved."""
    from matplotlib.figure import Figure

    from operations import plots

    figures: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, target: Path) -> None:
        figures.append(figure)
        save(figure, target)

    monkeypatch.setattr(Figure, "savefig", keep)
    plots.write_png(result, path)
    texts = [text.get_text() for text in figures[0].texts]
    return texts + [text.get_text() for axes in figures[0].axes for text in axes.texts]


def test_the_png_shows_counts_and_says_when_data_is_generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "confusion.png"
    texts = drawn_text(monkeypatch, replace(TUTORIAL, origin="generated"), path)
    assert {"10,785", "151", "1,124", "297", "0.897", "0.209"} <= set(texts)
    assert any(text.startswith("generated data") for text in texts)
    with Image.open(path) as image:
        assert image.size == (960, 900)
        assert len(image.convert("L").getcolors(256) or []) > 20
    texts = drawn_text(monkeypatch, TUTORIAL, path)
    assert not any("generated" in text for text in texts)


def test_a_png_of_a_model_that_never_says_yes_can_be_drawn(tmp_path: Path) -> None:
    from operations import plots

    plots.write_png(replace(TUTORIAL, confusion=Confusion(90, 0, 10, 0), auc=None), tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").stat().st_size > 10_000


# --- pictures of digits -------------------------------------------------------------------------------------------

CROSS = b"1,0,1,0,1,0,1,0,1"


def test_a_picture_without_colours_uses_two_pixels_per_line() -> None:
    assert [line.rstrip() for line in printed(render_digit(CROSS, (3, 3))).splitlines()] == ["▀▄▀", "▀ ▀"]


def test_a_picture_with_colours_paints_both_halves_of_each_character() -> None:
    console = Console(file=io.StringIO(), width=40, force_terminal=True, color_system="truecolor")
    console.print(render_digit(b"1,0,0.5,0", (2, 2)))
    file = console.file
    assert isinstance(file, io.StringIO)
    assert file.getvalue().startswith("\x1b[38;2;255;255;255;48;2;128;128;128m▀")


def test_a_picture_can_be_written_as_png(tmp_path: Path) -> None:
    from operations import plots

    plots.write_digit_png(CROSS, (3, 3), tmp_path / "digit.png", "is a zero (score 0.99)")
    with Image.open(tmp_path / "digit.png") as image:
        grey = image.convert("L")
        width, height = grey.size
        assert grey.getpixel((width // 2, int(height * 0.57))) == 0  # the cross has ink in its middle
        assert grey.getpixel((width // 2, int(height * 0.32))) == 255  # and none above it


@pytest.mark.parametrize(
    ("row", "says"), [(b"1,2", "has 2 features; a picture has 3 x 3"), (b"a,b", "the row is not a picture")]
)
def test_a_row_that_is_no_picture_is_refused(row: bytes, says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        render_digit(row, (3, 3))
