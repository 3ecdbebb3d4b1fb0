"""The control socket: what any varlink client finds there, and what it bears."""

import os
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from holdport import BUILD, NOT_PERMITTED, eventually, get
from varlink import Varlink, VarlinkError

MOST_CLIENTS = 64
MOST_FRAME = 1 << 20


@pytest.fixture
def running(holdport):
    holdport.run_web("--notify", section="stop = TERM:5s KILL")
    return holdport


def test_a_service_says_what_it_is(running):
    with Varlink(running) as client:
        info = client.call("org.varlink.service.GetInfo")
        assert info["product"] == "holdport"
        assert info["version"] == running.status()["supervisor"]["version"]
        assert set(info["interfaces"]) == {"org.varlink.service", "io.holdport"}
        assert {"vendor", "url"} <= set(info)


def test_every_method_of_the_description_is_there(running):
    with Varlink(running) as client:
        for interface in ("io.holdport", "org.varlink.service"):
            text = client.call("org.varlink.service.GetInterfaceDescription",
                               {"interface": interface})["description"]
            assert text.lstrip("#").strip()
            assert f"interface {interface}" in text
            methods = [line.split("(")[0].split()[1] for line in text.splitlines()
                       if line.startswith("method ")]
            assert methods
            for method in set(methods) - {"Shutdown", "Reload", "Upgrade"}:
                try:
                    client.call(f"{interface}.{method}", {})
                except VarlinkError as error:
                    assert "MethodNot" not in error.name, method
        with pytest.raises(VarlinkError, match="InterfaceNotFound"):
            client.call("org.varlink.service.GetInterfaceDescription", {"interface": "org.none"})
        with pytest.raises(VarlinkError, match="MethodNotFound"):
            client.call("io.holdport.Frobnicate")


def test_a_missing_parameter_is_named(running):
    with Varlink(running) as client:
        for method, parameter in (("Scale", "name"), ("Wait", "name"), ("Signal", "name")):
            with pytest.raises(VarlinkError) as caught:
                client.call(f"io.holdport.{method}")
            assert caught.value.name == "org.varlink.service.InvalidParameter"
            assert caught.value.parameters == {"parameter": parameter}


def test_long_work_tells_how_it_goes(running):
    with Varlink(running) as client:
        *events, last = client.stream("io.holdport.Restart", {"names": ["web"]})
    states = [(e["parameters"]["event"]["what"], e["parameters"]["event"]["state"])
              for e in events]
    assert ("program", "restarting") in states
    assert ("generation", "current") in states
    assert ("program", "running") in states
    numbers = [e["parameters"]["event"]["seq"] for e in events]
    assert numbers == sorted(numbers)
    [result] = last["parameters"]["results"]
    assert (result["name"], result["ok"]) == ("web", True)


def test_without_more_there_is_one_answer(running):
    with Varlink(running) as client:
        client.send("io.holdport.Restart", {"names": ["web"]})
        reply = client.receive()
        assert not reply.get("continues")
        assert reply["parameters"]["results"][0]["ok"]


def test_a_oneway_call_has_no_answer(running):
    with Varlink(running) as client:
        client.send("io.holdport.Status", oneway=True)
        assert client.call("org.varlink.service.GetInfo")["product"] == "holdport"


def test_requests_of_one_client_are_answered_in_their_order(running):
    with Varlink(running) as client:
        client.send("io.holdport.Restart", {"names": ["web"]})
        client.send("org.varlink.service.GetInfo")
        client.send("io.holdport.Frobnicate")
        assert "results" in client.answer()
        assert "product" in client.answer()
        with pytest.raises(VarlinkError):
            client.answer()


def test_a_frame_may_come_in_pieces(running):
    with Varlink(running) as client:
        for byte in b'{"method":"org.varlink.service.GetInfo"}\0':
            client.send_bytes(bytes([byte]))
        assert client.answer()["product"] == "holdport"


