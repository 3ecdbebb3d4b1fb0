"""Where no filter can report: a preload library tells of bind(2), with the same answers."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from holdport import BUILD, FAILED, NOBODY, SOURCES, descendants, descriptors, eventually, get
from intercepted import await_calls, binder, calls, inodes, restart, second_program, write
from refused_calls import refuse, run_without

PIDFD_GETFD = 438    # on every architecture; without it no descriptor can be looked at

SERVER = """\
import os, signal, socket, sys
kind, address = sys.argv[1], sys.argv[2]
family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
if kind != "unix":
    host, port = address.rsplit(":", 1)
    address = (host, int(port))
why = 0
try:
    s.bind(address)
    if kind != "udp":
        s.listen(5)
except OSError as e:
    why = e.errno
print(f"bind {sys.argv[2]}: errno={why} inode={os.fstat(s.fileno()).st_ino} "
      f"cloexec={int(not os.get_inheritable(s.fileno()))} nonblock=0 nodelay=0 backlog=0",
      flush=True)
if why:
    sys.exit(3)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
while True:
    if kind == "udp":
        s.sendto(b"server", s.recvfrom(100)[1])
        continue
    client, _ = s.accept()
    client.recv(1000)
    client.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 7\\r\\n\\r\\nserver\\n")
    client.close()
