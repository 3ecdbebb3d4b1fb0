"""A Linux without pidfds (before 5.3): a filter answers pidfd_open(2), close_range(2)
with ENOSYS, for the supervisor and all below it."""

import os
import signal

import pytest

from holdport import FAILED, alive, eventually, get
from refused_calls import run_without

MISSING = (434, 436)    # pidfd_open, close_range; on every architecture


@pytest.fixture
def old(holdport):
    def run(*options, **named):
        address = holdport.write_web(*options, **named)
        with open("/dev/zero") as careless:
            run_without(holdport, *MISSING, pass_fds=(careless.fileno(),))
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
