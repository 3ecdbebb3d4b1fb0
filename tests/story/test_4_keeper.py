"""The process that the world sees stands above the one with the logic."""

import os
import signal
from pathlib import Path

from holdport import descendants, eventually, parent_of


def children_of(pid):
    """pid -> state"""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if int(parent) == pid:
            found[int(path.parent.name)] = state
    return found


def test_the_keeper_is_what_was_started_and_the_manager_is_below_it(holdport):
    holdport.run_web("--notify")
    supervisor = holdport.status()["supervisor"]
    assert supervisor["keeper_pid"] == holdport.pid
    assert parent_of(supervisor["manager_pid"]) == holdport.pid
    assert parent_of(holdport.pids("web")[0]) == supervisor["manager_pid"]
    assert (holdport.runtime_dir / "lock").read_text() == f"{holdport.pid}\n"
    assert f", pid {holdport.pid}, " in holdport.ok("status").out


def test_a_terminals_ctrl_c_reaches_the_keeper_only(holdport):
    holdport.run_web("--notify")
    manager = holdport.manager_pid
    assert os.getsid(manager) == manager
    os.killpg(holdport.pid, signal.SIGINT)
    assert holdport.process.wait(timeout=20) == 0
    assert "shutting down" in holdport.log()


def test_signals_are_passed_down(holdport):
    holdport.run_web("--notify")
    os.kill(holdport.pid, signal.SIGHUP)
    holdport.await_(lambda s: s["supervisor"]["reloads"] == 1)


def test_a_manager_that_takes_no_signal_counts_as_dead(holdport):
    holdport.leftovers_expected = True
    holdport.run_web("--notify")
    manager = holdport.manager_pid
    os.kill(manager, signal.SIGSTOP)
    os.kill(holdport.pid, signal.SIGHUP)
    eventually(lambda: "did not take a signal" in holdport.log())
    eventually(lambda: manager not in descendants())
    # Nor is the signal forgotten: it is for the next one.
    holdport.await_(lambda s: s["supervisor"]["reloads"] == 1)


def test_orphans_that_come_to_the_keeper_are_taken_away(holdport):
    orphan = "(sh -c 'echo $$ >>orphans; exec sleep 0.05' &)"
    script = holdport.dir / "start"
    script.write_text(f"#!/bin/sh\n{orphan}\nexec {holdport.worker('--notify')}\n")
    script.chmod(0o755)
    holdport.run_web(section=f"command = {script}\nready = notify")
    manager = holdport.manager_pid
    orphans = holdport.dir / "orphans"
    [pid] = eventually(lambda: orphans.exists() and orphans.read_text().split())
    eventually(lambda: not Path(f"/proc/{pid}").exists())
    assert children_of(holdport.pid).keys() == {manager}
