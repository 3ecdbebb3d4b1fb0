"""Unix sockets of servers that were never taught, and reuse_port."""

import os
import socket

import pytest

from holdport import SUPPORT, alive, eventually, get
from intercepted import await_calls, binder, calls, inodes, restart, run, second_program, write

TYPES = {"stream": socket.SOCK_STREAM, "seqpacket": socket.SOCK_SEQPACKET,
         "datagram": socket.SOCK_DGRAM}
WORDS = {"stream": [], "seqpacket": ["--seqpacket"], "datagram": ["--udp"]}


def ask(address, kind="stream"):
    """What the server of a unix address answers."""
    name = address.removeprefix("unix:")
    with socket.socket(socket.AF_UNIX, TYPES[kind]) as s:
        s.settimeout(10)
        if kind == "datagram":
            s.bind("")
        s.connect(name.replace("@", "\0", 1) if name[0] == "@" else name)
        s.send(b"GET / HTTP/1.0\r\n\r\n")
        return s.recv(1000).decode().split()[-1]


@pytest.fixture(params=["path", "abstract"])
def address(request, holdport):
    if request.param == "path":
        return f"unix:{holdport.dir}/s"
    return f"unix:@holdport-{os.getpid()}-{holdport.port()}"


@pytest.mark.parametrize("kind", TYPES)
def test_a_unix_socket_is_bound_once(holdport, address, kind):
    run(holdport, binder(*WORDS[kind], address), address, socket=f"type = {kind}")
    assert ask(address, kind) == "binder"
    restart(holdport)
    await_calls(holdport, 2)
    assert inodes(holdport) == [holdport.socket("http")["inode"]] * 2
    assert ask(address, kind) == "binder"


def test_clients_of_a_unix_socket_wait_for_the_next_generation(holdport, address):
    run(holdport, binder(address), address)
    holdport.ok("stop", "web")
    name = address.removeprefix("unix:")
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(name.replace("@", "\0", 1) if name[0] == "@" else name)
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        holdport.ok("start", "web")
        assert s.recv(1000).endswith(b"binder\n")


@pytest.mark.parametrize("habit", ["--unlink-first", "--unlink-last"])
def test_a_server_that_removes_its_path_does_not_lose_it(holdport, habit):
    path = holdport.dir / "s"
    run(holdport, binder(habit, f"unix:{path}"), f"unix:{path}")
    file = path.stat().st_ino
    for n in range(2, 5):
        old = holdport.pids("web")
        restart(holdport)
        assert len(await_calls(holdport, n)) == n
        # The old one may remove it as its last act.
        eventually(lambda: not any(map(alive, old)))
        eventually(path.exists)
        assert path.stat().st_ino == file
        assert ask(f"unix:{path}") == "binder"
    assert len(set(inodes(holdport))) == 1


def test_the_path_is_there_again_before_bind_returns(holdport):
    # A server may chmod(2) its path next; what the watch of the path does comes later.
    path = holdport.dir / "s"
    script = holdport.dir / "server.py"
    script.write_text(f"""\
import os, signal, socket, sys
s = socket.socket(socket.AF_UNIX)
try:
    os.unlink("{path}")
except FileNotFoundError:
    pass
s.bind("{path}")
os.chmod("{path}", 0o600)
s.listen()
signal.sigwait([signal.SIGTERM])
""")
    run(holdport, f"/usr/bin/python3 {script}", f"unix:{path}")
    for _ in range(3):
        restart(holdport)
    assert holdport.program("web")["restarts"] == 0
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("way", ["through a link", "from its own directory"])
def test_the_same_file_by_another_name_is_the_held_one(holdport, way):
    (holdport.dir / "real").mkdir()
    (holdport.dir / "link").symlink_to("real")
    path = holdport.dir / "real/s"
    named, section = f"unix:{holdport.dir}/link/s", "ready = listen"
    if way == "from its own directory":
        named, section = "unix:s", f"ready = listen\ndirectory = {path.parent}"
    run(holdport, binder(named), f"unix:{path}", section=section)
    restart(holdport)
    await_calls(holdport, 2)
    assert inodes(holdport) == [holdport.socket("http")["inode"]] * 2
    assert ask(f"unix:{path}") == "binder"


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its root")
def test_the_same_name_below_another_root_is_left_alone(holdport):
    root, path = holdport.dir / "root", holdport.dir / "s"
    (root / str(holdport.dir)[1:]).mkdir(parents=True)
    (root / "binder").write_bytes((SUPPORT / "binder").read_bytes())
    (root / "binder").chmod(0o755)
    run(holdport, f"/usr/sbin/chroot {root} /binder unix:{path}", f"unix:{path}",
        section="ready = delay:1ms")
    await_calls(holdport, 1, "listen")
    assert ask(f"unix:{root}{path}") == "binder"
    assert not path.exists() and holdport.socket("http")["state"] == "waiting"


