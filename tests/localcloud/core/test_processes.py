"""Waiting for processes that were killed."""

from __future__ import annotations

import subprocess
import time

from localcloud import processes


def test_a_killed_process_is_waited_for_and_one_that_lives_only_for_so_long() -> None:
    with subprocess.Popen(["sleep", "300"]) as killed, subprocess.Popen(["sleep", "300"]) as living:
        table = processes.table()
        dead, alive = table[killed.pid], table[living.pid]
        processes.kill({dead})
        processes.await_end({dead}, seconds=60)
        assert processes.find(dead.pid) is None
        begin = time.monotonic()
        processes.await_end({alive}, seconds=0.1)
        assert time.monotonic() - begin >= 0.1
        assert processes.find(alive.pid) == alive
        living.kill()
