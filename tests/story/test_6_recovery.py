"""A manager that dies while a worker is inside bind(2): the call completes with the next."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from holdport import FAILED, SUPPORT, eventually, get, kill
from intercepted import await_calls, binder, calls, write


def waits_alone(pid):
    """Whether it has one thread, which waits for somebody to answer its call."""
    tasks = os.listdir(f"/proc/{pid}/task")
    return tasks == [str(pid)] and "seccomp" in Path(f"/proc/{pid}/wchan").read_text()


@pytest.fixture
def held_back(holdport):
    """Starts a command whose first step waits until the story opens the gate."""
    gate = holdport.dir / "gate"
    os.mkfifo(gate)

    def start(*words, listen, **named):
        write(holdport, f"sh -c 'read go < {gate}; exec {binder(*words)}'", listen, **named)
        holdport.run()
        pid = eventually(lambda: holdport.pids("web"))[0]
        eventually(lambda: "sh" in Path(f"/proc/{pid}/comm").read_text())
        return pid

    def open_gate():
        with open(gate, "w") as f:
            f.write("go\n")
    start.open_gate = open_gate
    return start


@pytest.mark.skipif(os.geteuid() != 0, reason="looks at what a process waits for")
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_call_that_nobody_was_there_for_is_answered_by_the_next_manager(
        holdport, held_back, kind):
    port = holdport.port()
    address = f"127.0.0.1:{port}" if kind == "tcp" else f"unix:{holdport.dir}/s"
    pid = held_back(address, listen=address)
    with holdport.no_manager():
        held_back.open_gate()
        eventually(lambda: waits_alone(pid))
        assert not calls(holdport)
    holdport.await_("web")
    assert holdport.pids("web") == [pid]
    assert [(c["errno"], c["inode"]) for c in await_calls(holdport, 1)] == \
        [(0, holdport.socket("http")["inode"])]


@pytest.mark.skipif(os.geteuid() != 0, reason="looks at what a process waits for")
def test_a_report_that_a_dead_one_took_is_made_again(holdport, held_back):
    address = f"127.0.0.1:{holdport.port()}"
    pid = held_back("--steal-one", address, listen=address)
    with holdport.no_manager():
        held_back.open_gate()
        eventually(lambda: waits_alone(pid))  # the thread that took it has ended
    holdport.await_("web")
    assert holdport.pids("web") == [pid]
    assert [c["errno"] for c in await_calls(holdport, 1)] == [0]
    assert get(address) == "binder"


@pytest.mark.skipif(os.geteuid() != 0, reason="looks at what a process waits for")
def test_a_call_while_one_image_follows_another_is_answered_in_the_end(holdport, held_back):
    address = f"127.0.0.1:{holdport.port()}"
    daemon = holdport.install()
    pid = held_back(address, listen=address)
    manager = holdport.manager_pid
    new = daemon.with_name("new")
    shutil.copy(SUPPORT / "image", new)
    daemon.with_name(daemon.name + ".plays").write_text("hang")
    os.replace(new, daemon)
    upgrading = holdport.spawn("upgrade", "-c", holdport.config, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    eventually(lambda: os.stat(f"/proc/{manager}/exe").st_ino == daemon.stat().st_ino)
    held_back.open_gate()
    eventually(lambda: waits_alone(pid))    # the new image answers nobody
    kill(manager)
    assert upgrading.wait(timeout=60) == FAILED
    holdport.await_("web")
    assert holdport.pids("web") == [pid]
    assert [(c["errno"], c["inode"]) for c in await_calls(holdport, 1)] == \
        [(0, holdport.socket("http")["inode"])]


def test_what_it_listens_on_already_is_known_to_the_next_manager(holdport):
    first, second = f"127.0.0.1:{holdport.port()}", f"127.0.0.1:{holdport.port()}"
    gate = holdport.dir / "gate"
    os.mkfifo(gate)
    write(holdport, f"sh -c '{binder(first)} & read go < {gate}; {binder(second)}'",
          f"{first}, {second}", section="ready = listen\nkill_mode = group")
    holdport.run()
    await_calls(holdport, 1, "listen")
    holdport.kill_manager()
    assert holdport.program("web")["state"] == "starting"
    gate.write_text("go\n")
    holdport.await_("web")
    assert get(first) == get(second) == "binder"
    held = {s["listen"]: s["inode"] for s in holdport.status()["sockets"]}
    assert {c["address"]: c["inode"] for c in await_calls(holdport, 2)} == held