"""


@pytest.fixture
def server(holdport):
    """The command of a dynamically linked server."""
    script = holdport.dir / "server.py"
    script.write_text(SERVER)
    return lambda address, kind="tcp": f"/usr/bin/python3 {script} {kind} {address}"


@pytest.fixture
def old(holdport):
    """Runs the supervisor on a system without pidfd_getfd(2)."""
    def run(program="web"):
        run_without(holdport, PIDFD_GETFD)
        if program:
            holdport.await_(program)
    return run


def knocking():
    """The paths of connections of seqpacket sockets."""
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]
    return [line[7].removesuffix("+") for line in lines if line[4] == "0005" and line[5] in ("02", "03")
            and len(line) > 7]


@pytest.mark.parametrize("kind", ["tcp", "udp", "unix"])
def test_the_first_bind_is_held_and_later_ones_are_given_it(holdport, old, server, kind):
    address = f"unix:{holdport.dir}/s" if kind == "unix" else f"127.0.0.1:{holdport.port()}"
    write(holdport, server(address.removeprefix("unix:"), kind), address,
          socket="type = datagram" if kind == "udp" else "")
    old()
    assert holdport.status()["supervisor"]["abilities"]["intercept_bind"] is False
    assert holdport.program("web")["intercept"] == "preload"
    assert "intercepted by preload" in holdport.ok("status").out
    restart(holdport)
    await_calls(holdport, 2)
    assert inodes(holdport) == [holdport.socket("http")["inode"]] * 2
    assert [c["cloexec"] for c in calls(holdport)] == [1, 1]
    holdport.kill_manager()
    restart(holdport)
    await_calls(holdport, 3)
    assert len(set(inodes(holdport))) == 1


def test_a_seccomp_filter_is_preferred(holdport, server):
    address = f"127.0.0.1:{holdport.port()}"
    write(holdport, server(address), address)
    holdport.run()
    holdport.await_("web")
    assert holdport.program("web")["intercept"] == "seccomp"
    assert "LD_PRELOAD" not in Path(f"/proc/{holdport.pids('web')[0]}/environ").read_text()


def test_what_another_program_is_to_have_is_refused(holdport, old, server):
    ours, theirs = f"127.0.0.1:{holdport.port()}", f"127.0.0.1:{holdport.port()}"
    write(holdport, server(theirs), ours, section="start = manual\nstart_attempts = 1",
          more=second_program(server(theirs), theirs))
    old("other")
    assert holdport.cmd("start", "web").code == FAILED
    assert f"its bind of {theirs} is refused: [socket:other]" in holdport.log()


def test_a_program_that_preloads_nothing_is_refused_before_it_starts(holdport, old):
    address = f"127.0.0.1:{holdport.port()}"
    write(holdport, binder(address), address, section="start = manual\nstart_attempts = 1")
    old(None)
    assert holdport.cmd("start", "web").code == FAILED
    assert "is linked statically, and preloads nothing" in holdport.log()
    assert not calls(holdport)


def test_check_says_so_before(holdport, server):
    address = f"127.0.0.1:{holdport.port()}"
    write(holdport, server(address), address)
    command = [BUILD / "bin/holdport", "check", "-c", holdport.config]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "warning" not in said.stderr
    said = subprocess.run(command, capture_output=True, text=True, check=True,
                          preexec_fn=lambda: refuse(PIDFD_GETFD))
    assert "warning: program web: handoff = intercept: a bind(2) cannot be intercepted here" \
        in said.stderr and "linked dynamically" in said.stderr


def run_gated(holdport, old, server):
    """A server that calls when its gate says so: its address, the gate, its pid."""
    address = f"127.0.0.1:{holdport.port()}"
    gate = holdport.dir / "gate"
    os.mkfifo(gate)
    write(holdport, f"sh -c 'read go < {gate}; exec {server(address)}'", address)
    old(None)
    pid = eventually(lambda: holdport.pids("web"))[0]
    return address, gate, pid


def test_what_it_called_while_there_was_no_manager_is_answered_by_the_next(holdport, old, server):
    address, gate, pid = run_gated(holdport, old, server)
    with holdport.no_manager():
        gate.write_text("go\n")
        # it has called: what it sent waits in the queue of its door
        eventually(lambda: "python3" in Path(f"/proc/{pid}/comm").read_text() and
                   any(path.endswith(":bin") and path.startswith(str(holdport.runtime_dir))
                       for path in knocking()))
    holdport.await_("web")
    assert holdport.pids("web") == [pid]
    assert [(c["errno"], c["inode"]) for c in await_calls(holdport, 1)] == \
        [(0, holdport.socket("http")["inode"])]
    assert get(address) == "server"


def test_what_it_called_after_both_died_is_answered_by_the_next(holdport, old, server):
    address, gate, pid = run_gated(holdport, old, server)
    holdport.kill_both()
    gate.write_text("go\n")
    # it has called, and waits for somebody at its door
    eventually(lambda: "python3" in Path(f"/proc/{pid}/comm").read_text() and
               "nanosleep" in Path(f"/proc/{pid}/wchan").read_text())
    old()
    assert holdport.pids("web") == [pid]    # what it says went to those that died
    assert f"socket:[{holdport.socket('http')['inode']}]" in descriptors(pid).values()
    assert "which is held from now on" in holdport.log()
    assert get(address) == "server"


def test_what_is_left_of_one_that_ended_in_order_binds_for_itself(holdport, old, server):
    address = f"127.0.0.1:{holdport.port()}"
    gate = holdport.dir / "gate"
    os.mkfifo(gate)
    said = holdport.dir / "said"
    command = (f"sh -c 'sh -c \"read go < {gate}; exec {server(address)} > {said}\" & "
               "exec sleep 1000'")
    write(holdport, command, address, section="ready = delay:1ms\nkill_mode = process")
    old()
    holdport.ok("shutdown")
    gate.write_text("go\n")
    assert "errno=0" in eventually(lambda: said.exists() and said.read_text())
    assert get(address) == "server"
    holdport.leftovers_expected = True


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_user_without_rights_serves_a_port_below_1024(holdport, old, server):
    holdport.dir.chmod(0o755)
    write(holdport, server("127.0.0.1:82"), "127.0.0.1:82",
          section="ready = listen\nuser = nobody\ndirectory = /")
    old()
    assert holdport.program("web")["intercept"] == "preload"
    assert Path(f"/proc/{holdport.pids('web')[0]}").stat().st_uid == NOBODY
    restart(holdport)
    assert [(c["errno"], c["inode"]) for c in await_calls(holdport, 2)] == \
        [(0, holdport.socket("http")["inode"])] * 2
    assert get("127.0.0.1:82") == "server"


def test_who_says_nothing_at_the_door_keeps_nobody_waiting(holdport, old, server):
    address = f"127.0.0.1:{holdport.port()}"
    write(holdport, server(address), address)
    old()
    door = next(Path(holdport.runtime_dir).rglob("*:bind"))
    silent = []
    for _ in range(70):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(10)
        s.connect(str(door))
        silent.append(s)
    assert silent[0].recv(1) == b""  # one that came later has its place
    silent[-1].send(b"x" * 500)
    assert silent[-1].recv(1) == b""
    restart(holdport)
    await_calls(holdport, 2)
    assert len(set(inodes(holdport))) == 1


def send_hanging(holdport, door, count):
    """One who sends a file so often that never answers."""
    sender = subprocess.Popen(["/usr/bin/python3", SOURCES / "hanging.py", holdport.dir / "m", "send",
                               door, "200", str(count)], stdout=subprocess.PIPE)
    if sender.stdout.readline() != b"sent\n":
        sender.wait()
        pytest.skip("this system mounts no file system of its own (fuse)")
    return sender


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_a_file_that_never_answers_is_sent_in_vain(holdport, old, server):
    address = f"127.0.0.1:{holdport.port()}"
    write(holdport, server(address), address)
    old()
    with send_hanging(holdport, next(Path(holdport.runtime_dir).rglob("*:bind")), 1) as sender:
        try:
            restart(holdport)
            assert len(await_calls(holdport, 2)) == 2
        finally:
            sender.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_many_of_them_take_the_places_of_one_door(holdport, old, server):
    address = f"127.0.0.1:{holdport.port()}"
    write(holdport, server(address), address)
    old()
    manager = holdport.manager_pid
    before = len(descendants(manager))
    with send_hanging(holdport, next(Path(holdport.runtime_dir).rglob("*:bind")), 100) as sender:
        try:
            eventually(lambda: len(descendants(manager)) >= before + 64)
            assert holdport.manager_pid == manager
            assert len(descendants(manager)) == before + 64
        finally:
            sender.kill()
    restart(holdport)   # their places are free again
    assert len(await_calls(holdport, 2)) == 2
