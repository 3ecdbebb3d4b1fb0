"""A real systemd, booted on a machine that is made of namespaces alone (tests/support/box.sh)."""

import contextlib
import functools
import os
import pty
import signal
import subprocess
import threading
import tty
from pathlib import Path

from holdport import PATIENCE, SOURCES, Result, eventually, kill

SYSTEMD = Path("/lib/systemd/systemd")


def cgroups():
    """Where cgroup2 is mounted; None: nowhere."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return next((Path(where) for _, where, what, *_ in mounts if what == "cgroup2"), None)


@functools.cache
def why_not():
    """Why there can be none here; "": it can."""
    if os.geteuid() != 0:
        return "only root can make such a machine"
    if not SYSTEMD.exists():
        return f"there is no {SYSTEMD}"
    if not cgroups() or not os.access(cgroups() / "cgroup.procs", os.W_OK):
        return "no cgroup2 is mounted, or not for us"
    made = subprocess.run(["unshare", "--mount", "--pid", "--cgroup", "--fork", "true"],
                          stderr=subprocess.PIPE, text=True)
    return made.stderr.strip()


class Box:
    def __init__(self, directory, units, *shown):
        """units: name -> text; shown: directories that are there as they are outside."""
        self.console = ""
        self._cgroup = cgroups() / f"holdport-story-{os.getpid()}"
        self._cgroup.mkdir()
        known, root = directory / "units", directory / "root"
        root.mkdir()
        units = {"default.target": "[Unit]\nDefaultDependencies=no\n", **units}
        for name, text in units.items():
            (known / name).parent.mkdir(parents=True, exist_ok=True)
            (known / name).write_text(text)
        self._terminal, its = pty.openpty()
        tty.setraw(its)
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--cgroup", "--ipc", "--uts", "--fork",
             "--kill-child", SOURCES / "box.sh", root, os.ttyname(its), known, *shown],
            stdin=subprocess.DEVNULL, stdout=its, stderr=its, start_new_session=True,
            preexec_fn=lambda: (self._cgroup / "cgroup.procs").write_text(str(os.getpid())))
        os.close(its)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._first = eventually(self._find_first, what=self.said)
        eventually(lambda: self.run("systemctl", "is-system-running").out.strip()
                   in ("running", "degraded"), what=self.said)

    def said(self):
        return f"systemd: {self.console}"

    def _read(self):
        with contextlib.suppress(OSError):      # EIO: it has ended
            while piece := os.read(self._terminal, 65536):
                self.console += piece.decode(errors="replace")

    def _find_first(self):
        assert self._process.poll() is None, self.said()
        task = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        pids = task.read_text().split()
        return int(pids[0]) if pids else None

    def run(self, *argv, timeout=60):
        """A command within."""
        argv = ["nsenter", "-t", str(self._first), "--mount", "--pid", *map(str, argv)]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, cwd="/")
        return Result(argv, done.returncode, done.stdout, done.stderr)

    def ok(self, *argv, **named):
        result = self.run(*argv, **named)
        assert result.code == 0, f"{result}\n{self.said()}"
        return result.out

    def show(self, unit):
        """Its properties."""
        lines = self.ok("systemctl", "show", unit).splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def end(self):
        kill(self._first, signal.SIGKILL)       # and with it all that is within
        self._process.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        os.close(self._terminal)
        eventually(self._cgroup_is_gone)

    def _cgroup_is_gone(self):
        for directory, _, _ in os.walk(self._cgroup, topdown=False):
            with contextlib.suppress(OSError):      # what was in it is about to be gone
                os.rmdir(directory)
        return not self._cgroup.exists()
