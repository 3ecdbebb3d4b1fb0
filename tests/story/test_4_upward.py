"""What a service manager above holdport is told (sd_notify(3))."""

import contextlib
import os
import socket
import time

import pytest

from holdport import eventually


class Manager:
    """Listens at NOTIFY_SOCKET."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path.replace("@", "\0", 1) if path[0] == "@" else path)
        self.socket.setblocking(False)
        self.env = {"NOTIFY_SOCKET": path}
        self.said = []

    def hear(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.said.extend(self.socket.recv(65536).decode().split("\n"))
        return self.said

    def await_(self, is_it):
        eventually(lambda: any(map(is_it, self.hear())), what=f"said so far: {self.said}")


@pytest.fixture(params=["path", "abstract"])
def manager(request, holdport):
    path = f"{holdport.dir}/above" if request.param == "path" else f"@hp-story-{os.getpid()}"
    m = Manager(path)
    yield m
    m.socket.close()


def test_ready_status_reload_and_the_end_are_told(holdport, manager):
    holdport.write_web()
    holdport.run(env=manager.env)
    manager.await_(lambda line: line == "READY=1")
    manager.await_(lambda line: line == "STATUS=1 of 1 programs run")
    before = time.monotonic_ns() // 1000
    manager.said.clear()
    holdport.ok("reload")
    manager.await_(lambda line: line == "READY=1")
    assert manager.said[0] == "RELOADING=1"
    assert manager.said[1].startswith("MONOTONIC_USEC=")
    assert before <= int(manager.said[1].split("=")[1]) <= time.monotonic_ns() // 1000
    holdport.shutdown()
    manager.await_(lambda line: line == "STOPPING=1")


def test_ready_does_not_wait_for_a_busy_address(holdport, manager):
    with socket.create_server(("127.0.0.1", 0)) as other:
        holdport.write_web(address=f"127.0.0.1:{other.getsockname()[1]}")
        holdport.run(env=manager.env)
        manager.await_(lambda line: line == "READY=1")
        manager.await_(lambda line: "socket http waits" in line)
    manager.await_(lambda line: line == "STATUS=1 of 1 programs run")


def test_a_watchdog_above_hears_of_us(holdport, manager):
    holdport.write_web()
    holdport.run(env={**manager.env, "WATCHDOG_USEC": "200000"})
    eventually(lambda: manager.hear().count("WATCHDOG=1") >= 5)


def test_one_that_was_meant_for_another_process_does_not(holdport, manager):
    holdport.write_web()
    holdport.run(env={**manager.env, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"})
    holdport.await_("web")
    manager.await_(lambda line: line == "READY=1")
    assert "WATCHDOG=1" not in manager.said


def test_workers_do_not_meet_it(holdport, manager):
    holdport.write_web(section=f"command = sh -c 'env >{holdport.dir}/env; sleep 60'")
    holdport.run(env={**manager.env, "WATCHDOG_USEC": "200000"})
    eventually(lambda: (holdport.dir / "env").exists() and (holdport.dir / "env").read_text())
    text = (holdport.dir / "env").read_text()
    assert manager.env["NOTIFY_SOCKET"] not in text
    assert "WATCHDOG" not in text


@pytest.mark.parametrize("where", ["/nowhere/at/all", "vsock:2:1", "", "/" + "x" * 200])
def test_nobody_there_is_no_fault(holdport, where):
    holdport.write_web()
    holdport.run(env={"NOTIFY_SOCKET": where})
    holdport.await_("web")
    assert holdport.shutdown() == 0


def test_one_that_does_not_listen_is_not_waited_for(holdport, manager):
    holdport.write_web()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as flood:
        flood.setblocking(False)
        flood.connect(manager.socket.getsockname())
        with contextlib.suppress(BlockingIOError):
            while True:
                flood.send(b"X_FLOOD=1")
        holdport.run(env=manager.env)
        holdport.await_("web")
    manager.await_(lambda line: line == "READY=1")
    manager.await_(lambda line: line == "STATUS=1 of 1 programs run")
