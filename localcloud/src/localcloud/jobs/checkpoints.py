"""Keep a job's checkpoint directory and its S3 prefix the same: S3 to disk at start, disk to S3 from then on.

As documented (model-checkpoints): uploads go on while the job runs and files deleted locally are deleted in S3.
"""

import threading
from pathlib import Path

from localcloud.jobs.transfer import S3Uri, Transfer, TransferFailed, files_below

#: files that a container is still writing (AWS's XGBoost container names them so)
_UNFINISHED = ".sagemaker-ignore"


class CheckpointSync:
    """Use: `restore()` before the process, `start()` with it, `finish()` after it."""

    def __init__(self, transfer: Transfer, uri: str, local: Path, interval: float = 1.0) -> None:
        """`interval`: real seconds between two looks at the directory."""
        self._transfer = transfer
        self._prefix = S3Uri.parse(uri.rstrip("/") + "/")
        self._local = local
        self._interval = interval
        self._seen: dict[str, tuple[int, int]] = {}
        self._end = threading.Event()
        self._error: TransferFailed | None = None
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def restore(self) -> None:
        """Download what an earlier run left. Raises TransferFailed."""
        self._transfer.download_prefix(str(self._prefix), self._local)
        self._seen = self._look()

    def start(self) -> None:
        """Begin to watch the directory."""
        self._thread.start()

    def finish(self) -> None:
        """Upload the last changes. Raises TransferFailed, also for an earlier upload that failed."""
        self._end.set()
        self._thread.join()
        if self._error is not None:
            raise self._error
        self._sync()

    def abandon(self) -> None:
        """Watch no more; what has changed since is not uploaded."""
        self._end.set()

    def _run(self) -> None:
        while not self._end.wait(self._interval):
            try:
                self._sync()
            except TransferFailed as error:
                self._error = error
                return

    def _look(self) -> dict[str, tuple[int, int]]:
        """relative path -> (nanoseconds of the last change, bytes) of all files there are now."""
        found = {}
        for name, path in files_below(self._local):
            if name.endswith(_UNFINISHED):
                continue
            try:
                state = path.stat()
            except FileNotFoundError:  # the job replaced it between listing and looking
                continue
            found[name] = (state.st_mtime_ns, state.st_size)
        return found

    def _sync(self) -> None:
        now = self._look()
        for name in sorted(now):
            if now[name] != self._seen.get(name):
                try:
                    self._transfer.upload(self._local / name, self._prefix.child(name))
                except FileNotFoundError:  # deleted since; the next look notices
                    now.pop(name)
        for name in sorted(set(self._seen) - set(now)):
            self._transfer.delete(self._prefix.child(name))
        self._seen = now
