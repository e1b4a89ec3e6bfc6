"""Every promise is proved on the templates: what a role may do it can, what it may not do nothing allows."""

from __future__ import annotations

from dataclasses import replace

from operations.review.access import World, promises
from operations.review.access.promised import said_in
from operations.review.access.promised import verdict as verdict_on
from operations.review.assembly import read_assembly
from sandcastle.promises import promises_of
from tests.stacks.statements import lookups, role_statements
from tests.synthesis import Synthesis, resources


def test_every_promise_holds(each: Synthesis) -> None:
    proved = {True: 0, False: 0}
    for verdict in promises(read_assembly(each.folder)):
        assert verdict.kept, verdict
        proved[verdict.promise.allowed] += 1
    assert proved[True] > 30
    assert proved[False] > 60


def test_every_role_of_ours_promises_what_it_may_not(each: Synthesis) -> None:
    for _, template, _ in lookups(each):
        silent = set(resources(template, "AWS::IAM::Role"))
        silent -= {role for role, promise in promises_of(template) if not promise.allowed}
        assert all("Framework" in role for role in silent)


def test_a_broken_promise_would_be_seen(each: Synthesis) -> None:
    """The proof can fail: turned round, no promise holds."""
    world = World.of(read_assembly(each.folder))
    for said in said_in(world):
        turned = replace(said, promise=replace(said.promise, allowed=not said.promise.allowed))
        assert verdict_on(world, turned).kept is False, turned


def test_only_spot_training_deletes_and_only_its_own_checkpoints(local: Synthesis) -> None:
    """XGBoost deletes older checkpoints, and SageMaker mirrors that; the job's name is the folder below."""
    found = {}
    for stack, template, lookup in lookups(local):
        for role in resources(template, "AWS::IAM::Role"):
            for statement in role_statements(template, role, lookup):
                if "s3:DeleteObject" in statement["Action"] and "-workload-" in stack:
                    found[stack, role[: len("TrainedModelRole")]] = (template, statement["Resource"])
    ((where, (template, allowed)),) = found.items()
    assert where == ("sandcastle-local-workload-bank", "TrainedModelRole")
    fingerprint = template["Outputs"]["Fingerprint"]["Value"]
    (pattern,) = allowed
    assert pattern.partition("/")[2] == f"bank/{fingerprint}/checkpoints/*"
