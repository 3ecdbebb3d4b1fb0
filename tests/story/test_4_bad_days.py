"""Days on which the system has nothing left, or lies about the time."""

import os
import re
import resource
import signal
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from holdport import ANOTHER_RUNS, FAILED, alive, descriptors, eventually, get

FOREVER = "restart_delay = 20ms\nrestart_delay_max = 100ms\n"


def switches(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return [int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", text)]


def is_asleep(pid):
    before = switches(pid)
    time.sleep(0.05)
    return switches(pid) == before


def leave_no_descriptors(holdport, more=0):
    """Its limit lowered to the lowest number that is free; the way back."""
    pid = holdport.manager_pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    eventually(lambda: is_asleep(pid), what="our last client is gone")
    taken = set(map(int, descriptors(pid)))
    lowest = next(fd for fd in range(1000) if fd not in taken)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest + more, before[1]))
    return lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def test_no_descriptor_left_for_a_worker_is_said_and_tried_again(holdport):
    address = holdport.run_web("--notify", section=FOREVER + "workers = 2\n")
    inode, [first, other] = holdport.socket("http")["inode"], holdport.pids("web")
    give_back = leave_no_descriptors(holdport)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: "Too many open files" in holdport.log(), what="it is said")
    assert get(address, "/pid") == str(other)       # and nothing that runs was touched
    give_back()
    holdport.await_(lambda s: s["programs"][0]["ready"] == 2)
    assert other in holdport.pids("web")
    assert holdport.socket("http")["inode"] == inode
    assert holdport.await_("web")


def test_no_descriptor_left_for_a_client_costs_nobody_anything(holdport):
    address = holdport.run_web("--notify")
    pids = holdport.pids("web")
    give_back = leave_no_descriptors(holdport)
    waiting = holdport.spawn("status", "-c", holdport.config, stdout=subprocess.DEVNULL)
    eventually(lambda: "cannot accept a client" in holdport.log())
    assert get(address) == "worker"
    give_back()
    assert waiting.wait(timeout=20) == 0
    assert holdport.pids("web") == pids


def test_no_descriptor_left_for_a_restart_leaves_the_old_generation(holdport):
    address = holdport.run_web("--notify", section=FOREVER)
    old = holdport.pids("web")
    give_back = leave_no_descriptors(holdport, 2)    # the client that asks, and one
    said = holdport.cmd("restart", "web")
    give_back()
    assert said.code == FAILED, said
    assert "Too many open files" in said.out
    assert holdport.pids("web") == old
    assert get(address) == "worker"
    holdport.ok("restart", "web")


@pytest.mark.parametrize("call, words", [
    ("fork", "EAGAIN"), ("pipe2", "EMFILE")])
def test_a_replacement_that_is_refused_is_tried_again(holdport, call, words):
    address = holdport.write_web("--notify", section=FOREVER)
    # Refused once while the first is started, and twice when it is replaced.
    holdport.run(fail=f"{call}:{words}:2,{call}:{words}:4-5")
    holdport.await_("web")
    for _ in range(3):
        old = eventually(lambda: holdport.pids("web"))
        os.kill(old[0], signal.SIGKILL)
        holdport.await_replaced("web", old)
    assert words in (holdport.dir / "failed").read_text()
    assert get(address) == "worker"


def test_a_full_disk_delays_a_pid_file_and_nothing_else(holdport):
    address = holdport.write_web("--notify", section="pid_file = web.${worker}.pid\nworkers = 2")
    holdport.config.write_text(holdport.config.read_text().replace(
        "[supervisor]\n", "[supervisor]\npid_file = own.pid\n"))
    holdport.run(fail="write@.pid:ENOSPC:1-3")
    holdport.await_("web")
    assert get(address) == "worker"
    assert "No space left on device" in holdport.log()
    own = holdport.dir / "own.pid"
    files = [holdport.dir / f"web.{n}.pid" for n in (0, 1)]
    eventually(lambda: all(f.exists() for f in (own, *files)))
    assert int(own.read_text()) == holdport.pid
    assert [int(f.read_text()) for f in files] == [
        w["pid"] for w in sorted(holdport.workers("web"), key=lambda w: w["index"])]
    holdport.shutdown()
    assert not list(holdport.dir.glob("*.pid*"))


def test_a_pid_file_is_of_the_worker_that_serves(holdport):
    holdport.run_web("--notify", section="ready = notify\npid_file = web.pid")
    file = holdport.dir / "web.pid"
    for _ in range(2):
        holdport.ok("restart", "web")
        holdport.await_(lambda s: len(s["programs"][0]["generations"]) == 1)
        assert int(file.read_text()) == holdport.pids("web")[0]
    holdport.ok("stop", "web")
    assert not file.exists()


def test_a_second_supervisor_is_told_the_pid_of_the_first(holdport):
    holdport.run_web("--notify")
    second = holdport.run_to_end()
    assert second.code == ANOTHER_RUNS
    assert re.search(rf"\bpid {holdport.pid}\b", second.err)
    assert holdport.cmd("status").code == 0     # its control socket was not taken away


