"""health = …: who serves is asked whether he is well, and replaced if not."""

import os
import signal

import pytest

from holdport import alive, descendants, eventually, get
from servers import GUNICORN, NGINX

OFTEN = "health_interval = 100ms\nhealth_failures = 2\n"
# Long enough for whoever is well, also on a busy machine.
LATE = "health_interval = 100ms\nhealth_failures = 1\nhealth_timeout = 2s\n"


def says(text, pid=None):
    return lambda e: text in (e["text"] or "") and (pid is None or e["pid"] == pid)


def is_(state, pid=None):
    return lambda e: (e["what"] == "worker" and e["state"] == state
                      and (pid is None or e["pid"] == pid))


def of_slot(holdport, slot):
    return next(w for w in holdport.workers("web") if w["slot"] == slot)


def await_health(holdport, word):
    eventually(lambda: [w["health"] for w in holdport.workers("web")
                        if w["state"] == "serving"] == [word], what=holdport.log)


@pytest.mark.parametrize("how", ["exec", "http"])
def test_a_worker_that_is_not_well_is_replaced_without_a_gap(holdport, how):
    status = f"{holdport.dir}/status.${{slot}}"
    own = f"unix:{holdport.dir}/own.${{slot}}"
    health = {"exec": f"exec:test ! -e {status}", "http": f"http://{own}:/health"}[how]
    section = f"workers = 2\nhealth = {health}\n{OFTEN}"
    address = holdport.run_web("--notify", "--bind", own, "--health-file", status, section=section)
    sick, other = of_slot(holdport, 0)["pid"], of_slot(holdport, 1)["pid"]
    events = holdport.events()
    with holdport.load(address) as load:
        (holdport.dir / "status.0").write_text("503")
        events.await_(says("is not well, for the 2. time: ", sick))
        events.await_(is_("gone", sick))
    load.expect(failed=0)
    served = [(e["pid"], e["state"]) for e in events.seen if e["what"] == "worker"]
    [new] = {pid for pid, _ in served} - {sick, other}
    assert served.index((new, "serving")) < served.index((sick, "draining"))
    assert sorted(holdport.pids("web")) == sorted([new, other])
    assert holdport.program("web")["restarts"] == 0
    eventually(lambda: [w["health"] for w in holdport.workers("web")] == ["well"] * 2)


@pytest.mark.parametrize("health", ["http:/health", "tcp"])
def test_behind_a_shared_socket_it_is_the_program_that_is_asked(holdport, health):
    status = holdport.dir / "status"
    section = f"health = {health}\nhealth_timeout = 1s\n{OFTEN}stop = KILL\n"
    address = holdport.run_web("--notify", "--health-file", status, section=section)
    eventually(lambda: holdport.program("web")["health"] == "well", what=holdport.log)
    [sick] = holdport.pids("web")
    events = holdport.events()
    if health == "tcp":
        os.kill(sick, signal.SIGSTOP)
    else:
        status.write_text("503")
    said = events.await_(says("is not well, for the 2. time: "))
    assert said["what"] == "program" and said["name"] == "web"
    events.await_(says("it is not well (health)", sick))
    status.unlink(missing_ok=True)
    events.await_(is_("gone", sick))
    events.await_(says("is well again"))
    assert get(address) == "worker"


@pytest.mark.parametrize("server", [NGINX, GUNICORN], ids=lambda s: s.name)
def test_servers_are_asked_and_are_well(holdport, server):
    address = f"127.0.0.1:{holdport.port()}"
    server.write_config(holdport, address, more=f"ready = http:/\nhealth = http:/\n{OFTEN}")
    holdport.run()
    holdport.await_("web")
    assert holdport.program("web")["generations"][-1]["proved_by"] == "http"
    eventually(lambda: holdport.program("web")["health"] == "well", what=holdport.log)
    holdport.ok("restart", "web")
    eventually(lambda: holdport.program("web")["health"] == "well", what=holdport.log)
    assert get(address) == server.name


def test_nobody_is_not_sick(holdport):
    ticks = holdport.dir / "ticks"
    ticks.touch()
    other = holdport.worker("--notify", "--no-socket")
    section = f"health = http:/health\nhealth_timeout = 300ms\n{OFTEN}"
    holdport.run_web("--notify", section=section, more=f"""
        [program:clock]
        command = {other}
        health = exec:sh -c 'echo >>{ticks}'
        health_interval = 100ms
        """)
    eventually(lambda: holdport.program("web")["health"] == "well")
    holdport.ok("scale", "web", "0")
    eventually(lambda: not holdport.pids("web"))
    before, said = len(ticks.read_text()), holdport.log().count("web: is not well")
    eventually(lambda: len(ticks.read_text()) > before + 12)
    assert holdport.log().count("web: is not well") == said


