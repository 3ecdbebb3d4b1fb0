"""A Linux without pidfds (before 5.3): a filter answers pidfd_open(2), close_range(2)
with ENOSYS, for the supervisor and all below it."""

import ctypes
import os
import signal
import struct
import subprocess

import pytest

from holdport import BUILD, FAILED, alive, eventually, get

MISSING = (434, 436)    # pidfd_open, close_range; on every architecture
ENOSYS = 38
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
RET_ALLOW, RET_ERRNO = 0x7fff0000, 0x00050000


def forget():
    steps = [(LOAD, 0, 0, 0)]
    for number in MISSING:
        steps += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, RET_ERRNO | ENOSYS)]
    steps += [(RETURN, 0, 0, RET_ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps),
                                                      ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, FILTER, program, 0, 0) == 0


@pytest.fixture
def old(holdport):
    def run(*options, **named):
        address = holdport.write_web(*options, **named)
        with open(holdport.output, "ab") as out, open("/dev/zero") as careless:
            holdport.process = subprocess.Popen(
                [BUILD / "bin/holdport", "run", "-c", holdport.config], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, env=holdport.env, start_new_session=True,
                pass_fds=(careless.fileno(),), preexec_fn=forget)
        holdport._children.append(holdport.process)
        eventually(holdport._answers, what="the supervisor answers")
        holdport.await_("web")
        return address
    return run


def test_nothing_is_inherited(holdport, old):
    old("--notify")
    assert [f["fd"] for f in holdport.reports()[0]["fds"]] == [0, 1, 2, 3]


def test_it_says_that_it_cannot_hold_a_process(holdport, old):
    old("--notify")
    assert holdport.status()["supervisor"]["abilities"]["hold_process"] is False


def test_workers_come_and_go_all_the_same(holdport, old):
    address = old("--notify", section="workers = 2\nready = notify")
    inode = holdport.socket("http")["inode"]
    before = holdport.pids("web")
    holdport.ok("restart", "web")
    eventually(lambda: not any(map(alive, before)))
    killed, other = holdport.pids("web")
    os.kill(killed, signal.SIGKILL)
    holdport.await_replaced("web", [killed])
    assert other in holdport.pids("web")
    assert "ended with signal 9" in holdport.log()
    assert get(address) == "worker"
    assert holdport.socket("http")["inode"] == inode
    holdport.ok("stop", "web")
    holdport.ok("start", "web")
    assert holdport.shutdown() == 0


def test_ladders_are_climbed_and_commands_that_cannot_be_run_are_named(holdport, old):
    address = old("--notify", "--ignore-term", section="stop = TERM:100ms KILL")
    [first] = holdport.pids("web")
    holdport.write_web(address=address, section="command = no-such-command-anywhere")
    said = holdport.cmd("reload")
    assert said.code == FAILED and "not found in PATH" in said.out
    assert holdport.pids("web") == [first]
    holdport.ok("stop", "web")
    assert not alive(first)


def test_readiness_by_a_command(holdport, old):
    old("--notify", section="ready = exec:test -e /proc/self")
    assert holdport.program("web")["generations"][0]["proved_by"] == "exec"
