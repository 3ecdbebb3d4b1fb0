"""Workers on their way out: how many connections they have left, who is waited for."""

import contextlib
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from holdport import DONE, PATIENCE, TIMED_OUT, connect, eventually, get
from servers import NGINX

SLOW = b"GET /slow?60000 HTTP/1.1\r\nHost: story\r\n\r\n"
NEVER_ENDS = ("--notify", "--stop-delay", 60000)  # closes everything when it is asked to


@contextlib.contextmanager
def connections(address, count, request=SLOW):
    """So many, which a worker has in its hands until they are closed."""
    made = [connect(address) for _ in range(count)]
    for s in made:
        s.sendall(request)
    yield made
    for s in made:
        s.close()


def counts(holdport, name="web"):
    """generation -> connections of its workers"""
    return {g["number"]: [w["connections"] for w in g["workers"]]
            for g in holdport.program(name)["generations"]}


def await_counts(holdport, wanted):
    eventually(lambda: counts(holdport) == wanted, what=f"{wanted}, not {counts(holdport)}")


@pytest.fixture(autouse=True)
def end_at_once(holdport):
    """Nobody waits for those who still drain when the story is over."""
    yield
    if holdport.process and holdport.process.poll() is None:
        holdport.process.send_signal(signal.SIGQUIT)
        assert holdport.process.wait(timeout=20) == 0


def owner(s):
    """The worker that has this connection."""
    return int(get(None, "/pid", keep=s))


def stopped(holdport):
    """How long `stop` took, and how the worker ended."""
    events = holdport.events()
    began = time.monotonic()
    holdport.ok("stop", "web")
    took = time.monotonic() - began
    return took, events.await_(lambda e: e["what"] == "worker" and e["state"] == "gone")["text"]


ADDRESSES = ["127.0.0.1:{port}", "*:{port}", "unix:{dir}/web"]


def address_of(holdport, form):
    written = form.format(port=holdport.port(), dir=holdport.dir)
    return written, written.replace("*", "127.0.0.1")


@pytest.mark.parametrize("form", ADDRESSES)
def test_status_counts_each_workers_connections(holdport, form):
    written, address = address_of(holdport, form)
    holdport.run_web("--notify", address=written, section="workers = 2\nstop = TERM:60s KILL")
    await_counts(holdport, {1: [0, 0]})
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(connections(address, 5, b""))
        owners = [owner(s) for s in made]
        by_index = [owners.count(w["pid"]) for w in holdport.workers("web")]
        assert sum(by_index) == 5
        await_counts(holdport, {1: by_index})
        for s in made:
            s.sendall(SLOW)
        holdport.ok("restart", "web")
        stack.enter_context(connections(address, 3))
        # Those without one are soon gone, and nobody of the others takes a new one.
        busy = [n for n in by_index if n]
        eventually(lambda: counts(holdport)[1] == busy and sum(counts(holdport)[2]) == 3)
        assert "CONN" in holdport.cmd("status").out
        shares = holdport.cmd("sockets", "--json").json["sockets"][0]["workers"]
        assert [s["connections"] for s in shares if s["worker"].startswith("web/1/")] == busy
        assert sum(s["connections"] for s in shares if s["worker"].startswith("web/2/")) == 3


