"""Sockets that whoever starts holdport has bound for it: LISTEN_FDS."""

import os
import socket
import stat
import subprocess
import sys

import pytest

from holdport import BUILD, SUPPORT, connect, descriptors, eventually, get
from test_1_sockets import sockets_of

# Plays systemd: descriptors from 3 on, LISTEN_PID of who is started.
ACTIVATOR = """
import os, sys
fds = [int(w) for w in sys.argv[1].split(",") if w]
for i, fd in enumerate([os.dup2(os.dup(fd), 200 + i) for i, fd in enumerate(fds)]):
    os.dup2(fd, 3 + i)
os.closerange(3 + len(fds), 256)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""


def activate(holdport, sockets, names, *command, env=None):
    """Starts `holdport run` with these sockets (or descriptors); we keep our copy, as systemd
    does."""
    fds = [s if isinstance(s, int) else s.fileno() for s in sockets]
    with open(holdport.output, "ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-c", ACTIVATOR, ",".join(map(str, fds)), names,
             str(BUILD / "bin/holdport"), *(command or ("run", "-c", str(holdport.config)))],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, pass_fds=fds, cwd=holdport.dir,
            env={**holdport.env, **(env or {})}, start_new_session=True)
    holdport.process = child
    holdport._children.append(child)
    return child


def run_with(holdport, sockets, names="web.socket"):
    activate(holdport, sockets, names)
    eventually(holdport._answers, what="the supervisor answers")
    holdport.await_("web")


def listener(port, host="127.0.0.1", backlog=16):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, port))
    s.listen(backlog)
    return s


def inode(s):
    return os.fstat(s.fileno()).st_ino


def test_a_socket_that_was_given_is_held_and_not_bound(holdport):
    port = holdport.port()
    with listener(port) as ours:
        holdport.write_web("--notify", address=f"127.0.0.1:{port}", socket="backlog = 77")
        run_with(holdport, [ours])
        held = holdport.socket("http")
        assert (held["origin"], held["state"]) == ("inherited", "listening")
        assert held["inode"] == inode(ours) == sockets_of(holdport)[0]["inode"]
        assert held["backlog"] == 77
        assert get(f"127.0.0.1:{port}") == "worker"
        # What was said to us is not for the worker; what it is told is ours.
        [report] = holdport.reports()
        assert report["environment"]["LISTEN_FDNAMES"] == "http"
        assert [f["fd"] for f in report["fds"]] == [0, 1, 2, 3]


def test_names_and_order_do_not_matter_addresses_do(holdport):
    ports = [holdport.port() for _ in range(2)]
    with listener(ports[0]) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
        two.bind(("127.0.0.1", ports[1]))
        holdport.write_config(f"""
            [socket:dns]
            listen = 127.0.0.1:{ports[1]}
            type = datagram
            [socket:http]
            listen = 127.0.0.1:{ports[0]}
            [program:web]
            sockets = dns, http
            command = {holdport.worker("--notify", "--report", holdport.dir / "report")}
            """)
        run_with(holdport, [one, two], "x:y")
        assert [s["inode"] for s in sockets_of(holdport)] == [inode(two), inode(one)]
        assert {s["origin"] for s in holdport.status()["sockets"]} == {"inherited"}


def test_clients_that_wait_with_the_activator_are_served(holdport):
    port = holdport.port()
    with listener(port) as ours:
        waiting = [connect(f"127.0.0.1:{port}") for _ in range(5)]
        holdport.write_web("--notify", address=f"127.0.0.1:{port}")
        run_with(holdport, [ours])
        assert [get("", keep=s) for s in waiting] == ["worker"] * 5
        for s in waiting:
            s.close()


def test_what_nobody_claims_is_closed_and_named(holdport):
    ports = [holdport.port() for _ in range(2)]
    with listener(ports[0]) as ours, listener(ports[1]) as other:
        holdport.write_web("--notify", address=f"127.0.0.1:{ports[0]}")
        run_with(holdport, [other, ours], "extra:http")
        assert f"127.0.0.1:{ports[1]}, which was given to us as \"extra\"" in holdport.log()
        links = descriptors(holdport.manager_pid).values()
        assert f"socket:[{inode(ours)}]" in links
        assert f"socket:[{inode(other)}]" not in links


def test_a_pipe_and_a_connection_are_closed_and_named(holdport):
    port = holdport.port()
    a, b = socket.socketpair()
    with listener(port) as ours, a, b, open("/dev/zero", "rb") as file:
        holdport.write_web("--notify", address=f"127.0.0.1:{port}")
        run_with(holdport, [file, a, ours], "file:pair:http")
        log = holdport.log()
        assert 'descriptor 3 ("file") was given to us and is closed: it is not a socket' in log
        assert 'descriptor 4 ("pair") was given to us and is closed: it is a connection' in log
        assert holdport.socket("http")["origin"] == "inherited"


def test_a_given_path_keeps_its_mode_and_stays_when_we_go(holdport):
    path = holdport.dir / "s"
    with socket.socket(socket.AF_UNIX) as ours:
        ours.bind(str(path))
        ours.listen()
        path.chmod(0o640)
        holdport.write_web("--notify", address=f"unix:{path}")
        run_with(holdport, [ours])
        assert holdport.socket("http")["origin"] == "inherited"
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert get(f"unix:{path}") == "worker"
        holdport.shutdown()
        assert path.exists()


def test_exec_takes_it_too(holdport):
    port = holdport.port()
    with listener(port) as ours:
        activate(holdport, [ours], "x", "exec", f"--runtime-dir={holdport.runtime_dir}", "-l",
                 f"127.0.0.1:{port}", "--", str(SUPPORT / "worker"), "--report",
                 str(holdport.dir / "report"))
        eventually(holdport.reports)
        assert sockets_of(holdport)[0]["inode"] == inode(ours)
        assert get(f"127.0.0.1:{port}") == "worker"


def test_what_was_said_to_another_process_is_not_for_us(holdport):
    port = holdport.port()
    holdport.write_web("--notify", address=f"127.0.0.1:{port}")
    holdport.run(env={"LISTEN_PID": "1", "LISTEN_FDS": "1"})
    holdport.await_("web")
    assert holdport.socket("http")["origin"] == "bound"


def test_a_shell_in_between_is_named(holdport):
    port = holdport.port()
    holdport.write_web("--notify", address=f"127.0.0.1:{port}")
    holdport.run(env={"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})
    holdport.await_("web")
    assert f"for process {os.getpid()}, which started us and did not become us" in holdport.log()
    assert holdport.socket("http")["origin"] == "bound"


@pytest.mark.load
def test_a_restart_of_holdport_under_an_activator_loses_no_client(holdport):
    port = holdport.port()
    address = f"127.0.0.1:{port}"
    with listener(port, backlog=4096) as ours:
        holdport.write_web("--notify", address=address)
        run_with(holdport, [ours])
        with holdport.load(address, "--rate", "200") as load:
            assert holdport.shutdown() == 0
            run_with(holdport, [ours])
            load.await_calm()
        load.expect(refused=0)


def test_systemd_socket_activate(holdport):
    port = holdport.port()
    holdport.write_web("--notify", address=f"127.0.0.1:{port}")
    with open(holdport.output, "ab") as out:
        holdport.process = subprocess.Popen(
            ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", str(BUILD / "bin/holdport"),
             "run", "-c", str(holdport.config)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=holdport.env,
            start_new_session=True)
    holdport._children.append(holdport.process)
    first = eventually(lambda: _try(port))      # wakes it
    assert get("", keep=first) == "worker"
    first.close()
    holdport.await_("web")
    assert holdport.socket("http")["origin"] == "inherited"


def _try(port):
    try:
        return connect(f"127.0.0.1:{port}")
    except ConnectionRefusedError:
        return None
