"""What proves that a worker serves, and what does not."""

import pytest

from holdport import FAILED, eventually, get


def proved_by(holdport):
    return holdport.program("web")["generations"][-1]["proved_by"]


@pytest.mark.parametrize("ready, options, by", [
    ("notify", ["--notify"], "notify"),
    ("fd:4", ["--ready-fd", 4], "fd"),
    ("fd:40", ["--ready-fd", 40], "fd"),
    ("tcp", [], "tcp"),
    ("delay:50ms", ["--deaf"], "delay"),
    ("auto", [], "waiting"),
    ("auto", ["--deaf"], "alive"),
    ("auto", ["--deaf", "--notify"], "notify")])
def test_the_proof_is_the_one_that_was_asked_for(holdport, ready, options, by):
    address = holdport.run_web(*options, section=f"ready = {ready}")
    assert proved_by(holdport) == by
    if "--deaf" not in options:
        assert get(address) == "worker"


@pytest.mark.parametrize("ready, options", [
    ("notify", []), ("notify", ["--tell", r"READY=0\nSTATUS=half"]),
    ("notify", ["--tell", "READY=11"]),
    ("fd:4", []), ("fd:4", ["--ready-fd", 4, "--never-ready"]), ("tcp", ["--deaf"]),
    ("notify", ["--notify", "--start-delay", 60000]), ("delay:60s", []),
    ("auto", ["--notify", "--die-at-start", 0])])
def test_without_it_a_worker_is_not_ready(holdport, ready, options):
    holdport.write_web(*options, section=f"""\
        ready = {ready}
        start = manual
        start_timeout = 300ms
        start_attempts = 1
        """)
    holdport.run()
    said = holdport.cmd("start", "web")
    assert said.code == FAILED, said
    assert "start_timeout" in said.out or "before it was ready" in said.out
    assert holdport.program("web")["state"] == "failed"
    assert holdport.cmd("wait", "web", "--state", "running").code == FAILED


def test_tcp_is_proved_by_the_new_ones_own_accept_beside_an_old_one(holdport):
    # The old generation takes every connection that the probe offers.
    address = holdport.run_web("--answer", "old", section="ready = tcp\nstart_timeout = 1500ms")
    old = holdport.pids("web")
    holdport.write_web("--answer", "new", "--deaf", address=address,
                       section="ready = tcp\nstart_timeout = 1500ms")
    said = holdport.cmd("reload")
    assert said.code == FAILED, said
    assert "start_timeout" in said.out
    eventually(lambda: holdport.pids("web") == old)
    assert get(address) == "old"
    holdport.write_web("--answer", "new", address=address, section="ready = tcp")
    holdport.ok("reload")
    eventually(lambda: get(address) == "new")
    assert proved_by(holdport) == "tcp"


def test_the_probe_says_nothing(holdport):
    # A server of one connection at a time, which tells what it read from it.
    found = holdport.dir / "found"
    server = holdport.dir / "server.py"
    server.write_text(f"""\
import socket
listener = socket.socket(fileno=3)
for _ in range(2):
    s, _ = listener.accept()
    with open({str(found)!r}, "a") as out:
        print(s.recv(1000), file=out)
    s.close()
""")
    holdport.write_web(section=f"command = /usr/bin/python3 {server}\n"
                               "ready = tcp\nrestart = never\n")
    holdport.run()
    holdport.await_("web")
    eventually(lambda: found.exists() and found.read_text())
    assert found.read_text() == "b''\n"


def test_auto_wants_of_the_second_generation_what_the_first_did(holdport):
    # deaf: nobody sees it wait before it notifies
    address = holdport.run_web("--notify", "--deaf", section="start_timeout = 2s")
    old = holdport.pids("web")
    assert proved_by(holdport) == "notify"
    holdport.write_web("--answer", "silent", address=address, section="start_timeout = 2s")
    said = holdport.cmd("reload")
    assert said.code == FAILED, said
    assert "start_timeout" in said.out
    eventually(lambda: holdport.pids("web") == old)


def test_auto_takes_notify_of_a_second_generation_whose_first_did_not(holdport):
    address = holdport.run_web()
    assert proved_by(holdport) == "waiting"
    holdport.write_web("--notify", "--deaf", address=address)
    holdport.ok("reload")
    assert proved_by(holdport) == "notify"


def test_a_status_text_is_shown_escaped(holdport):
    holdport.run_web("--notify", "--status", r"\e[31mred " + "x" * 100,
                     section="ready = notify")
    assert holdport.workers("web")[0]["status"].startswith("\033[31mred")
    shown = holdport.cmd("status").out
    assert "\033" not in shown
    assert "red" in shown


@pytest.mark.parametrize("message", ["STATUS=\xff\xfe", "X" * 200, "READY=1=1", "=", r"\n\n\n",
                                     "ERRNO=99999", "MAINPID=1", "EXTEND_TIMEOUT_USEC=1",
                                     r"FDSTORE=1\nFDNAME=::"])
def test_a_strange_message_harms_nobody(holdport, message):
    address = holdport.run_web("--notify", "--tell", message, section="ready = notify")
    assert get(address) == "worker"
    assert holdport.cmd("status").code == 0
    assert holdport.status()["programs"][0]["ready"] == 1
