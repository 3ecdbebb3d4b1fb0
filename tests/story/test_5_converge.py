"""Requests that meet on their way: whatever was asked last is what is."""

import os
import signal

import pytest

from holdport import DONE, FAILED, connect, eventually, get

SLOW = ("--notify", "--start-delay", 400)
NOTIFY = "ready = notify\n"


def states(holdport):
    program = holdport.program("web")
    return program["state"], program["ready"], len(program["generations"])


def come_to_rest(holdport, state="running", workers=1):
    rest = (state, workers, 1 if state == "running" else 0)
    eventually(lambda: states(holdport) == rest, what=f"{rest}\n{holdport.log()}")


def ask(holdport, *words):
    """A command in the background, known to have been heard."""
    child = holdport.spawn(*words, "-c", holdport.config)
    return child


def test_a_restart_during_a_restart_is_done_after_it(holdport):
    address = holdport.run_web(*SLOW, section=NOTIFY)
    first = ask(holdport, "restart", "web")
    holdport.await_("web", "restarting")
    holdport.ok("restart", "web")
    assert first.wait(timeout=20) == 0
    come_to_rest(holdport)
    assert holdport.program("web")["generation"] == 3
    assert get(address) == "worker"


def test_a_reload_during_a_restart_ends_with_the_new_configuration(holdport):
    address = holdport.run_web(*SLOW, section=NOTIFY)
    first = ask(holdport, "restart", "web")
    holdport.await_("web", "restarting")
    holdport.write_web(*SLOW, "--answer", "new", address=address, section=NOTIFY)
    holdport.ok("reload")
    assert first.wait(timeout=20) == 0
    come_to_rest(holdport)
    assert get(address) == "new"


def test_a_reload_that_mends_a_reload_that_fails_slowly(holdport):
    section = NOTIFY + "start_timeout = 60s\n"
    address = holdport.run_web("--notify", section=section)
    holdport.write_web("--never-ready", address=address, section=section)
    first = ask(holdport, "reload")
    holdport.await_("web", "restarting")
    holdport.write_web("--notify", "--answer", "mended", address=address, section=section)
    holdport.ok("reload")
    assert first.wait(timeout=20) in (DONE, FAILED)
    come_to_rest(holdport)
    assert get(address) == "mended"


def test_back_to_the_old_configuration_during_its_change(holdport):
    section = NOTIFY + "start_timeout = 60s\n"
    address = holdport.run_web("--notify", section=section)
    holdport.write_web("--never-ready", address=address, section=section)
    first = ask(holdport, "reload")
    holdport.await_("web", "restarting")
    holdport.write_web("--notify", address=address, section=section)
    holdport.ok("reload")
    first.wait(timeout=20)
    come_to_rest(holdport)
    assert get(address) == "worker"


def test_a_stop_during_a_start(holdport):
    holdport.write_web("--never-ready", section=NOTIFY + "start = manual")
    holdport.run()
    start = ask(holdport, "start", "web")
    holdport.await_(lambda status: status["programs"][0]["state"] == "starting")
    holdport.ok("stop", "web")
    assert start.wait(timeout=20) == FAILED
    come_to_rest(holdport, "stopped", 0)


def test_a_stop_during_a_restart(holdport):
    holdport.run_web(*SLOW, section=NOTIFY)
    restart = ask(holdport, "restart", "web")
    holdport.await_("web", "restarting")
    holdport.ok("stop", "web")
    assert restart.wait(timeout=20) == FAILED
    come_to_rest(holdport, "stopped", 0)
    assert holdport.socket("http")["state"] == "listening"


@pytest.mark.parametrize("strategy", ["rolling", "replace"])
def test_a_start_during_a_stop(holdport, strategy):
    address = holdport.run_web("--notify", "--stop-delay", 500,
                               section=NOTIFY + f"strategy = {strategy}")
    old = holdport.pids("web")
    stop = ask(holdport, "stop", "web")
    holdport.await_("web", "stopping")
    holdport.ok("start", "web")
    assert stop.wait(timeout=20) == FAILED       # it was started again meanwhile
    come_to_rest(holdport)
    assert holdport.pids("web") != old
    assert get(address) == "worker"


