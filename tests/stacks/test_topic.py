"""Who hears of an environment's end, nights and failed runs: everybody named in the file, and of nothing twice."""

from __future__ import annotations

import re

from sandcastle.config import load_environment
from sandcastle.topic import ABOUT
from tests.synthesis import ENVIRONMENTS, ROOT, resources, synthesise


def test_those_who_are_named_hear_of_the_end_and_of_nights_and_not_of_budgets_again() -> None:
    found = 0
    for name in ENVIRONMENTS:
        environment, template = load_environment(name, ROOT), synthesise(name).template("guardrails")
        subscriptions = [one["Properties"] for one in resources(template, "AWS::SNS::Subscription").values()]
        speaks = environment.expires_after_minutes or environment.nightly_stop
        speaks = speaks or any(one.pipeline for one in environment.workloads)
        assert [one["Endpoint"] for one in subscriptions] == (list(environment.notify) if speaks else [])
        for one in subscriptions:
            assert one["Protocol"] == "email"
            assert one["FilterPolicy"] == {ABOUT: [{"exists": True}]}
            found += 1
    assert found


def test_what_functions_say_passes_the_filter() -> None:
    """The attribute is written in two places that cannot import each other."""
    code = (ROOT / "assets" / "functions" / "messages.py").read_text(encoding="utf-8")
    assert re.findall(r'MessageAttributes=\{"(\w+)"', code) == [ABOUT]
