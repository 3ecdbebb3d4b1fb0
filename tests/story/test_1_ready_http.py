"""ready = http:PATH: a worker is proved by an answer of its own."""

import os
import socket
import subprocess
import threading

import pytest

from holdport import FAILED, alive, descendants, eventually, get


def proved_by(holdport):
    return holdport.program("web")["generations"][-1]["proved_by"]


def test_its_answer_proves_it(holdport):
    address = holdport.run_web("--start-delay", 50, section="ready = http:/health\n")
    assert proved_by(holdport) == "http"
    assert get(address) == "worker"


def test_a_status_that_is_no_success_does_not(holdport):
    status = holdport.dir / "status"
    status.write_text("503")
    holdport.write_web("--health-file", status, section="ready = http:/health\n")
    holdport.run()
    events = holdport.events()
    events.await_(lambda e: e["what"] == "worker" and e["state"] == "starting")
    status.write_text("204")
    holdport.await_("web")
    assert proved_by(holdport) == "http"


def debug(holdport):
    return f"[supervisor]\nruntime_dir = {holdport.runtime_dir}\nlog_level = debug\n"


def give_up_after(holdport, said):
    """Kills the worker that is to be proved, once this was said of an answer."""
    eventually(lambda: f"readiness check: {said}" in holdport.log(), what=holdport.log)
    [pid] = [w["pid"] for w in holdport.workers("web") if w["state"] == "starting"]
    os.kill(pid, 9)


def test_why_it_was_not_ready_is_said(holdport):
    status = holdport.dir / "status"
    status.write_text("503")
    holdport.write_web("--health-file", status, section="""\
        ready = http:/health
        start = manual
        start_attempts = 1
        """, more=debug(holdport))
    holdport.run()
    start = holdport.spawn("start", "web", "-c", holdport.config, stdout=subprocess.PIPE,
                           text=True)
    give_up_after(holdport, "answered with status 503")
    assert start.wait(timeout=20) == FAILED
    assert "the last answer to ready = http: " in start.stdout.read()


def test_the_new_worker_is_asked_while_the_old_one_serves(holdport):
    # Both accept at the shared socket; only the new one's answer counts.
    old, new = holdport.dir / "old", holdport.dir / "new"
    section = "ready = http:/health\n"
    address = holdport.run_web("--answer", "old", "--health-file", old, section=section,
                               more=debug(holdport))
    new.write_text("500")
    holdport.write_web("--answer", "new", "--health-file", new, address=address, section=section,
                       more=debug(holdport))
    reload = holdport.spawn("reload", "-c", holdport.config, stdout=subprocess.DEVNULL)
    give_up_after(holdport, "answered with status 500")
    assert reload.wait(timeout=20) == FAILED
    assert get(address) == "old"
    new.unlink()
    holdport.ok("reload")
    assert get(address) == "new"


@pytest.mark.parametrize("own", ["//127.0.0.1:{port}/health", "//unix:{dir}/own.${{slot}}:/health"])
def test_an_address_of_its_own_may_be_asked(holdport, own):
    port = holdport.port()
    bound = (f"127.0.0.1:{port}" if "port" in own else f"unix:{holdport.dir}/own.${{slot}}")
    where = own.format(port=port, dir=holdport.dir)
    holdport.write_config(f"""\
        [program:web]
        command = {holdport.worker("--bind")} {bound}
        ready = http:{where}
        """)
    holdport.run()
    holdport.await_("web")
    assert proved_by(holdport) == "http"


class Endless:
    """A server that answers, and never comes to an end of its answer."""

    def __init__(self, path, head, more):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        os.chmod(path, 0o666)
        self.socket.listen()
        self.ended = threading.Event()
        threading.Thread(target=self._serve, args=(head, more), daemon=True).start()

    def _serve(self, head, more):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            try:
                client.sendall(head)
                while True:
                    client.sendall(more)
            except OSError:
                self.ended.set()
            client.close()


def test_an_answer_without_an_end_is_not_read_to_its_end(holdport):
    server = Endless(holdport.dir / "own", b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4096)
    holdport.write_config(f"""\
        [program:web]
        command = /bin/sleep 1000
        ready = http://unix:{holdport.dir}/own:/
        """)
    holdport.run()
    holdport.await_("web")
    assert server.ended.wait(20)
    server.socket.close()


def test_a_head_without_an_end_is_no_answer(holdport):
    server = Endless(holdport.dir / "own", b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 80 + b"\r\n")
    holdport.write_config(debug(holdport) + f"""\
[program:web]
command = /bin/sleep 1000
ready = http://unix:{holdport.dir}/own:/
""")
    holdport.run()
    eventually(lambda: "readiness check: the head of its answer is larger than 64K"
               in holdport.log(), what=holdport.log)
    server.socket.close()


def asked_here(holdport):
    """The socket at which the question for [program:web] arrives."""
    asked = socket.socket(socket.AF_UNIX)
    asked.bind(str(holdport.dir / "own"))
    asked.listen()
    asked.settimeout(20)
    holdport.write_config(f"""\
        [program:web]
        command = /bin/sleep 1000
        ready = http://unix:{holdport.dir}/own:/
        """)
    holdport.run()
    return asked


def test_who_asks_ends_with_the_attempt(holdport):
    silent = asked_here(holdport)
    asker, _ = silent.accept()
    assert asker.recv(4096).startswith(b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: holdport")
    holdport.ok("stop", "web")
    eventually(lambda: not askers(holdport))
    silent.close()


def test_who_asks_is_not_root(holdport):
    if os.geteuid() != 0:
        pytest.skip("only root has something to give up")
    asked = asked_here(holdport)
    client, _ = asked.accept()
    client.recv(4096)
    [pid] = askers(holdport)
    lines = open(f"/proc/{pid}/status").read().splitlines()
    found = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert found["Uid"].split() == ["65534"] * 4
    assert int(found["CapEff"], 16) == 0
    assert found["NoNewPrivs"] == "1"
    assert open(f"/proc/{pid}/comm").read() == "holdport-http\n"
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    holdport.await_("web")
    eventually(lambda: not alive(pid))
    asked.close()


def askers(holdport):
    return [pid for pid, name in descendants(holdport.pid).items() if name == "holdport-http"]
