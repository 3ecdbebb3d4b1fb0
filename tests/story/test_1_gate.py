"""An address that is not free yet: what is said of it, and how soon it is bound.

A foreign server without SO_REUSEADDR leaves a connection in each of TCP's states
behind; what ends it differs, and so does whether the kernel tells of it."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from holdport import BUILD, DONE, FAILED, SOURCES, end, eventually, get, states_on, stranger
from varlink import Varlink

RESET = struct.pack("ii", 1, 0)
LINGER2 = getattr(socket, "TCP_LINGER2", 8)


class Foreign:
    """A server that forgot SO_REUSEADDR, with one connection, and its client."""

    def __init__(self, port):
        self.port = port
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            listener.listen()
            self.client = socket.socket()
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.client.connect(("127.0.0.1", port))
            self.server, _ = listener.accept()
        self.client.setblocking(False)

    def fill(self):
        """More than the client takes: what is closed now cannot be sent."""
        self.server.setblocking(False)
        try:
            while True:
                self.server.send(bytes(65536))
        except BlockingIOError:
            pass

    def established(self):
        pass

    def close_wait(self):
        self.client.shutdown(socket.SHUT_WR)

    def fin_wait_1(self):
        self.fill()
        self.server.close()

    def closing(self):
        self.fin_wait_1()
        self.client.shutdown(socket.SHUT_WR)

    def last_ack(self):
        self.fill()
        self.client.shutdown(socket.SHUT_WR)
        self.await_("CLOSE_WAIT")
        self.server.close()

    def fin_wait_2(self, seconds=1):
        self.server.setsockopt(socket.IPPROTO_TCP, LINGER2, seconds)
        self.server.close()

    def time_wait(self):
        self.server.close()
        self.client.close()

    def leave(self, state):
        getattr(self, state.lower())()
        self.await_(state)
        return self

    def await_(self, state):
        eventually(lambda: states_on(self.port).get(state), what=f"{state} on {self.port}")

    def reset(self):
        """The client goes, with a reset."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.client.close()

    def end(self):
        for one in (self.client, self.server):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET) if one.fileno() >= 0 else 0
            one.close()


@pytest.fixture
def foreign():
    made = []

    def make(port):
        made.append(Foreign(port))
        return made[-1]

    yield make
    for one in made:
        one.end()


class BareLoop(threading.Thread):
    """When the kernel first lets somebody bind, and when somebody listens.  What it has
    bound it keeps, without listening: that is in nobody's way, while closing it would
    be news to whoever waits."""

    def __init__(self, port, pid=None):
        super().__init__(daemon=True)
        self.port, self.free_at, self.up_at, self.over = port, None, None, False
        self.looks, self.pid, self.spent = 0, pid, 0
        self.before = self.cpu_ms()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.start()

    def cpu_ms(self):
        """What the process that waits has spent so far."""
        if not self.pid:
            return 0
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1e6

    def run(self):
        while not self.over and not self.free_at:
            try:
                self.socket.bind(("127.0.0.1", self.port))
                self.free_at = time.monotonic()
            except OSError:
                time.sleep(0.002)
                if "LISTEN" in states_on(self.port):    # somebody was quicker
                    self.free_at = self.up_at = time.monotonic()
        self.spent = self.cpu_ms() - self.before
        while not self.over and not self.up_at:
            self.looks += 1
            if "LISTEN" in states_on(self.port):
                self.up_at = time.monotonic()
            time.sleep(0.001)

    def await_(self, seconds=20):
        self.join(seconds)
        self.over = True
        self.socket.close()
        assert self.up_at, f"nobody listens; free at {self.free_at}"
        # A machine that has no time for the others has none for us: a look is never
        # counted as more than what it takes where there is some.
        return min(self.up_at - self.free_at, self.looks * 0.004)


def wait_for(holdport, port, *options, **named):
    holdport.write_web("--notify", *options, address=f"127.0.0.1:{port}", **named)
    holdport.run()
    return first_said(holdport)


def first_said(holdport):
    """The reason and the interval, as they were told when the wait began: on a busy
    machine it may be over when the status is asked for."""
    said = holdport.events().await_(lambda e: e["what"] == "socket" and e["state"] == "waiting")
    when = re.search(r"; free in (\d+) to (\d+) s$", said["text"])
    after, before = map(int, when.groups()) if when else (None, None)
    return {"reason": said["text"], "free_after_s": after, "free_before_s": before}


