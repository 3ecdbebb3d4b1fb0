"""Endings: ladders, hurry, groups, and what is not started again."""

import os
import signal
from pathlib import Path

import pytest

from holdport import alive, eventually

STUBBORN = ("--notify", "--ignore-term")


def group_of(pid):
    """Who else lives in its process group."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            rest = Path("/proc", entry, "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(rest[2]) == pid and int(entry) != pid and rest[0] != "Z":
            found.append(int(entry))
    return found


@pytest.mark.parametrize("ladder, signals, left", [
    ("TERM:10s KILL", ["TERM"], True),
    ("QUIT:10s KILL", ["QUIT"], True),
    ("USR1:50ms WINCH:50ms TERM:10s KILL", ["USR1", "WINCH", "TERM"], True),
    ("USR1:50ms KILL", ["USR1"], False),
    ("KILL", [], False)])
def test_a_ladder_is_climbed_rung_by_rung(holdport, ladder, signals, left):
    holdport.run_web("--notify", section=f"stop = {ladder}")
    [pid] = holdport.pids("web")
    events = holdport.events()
    holdport.ok("stop", "web")
    assert not alive(pid)
    assert holdport.signals(pid) == signals
    end = events.await_(lambda e: e["what"] == "worker" and e["state"] == "gone")
    assert end["text"] == ("exit status 0" if left else "signal 9 (KILL)")


def test_a_second_term_climbs_at_once(holdport):
    holdport.run_web(*STUBBORN, section="stop = TERM:60s USR1:60s KILL")
    [pid] = holdport.pids("web")
    for number, signals in ((signal.SIGTERM, ["TERM"]), (signal.SIGINT, ["TERM", "USR1"])):
        holdport.process.send_signal(number)
        eventually(lambda: holdport.signals(pid) == signals, what=f"{signals}")
    holdport.process.send_signal(signal.SIGTERM)
    assert holdport.process.wait(timeout=20) == 0
    assert not alive(pid)


def test_quit_ends_everything_at_once(holdport):
    holdport.run_web(*STUBBORN, section="stop = TERM:60s KILL\nworkers = 3")
    pids = holdport.pids("web")
    holdport.process.send_signal(signal.SIGQUIT)
    assert holdport.process.wait(timeout=20) == 0
    assert not any(alive(pid) for pid in pids)


def test_quit_during_a_shutdown_ends_it(holdport):
    holdport.run_web(*STUBBORN, section="stop = TERM:60s KILL")
    [pid] = holdport.pids("web")
    holdport.process.send_signal(signal.SIGTERM)
    eventually(lambda: holdport.signals(pid) == ["TERM"])
    holdport.process.send_signal(signal.SIGQUIT)
    assert holdport.process.wait(timeout=20) == 0


def test_a_shutdown_has_its_own_patience(holdport):
    holdport.write_web(*STUBBORN, section="stop = TERM:60s KILL")
    holdport.config.write_text(holdport.config.read_text().replace(
        "[supervisor]\n", "[supervisor]\nshutdown_timeout = 300ms\n"))
    holdport.run()
    holdport.await_("web")
    assert holdport.shutdown() == 0


def test_a_worker_that_is_still_starting_is_stopped_too(holdport):
    holdport.write_web("--notify", "--start-delay", 60000, section="ready = notify")
    holdport.run()
    [pid] = eventually(lambda: [r["pid"] for r in holdport.reports()])
    holdport.ok("stop", "web")
    assert not alive(pid)
    assert holdport.program("web")["state"] == "stopped"


@pytest.mark.parametrize("mode, term_reaches_child, kill_reaches_child", [
    ("mixed", False, True), ("group", True, True), ("process", False, False)])
def test_kill_mode_says_who_gets_the_signals(holdport, mode, term_reaches_child,
                                             kill_reaches_child):
    holdport.run_web(*STUBBORN, "--fork-child",
                     section=f"stop = TERM:2s KILL\nkill_mode = {mode}")
    [pid] = holdport.pids("web")
    [child] = eventually(lambda: group_of(pid))
    stopping = holdport.spawn("stop", "-c", holdport.config, "web")
    eventually(lambda: holdport.signals(pid) == ["TERM"])
    if term_reaches_child:
        eventually(lambda: not alive(child), 1.5, what="TERM reaches the child")
    else:
        assert alive(child)
    assert stopping.wait(timeout=20) == 0
    assert not alive(pid)
    if kill_reaches_child:
        eventually(lambda: not alive(child))
    else:
        assert alive(child)
        os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("mode", ["mixed", "group"])
def test_what_a_dead_worker_left_in_its_group_goes_with_it(holdport, mode):
    holdport.run_web("--notify", "--fork-child", section=f"kill_mode = {mode}")
    [pid] = holdport.pids("web")
    [child] = eventually(lambda: group_of(pid))
    os.kill(pid, signal.SIGKILL)
    holdport.await_replaced("web", [pid])
    eventually(lambda: not alive(child))


LEAVES = """\
( setsid sh -c 'echo $$ >>"$0"; sleep 1000 & echo $! >>"$0"; wait' "$1" & )
shift
exec "$@"
"""


def leaves_behind(holdport, mode="mixed"):
    """A worker that leaves two processes behind, not in its group, nobody's children."""
    script, left = holdport.dir / "leaves.sh", holdport.dir / "left"
    script.write_text(LEAVES)
    holdport.run_web(section=f"command = sh {script} {left} {holdport.worker('--notify')}\n"
                             f"ready = notify\nkill_mode = {mode}\n")
    return left


