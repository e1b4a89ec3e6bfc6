"""Bayesian search: each trial is chosen by what the earlier ones came to.

AWS models the objective with a Gaussian process ([DG] automatic-model-tuning-how-it-works); here it is optuna's
tree-structured Parzen estimator. The API and the rules are AWS's, the suggestions are not. A suggestion depends on the
seed, the number of the trial and what is known by then, and on nothing else: the same results in the same order lead to
the same trials.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.sagemaker import errors
from localcloud.sagemaker.tuning.search import NumberRange, Search

#: so many results are needed before anything is learned from them; until then trials are random, as on AWS ([DG])
_RANDOM_FIRST = 5
#: the share of the results that counts as good; optuna's own is a tenth, for searches of many more trials
_GOOD = 0.25


def suggest(
    search: Search,
    number: int,
    told: Sequence[tuple[Mapping[str, str], float]],
    pending: Sequence[Mapping[str, str]],
    *,
    maximise: bool,
) -> dict[str, str]:
    """The hyperparameters of a trial (from 1). ``told`` are those with a value, ``pending`` those that run.

    Raises ValidationException where optuna is not installed.
    """
    try:
        import optuna  # half a second of CPU, only for those who ask for this strategy
    except ImportError:
        raise errors.validation(
            "[localcloud] Strategy Bayesian needs the package optuna in localcloud's environment, which is older: run "
            "make install."
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    seed = int.from_bytes(hashlib.sha256(f"{search.seed}/{number}".encode()).digest()[:4])
    sampler = optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=_RANDOM_FIRST, gamma=lambda results: math.ceil(_GOOD * results)
    )
    study = optuna.create_study(direction="maximize" if maximise else "minimize", sampler=sampler)
    space: dict[str, Any] = {each.name: _distribution(each) for each in search.numbers}
    space |= {name: optuna.distributions.CategoricalDistribution(values) for name, values in search.choices.items()}
    for tuned, value in told:
        trial = optuna.trial.create_trial(params=_inside(search, tuned), distributions=space, value=value)
        study.add_trial(trial)
    running = optuna.trial.TrialState.RUNNING
    for tuned in pending:
        trial = optuna.trial.create_trial(params=_inside(search, tuned), distributions=space, state=running)
        study.add_trial(trial)
    found = study.ask(space).params
    return {each.name: _text(each, found[each.name]) for each in search.numbers} | {
        name: str(found[name]) for name in search.choices
    }


def _distribution(each: NumberRange) -> Any:
    """The range as optuna has it; a reverse logarithmic one is a logarithmic one of 1 - x."""
    from optuna.distributions import FloatDistribution, IntDistribution

    if each.whole:
        return IntDistribution(int(each.least), int(each.greatest), log=each.scale == "Logarithmic")
    low, high = _ends(each)
    return FloatDistribution(low, high, log=each.scale in ("Logarithmic", "ReverseLogarithmic"))


def _ends(each: NumberRange) -> tuple[float, float]:
    reverse = each.scale == "ReverseLogarithmic"
    return (1 - each.greatest, 1 - each.least) if reverse else (each.least, each.greatest)


def _inside(search: Search, tuned: Mapping[str, str]) -> dict[str, Any]:
    """The texts of a trial as optuna's values."""
    found: dict[str, Any] = {name: tuned[name] for name in search.choices}
    for each in search.numbers:
        if each.whole:
            found[each.name] = int(tuned[each.name])
            continue
        value, (low, high) = float(tuned[each.name]), _ends(each)
        value = 1 - value if each.scale == "ReverseLogarithmic" else value
        found[each.name] = min(max(value, low), high)  # 1 - (1 - x) may be a little beside x
    return found


def _text(each: NumberRange, value: float) -> str:
    if each.whole:
        return str(int(value))
    value = 1 - value if each.scale == "ReverseLogarithmic" else value
    return repr(min(max(float(value), each.least), each.greatest))