UNTIMED = ["ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1", "CLOSING", "LAST_ACK"]


@pytest.mark.parametrize("state", UNTIMED)
def test_what_a_server_left_is_named_and_its_end_is_heard(holdport, foreign, state):
    port = holdport.port()
    left = foreign(port).leave(state)
    held = wait_for(holdport, port)
    assert re.search(rf"did not set SO_REUSEADDR \(1 in {state}\b", held["reason"])
    assert (held["free_after_s"], held["free_before_s"]) == (None, None)
    if state in ("ESTABLISHED", "CLOSE_WAIT"):
        assert f"pid {os.getpid()}" in held["reason"]
    bare = BareLoop(port)
    left.reset()
    left.server.close()
    assert bare.await_() < 0.1
    holdport.await_("web")
    held = holdport.socket("http")
    assert (held["reason"], held["free_after_s"], held["free_before_s"]) == (None, None, None)


def test_what_ends_by_a_timer_is_predicted_and_bound_at_that_moment(holdport, foreign):
    port = holdport.port()
    foreign(port).leave("FIN_WAIT_2")
    bare = BareLoop(port)
    asked = time.monotonic()
    held = wait_for(holdport, port)
    answered = time.monotonic()
    assert "1 in FIN_WAIT_2" in held["reason"]
    late = bare.await_()
    assert asked + held["free_after_s"] <= bare.free_at <= answered + held["free_before_s"]
    assert held["free_before_s"] - held["free_after_s"] <= 67
    assert late < 0.1
    holdport.await_("web")


def test_a_time_wait_that_a_fin_wait_2_becomes_is_within_what_was_predicted(holdport, foreign):
    port = holdport.port()
    left = foreign(port)
    left.fin_wait_2(seconds=2)
    left.await_("FIN_WAIT_2")
    first = wait_for(holdport, port)
    left.client.close()
    left.await_("TIME_WAIT")
    later = eventually(lambda: "TIME_WAIT" in (s := holdport.socket("http"))["reason"] and s,
                       what="the change is seen")
    assert "FIN_WAIT_2" in first["reason"]
    assert first["free_after_s"] <= 2 and 60 <= first["free_before_s"] <= 68
    assert 56 <= later["free_after_s"] <= later["free_before_s"] <= first["free_before_s"]


def test_a_peer_that_resets_what_is_left_is_noticed(holdport, foreign):
    """The kernel does not tell of it; on this host it tells of the other end."""
    port = holdport.port()
    left = foreign(port)
    left.server.send(b"unread")
    left.fin_wait_2(seconds=60)
    left.await_("FIN_WAIT_2")
    wait_for(holdport, port)
    bare = BareLoop(port)
    left.client.close()
    assert bare.await_() < 0.1
    holdport.await_("web")


@pytest.mark.long
def test_sixty_seconds_of_time_wait(holdport, foreign):
    """Up within 100 ms of the kernel's first yes, for less than 10 ms of processor time."""
    port = holdport.port()
    foreign(port).leave("TIME_WAIT")
    asked = time.monotonic()
    held = wait_for(holdport, port)
    bare = BareLoop(port, holdport.status()["supervisor"]["manager_pid"])
    late = bare.await_(90)
    print(f"free after {bare.free_at - asked:.3f} s, predicted {held['free_after_s']} to "
          f"{held['free_before_s']} s; up {late * 1000:.1f} ms later; {bare.spent:.1f} ms spent")
    assert held["free_after_s"] - 1 <= bare.free_at - asked <= held["free_before_s"] + 1
    assert late < 0.1
    assert bare.spent < 10
    holdport.await_("web")


# when_busy


def may_reset(holdport):
    return holdport.status()["supervisor"]["abilities"]["end_connections"]


def test_wait_becomes_a_fault_after_busy_timeout_and_goes_on(holdport, foreign):
    port = holdport.port()
    left = foreign(port).leave("FIN_WAIT_1")
    wait_for(holdport, port, socket="busy_timeout = 200ms")
    fault = "this takes longer than busy_timeout (200ms)"
    holdport.events().await_(lambda e: e["what"] == "socket" and fault in e["text"])
    assert fault in holdport.socket("http")["reason"]
    assert any("error: socket http" in line and fault in line
               for line in holdport.log().splitlines())
    left.reset()
    holdport.await_("web")