def test_what_a_killed_supervisor_left_is_no_obstacle(holdport):
    holdport.leftovers_expected = True
    path = holdport.dir / "s"
    holdport.run_web("--notify", address=f"unix:{path}")
    [orphan] = holdport.pids("web")
    manager = holdport.manager_pid
    for pid in (holdport.pid, manager):     # the keeper first: it would start another
        os.kill(pid, signal.SIGKILL)
    holdport.process.wait()
    eventually(lambda: not alive(manager))
    os.kill(orphan, signal.SIGKILL)
    holdport.run()
    holdport.await_("web")
    assert get(f"unix:{path}") == "worker"


def test_a_server_that_binds_for_itself_is_told_what_to_do(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    holdport.write_web("--notify", "--from", "nowhere", "--bind", address, address=address,
                       section="start = manual\nstart_attempts = 1\nrestart = never")
    holdport.run()
    said = holdport.cmd("start", "web")
    assert said.code == FAILED
    assert "ddress already in use" in said.out          # what it said itself
    assert "binds for itself" in said.out and "handoff" in said.out


def shift(holdport, seconds):
    """The wall clock of the supervisor, from now on (tests/support/libfail.c)."""
    (holdport.dir / "clock.new").write_text(f"{seconds}\n")
    (holdport.dir / "clock.new").rename(holdport.dir / "clock")


@pytest.mark.parametrize("seconds", [-10 * 365 * 86400, 10 * 365 * 86400, -3600, 3600])
def test_a_clock_that_jumps_lets_no_timer_misfire(holdport, seconds):
    clock = holdport.dir / "clock"
    address = holdport.write_web("--notify", section="""\
        ready = notify
        start_timeout = 20s
        stop = TERM:20s KILL
        """, more=f"""\
        [program:slow]
        command = {holdport.worker("--no-socket", "--notify", "--start-delay", 800)}
        ready = notify
        start = manual
        start_timeout = 20s
        """)
    shift(holdport, 0)
    holdport.run(fail="none:EIO:0", env={"HOLDPORT_CLOCK": str(clock)})
    holdport.await_("web")
    [pid] = holdport.pids("web")
    starting = holdport.spawn("start", "-c", holdport.config, "slow", stdout=subprocess.DEVNULL)
    holdport.await_(lambda s: s["programs"][1]["state"] == "starting")
    shift(holdport, seconds)
    assert starting.wait(timeout=20) == 0
    assert holdport.pids("web") == [pid]
    assert get(address) == "worker"
    started = holdport.workers("slow")[0]["started"]
    old = holdport.pids("web")
    holdport.ok("restart", "web")
    holdport.await_replaced("web", old)
    said = holdport.workers("web")[-1]["started"]
    assert abs(int(said[:4]) - time.gmtime(time.time() + seconds).tm_year) <= 1, (started, said)
    holdport.ok("stop", "--all")
    assert not [p for p in holdport.status()["programs"] if p["last_error"]]


def test_a_supervisor_with_nothing_to_do_sleeps(holdport):
    # The one story that lets time pass: nothing is to happen in it.
    address = holdport.run_web("--notify", section="workers = 2", more=f"""\
        [socket:path]
        listen = unix:s
        [program:other]
        command = {holdport.worker("--notify")}
        sockets = path
        ready = delay:10ms
        """)
    holdport.await_("other")
    assert get(address) == "worker"
    holdport.cmd("status")
    both = [holdport.pid, holdport.manager_pid]
    eventually(lambda: all(map(is_asleep, both)))
    before = [switches(pid)[0] for pid in both]
    time.sleep(5)
    assert [switches(pid)[0] for pid in both] == before


def test_restarts_leave_no_descriptor_and_no_file_behind(holdport):
    holdport.run_web("--notify", section="workers = 2\npid_file = web.${worker}.pid\n")
    holdport.ok("restart", "web")
    holdport.await_(lambda s: len(s["programs"][0]["generations"]) == 1)

    def kinds():
        return sorted(re.sub(r"\d+", "N", kind) for kind in descriptors(manager).values())

    def files():
        return sorted(re.sub(r"web\.\d+$", "web.N", p.name) for p in holdport.dir.rglob("*"))

    manager = holdport.manager_pid
    before = kinds(), files()
    for n in range(20):
        if n % 5 == 4:
            # one that drains may be gone before it is killed
            holdport.await_(lambda s: len(s["programs"][0]["generations"]) == 1)
            old = holdport.pids("web")
            os.kill(old[0], signal.SIGKILL)
            holdport.await_replaced("web", old[:1])
        else:
            holdport.ok("restart", "web")
    holdport.await_(lambda s: len(s["programs"][0]["generations"]) == 1)
    # one of before may have been a client on its way out
    eventually(lambda: not Counter(kinds()) - Counter(before[0]),
               what=f"{before[0]}, not {kinds()}")
    assert files() == before[1]


def test_failures_leave_no_descriptor_behind(holdport):
    address = holdport.run_web("--notify")
    holdport.write_web(address=address, section="command = no-such-command-anywhere")
    holdport.cmd("reload")
    manager = holdport.manager_pid
    before = len(descriptors(manager))
    for words in ("no-such-command-anywhere", "/tmp", "false"):
        holdport.write_web(address=address, section=f"command = {words}")
        assert holdport.cmd("reload").code == FAILED
    for _ in range(5):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(holdport.runtime_dir / "control"))
            client.send(b"half a fr")
    # one of before may have been a client on its way out
    eventually(lambda: len(descriptors(manager)) <= before)