def left_behind(left, count=2):
    return eventually(lambda: left.exists() and len(left.read_text().split()) >= count
                      and list(map(int, left.read_text().split()[-2:])))


def test_what_left_the_group_goes_with_its_generation(holdport):
    left = leaves_behind(holdport)
    old = left_behind(left)
    assert group_of(holdport.pids("web")[0]) == []
    holdport.ok("restart", "web")
    eventually(lambda: not any(map(alive, old)), what="the old generation leaves nothing")
    new = left_behind(left, 4)
    assert all(map(alive, new))
    assert "web/1: what it left behind is ended" in holdport.log()
    assert holdport.shutdown() == 0
    assert not any(map(alive, new))


def test_a_successor_ends_what_was_left_behind(holdport):
    left = left_behind(leaves_behind(holdport))
    [pid] = holdport.pids("web")
    with holdport.no_manager():
        os.kill(pid, signal.SIGKILL)
    holdport.ok("stop", "web")
    eventually(lambda: not any(map(alive, left)))


def test_kill_mode_process_leaves_them_alone(holdport):
    left = left_behind(leaves_behind(holdport, "process"))
    holdport.ok("stop", "web")
    assert holdport.shutdown() == 0
    assert all(map(alive, left))
    for pid in left:
        os.kill(pid, signal.SIGKILL)


# Their ends take a moment, and so fall together with the manager's.
CROWD = """\
import os, resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
for _ in range(min(4000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 10)):
    os.dup(0)
for _ in range(60):
    if os.fork() == 0:
        break
time.sleep(60)
"""


def test_the_keeper_takes_no_manager_for_an_orphan(holdport):
    script = holdport.dir / "crowd.py"
    script.write_text(CROWD)
    for _ in range(2):
        holdport.run_web(section=f"command = /usr/bin/python3 {script}\nready = delay:300ms\n")
        assert holdport.shutdown() == 0


def test_a_child_that_holds_the_output_open_does_not_hold_the_stop(holdport):
    holdport.run_web("--notify", "--fork-child", section="kill_mode = process")
    [pid] = holdport.pids("web")
    [child] = eventually(lambda: group_of(pid))
    holdport.ok("stop", "web", "--timeout", "5s")
    assert alive(child)
    os.kill(child, signal.SIGKILL)


# Started again, or not


def test_a_proved_worker_is_replaced_at_once_whatever_the_delay(holdport):
    holdport.run_web("--notify", section="restart_delay = 60s\nrestart_delay_max = 60s")
    for _ in range(3):
        old = holdport.pids("web")
        os.kill(old[0], signal.SIGKILL)
        holdport.await_replaced("web", old, 5)
    assert holdport.program("web")["restarts"] == 3
    assert holdport.program("web")["generation"] == 1


def test_an_unproved_one_is_tried_again_with_growing_pauses(holdport):
    holdport.write_web("--die-at-start", 3, section="""\
        restart_delay = 40ms
        restart_delay_max = 320ms
        start_attempts = 5
        """)
    holdport.run()
    holdport.await_(lambda s: s["programs"][0]["state"] == "failed")
    pauses = [line.rsplit(" ", 1)[1] for line in holdport.log().splitlines()
              if "is tried again in" in line]
    pauses = [int(p.removesuffix("ms")) for p in pauses]
    assert len(holdport.reports()) == 5 and len(pauses) == 4
    for pause, middle in zip(pauses, (40, 80, 160, 320)):
        assert middle * 0.75 - 1 <= pause <= middle * 1.25 + 1


@pytest.mark.parametrize("words", [["start", "web"], ["restart", "web"], ["reload"]])
def test_backoff_is_a_state_and_whoever_asks_ends_it(holdport, words):
    flag = holdport.dir / "flag"
    section = (f'command = sh -c "test -e {flag} || exit 9; exec $$0 --notify"\n'
               f"    {holdport.worker()}\nrestart_delay = 60s\nrestart_delay_max = 60s\n")
    address = holdport.write_web(section=section)
    holdport.run()
    holdport.await_("web", "backoff")
    assert holdport.cmd("status").code == 3
    assert "exit status 9" in holdport.program("web")["last_error"]
    flag.touch()
    if words == ["reload"]:
        holdport.write_web(address=address, section=section + "environment = A=1\n")
    holdport.ok(*words, "--timeout", "10s")
    assert holdport.program("web")["state"] == "running"


@pytest.mark.parametrize("policy, code, codes, again", [
    ("never", 0, "0", False), ("never", 3, "0", False),
    ("on-failure", 0, "0", False), ("on-failure", 3, "0", True),
    ("on-failure", 3, "0, 3", False), ("always", 0, "0", True)])
def test_the_policy_says_who_is_started_again(holdport, policy, code, codes, again):
    holdport.write_web("--notify", "--exit-after-ms", 200, "--exit-code", code, section=f"""\
        ready = notify
        restart = {policy}
        success_exit_codes = {codes}
        """)
    holdport.run()
    if again:
        eventually(lambda: len(holdport.reports()) >= 3)
        return
    state = "stopped" if str(code) in codes.split(", ") else "failed"
    holdport.await_(lambda s: s["programs"][0]["state"] == state)
    assert len(holdport.reports()) == 1
    assert holdport.socket("http")["state"] == "listening"


def test_a_storm_of_proved_workers_is_damped(holdport):
    holdport.write_web("--notify", "--exit-after-ms", 0, section="ready = notify")
    holdport.run()
    eventually(lambda: "slowed to 10 a second" in holdport.log())
    assert holdport.program("web")["generation"] <= 1     # 0: none of them served long enough