@pytest.mark.parametrize("state", ["FIN_WAIT_1", "FIN_WAIT_2", "LAST_ACK", "TIME_WAIT"])
def test_reset_ends_what_is_left_once_busy_timeout_is_over(holdport, foreign, state):
    """FIN_WAIT_1 of a peer that takes nothing would stay for ever."""
    port = holdport.port()
    left = foreign(port)
    left.fin_wait_2(60) if state == "FIN_WAIT_2" else left.leave(state)
    left.await_(state)
    begun = time.monotonic()
    held = wait_for(holdport, port, socket="when_busy = reset\nbusy_timeout = 400ms")
    assert f"1 in {state}" in held["reason"]
    if not may_reset(holdport):
        holdport.await_(lambda s: "needs root or CAP_NET_ADMIN" in s["sockets"][0]["reason"])
        return
    holdport.await_("web")
    assert time.monotonic() - begun >= 0.4
    assert "ended 1 connection " in holdport.log()


def test_what_somebody_serves_is_never_ended(holdport, foreign):
    port = holdport.port()
    left = foreign(port).leave("ESTABLISHED")
    other = foreign(holdport.port())
    wait_for(holdport, port, socket="when_busy = reset\nbusy_timeout = 100ms")
    holdport.await_(lambda s: "a reset is no way" in s["sockets"][0]["reason"])
    assert holdport.socket("http")["state"] == "waiting"
    left.client.send(b"x")
    assert left.server.recv(1) == b"x"
    left.reset()
    left.server.close()
    holdport.await_("web")
    assert states_on(other.port) == {"ESTABLISHED": 1}


def reload_onto(holdport, busy, more):
    """A reload that adds a socket with a busy address; what it exits with."""
    text = holdport.config.read_text()
    holdport.config.write_text(text + f"\n[socket:more]\nlisten = 127.0.0.1:{busy}\n{more}\n"
                               "[program:more]\ncommand = /bin/sleep 600\nsockets = more\n")
    return holdport.cmd("reload", "--no-wait")


@pytest.mark.parametrize("when_busy, code", [("wait", DONE), ("fail", FAILED),
                                             ("reset", FAILED)])
def test_a_reload_onto_a_listener_of_somebody_is_taken_back_or_waits(holdport, when_busy, code):
    port = holdport.port()
    somebody = stranger(port)
    address = holdport.run_web("--notify")
    pids = holdport.pids("web")
    result = reload_onto(holdport, port, f"when_busy = {when_busy}")
    assert result.code == code, result
    names = [s["name"] for s in holdport.status()["sockets"]]
    assert names == (["http", "more"] if code == DONE else ["http"])
    if code:
        assert f"pid {somebody.pid}" in result.err
        with Varlink(holdport) as client:
            told = client.call("io.holdport.Reload")
        assert told["failed"] is True and f"pid {somebody.pid}" in told["faults"][0]
    assert holdport.pids("web") == pids and get(address) == "worker"
    end(somebody)


def test_a_reload_onto_what_a_reset_would_free_waits_for_it(holdport, foreign):
    port = holdport.port()
    foreign(port).leave("FIN_WAIT_1")
    holdport.run_web("--notify")
    result = reload_onto(holdport, port, "when_busy = reset\nbusy_timeout = 100ms")
    if not may_reset(holdport):
        assert result.code == FAILED, result
        return
    assert result.code == 0, result
    holdport.await_("more")


def test_fail_is_a_fault_at_the_start_and_tried_on(holdport):
    port = holdport.port()
    somebody = stranger(port)
    wait_for(holdport, port, socket="when_busy = fail")
    eventually(lambda: "error: socket http" in holdport.log(), what="it is a fault")
    end(somebody)
    holdport.await_("web")


# Bad days


def test_two_that_want_the_same_port_come_one_after_the_other(new_holdport):
    first, second = new_holdport(), new_holdport()
    address = first.run_web("--notify", "--answer", "first")
    held = wait_for(second, address.split(":")[1], "--answer", "second")
    assert "holdportd (pid " in held["reason"]
    first.shutdown()
    second.await_("web")
    assert get(address) == "second"


REBINDS = """
import socket, sys, time
until = time.monotonic() + float(sys.argv[2])
print("listens", flush=True)
while time.monotonic() < until:
    try:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", int(sys.argv[1])))
            s.listen()
            time.sleep(0.005)
    except OSError:
        break
"""


