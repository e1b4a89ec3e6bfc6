"""Lambda step of a pipeline: chooses the best of the models that were evaluated.

The event has three entries for each candidate, ``Top1_accuracy``, ``Top1_model`` (the archive in S3) and
``Top1_folder`` (where its evaluation lies), and so on for ``Top2`` and ``Plain``, as far as there are these.
"""

from __future__ import annotations

import math
from typing import Any

ORDER = ("Top1", "Top2", "Plain")
"""Of equally good ones the first counts: the tuning's own favourite before the model that was not tuned."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return name, model, folder and accuracy of the best, and the accuracy in words.

    Raises ValueError when there is no candidate, or one without a number between 0 and 1.
    """
    del context
    found = [name for name in ORDER if f"{name}_accuracy" in event]
    if not found:
        raise ValueError(f"no candidate: expected {', '.join(f'{name}_accuracy' for name in ORDER)} or some of them")
    accuracies = {name: _accuracy(event, name) for name in found}
    best = max(found, key=accuracies.__getitem__)  # the first of equals
    print(f"accuracies: {', '.join(f'{name} {accuracies[name]:.4f}' for name in found)}; best: {best}")
    return {
        "name": best,
        "model": event[f"{best}_model"],
        "folder": event[f"{best}_folder"].rstrip("/"),
        "accuracy": accuracies[best],
        "accuracy_text": f"{accuracies[best]:.4f}",
    }


def _accuracy(event: dict[str, Any], name: str) -> float:
    given = event[f"{name}_accuracy"]
    try:
        value = float(given)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 <= value <= 1:  # written so that NaN fails too
        raise ValueError(f"{name}_accuracy is {given!r}; it must be a number from 0 to 1")
    return value