def test_a_worker_that_dies_during_a_restart(holdport):
    address = holdport.run_web(*SLOW, section=NOTIFY + "workers = 2")
    restart = ask(holdport, "restart", "web")
    holdport.await_("web", "restarting")
    os.kill(holdport.pids("web")[0], signal.SIGKILL)
    assert restart.wait(timeout=20) == 0
    come_to_rest(holdport, workers=2)
    assert get(address) == "worker"


def test_a_shutdown_during_a_restart(holdport):
    holdport.run_web(*SLOW, section=NOTIFY)
    restart = ask(holdport, "restart", "web")
    holdport.await_("web", "restarting")
    assert holdport.shutdown() == 0
    assert restart.wait(timeout=20) == FAILED


def test_many_requests_of_all_kinds_at_once(holdport):
    address = holdport.run_web("--notify", section=NOTIFY + "workers = 2")
    words = [["restart", "web"], ["stop", "web"], ["start", "web"], ["reload"],
             ["scale", "web", "3"], ["restart", "web"], ["scale", "web", "2"], ["start", "web"]]
    asked = [ask(holdport, *w) for w in words]
    assert {child.wait(timeout=30) for child in asked} <= {DONE, FAILED}
    holdport.ok("start", "web")
    holdport.ok("scale", "web", "2")
    come_to_rest(holdport, workers=2)
    assert get(address) == "worker"


# scale


def test_scale_goes_up_and_down_and_is_gone_with_its_key(holdport):
    address = holdport.run_web("--notify", section=NOTIFY)
    [first] = holdport.pids("web")
    for count in (4, 2, 3, 1):
        holdport.ok("scale", "web", count)
        come_to_rest(holdport, workers=count)
        assert first in holdport.pids("web")
    holdport.ok("scale", "web", 0)
    eventually(lambda: not holdport.pids("web"))
    assert holdport.socket("http")["state"] == "listening"
    connect(address).close()
    holdport.ok("scale", "web", 2)
    come_to_rest(holdport, workers=2)
    holdport.ok("restart", "web")
    come_to_rest(holdport, workers=2)           # a restart keeps it
    holdport.write_web("--notify", address=address, section=NOTIFY + "workers = 3")
    holdport.ok("reload")
    come_to_rest(holdport, workers=3)           # a new number in the file ends it


def only(holdport, count):
    """A command whose first workers are good and all others are not."""
    tickets = holdport.dir / "tickets"
    tickets.mkdir()
    for n in range(count):
        (tickets / str(n)).touch()
    return (f'command = sh -c "for t in {tickets}/*; do rm $$t 2>/dev/null && exec $$0 --notify;'
            f' done; exit 6" {holdport.worker()}\n')


@pytest.mark.parametrize("attempts", [0, 1, 2])
def test_a_scale_that_fails_goes_back(holdport, attempts):
    holdport.run_web(section=NOTIFY + only(holdport, 3) +
                     f"restart_delay = 20ms\nstart_attempts = {attempts}\n")
    [first] = holdport.pids("web")
    said = holdport.cmd("scale", "web", 5)
    assert said.code == FAILED, said
    assert "exit status 6" in said.out
    holdport.await_(lambda s: s["programs"][0]["workers"] == 1)
    come_to_rest(holdport)
    assert holdport.pids("web") == [first]


def test_scale_of_a_stopped_program_counts_when_it_starts(holdport):
    holdport.write_web("--notify", section=NOTIFY + "start = manual")
    holdport.run()
    holdport.ok("scale", "web", 3)
    assert not holdport.pids("web")
    holdport.ok("start", "web")
    come_to_rest(holdport, workers=3)


def test_scale_during_a_restart(holdport):
    holdport.run_web(*SLOW, section=NOTIFY + "workers = 2")
    restart = ask(holdport, "restart", "web")
    holdport.await_("web", "restarting")
    holdport.ok("scale", "web", 3)
    assert restart.wait(timeout=20) == 0
    come_to_rest(holdport, workers=3)


def test_scale_of_a_program_that_stayed_partial_is_answered(holdport):
    section = NOTIFY + "workers = 3\non_failure = stop\n"
    address = holdport.run_web("--notify", section=section)
    holdport.write_web(address=address, section=section + only(holdport, 1))
    assert holdport.cmd("reload").code == FAILED
    said = holdport.cmd("scale", "web", 4, "--timeout", "10s")
    assert said.code in (DONE, FAILED), said
