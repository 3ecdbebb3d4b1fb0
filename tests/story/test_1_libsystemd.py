"""A server that is linked with libsystemd, and speaks by sd-daemon(3) alone."""

import json
import os
import signal

from holdport import SUPPORT, eventually, get

SERVER = SUPPORT / "sd_server"


def run_server(holdport, section="", more="", sockets="http"):
    address = f"127.0.0.1:{holdport.port()}"
    holdport.write_config(f"""\
[socket:http]
listen = {address}
{more}
[program:web]
command = {SERVER}
sockets = {sockets}
ready = notify
{section}
""")
    holdport.run()
    holdport.await_("web")
    return address


def found(address):
    return json.loads(get(address))


def test_it_takes_its_sockets_by_name(holdport):
    path, port = holdport.dir / "s", holdport.port()
    address = run_server(holdport, sockets="http, local, games", more=f"""\
[socket:games]
listen = 127.0.0.1:{port}
type = datagram
[socket:local]
listen = unix:{path}
""")
    said = found(address)
    assert said["sockets"] == [["http", "inet stream", True], ["local", "unix stream", True],
                               ["games", "inet datagram", True]]
    assert not said["environment"]      # the library could take it out: it was for this pid
    assert said["watchdog"] == 0
    assert found(f"unix:{path}")["pid"] == said["pid"]


def test_it_is_proved_and_its_words_are_shown(holdport):
    address = run_server(holdport)
    assert holdport.program("web")["generations"][0]["proved_by"] == "notify"
    assert found(address)["barrier"] == 1
    assert holdport.workers("web")[0]["status"] == "serving"
    holdport.ok("signal", "web", "HUP")
    eventually(lambda: holdport.workers("web")[0]["status"] == "reloaded")
    assert "has reloaded, in " in holdport.log()


def test_what_it_leaves_is_given_to_every_generation_after_it(holdport):
    address = run_server(holdport, section="strategy = replace")
    first = found(address)
    assert not first["state"]
    for _ in range(2):
        holdport.ok("restart", "web")
        later = found(address)
        assert later["pid"] != first["pid"]
        assert later["state"] == str(first["pid"])
        assert [name for name, *_ in later["sockets"]] == ["http", "state"]


def test_its_watchdog_is_heard_and_missed(holdport):
    address = run_server(holdport, section="watchdog = 1s\nstop = TERM:200ms KILL")
    first = found(address)
    assert first["watchdog"] == 1000000
    # it pings by itself: nothing has to ask it meanwhile
    holdport.plain("wait", "web", "--state", "failed", "--timeout", "1500ms", "-c", holdport.config)
    assert holdport.program("web")["restarts"] == 0
    os.kill(first["pid"], signal.SIGSTOP)
    holdport.await_replaced("web", [first["pid"]])
    assert "missed its watchdog" in holdport.program("web")["last_error"]
    assert found(address)["pid"] != first["pid"]
