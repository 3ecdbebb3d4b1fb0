#!/usr/bin/python3
"""own_places.py DIR COMMAND [ARG...]: runs a command with a /dev and a /run of its own, in
which /dev/log is DIR/log and /run/systemd/journal/socket is DIR/socket, as far as somebody
makes those; a journal that runs there keeps its files in DIR/kept.  Needs root."""

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "shm", "pts", "ptmx")

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *args):
    if getattr(libc, name)(*args):
        e = ctypes.get_errno()
        sys.exit(f"own_places: {name}: {os.strerror(e)}")


def mount(source, target, kind=None, flags=0):
    call("mount", *(os.fsencode(x) if x else None for x in (source, target, kind)), flags, None)


def own_dev(build, log):
    """Devices are those that are there."""
    mount("none", build, "tmpfs")
    for name in DEVICES:
        there, here = Path("/dev", name), Path(build, name)
        if there.is_dir():
            here.mkdir()
        elif there.exists():
            here.touch()
        else:
            continue
        mount(there, here, flags=MS_BIND | MS_REC)
    Path(build, "fd").symlink_to("/proc/self/fd")
    Path(build, "log").symlink_to(log)
    mount(build, "/dev", flags=MS_BIND | MS_REC)


def main():
    where = Path(sys.argv[1]).resolve()
    build = where / "dev"
    build.mkdir(exist_ok=True)
    call("unshare", CLONE_NEWNS)
    mount(None, "/", flags=MS_REC | MS_PRIVATE)
    own_dev(build, where / "log")
    mount("none", "/run", "tmpfs")
    mount("none", "/var/log", "tmpfs")
    Path("/run/log").symlink_to(where / "kept")
    Path("/run/systemd").mkdir()
    Path("/run/systemd/journal").symlink_to(where)
    os.execvp(sys.argv[2], sys.argv[2:])


main()
