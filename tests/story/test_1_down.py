"""when_down: what clients meet while nobody serves the socket."""

import socket

import pytest

from holdport import connect, eventually, get
from test_1_inherit import listener, run_with

REFUSE = "when_down = refuse"


def refused(address):
    try:
        connect(address).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


@pytest.fixture(params=["tcp", "unix"])
def address(request, holdport):
    return f"127.0.0.1:{holdport.port()}" if request.param == "tcp" else f"unix:{holdport.dir}/s"


def test_hold_lets_clients_wait(holdport):
    address = holdport.run_web("--notify")
    holdport.ok("stop", "web")
    client = connect(address)
    assert holdport.socket("http")["state"] == "listening"
    holdport.ok("start", "web")
    assert get("", keep=client) == "worker"
    client.close()


def test_refuse_turns_clients_away_until_somebody_serves_again(holdport, address):
    holdport.run_web("--notify", address=address, socket=REFUSE)
    inode = holdport.socket("http")["inode"]
    for _ in range(2):
        assert get(address) == "worker"
        holdport.ok("stop", "web")
        assert refused(address)
        assert holdport.socket("http")["state"] == "refusing"
        holdport.ok("start", "web")
        assert holdport.socket("http")["state"] == "listening"
    assert get(address) == "worker"
    if not address.startswith("unix:"):
        assert holdport.socket("http")["inode"] == inode


def test_nobody_takes_the_address_meanwhile(holdport):
    port = holdport.port()
    holdport.run_web("--notify", address=f"127.0.0.1:{port}", socket=REFUSE)
    holdport.ok("stop", "web")
    for host in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError):
                thief.bind((host, port))
    holdport.ok("start", "web")
    assert get(f"127.0.0.1:{port}") == "worker"
    [first, second] = holdport.reports()
    assert second["sockets"][0]["SO_REUSEADDR"] == first["sockets"][0]["SO_REUSEADDR"] == 1


def test_a_program_that_gave_up_refuses_too(holdport, address):
    holdport.write_web("--die-at-start", "1", address=address, socket=REFUSE,
                       section="start_attempts = 2\nrestart_delay = 10ms")
    holdport.run()
    holdport.await_("web", "failed")
    eventually(lambda: refused(address))
    assert holdport.socket("http")["state"] == "refusing"


def test_a_program_that_is_never_started_refuses_from_the_start(holdport, address):
    holdport.write_web("--notify", address=address, socket=REFUSE, section="start = manual")
    holdport.run()
    assert refused(address)
    holdport.ok("start", "web")
    assert get(address) == "worker"


def test_one_of_two_programs_is_enough(holdport):
    port = holdport.port()
    holdport.write_config(f"""
        [socket:http]
        listen = 127.0.0.1:{port}
        when_down = refuse
        [program:one]
        sockets = http
        command = {holdport.worker("--notify")}
        [program:two]
        sockets = http
        command = {holdport.worker("--notify")}
        """)
    holdport.run()
    holdport.await_("one")
    holdport.await_("two")
    holdport.ok("stop", "one")
    assert get(f"127.0.0.1:{port}") == "worker"
    holdport.ok("stop", "two")
    assert refused(f"127.0.0.1:{port}")
    holdport.ok("start", "one")
    assert get(f"127.0.0.1:{port}") == "worker"


@pytest.mark.load
def test_restarts_and_reloads_refuse_nobody(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    holdport.run_web("--notify", address=address, socket=REFUSE)
    with holdport.load(address) as load:
        holdport.ok("restart", "web")
        holdport.write_web("--notify", "--answer", "v2", address=address, socket=REFUSE)
        holdport.ok("reload")
        holdport.ok("restart", "web")
    load.expect(refused=0, reset=0)


def test_a_crash_refuses_nobody_while_it_is_tried_again(holdport):
    address = holdport.run_web("--notify", socket=REFUSE, section="restart_delay = 2s")
    holdport.write_web("--die-at-start", "1", address=address, socket=REFUSE,
                       section="restart_delay = 2s\nstrategy = replace")
    holdport.cmd("reload")
    connect(address).close()
    assert holdport.socket("http")["state"] == "listening"


def test_a_reload_changes_what_is_met(holdport):
    address = holdport.run_web("--notify")
    holdport.ok("stop", "web")
    connect(address).close()
    holdport.write_web("--notify", address=address, socket=REFUSE)
    holdport.ok("reload")
    eventually(lambda: refused(address))
    holdport.write_web("--notify", address=address, socket="when_down = refuse\nbacklog = 9")
    holdport.ok("reload")
    eventually(lambda: refused(address))
    holdport.write_web("--notify", address=address)
    holdport.ok("reload")
    eventually(lambda: not refused(address))


def test_a_reload_adds_a_program_with_its_socket(holdport):
    holdport.run_web("--notify", socket=REFUSE)
    first, second = holdport.port(), holdport.port()
    holdport.write_web("--notify", address=f"127.0.0.1:{first}", socket=REFUSE, more=f"""
        [socket:more]
        listen = 127.0.0.1:{second}
        when_down = refuse
        [program:more]
        sockets = more
        command = {holdport.worker("--notify")}
        """)
    holdport.ok("reload")
    holdport.await_("more")
    assert get(f"127.0.0.1:{first}") == get(f"127.0.0.1:{second}") == "worker"


def test_an_inherited_socket_listens_again_when_we_go(holdport):
    port = holdport.port()
    with listener(port) as ours:
        holdport.write_web("--notify", address=f"127.0.0.1:{port}", socket=REFUSE)
        run_with(holdport, [ours])
        holdport.ok("stop", "web")
        assert refused(f"127.0.0.1:{port}")
        holdport.shutdown()
        connect(f"127.0.0.1:{port}").close()
