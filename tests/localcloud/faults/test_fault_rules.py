"""Rules: what is well formed, what they match, and that the same calls meet the same faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from localcloud.faults.rules import Rules


@dataclass(frozen=True)
class Call:
    service: str = "sagemaker"
    operation: str = "DeleteApp"
    principal: str = "arn:aws:sts::000000000000:assumed-role/drain-role/drain"


def rules(*given: dict[str, Any]) -> Rules:
    made = Rules()
    made.load({"rules": list(given)})
    return made


def hits(made: Rules, count: int, call: Call | None = None) -> list[bool]:
    return [bool(made.before(call or Call())) for _ in range(count)]


@pytest.mark.parametrize(
    ("about", "matches"),
    [
        ({}, True),
        ({"service": "*", "operation": "*"}, True),
        ({"service": "sagemaker"}, True),
        ({"service": "sagemaker", "operation": "DeleteSpace"}, False),
        ({"service": "ec2"}, False),
        ({"principal": "drain-role"}, True),
        ({"principal": "other"}, False),
    ],
)
def test_what_a_rule_is_about(about: dict[str, str], matches: bool) -> None:
    assert hits(rules({**about, "effect": "throttle"}), 1) == [matches]


def test_after_and_times_count_matching_calls() -> None:
    made = rules({"operation": "DeleteApp", "effect": "throttle", "after": 2, "times": 3})
    assert hits(made, 3, Call(operation="ListApps")) == [False] * 3
    assert hits(made, 7) == [False, False, True, True, True, False, False]
    (counted,) = made.snapshot()["rules"]
    assert (counted["matched"], counted["applied"]) == (7, 3)


def test_draws_depend_on_the_seed_alone() -> None:
    rule = {"effect": "throttle", "probability": 0.5, "seed": 7}
    first, second = hits(rules(rule), 50), hits(rules(rule), 50)
    assert first == second
    assert 10 < sum(first) < 40
    assert hits(rules({**rule, "seed": 8}), 50) != first
    # the same rule in another place draws its own
    both = rules({**rule, "service": "ec2"}, rule)
    assert hits(both, 50) != first


def test_delays_add_up_and_one_refusal_ends_it() -> None:
    made = rules(
        {"effect": "delay", "seconds": 1},
        {"effect": "delay", "seconds": 2},
        {"effect": "fail", "code": "Oops"},
        {"effect": "throttle"},
    )
    assert [rule.effect for rule in made.before(Call())] == ["delay", "delay", "fail"]


def test_rules_for_functions_and_persons_do_not_touch_calls() -> None:
    made = rules(
        {"function": "drain", "effect": "crash", "times": 1},
        {"when": {"operation": "DeleteApp"}, "call": {"service": "sagemaker", "operation": "CreateApp"}},
    )
    assert made.before(Call()) == []
    assert [rule.effect for rule in made.after(Call())] == ["act"]
    assert made.for_function("other") is None
    assert made.for_function("sandcastle-drain-1") is not None
    assert made.for_function("sandcastle-drain-1") is None


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"effect": "explode"}, "rule 0: effect 'explode' is none of throttle, fail, delay, crash-function"),
        ({"effect": "throttle", "servise": "ec2"}, "no 'servise'"),
        ({"effect": "delay"}, "seconds None"),
        ({"effect": "delay", "seconds": 600}, "from 0 to 30"),
        ({"effect": "fail", "status": 200}, "from 400 to 599"),
        ({"effect": "throttle", "probability": 0.5}, "needs a seed"),
        ({"effect": "throttle", "times": 0}, "times 0"),
        ({"function": "x", "effect": "throttle"}, "none of crash, time-out"),
        ({"function": "x", "effect": "crash", "when": "middle"}, "none of start, end"),
        ({"call": {"service": "ec2", "operation": "X"}}, "when is an object"),
        ({"when": {}, "call": {"service": "ec2"}}, "operation is a text"),
        ({"when": {"colour": "red"}, "call": {"service": "ec2", "operation": "X"}}, "no 'colour'"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(rule: dict[str, Any], says: str) -> None:
    made = rules({"effect": "throttle"})
    with pytest.raises(ValueError, match=says):
        made.load({"rules": [rule]})
    assert len(made.snapshot()["rules"]) == 1
    with pytest.raises(ValueError, match="expected"):
        made.load({"rulez": []})
    made.load({})
    assert made.empty