@pytest.mark.parametrize("garbage", [
    b"GET / HTTP/1.1\r\n\r\n\0", b"\0", b"[]\0", b'{"method":7}\0', b"\xff\xfe\0", b"{\0",
    b'{"method":"io.holdport.Status","parameters":[]}\0', b"[" * 100000 + b"\0",
    b'{"method":"io.holdport.Status","method":"io.holdport.Shutdown"}\0'])
def test_who_speaks_no_varlink_is_hung_up_upon_and_nobody_else(running, garbage):
    with Varlink(running) as other, Varlink(running) as client:
        client.send_bytes(garbage)
        assert client.receive() is None
        assert other.call("org.varlink.service.GetInfo")["product"] == "holdport"


def test_a_frame_without_an_end_is_bounded(running):
    with Varlink(running) as client:
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(1000):
                client.send_bytes(b"x" * (MOST_FRAME // 8))
    assert running.cmd("status").code == 0


def test_half_a_frame_keeps_nobody_waiting(running):
    with Varlink(running) as half:
        half.send_bytes(b'{"method":"io.holdport.Restart","parameters":{"nam')
        assert running.cmd("status").code == 0
        running.ok("restart", "web")
    assert running.program("web")["generation"] == 2


def test_a_client_too_many_is_turned_away_and_those_before_are_served(running):
    clients = [Varlink(running) for _ in range(MOST_CLIENTS)]
    try:
        for client in clients:
            assert client.call("org.varlink.service.GetInfo")["product"] == "holdport"
        with Varlink(running) as one_more:
            assert one_more.receive() is None
        assert clients[0].call("io.holdport.Status")["programs"]
        clients.pop().close()
        eventually(lambda: running.cmd("status").code == 0, what="room for one again")
    finally:
        for client in clients:
            client.close()


def test_a_restart_goes_on_when_its_client_hangs_up(running):
    events = running.events()
    old = running.pids("web")
    client = Varlink(running)
    client.send("io.holdport.Restart", {"names": ["web"]}, more=True)
    assert client.answer()["event"]
    client.close()
    events.await_(lambda e: e["generation"] == 2 and e["state"] == "current")
    running.await_replaced("web", old)


def test_a_client_that_never_reads_is_let_go(running):
    with Varlink(running) as deaf:
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.socket.settimeout(0.05)
        with pytest.raises((BrokenPipeError, ConnectionResetError, TimeoutError)):
            for _ in range(100000):      # more than both ends will keep for it
                deaf.send("io.holdport.Status")
        assert running.cmd("status").code == 0


def as_nobody(*words):
    return subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                           *map(str, words)], capture_output=True, text=True, timeout=20)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another")
def test_other_users_are_not_permitted_and_exit_4(holdport):
    with tempfile.TemporaryDirectory(prefix="hp.", dir="/var/tmp") as base:
        os.chmod(base, 0o755)
        holdport.runtime_dir = Path(base, "run")
        address = holdport.run_web("--notify")
        for words in (["status"], ["restart", "web"], ["stop", "web"], ["shutdown"], ["events"],
                      ["signal", "web", "KILL"], ["scale", "web", "0"], ["reload"]):
            said = as_nobody(BUILD / "bin/holdport", *words, "--runtime-dir",
                             holdport.runtime_dir)
            assert said.returncode == NOT_PERMITTED, (words, said)
            assert "permitted" in said.stderr, (words, said)
        assert get(address) == "worker"
        assert holdport.program("web")["generation"] == 1
        holdport.shutdown()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another")
def test_below_tmp_other_users_do_not_come_as_far_as_the_socket(holdport):
    holdport.run_web("--notify")
    os.chmod(holdport.dir, 0o755)
    said = as_nobody(BUILD / "bin/holdport", "status", "--runtime-dir", holdport.runtime_dir)
    assert said.returncode == NOT_PERMITTED, said
