"""start = on-demand: who comes first starts it, and waits in the queue until then."""

import os
import socket
from pathlib import Path

import pytest

from holdport import DONE, USAGE, connect, eventually, get

SLEEPS = "starts when somebody comes to its sockets (start = on-demand)"


def run_asleep(holdport, *options, section="", **named):
    address = holdport.write_web(*options, section="start = on-demand\n" + section, **named)
    holdport.run()
    await_asleep(holdport)
    return address


def await_asleep(holdport):
    holdport.await_(lambda s: s["programs"][0]["asleep"])


@pytest.mark.parametrize("where", ["tcp", "unix", "group"])
def test_the_first_who_comes_starts_it(holdport, where):
    address = f"unix:{holdport.dir}/web" if where == "unix" else None
    address = run_asleep(holdport, "--notify", address=address,
                         socket="reuse_port = yes" if where == "group" else "")
    web = holdport.program("web")
    assert (web["state"], web["last_error"], web["generations"]) == ("stopped", SLEEPS, [])
    assert holdport.cmd("status").code == DONE
    assert holdport.reports() == []
    assert get(address) == "worker"
    assert holdport.await_("web") and not holdport.program("web")["asleep"]
    assert "web: starting: somebody came to socket http" in holdport.log()


def test_a_datagram_starts_it_and_is_read(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run_asleep(holdport, "--notify", address=address, socket="type = datagram")
    host, port = address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        s.connect((host, int(port)))
        s.send(b"first")
        assert s.recv(100) == b"worker first"


def test_nobody_who_came_meanwhile_is_lost(holdport):
    address = run_asleep(holdport, "--start-delay", 300, "--notify", section="ready = notify\n")
    waiting = [connect(address) for _ in range(100)]
    for s in waiting:
        assert get(None, keep=s) == "worker"
        s.close()
    assert len(holdport.reports()) == 1


def test_one_that_ends_well_sleeps_again(holdport):
    address = run_asleep(holdport, "--notify", "--die-after-requests", 1,
                         section="ready = notify\nrestart_delay = 60s\nrestart_delay_max = 60s\n")
    for number in range(1, 4):
        assert get(address) == "worker"
        await_asleep(holdport)
        assert len(holdport.reports()) == number
    assert holdport.program("web")["state"] == "stopped"
    assert holdport.cmd("status").code == DONE


def test_one_that_crashes_is_started_again_as_any_other(holdport):
    address = run_asleep(holdport, "--notify")
    assert get(address) == "worker"
    holdport.await_("web")
    old = holdport.pids("web")
    os.kill(old[0], 9)
    holdport.await_replaced("web", old)
    assert not holdport.program("web")["asleep"]


def test_one_that_does_not_come_up_is_tried_again_for_the_client(holdport):
    flag = holdport.dir / "flag"
    address = run_asleep(holdport, section=f"""\
command = sh -c "test -e {flag} || exit 9; exec $$0 --notify"
    {holdport.worker()}
restart_delay = 10ms
restart_delay_max = 50ms
""")
    client = connect(address)
    holdport.await_("web", "backoff")
    flag.touch()
    assert get(None, keep=client) == "worker"
    client.close()


def test_one_that_never_accepts_is_slowed_and_the_client_waits(holdport):
    address = run_asleep(holdport, section="command = /bin/true\n")
    client = connect(address)
    eventually(lambda: "web: comes and goes; slowed to 10 a second" in holdport.log())
    holdport.write_web("--notify", address=address, section="start = on-demand\n")
    holdport.ok("reload")
    assert get(None, keep=client) == "worker"
    client.close()


def switches(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("voluntary")).split()[1])


def test_clients_of_one_that_is_awake_wake_the_workers_only(holdport):
    address = run_asleep(holdport, "--notify", section="ready = notify\n")
    assert get(address) == "worker"
    holdport.await_("web")
    manager = holdport.manager_pid
    before = switches(manager)
    for _ in range(300):
        assert get(address) == "worker"
    assert switches(manager) - before < 100


def test_a_successor_listens_on(holdport):
    address = run_asleep(holdport, "--notify")
    with holdport.no_manager():
        client = connect(address)
    assert get(None, keep=client) == "worker"
    client.close()
    assert len(holdport.reports()) == 1


def test_an_upgraded_one_listens_on(holdport):
    holdport.install()
    address = run_asleep(holdport, "--notify")
    assert "supervises" in holdport.ok("upgrade").out
    assert holdport.program("web")["asleep"] and holdport.reports() == []
    assert get(address) == "worker"
    assert len(holdport.reports()) == 1


def test_one_that_is_stopped_does_not_listen(holdport):
    address = run_asleep(holdport, "--notify", socket="when_down = refuse")
    assert holdport.socket("http")["state"] == "listening"
    holdport.ok("stop", "web")
    assert not holdport.program("web")["asleep"]
    eventually(lambda: holdport.socket("http")["state"] == "refusing")
    with pytest.raises(ConnectionRefusedError):
        connect(address)
    holdport.ok("start", "web")             # by hand: now
    assert holdport.program("web")["state"] == "running"
    assert get(address) == "worker"


def test_requests_to_one_that_sleeps_do_not_wake_it(holdport):
    address = run_asleep(holdport, "--notify")
    assert "sleeps" in holdport.ok("restart", "web").out
    holdport.ok("scale", "web", 2)
    assert holdport.program("web")["asleep"] and holdport.reports() == []
    assert get(address) == "worker"
    holdport.await_(lambda s: s["programs"][0]["ready"] == 2)


def test_a_reload_puts_it_to_sleep_or_wakes_it(holdport):
    address = run_asleep(holdport, "--notify")
    holdport.write_web("--notify", address=address, section="start = auto\n")
    holdport.ok("reload")
    holdport.await_("web")
    [pid] = holdport.pids("web")
    holdport.write_web("--notify", address=address, section="start = on-demand\n",
                       more="[program:late]\nsockets = http\nstart = on-demand\n"
                            f"command = {holdport.worker('--notify')}\n")
    holdport.ok("reload")                   # live: it is awake, and stays
    assert holdport.pids("web") == [pid]
    holdport.await_(lambda s: s["programs"][1]["asleep"])
    holdport.write_web("--notify", address=address, section="start = on-demand\n")
    holdport.ok("reload")
    assert [p["name"] for p in holdport.status()["programs"]] == ["web"]


@pytest.mark.parametrize("lines, fault", [
    ("", "start: on-demand needs a socket that somebody can come to; name one with sockets = NAME"),
    ("handoff = intercept\nsockets = http", "start: on-demand is not for handoff = intercept: "
     "before the program has bound its address nobody can come to it")])
def test_where_nobody_can_come_it_is_a_fault(holdport, lines, fault):
    holdport.write_config("[program:web]\ncommand = /bin/true\nstart = on-demand\n" + lines +
                          "\n[socket:http]\nlisten = 127.0.0.1:1\n")
    said = holdport.cmd("check")
    assert said.code == USAGE and said.err.strip() == f"{holdport.config}:5: {fault}"