def test_a_worker_that_hangs_does_not_answer(holdport):
    own = f"unix:{holdport.dir}/own.${{slot}}"
    section = (f"health = http://{own}:/health\n{LATE}"
               "stop = TERM:100ms KILL\n")
    address = holdport.run_web("--notify", "--bind", own, section=section)
    [sick] = holdport.pids("web")
    os.kill(sick, signal.SIGSTOP)
    events = holdport.events()
    events.await_(is_("gone", sick))
    assert "is not well" in holdport.log()
    assert get(address) == "worker"


def test_a_check_that_hangs_is_ended_and_counts(holdport):
    hang = holdport.dir / "hang"
    section = (f"health = exec:sh -c 'test ! -e {hang} || sleep 1000'\n"
               + LATE)
    holdport.run_web("--notify", section=section)
    [sick] = holdport.pids("web")
    hang.touch()
    events = holdport.events()
    events.await_(says("there was no answer in time (health_timeout)", sick))
    events.await_(is_("draining", sick))
    hang.unlink()
    eventually(lambda: "sleep" not in descendants(holdport.pid).values(), what=descendants)


def test_what_cannot_be_asked_is_no_answer(holdport):
    holdport.run_web("--notify", section=f"workers = 2\nhealth = exec:no-such-command\n{OFTEN}")
    said = 'health cannot be asked for: command "no-such-command" was not found in PATH'
    eventually(lambda: holdport.log().count(said) == 2, what=holdport.log)
    assert [w["health"] for w in holdport.workers("web")] == [None, None]


def test_it_knows_the_worker(holdport):
    said = holdport.dir / "said"
    check = holdport.dir / "check"
    check.write_text(f'#!/bin/sh\necho "$1 $HOLDPORT_PID" >>{said}\n')
    os.chmod(check, 0o755)
    holdport.run_web("--notify", section=f"health = exec:{check} ${{generation}}\n{OFTEN}")
    [pid] = holdport.pids("web")
    eventually(lambda: said.exists() and said.read_text())
    assert said.read_text().splitlines()[0] == f"1 {pid}"


def test_it_stays_while_nobody_takes_its_place(holdport):
    sick, broken = holdport.dir / "sick", holdport.dir / "broken"
    command = f"/bin/sh -c 'test ! -e {broken} && exec {holdport.worker('--notify')}'"
    address = holdport.run_web(section=f"command = {command}\nready = notify\n"
                                       f"health = exec:test ! -e {sick}\n{OFTEN}")
    await_health(holdport, "well")
    [pid] = holdport.pids("web")
    broken.touch()
    sick.touch()
    eventually(lambda: "its replacement did not come up" in holdport.log(), what=holdport.log)
    await_health(holdport, "sick")
    assert get(address) == "worker" and alive(pid)
    assert f"worker 0 (pid {pid}) is not well" in holdport.program("web")["last_error"]
    assert "sick" in holdport.cmd("status").out
    holdport.kill_manager()
    await_health(holdport, "sick")          # it need not be asked again to be known
    broken.unlink()
    sick.unlink()
    await_health(holdport, "well")


def test_a_reload_takes_it_over_as_it_runs(holdport):
    address = holdport.run_web("--notify")
    [pid] = holdport.pids("web")
    assert holdport.workers("web")[0]["health"] is None
    holdport.write_web("--notify", address=address, section=f"health = exec:false\n{OFTEN}")
    assert "live" in holdport.ok("reload").out
    eventually(lambda: not alive(pid), what=holdport.log)
    holdport.write_web("--notify", address=address)
    holdport.ok("reload")
    holdport.ok("restart", "web")
    assert holdport.workers("web")[-1]["health"] is None


def test_an_upgrade_waits_for_no_further_check(holdport):
    holdport.run_web("--notify", section="health = exec:sleep 0.3\nhealth_interval = 100ms\n"
                                         "workers = 4\n")
    eventually(lambda: "sleep" in descendants(holdport.pid).values())
    holdport.ok("upgrade")
    eventually(lambda: [w["health"] for w in holdport.workers("web")] == ["well"] * 4)
