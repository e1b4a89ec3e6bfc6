"""What must hold in the ``evaluate`` block of a workload.yaml beyond its shape: the keys of its kind, and no others."""

from __future__ import annotations

from sandcastle.config.yaml_lines import Document

_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "binary": (("positive", "negative", "score"), ("threshold",)),
    "multiclass": (("answer",), ()),
    "clusters": (("answer",), ()),
}
"""By kind, the keys that it needs and those that it may have."""


def check_evaluate(workload: Document) -> None:
    """Note keys that the kind of evaluation needs and that are missing, and keys that it would ignore."""
    block = workload.at(("evaluate",))
    kind = block.get("kind", "binary") if isinstance(block, dict) else None
    if not isinstance(block, dict) or not isinstance(kind, str) or kind not in _KEYS:
        return
    needed, possible = _KEYS[kind]
    for key in needed:
        if block.get(key) is None:
            workload.problem(
                ("evaluate", key),
                f"an evaluation of kind {kind} needs this key",
                allowed=f"{', '.join(needed)} beside it, or another kind",
                show_value=False,
            )
    for other in sorted({key for keys in _KEYS.values() for part in keys for key in part} - {*needed, *possible}):
        if block.get(other) is not None:
            workload.problem(
                ("evaluate", other),
                f"an evaluation of kind {kind} does not read this key",
                allowed=", ".join((*needed, *possible, "batch_rows")),
            )
