"""The machines of people, as far as they are real here: what each keeps on disk and what it leaves running."""

import shutil
import threading

from localcloud.jobs import sandbox
from localcloud.jobs.lifecycle_script import Left


class Machines:
    """One directory per machine (a space, a notebook instance), made on first use and kept until forgotten."""

    def __init__(self) -> None:
        """None yet."""
        self._directories: dict[str, sandbox.JobDirectory] = {}
        self._left: dict[str, list[Left]] = {}
        self._lock = threading.Lock()

    def of(self, arn: str) -> sandbox.JobDirectory:
        """The directory of this machine."""
        with self._lock:
            found = self._directories.get(arn)
            if found is None:
                found = self._directories[arn] = sandbox.JobDirectory.create("machine")
            return found

    def keep(self, arn: str, left: Left) -> None:
        """Let what a script left running go on until the machine ends."""
        with self._lock:
            self._left.setdefault(arn, []).append(left)

    def end(self, arn: str) -> None:
        """End what scripts left running; the directory stays."""
        with self._lock:
            running = self._left.pop(arn, [])
        for left in running:
            left.end()

    def renew(self, arn: str, volume: str) -> None:
        """Another machine with the old volume: of the home directory only the folder ``volume`` is as it was."""
        self.end(arn)
        with self._lock:
            before = self._directories.pop(arn, None)
        now = self.of(arn)
        if before and (before.home / volume).is_dir():
            shutil.move(before.home / volume, now.home / volume)
        (now.home / volume).mkdir(exist_ok=True)
        if before:
            before.remove()

    def forget(self, arn: str) -> None:
        """End it and delete what it kept."""
        self.end(arn)
        with self._lock:
            found = self._directories.pop(arn, None)
        if found:
            try:
                found.remove()
            except OSError:  # a script still writes to it: the server is being reset, its TMPDIR goes in the end
                shutil.rmtree(found.root, ignore_errors=True)

    def clear(self) -> None:
        """Forget every machine; for a reset of the server."""
        with self._lock:
            arns = {*self._directories, *self._left}
        for arn in arns:
            self.forget(arn)
