"""The first program of a sandboxed process: make the namespaces, start the entrypoint, watch over it.

Run as a script by a bare interpreter (`python -I -S launch.py`, one JSON document on stdin, see `Launch`), so
it imports the standard library only. It stays as the parent of the entrypoint and plays the part that the
container engine plays on AWS:

* one byte messages arrive on the control socket: T = SIGTERM to the entrypoint only (as `docker stop` does),
  K = SIGKILL to all it started, C<port> = connect to 127.0.0.1:<port> in here and pass the socket back;
* `hold` (the first of several hosts): R is sent when the namespaces are made, and the entrypoint waits for an answer,
  so that the others can be started with `join`, descriptors of the namespaces that they share with it;
* the control socket closes when the server goes away for any reason: everything is killed at once;
* when the entrypoint ends, whatever it left behind is killed, and its exit code is ours (128 + signal number,
  as a container engine reports it; 125: the sandbox could not be set up; 126, 127: the command could not be run).

Mount flags and ioctl numbers: linux/mount.h, linux/sched.h, linux/sockios.h.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWNET = 0x0002_0000, 0x0400_0000, 0x1000_0000, 0x4000_0000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x4_0000
#: flags of a mount that a user namespace may not drop when it remounts (statvfs bit -> mount bit)
_LOCKED = {0x2: 0x2, 0x4: 0x4, 0x8: 0x8, 0x400: 0x400, 0x800: 0x800, 0x1000: 0x20_0000}
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
SETUP_FAILED, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    """Turn a failed libc call into an OSError that says what was tried."""
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    _check(
        _libc.mount(
            os.fsencode(source) if source else None,
            os.fsencode(target),
            kind.encode() if kind else None,
            ctypes.c_ulong(flags),
            None,
        ),
        f"mount {source or ''} on {target}",
    )


def _bind(source_fd: int, target: str) -> None:
    """Bind what `source_fd` (O_PATH) refers to; the path it was opened by may be covered by now."""
    _mount(f"/proc/self/fd/{source_fd}", target, None, MS_BIND | MS_REC)


def _read_only(target: str) -> None:
    """Make an existing directory read-only from here on, keeping the flags that may not be dropped."""
    fd = os.open(target, os.O_PATH)
    _bind(fd, target)
    os.close(fd)
    now = os.statvfs(target).f_flag
    kept = sum(mount for stat, mount in _LOCKED.items() if now & stat)
    _mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def _replace(parent: str, name: str, source: int, visible: list[str]) -> None:
    """Put a new `parent` in place that holds all that was there except `name`, which is `source`.

    Programs that live under the host's `name` stay where they are.
    """
    folder = Path(parent)
    covered = _opened(f"{parent}/{name}", visible)
    kept = {entry.name: entry for entry in folder.iterdir() if entry.name != name}
    links = {other: entry.readlink() for other, entry in kept.items() if entry.is_symlink()}
    fds = {other: os.open(entry, os.O_PATH) for other, entry in kept.items() if other not in links}
    _mount("tmpfs", parent, "tmpfs", 0)
    for other, target in links.items():
        (folder / other).symlink_to(target)
    for other, fd in fds.items():
        if Path(f"/proc/self/fd/{fd}").is_dir():
            (folder / other).mkdir()
        else:
            (folder / other).touch()
        _bind(fd, f"{parent}/{other}")
        os.close(fd)
    (folder / name).mkdir()
    _bind(source, f"{parent}/{name}")
    _bind_back(covered)


def _replace_tmp(tmp: int, visible: list[str]) -> None:
    """Put the job's own /tmp in place; programs that live under the host's /tmp stay where they are."""
    covered = _opened("/tmp", visible)  # noqa: S108 - this is about /tmp itself
    _bind(tmp, "/tmp")  # noqa: S108 - as above
    _bind_back(covered)


def _opened(below: str, paths: list[str]) -> dict[str, int]:
    """Handles of those paths that are below a directory which is about to be covered."""
    return {path: os.open(path, os.O_PATH) for path in paths if path.startswith(f"{below}/")}


def _bind_back(covered: dict[str, int]) -> None:
    for path, fd in covered.items():
        Path(path).mkdir(parents=True, exist_ok=True)
        _bind(fd, path)
        os.close(fd)


def _loopback_up() -> None:
    """A new network namespace has a loopback interface that is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(probe, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | IFF_UP))


