"""What is done about an address that somebody or something has already."""

import re
import socket
import sys
from pathlib import Path

import pytest

from holdport import connect, end, eventually, get, stranger


def test_a_busy_address_is_waited_for_while_the_others_serve(holdport):
    port, other = holdport.port(), f"127.0.0.1:{holdport.port()}"
    somebody = stranger(port)
    holdport.write_web("--notify", address=f"127.0.0.1:{port}", more=f"""\
        [socket:other]
        listen = {other}
        [program:other]
        command = {holdport.worker("--notify", "--answer", "other")}
        sockets = other
        """)
    holdport.run()
    events = holdport.events()
    holdport.await_("other")
    assert get(other) == "other"
    held = holdport.socket("http")
    assert (held["state"], held["inode"]) == ("waiting", None)
    assert re.search(rf"\bpid {somebody.pid}\b", held["reason"])
    assert "python" in held["reason"]
    assert holdport.cmd("sockets", "http", "--json").json["sockets"][0]["reason"] == held["reason"]
    assert held["reason"] in holdport.log()
    web = holdport.program("web")
    assert (web["state"], web["ready"]) == ("starting", 0)
    assert str(somebody.pid) in web["last_error"]
    assert holdport.cmd("status").code == 3
    end(somebody)
    events.await_(lambda e: e["name"] == "http" and e["state"] == "listening")
    holdport.await_("web")
    assert get(f"127.0.0.1:{port}") == "worker"
    web, held = holdport.program("web"), holdport.socket("http")
    assert (web["last_error"], held["reason"]) == (None, None)


def test_connections_of_an_earlier_listener_that_block_are_named_as_what_they_are(holdport):
    port = holdport.port()
    holdport.write_web("--notify", socket="exclusive = yes", address=f"127.0.0.1:{port}")
    with socket.create_server(("127.0.0.1", port), reuse_port=False) as listener:
        ours = socket.create_connection(("127.0.0.1", port))
        theirs, _ = listener.accept()
    holdport.run()
    held = holdport.socket("http")
    assert held["state"] == "waiting"
    assert "ESTABLISHED" in held["reason"]
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    theirs.close()      # by a reset: nothing is left
    ours.close()
    holdport.await_("web")


def test_an_address_that_is_not_on_this_host_is_said_to_be_none(holdport):
    holdport.write_web("--notify", address=f"203.0.113.7:{holdport.port()}")
    holdport.run()
    assert re.search(r"not on this host \(since 20\S+Z at least\)",
                     holdport.socket("http")["reason"])


def test_a_stale_unix_socket_is_replaced(holdport):
    path = holdport.dir / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
        stale.listen()
    holdport.run_web("--notify", address=f"unix:{path}")
    assert get(f"unix:{path}") == "worker"


def test_a_unix_socket_on_which_somebody_answers_is_left_alone(holdport):
    path = holdport.dir / "s"
    somebody = stranger(path)
    inode = path.stat().st_ino
    holdport.write_web("--notify", address=f"unix:{path}")
    holdport.run()
    held = holdport.socket("http")
    assert held["state"] == "waiting"
    assert re.search(rf"\bpid {somebody.pid}\b", held["reason"])
    assert path.stat().st_ino == inode
    connect(f"unix:{path}").close()
    end(somebody)
    holdport.await_("web")
    assert get(f"unix:{path}") == "worker"


@pytest.mark.parametrize("make", [Path.mkdir, lambda p: p.write_text("precious"),
                                  lambda p: p.symlink_to("/etc/passwd")],
                         ids=["directory", "file", "link"])
def test_what_is_no_socket_is_never_removed(holdport, make):
    path = holdport.dir / "s"
    make(path)
    before = path.lstat()
    holdport.write_web("--notify", address=f"unix:{path}")
    holdport.run()
    held = holdport.socket("http")
    assert held["state"] == "waiting"
    assert "not a socket" in held["reason"]
    holdport.shutdown()
    assert path.lstat() == before


def test_a_path_that_somebody_else_has_taken_over_is_not_removed_at_the_end(holdport):
    path = holdport.dir / "s"
    holdport.run_web("--notify", address=f"unix:{path}")
    # at once: a path that is gone we make again
    somebody = stranger(path.with_name("new"))
    path.with_name("new").rename(path)
    holdport.shutdown()
    assert path.exists()
    end(somebody)


def test_a_missing_directory_of_a_unix_socket_is_named_and_waited_for(holdport):
    path = holdport.dir / "later/s"
    holdport.write_web("--notify", address=f"unix:{path}")
    holdport.run()
    assert f"{path.parent} does not exist" in holdport.socket("http")["reason"]
    path.parent.mkdir()
    holdport.await_("web")


def test_a_listener_that_a_worker_shut_down_listens_again(holdport):
    address = holdport.run_web(section=f"""\
        command = {sys.executable} -c "import signal, socket; s = socket.socket(fileno=3);
            s.shutdown(2); signal.pause()"
        ready = delay:10ms
        restart = never
        """)
    eventually(lambda: "shut the listener" in holdport.log(), what="it is noticed")
    connect(address).close()


def test_a_program_that_waits_for_its_socket_can_be_stopped_and_asked_again(holdport):
    port = holdport.port()
    somebody = stranger(port)
    holdport.write_web("--notify", address=f"127.0.0.1:{port}")
    holdport.run()
    holdport.ok("stop", "web", "--timeout", "10s")
    assert holdport.cmd("restart", "web", "--timeout", "300ms").code == 8
    end(somebody)
    holdport.await_("web")