def test_other_names_are_left_alone(holdport):
    path, other = holdport.dir / "s", holdport.dir / "t"
    run(holdport, binder(f"unix:{other}", f"unix:{path}", "unix:@"), f"unix:{path}")
    assert len(holdport.status()["sockets"]) == 1
    assert [c["errno"] for c in await_calls(holdport, 3)] == [0] * 3
    assert ask(f"unix:{other}") == "binder"
    assert inodes(holdport)[1] == holdport.socket("http")["inode"] != inodes(holdport)[0]


def test_a_path_of_another_program_is_refused(holdport):
    path, other = holdport.dir / "s", holdport.dir / "t"
    write(holdport, binder(f"unix:{other}"), f"unix:{path}",
          section="start = manual\nstart_attempts = 1",
          more=second_program(binder(f"unix:{other}"), f"unix:{other}"))
    holdport.run()
    holdport.await_("other")
    assert holdport.cmd("start", "web").code == 1
    assert f"bind of unix:{other} is refused: [socket:other]" in holdport.log()
    assert ask(f"unix:{other}") == "binder"


def test_a_path_that_a_stranger_serves_is_not_taken(holdport):
    path = holdport.dir / "s"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen()
        write(holdport, binder(f"unix:{path}"), f"unix:{path}",
              section="restart_delay = 50ms\nrestart_delay_max = 50ms")
        holdport.run()
        eventually(lambda: [c for c in calls(holdport) if c["errno"] == 98])
    holdport.await_("web")  # it is closed, and its file is a stale one
    assert ask(f"unix:{path}") == "binder"


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_the_path_belongs_to_the_user_of_the_program(holdport):
    path = holdport.dir / "s"
    run(holdport, binder(f"unix:{path}"), f"unix:{path}", socket="mode = 0640",
        section="ready = listen\nuser = nobody\ndirectory = /")
    st = path.stat()
    assert (st.st_uid, st.st_mode & 0o777) == (65534, 0o640)


def test_what_a_worker_bound_outlives_the_manager(holdport):
    path = holdport.dir / "s"
    run(holdport, binder(f"unix:{path}"), f"unix:{path}")
    inode = holdport.socket("http")["inode"]
    holdport.kill_manager()
    restart(holdport)
    assert holdport.socket("http")["inode"] == inode
    assert inodes(holdport) == [inode] * 2
    assert ask(f"unix:{path}") == "binder"


# reuse_port


def test_with_reuse_port_each_worker_is_given_the_socket_of_its_slot(holdport):
    port = holdport.port()
    run(holdport, binder("--reuseport", "--threads", 2, f"127.0.0.1:{port}"),
        f"127.0.0.1:{port}", socket="reuse_port = yes", section="ready = listen\nworkers = 2")
    first = {c["inode"] for c in await_calls(holdport, 4)}
    assert len(first) == 2 and not [c for c in calls(holdport) if c["errno"]]
    restart(holdport)
    later = [c["inode"] for c in await_calls(holdport, 8)][4:]
    assert set(later) == first and sorted(later)[0] == sorted(later)[1]
    for _ in range(8):
        assert get(f"127.0.0.1:{port}") == "binder"


def test_with_reuse_port_a_server_binds_just_what_is_written(holdport):
    port = holdport.port()
    write(holdport, binder(f"127.0.0.1:{port}"), f"0.0.0.0:{port}", socket="reuse_port = yes",
          section="start = manual\nstart_attempts = 1")
    holdport.run()
    assert holdport.cmd("start", "web").code == 1
    assert "which is held, and is not the same" in holdport.log()