def _namespaces(launch: dict[str, Any]) -> None:
    """Own ones for mounts and the host name; those of users and the network new, shared with another host, or kept."""
    own = CLONE_NEWNS | CLONE_NEWUTS
    if launch["join"]:
        for fd in launch["join"]:  # that of users first: it owns the other, and gives the right to enter it
            _check(_libc.setns(fd, 0), "setns")
        _check(_libc.unshare(own), "unshare")
    else:
        uid, gid = os.getuid(), os.getgid()
        users = CLONE_NEWUSER if launch["mode"] == "user-namespace" else 0
        _check(_libc.unshare(own | users | (CLONE_NEWNET if launch["network_isolation"] else 0)), "unshare")
        if users:
            with contextlib.suppress(FileNotFoundError):  # kernels before 3.19 have no such file and no such rule
                Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    if launch["hostname"]:
        socket.sethostname(launch["hostname"])


def enter(launch: dict[str, Any]) -> None:
    """Leave the host's view behind: own /opt/ml, /tmp, /etc/hosts, name, homes, and loopback only when asked for."""
    if launch["mode"] == "none":
        return
    _namespaces(launch)
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    ml, tmp, hosts, home = (os.open(launch[key], os.O_PATH) for key in ("ml", "tmp", "hosts", "home"))
    _replace("/opt", "ml", ml, [])
    for path in launch["read_only"]:
        _read_only(path)
    if Path("/etc/hosts").exists():
        _bind(hosts, "/etc/hosts")
    for path in launch["homes"]:
        parent, name = os.path.split(path)
        if Path(parent).exists():
            _replace(parent, name, home, launch["visible"])
    _replace_tmp(tmp, launch["visible"])
    for fd in (ml, tmp, hosts, home):
        os.close(fd)
    if launch["network_isolation"]:
        _loopback_up()


def _execute(launch: dict[str, Any], supervisor: int) -> NoReturn:
    """Become the entrypoint (in the forked child)."""
    os.setpgid(0, 0)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it died before the line above
        os._exit(SETUP_FAILED)
    for name in (signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    command: list[str] = launch["command"]
    try:
        os.chdir(launch["cwd"])
        os.execvpe(command[0], command, launch["environment"])  # noqa: S606 - running it is the purpose
    except OSError as error:
        missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
        sys.stderr.write(f'exec: "{command[0]}": {os.strerror(error.errno or 0)}\n')
        sys.stderr.flush()
        os._exit(NOT_FOUND if missing else NOT_EXECUTABLE)


class Supervisor:
    """Watches the entrypoint and obeys the control socket until the entrypoint is gone."""

    def __init__(self, control: socket.socket, wakeups: int, child: int) -> None:
        self.control = control
        self.wakeups = wakeups
        self.child = child

    def run(self) -> int:
        """Block until the entrypoint ended and nothing that it started is left; returns the exit code."""
        poller = select.poll()
        poller.register(self.control, select.POLLIN)
        poller.register(self.wakeups, select.POLLIN)
        # WNOWAIT: the dead entrypoint keeps its process group number from being given to anyone else
        while os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            for fd, _ in poller.poll():
                if fd == self.wakeups:
                    os.read(fd, 512)
                elif not self._obey():
                    poller.unregister(self.control)
        self._kill_all()
        _, status = os.waitpid(self.child, 0)
        self._reap_strays()
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code

    def _obey(self) -> bool:
        """Handle one message; False when the server is gone."""
        message = self.control.recv(64)
        if message == b"T":
            os.kill(self.child, signal.SIGTERM)
        elif message.startswith(b"C"):
            self._connect(int(message[1:]))
        else:  # K, or the end of the stream
            self._kill_all()
        return bool(message)

    def _connect(self, port: int) -> None:
        """A socket belongs to the network namespace it was made in, so the server can use one made here."""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
                link.settimeout(None)
                socket.send_fds(self.control, [b"+"], [link.fileno()])
        except OSError as error:
            self.control.send(b"-" + str(error).encode())

    def _kill_all(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child, signal.SIGKILL)

    def _reap_strays(self) -> None:
        """Kill what left the process group; as the subreaper we are the parent of every orphan."""
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        while children.exists() and (left := children.read_text().split()):
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(int(pid), signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-1, 0)


def main() -> int:
    """Read the launch document, set up, start, watch."""
    launch: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    os.set_inheritable(launch["control"], False)
    control = socket.socket(fileno=launch["control"])
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    try:
        enter(launch)
    except OSError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return SETUP_FAILED
    if launch["hold"]:
        control.send(b"R")
        control.recv(1)
    wakeups, notify = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # only so that the wakeup descriptor is written
    signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    supervisor = os.getpid()
    child = os.fork()
    if child == 0:
        _execute(launch, supervisor)
    with contextlib.suppress(OSError):  # the child does it too; whoever is first wins
        os.setpgid(child, child)
    # SIGTERM to the supervisor itself (someone ends the process by hand) is passed on
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    return Supervisor(control, wakeups, child).run()


if __name__ == "__main__":
    sys.exit(main())