def test_a_server_that_binds_again_in_a_loop_is_outlived_without_a_flood(holdport):
    port = holdport.port()
    rebinds = holdport.spawn_python(REBINDS, port, 1)
    assert rebinds.stdout.readline() == "listens\n"
    eventually(lambda: "LISTEN" in states_on(port), what="it listens")
    holdport.write_web("--notify", address=f"127.0.0.1:{port}")
    holdport.run()
    holdport.await_("web")
    waits = [line for line in holdport.log().splitlines() if "waits:" in line]
    assert len(waits) < 20, "\n".join(waits)


def test_without_sock_diag_the_tables_of_proc_are_read(holdport, foreign):
    port = holdport.port()
    foreign(port).leave("FIN_WAIT_2")
    holdport.write_web("--notify", address=f"127.0.0.1:{port}")
    holdport.run(fail="socket@netlink:EPERM:1-")
    status = holdport.status()
    assert status["supervisor"]["abilities"]["hear_sockets"] is False
    held = first_said(holdport)
    assert ("in FIN_WAIT_2); without sock_diag, sockets that are only bound there are not known"
            in held["reason"])
    assert held["free_before_s"] <= 67
    holdport.await_("web")


@pytest.fixture
def crowd(long):
    return 10000 if long else 2000


def test_thousands_of_leftovers_are_one_reason_and_one_reset(holdport, crowd):
    port = holdport.port()
    leave_time_waits(port, crowd)
    holdport.write_web("--notify", address=f"127.0.0.1:{port}",
                       socket="when_busy = reset\nbusy_timeout = 300ms")
    holdport.run()
    # a client may come from the port of an earlier one, which it takes over
    count = int(re.search(r"waits: .*\((\d+) in TIME_WAIT\)", holdport.log()).group(1))
    assert crowd * 0.95 < count <= crowd
    if may_reset(holdport):
        holdport.await_("web")
        assert f"ended {count} connections" in holdport.log()


def leave_time_waits(port, count):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        for i in range(count):
            # clients of several addresses: their ports do not run out
            client = socket.create_connection(("127.0.0.1", port),
                                              source_address=(f"127.0.1.{i % 250 + 1}", 0))
            server, _ = listener.accept()
            server.close()
            client.close()


def test_news_that_were_lost_are_made_up_for(holdport):
    """More ends of connections than the netlink socket holds, while we sleep."""
    port, pairs = holdport.port(), []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        for _ in range(400):
            client = socket.create_connection(("127.0.0.1", port))
            pairs.append((client, listener.accept()[0]))
    wait_for(holdport, port)
    manager = holdport.status()["supervisor"]["manager_pid"]
    os.kill(manager, signal.SIGSTOP)
    for client, server in pairs:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
        server.close()
    eventually(lambda: not states_on(port), what="all are gone")
    os.kill(manager, signal.SIGCONT)
    begun = time.monotonic()
    holdport.await_("web")
    assert time.monotonic() - begun < 2, "it was found by a seldom look only"


# An address that comes

COMES = """
import fcntl, json, os, signal, socket, struct, subprocess, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import alone, own_net

SIOCSIFADDR = 0x8916

def listens():
    return any(line.split()[3] == "0A" for line in Path("/proc/self/net/tcp").read_text().splitlines())

alone.enter()
own_net.bring_up()
child = subprocess.Popen(sys.argv[2:], stderr=subprocess.PIPE, text=True)
said = child.stderr.readline()
while "not on this host" not in said:
    said = child.stderr.readline()
time.sleep(0.3)
assert not listens()
with socket.socket() as s:
    address = struct.pack("16sH2s4s8x", b"lo:1", socket.AF_INET, b"", socket.inet_aton("192.0.2.7"))
    fcntl.ioctl(s, SIOCSIFADDR, address)
begun = time.monotonic()
while not listens() and time.monotonic() < begun + 20:
    time.sleep(0.002)
print(json.dumps({"said": said, "seconds": time.monotonic() - begun}))
child.send_signal(signal.SIGTERM)
child.stderr.read()
child.wait()
"""


def test_an_address_that_comes_to_this_host_is_bound_at_once(holdport):
    holdport.write_web("--notify", address="192.0.2.7:8080")
    came = subprocess.run(
        [sys.executable, "-c", COMES, str(SOURCES), str(BUILD / "bin/holdport"), "run", "-c",
         str(holdport.config)], env=holdport.env, capture_output=True, text=True, check=False)
    assert came.returncode == 0, came.stderr
    came = json.loads(came.stdout)
    assert "192.0.2.7:8080: this address is not on this host" in came["said"]
    assert came["seconds"] < 1, "it was found by a seldom look only"