def test_the_children_of_a_master_are_counted_with_it(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    NGINX.write_config(holdport, address)
    holdport.run()
    holdport.await_("web")
    assert get(address) == "nginx"
    with connections(address, 4, b"GET / HTTP/1.1\r\nHost: story\r\n\r\n"):
        await_counts(holdport, {1: [4]})
    await_counts(holdport, {1: [0]})


def test_a_worker_that_is_empty_but_does_not_end_is_not_waited_for(holdport):
    holdport.run_web(*NEVER_ENDS, section="stop = TERM:30s KILL")
    [pid] = holdport.pids("web")
    took, end = stopped(holdport)
    assert end == "signal 9 (KILL)"
    assert took < 15, took
    assert holdport.signals(pid) == ["TERM"]
    assert "has no listener and no connection left, but does not end" in holdport.log()


def test_it_gets_its_next_rung_and_then_that_ones_time(holdport):
    holdport.run_web(*NEVER_ENDS, section="stop = TERM:30s USR1:2s KILL")
    [pid] = holdport.pids("web")
    took, end = stopped(holdport)
    assert end == "signal 9 (KILL)"
    assert 2 < took < 15, took
    assert holdport.signals(pid) == ["TERM", "USR1"]


def test_a_worker_with_a_connection_is_waited_for(holdport):
    # Longer than an empty one is given; its answer comes whole.
    address = holdport.run_web(*NEVER_ENDS, section="stop = TERM:60s KILL")
    answers = []
    asking = threading.Thread(target=lambda: answers.append(get(address, "/slow?2500")))
    asking.start()
    await_counts(holdport, {1: [1]})
    took, end = stopped(holdport)
    asking.join()
    assert answers == ["worker"]
    assert end == "signal 9 (KILL)"
    assert 2 < took < 20, took


def test_a_worker_that_still_has_the_listener_is_waited_for(holdport):
    holdport.run_web("--notify", "--ignore-term", section="stop = TERM:2500ms KILL")
    took, end = stopped(holdport)
    assert end == "signal 9 (KILL)"
    assert took >= 2.5, took


def test_a_worker_that_asks_for_time_is_waited_for(holdport):
    holdport.run_web(*NEVER_ENDS, section="stop = TERM:30s KILL")
    [worker] = holdport.workers("web")
    began = time.monotonic()
    stopping = holdport.spawn("stop", "-c", holdport.config, "web")
    eventually(lambda: holdport.signals(worker["pid"]) == ["TERM"])
    path = holdport.runtime_dir / "notify" / f"web.{worker['slot']}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(b"EXTEND_TIMEOUT_USEC=3000000", str(path))
    assert stopping.wait(timeout=20) == 0
    assert time.monotonic() - began > 3


def test_whoever_waits_is_told_what_is_left(holdport):
    address = holdport.run_web("--notify", section="stop = TERM:60s KILL")
    events = holdport.events()
    with connections(address, 3):
        await_counts(holdport, {1: [3]})
        stopping = holdport.spawn("stop", "-c", holdport.config, "web",
                                  stderr=subprocess.PIPE, text=True)
        first = events.await_(lambda e: e["connections"] is not None)
        assert first["connections"] == 3
        assert first["text"].startswith("3 connections left, ")
        assert 50 < first["ends_before_s"] <= 60
        holdport.process.send_signal(signal.SIGQUIT)
        lines = stopping.stderr.read().splitlines()
    stopping.stderr.close()
    assert any(line.startswith("web/1/0: draining, 3 connections left, ") for line in lines), lines


def asked(holdport, *words):
    """A command that waits for those before to be gone; what it says is piped."""
    return holdport.spawn(words[0], "-c", holdport.config, *words[1:], "--drained",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def hang_up(s):
    """As one who is gone at once: the server does not work on for him."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def said_of_an_end(child):
    """(code, its outcome, the lines on the way)"""
    out, err = child.communicate(timeout=PATIENCE)
    return child.returncode, out, err.splitlines()


def test_a_restart_says_until_when_those_before_it_end(holdport):
    address = holdport.run_web("--notify", section="stop = TERM:60s KILL")
    with connections(address, 1):
        await_counts(holdport, {1: [1]})
        said = holdport.ok("restart", "web")
        assert re.fullmatch("web: generation 2 is running; 1 worker is on its way "
                            r"out, (1m|\d+s) at most\n", said.out)
        assert [g["state"] for g in holdport.program("web")["generations"]] == [
            "draining", "current"]


def reconfigure(holdport):
    holdport.config.write_text(holdport.config.read_text() + "\nenvironment = VERSION=2\n")
    return ("reload",)


def bind_anew(holdport):
    text = holdport.config.read_text()
    holdport.config.write_text(text.replace("[program:web]", "free_bind = yes\n[program:web]"))
    return ("reload",)


CHANGES = {"restart": lambda h: ("restart", "web"), "scale": lambda h: ("scale", "web", "0"),
           "reload": reconfigure, "rebind": bind_anew}


@pytest.mark.parametrize("change", CHANGES)
def test_who_waits_for_the_drained_is_told_what_is_left(holdport, change):
    address = holdport.run_web("--notify", section="stop = TERM:60s KILL")
    events = holdport.events()
    with connections(address, 3) as made:
        await_counts(holdport, {1: [3]})
        waiting = asked(holdport, *CHANGES[change](holdport))
        events.await_(lambda e: e["connections"] == 3)
        for s in made[1:]:
            hang_up(s)
        events.await_(lambda e: e["connections"] == 1)
        assert waiting.poll() is None
        hang_up(made[0])
        code, out, lines = said_of_an_end(waiting)
    assert code == DONE and out.endswith("; nobody is on the way out\n"), (code, out, lines)
    for left in ("3 connections left", "1 connection left"):
        assert any(re.fullmatch(rf"web/1/0: draining, {left}, (1m|\d+s) at most", line)
                   for line in lines), lines
    assert {w["state"] for w in holdport.workers("web")} <= {"serving"}


def test_a_restart_of_nginx_is_waited_for_until_its_clients_have_gone(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    NGINX.write_config(holdport, address)
    holdport.run()
    holdport.await_("web")
    events = holdport.events()
    with connections(address, 2, b"GET / HTTP/1.1\r\nHost:"):
        await_counts(holdport, {1: [2]})
        waiting = asked(holdport, "restart", "web")
        told = events.await_(lambda e: e["connections"] == 2)
        assert told["generation"] == 1 and 0 < told["ends_before_s"] <= 30
        assert get(address) == "nginx" and waiting.poll() is None
    code, out, lines = said_of_an_end(waiting)
    assert code == DONE, (code, out, lines)
    assert out == "web: generation 2 is running; nobody is on the way out\n"
    assert any(line.startswith("web/1/0: draining, 2 connections left, ") for line in lines)


def test_the_waiting_for_the_drained_may_have_an_end(holdport):
    address = holdport.run_web("--notify", section="stop = TERM:60s KILL")
    with connections(address, 1):
        await_counts(holdport, {1: [1]})
        assert holdport.cmd("restart", "web", "--drained", "--timeout", "1s").code == TIMED_OUT
        await_counts(holdport, {1: [1], 2: [0]})


def test_a_terminal_shows_it_on_its_line(holdport):
    address = holdport.run_web("--notify", section="stop = TERM:60s KILL")
    ours, theirs = pty.openpty()
    shown = b""
    with connections(address, 2):
        await_counts(holdport, {1: [2]})
        stopping = holdport.spawn("stop", "-c", holdport.config, "web", stderr=theirs)
        os.close(theirs)
        while b"1 worker left, 2 connections left, " not in shown:
            shown += os.read(ours, 4096)
        assert b"s at most" in shown
    holdport.process.send_signal(signal.SIGQUIT)
    assert stopping.wait(timeout=20) == 0
    os.close(ours)


def test_a_terminal_shows_those_before_on_its_line(holdport):
    address = holdport.run_web("--notify", section="stop = TERM:60s KILL")
    ours, theirs = pty.openpty()
    shown = b""
    with connections(address, 2) as made:
        await_counts(holdport, {1: [2]})
        waiting = holdport.spawn("restart", "-c", holdport.config, "web", "--drained",
                                 stderr=theirs, stdout=subprocess.PIPE)
        os.close(theirs)
        while not re.search(rb"web: generation 2 current, 1/1 ready, 2 connections left, "
                            rb"\d+s at most", shown):
            shown += os.read(ours, 4096)
        for s in made:
            hang_up(s)
    assert waiting.wait(timeout=PATIENCE) == DONE
    os.close(ours)
