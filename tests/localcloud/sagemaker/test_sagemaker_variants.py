"""How requests are shared: among variants by weight, among the instances of a variant in turn."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from localcloud.sagemaker.hosting import instances
from localcloud.sagemaker.hosting.instances import Instances
from localcloud.sagemaker.hosting.traffic import FLEETS, VARIANTS, Draw
from localcloud.sagemaker.ports import Reply, StartFailed, Unreachable, VariantSpec
from tests.localcloud.sagemaker.scripted_backend import ROLE, ScriptedServer, World
from tests.localcloud.sagemaker.test_sagemaker_invocations import deploy


def invoked(world: World, requests: int) -> Counter[str]:
    return Counter(world.invoke("live")[1]["x-Amzn-Invoked-Production-Variant"] for _ in range(requests))


@pytest.mark.parametrize(("weights", "shares"), [((3, 1), (225, 75)), ((1, 0.25), (240, 60)), ((0, 0), (150, 150))])
def test_weights_hold_over_a_few_hundred_requests(
    world: World, weights: tuple[float, ...], shares: tuple[int, ...]
) -> None:
    deploy(world, weights=weights)
    found = invoked(world, 300)
    for number, share in enumerate(shares):
        assert abs(found[f"v{number}"] - share) <= 5


def test_a_variant_without_weight_is_reached_by_name_only(world: World) -> None:
    deploy(world, weights=(1, 0))
    assert invoked(world, 50) == {"v0": 50}
    assert world.invoke("live", x_amzn_sagemaker_target_variant="v1")[1]["x-Amzn-Invoked-Production-Variant"] == "v1"


def test_callers_that_alternate_meet_every_variant_alike() -> None:
    draw = Draw("any", VARIANTS)
    first, second = Counter[str](), Counter[str]()
    for _ in range(300):
        first[draw.choose("ab", [1, 1])] += 1
        second[draw.choose("ab", [1, 1])] += 1
    assert abs(first["a"] - 150) <= 10 and abs(second["a"] - 150) <= 10


def test_a_share_of_a_share_is_their_product() -> None:
    fleets, variants = Draw("fleets", FLEETS), Draw("variants", VARIANTS)
    both = sum(fleets.next() < 0.3 and variants.next() < 0.5 for _ in range(1000))
    assert abs(both - 150) <= 20


def servers(count: int) -> list[ScriptedServer]:
    return [ScriptedServer(VariantSpec("e", "v", "image", None, {}, ROLE)) for _ in range(count)]


def test_instances_take_turns_and_a_leaving_one_finishes_first() -> None:
    running, (first, second) = Instances(), servers(2)
    running.add([first, second])
    for _ in range(10):
        running.invoke(b"", {})
    assert len(first.headers) == len(second.headers) == 5
    entered, may_answer = threading.Event(), threading.Event()

    class Slow(ScriptedServer):
        def invoke(self, body: bytes, headers: dict[str, str], limit: float | None = None) -> Reply:
            entered.set()
            assert may_answer.wait(10)
            return super().invoke(body, headers, limit)

    slow = Slow(first.spec)
    running.shrink(0)()
    running.add([slow])
    answers: list[Reply] = []
    asking = threading.Thread(target=lambda: answers.append(running.invoke(b"a", {})))
    asking.start()
    assert entered.wait(10)
    end = running.shrink(0)
    with pytest.raises(Unreachable):
        running.invoke(b"", {})  # newcomers do not reach it
    ending = threading.Thread(target=end)
    ending.start()
    assert not slow.stopped.is_set()
    may_answer.set()
    asking.join(10)
    ending.join(10)
    assert answers[0].body == b"A" and slow.stopped.is_set()


def test_when_one_instance_does_not_come_up_none_is_left() -> None:
    [healthy] = servers(1)

    def broken() -> ScriptedServer:
        raise StartFailed("no")

    with pytest.raises(StartFailed):
        instances.start([lambda: healthy, broken])
    assert healthy.stopped.is_set()


def test_the_number_of_processes_has_a_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALCLOUD_VARIANT_PROCESSES", "2")
    assert [instances.processes_for(count) for count in (0, 1, 2, 9)] == [0, 1, 2, 2]
