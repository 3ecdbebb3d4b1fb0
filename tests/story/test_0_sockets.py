"""`sockets`: what is held, who is connected, who has a copy."""

import os
import time

import pytest

from holdport import DONE, NO_SUCH, connect, descendants, eventually
from varlink import Varlink, VarlinkError


@pytest.fixture
def running(holdport):
    holdport.path = holdport.dir / "s"
    holdport.address = f"127.0.0.1:{holdport.port()}"
    holdport.run_web("--notify", address=f"{holdport.address}, unix:{holdport.path}",
                     section="workers = 2\nready = notify",
                     more=f"[socket:spare]\nlisten = [::1]:{holdport.port()}\n")
    return holdport


def sockets(holdport, *names):
    return holdport.ok("sockets", *names, "--json").json["sockets"]


def test_a_socket_is_told_with_its_key(running):
    tcp, unix, spare = sockets(running)
    assert [(s["name"], s["index"]) for s in (tcp, unix, spare)] == [
        ("http", 0), ("http", 1), ("spare", 0)]
    assert tcp["key"] == {"namespace": os.stat("/proc/self/ns/net").st_ino, "family": "inet",
                          "type": "stream", "protocol": "tcp", "address": running.address,
                          "slot": 0}
    assert (unix["key"]["family"], unix["key"]["protocol"]) == ("unix", None)
    assert spare["key"]["family"] == "inet6"
    of_status = running.status()["sockets"][0]
    assert {key: tcp[key] for key in of_status} == of_status


def test_every_copy_is_told_and_who_holds_it(running):
    [http, _] = sockets(running, "http")
    holders = {c["holder"]: c for c in http["copies"]}
    assert set(holders) == {"supervisor", "keeper", "web/1/0", "web/1/1"}
    pids = {f"web/1/{w['index']}": w["pid"] for w in running.workers("web")}
    pids["supervisor"], pids["keeper"] = running.manager_pid, running.pid
    for name, copy in holders.items():
        assert copy["pid"] == pids[name]
        link = os.readlink(f"/proc/{copy['pid']}/fd/{copy['descriptor']}")
        assert link == f"socket:[{http['inode']}]"
        assert copy["program"] == ("worker" if name.startswith("web") else "holdportd")
    [spare] = sockets(running, "spare")
    assert {c["holder"] for c in spare["copies"]} == {"supervisor", "keeper"}


def test_a_child_of_a_worker_goes_by_its_name_and_a_stranger_by_none(holdport):
    program = holdport.dir / "forks"
    program.write_text("#!/bin/sh\nsleep 1000 &\nexec sleep 1001\n")
    program.chmod(0o755)
    holdport.write_web(section=f"command = {program}\nready = delay:0\nkill_mode = group")
    holdport.run()
    holdport.await_("web")
    [main] = holdport.pids("web")

    def held_by_both():
        [http] = sockets(holdport)
        return [c["holder"] for c in http["copies"]].count("web/1/0") == 2
    eventually(held_by_both)
    [http] = sockets(holdport)
    child = next(c["pid"] for c in http["copies"] if c["program"] == "sleep" and c["pid"] != main)
    assert child in descendants(main)
    holdport.ok("signal", "web", "KILL")
    # Below us now, who are no worker: the child outlived its parent.
    if child in descendants():
        [http] = sockets(holdport)
        strangers = [c for c in http["copies"] if c["pid"] == child]
        assert all(c["holder"] is None for c in strangers)


def test_connections_are_counted_by_state(running):
    open_ = [connect(running.address) for _ in range(3)]
    eventually(lambda: sockets(running, "http")[0]["connections"].get("established") == 3)
    tcp, unix = sockets(running, "http")
    assert unix["connections"] is None
    for one in open_:
        one.close()


def test_in_words(running):
    out = running.ok("sockets").out
    for word in ("http", "spare", running.address, "supervisor", "web/1/0", "web/1/1",
                 "holdportd", "listening", str(running.manager_pid)):
        assert word in out, out


@pytest.mark.parametrize("words, hint", [
    (["htpt"], 'did you mean "http"'), (["web"], "is a program, not a socket"),
    (["http", "nobody"], '"nobody"')])
def test_an_unknown_name_is_said(running, words, hint):
    said = running.cmd("sockets", *words)
    assert said.code == NO_SUCH and hint in said.err, said


def test_names_are_names(running):
    with Varlink(running) as client:
        for names in ("http", {"http": 1}, [7]):
            with pytest.raises(VarlinkError, match="InvalidParameter"):
                client.call("io.holdport.Sockets", {"names": names})
        assert len(client.call("io.holdport.Sockets", {"names": None})["sockets"]) == 3


def test_many_questions_do_not_keep_the_supervisor_busy(running):
    clients = [Varlink(running) for _ in range(20)]
    for client in clients:
        client.send("io.holdport.Sockets")
        client.send("io.holdport.Sockets")
    before = time.monotonic()
    assert running.cmd("status", "web").code == DONE
    assert time.monotonic() - before < 10
    for client in clients[:2]:
        assert len(client.answer()["sockets"]) == 3
    for client in clients:
        client.close()


def test_a_program_with_an_evil_name_moves_no_cursor(holdport):
    evil = holdport.dir / "sl\033[2J\x7f\u009beep"
    evil.write_bytes(open("/bin/sleep", "rb").read())
    evil.chmod(0o755)
    program = holdport.dir / "start"
    program.write_text('#!/bin/sh\nexec "$(echo "$0" | sed s/start$//)"sl*eep 1000\n')
    program.chmod(0o755)
    holdport.write_web(section=f"command = {program}\nready = delay:0")
    holdport.run()
    holdport.await_("web")
    eventually(lambda: any("eep" in (c["program"] or "") and "sl" in c["program"]
                           for c in sockets(holdport)[0]["copies"]))
    for said in (holdport.ok("sockets"), holdport.ok("sockets", "--json")):
        for byte in ("\033", "\x7f", "\u009b"):
            assert byte not in said.out, said
