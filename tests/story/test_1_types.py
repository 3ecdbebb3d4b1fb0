"""Sockets that are no TCP and no unix streams: datagrams, seqpacket, abstract names."""

import contextlib
import os
import re
import socket
import subprocess
import sys

import pytest

from holdport import eventually, get
from test_1_sockets import needs_v6, sockets_of


def ask(to, text="hello", family=socket.AF_INET, kind=socket.SOCK_DGRAM, patience=5):
    """What comes back for one message."""
    with socket.socket(family, kind) as s:
        s.settimeout(patience)
        if family == socket.AF_UNIX and kind == socket.SOCK_DGRAM:
            s.bind("")          # a name of its own, so that there is whom to answer
        s.connect(to)
        s.send(text.encode())
        return s.recv(65536).decode()


def taker(port, host="127.0.0.1", kind="DGRAM"):
    """Somebody else who has the port."""
    code = (f"import socket,sys; s=socket.socket(socket.AF_INET, socket.SOCK_{kind})\n"
            f"s.bind(('{host}',{port})); print('has it',flush=True); sys.stdin.read()")
    child = subprocess.Popen([sys.executable, "-c", code], text=True, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    assert child.stdout.readline() == "has it\n"
    return child


def test_udp(holdport):
    port = holdport.port()
    holdport.run_web("--notify", address=f"127.0.0.1:{port}", socket="type = datagram")
    [found] = sockets_of(holdport)
    assert (found["SO_TYPE"], found["SO_PROTOCOL"]) == (socket.SOCK_DGRAM, socket.IPPROTO_UDP)
    assert (found["SO_REUSEADDR"], found["SO_REUSEPORT"], found["SO_ACCEPTCONN"]) == (0, 0, 0)
    assert ask(("127.0.0.1", port)) == "worker hello"
    held = holdport.socket("http")
    assert (held["type"], held["state"], held["inode"]) == ("datagram", "listening",
                                                            found["inode"])
    assert held["queue"] is None


@needs_v6
@pytest.mark.parametrize("listen, v6only", [("[::]:{}", 1), ("*:{}", 0)])
def test_udp_over_ipv6_and_both(holdport, listen, v6only):
    port = holdport.port()
    holdport.run_web("--notify", address=listen.format(port), socket="type = datagram")
    [found] = sockets_of(holdport)
    assert (found["SO_DOMAIN"], found["IPV6_V6ONLY"]) == (socket.AF_INET6, v6only)
    assert ask(("::1", port), family=socket.AF_INET6) == "worker hello"
    if not v6only:
        assert ask(("127.0.0.1", port)) == "worker hello"


def test_tcp_and_udp_at_one_port_in_the_order_of_the_program(holdport):
    port = holdport.port()
    holdport.write_config(f"""
        [socket:tcp]
        listen = 127.0.0.1:{port}
        [socket:udp]
        listen = 127.0.0.1:{port}
        type = datagram
        [program:web]
        sockets = udp, tcp
        command = {holdport.worker("--notify", "--report", holdport.dir / "report")}
        """)
    holdport.run()
    holdport.await_("web")
    found = sockets_of(holdport)
    assert [s["SO_TYPE"] for s in found] == [socket.SOCK_DGRAM, socket.SOCK_STREAM]
    environment = holdport.reports()[0]["environment"]
    assert environment["LISTEN_FDNAMES"] == "udp:tcp"
    assert environment["SERVER_STARTER_PORT"] == f"127.0.0.1:{port}=3;127.0.0.1:{port}=4"
    assert ask(("127.0.0.1", port)) == "worker hello"
    assert get(f"127.0.0.1:{port}") == "worker"


@pytest.mark.parametrize("option, name, expected", [
    ("tos = 16", "IP_TOS", 16), ("receive_buffer = 100000", "SO_RCVBUF", 200000),
    ("send_buffer = 100000", "SO_SNDBUF", 200000), ("free_bind = yes", "IP_FREEBIND", 1),
    ("exclusive = no", "SO_REUSEPORT", 1), ("exclusive = no", "SO_REUSEADDR", 0),
    ("non_blocking = yes", "non_blocking", True), ("bind_device = lo", "SO_BINDTODEVICE", "lo")])
def test_options_that_a_datagram_socket_has(holdport, option, name, expected):
    if name == "SO_BINDTODEVICE" and os.getuid() != 0:
        pytest.skip("only root may")
    holdport.run_web("--notify", socket=f"type = datagram\n{option}")
    assert sockets_of(holdport)[0][name] == expected


def test_no_datagram_is_lost_while_the_server_is_replaced(holdport):
    port = holdport.port()
    holdport.run_web("--notify", address=f"127.0.0.1:{port}", socket="type = datagram")
    inode = holdport.socket("http")["inode"]
    pids = holdport.pids("web")
    holdport.ok("stop", "web")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        s.connect(("127.0.0.1", port))
        for i in range(50):
            s.send(f"{i}".encode())
        holdport.ok("start", "web")
        assert [s.recv(100).decode() for _ in range(50)] == [f"worker {i}" for i in range(50)]
    assert holdport.socket("http")["inode"] == inode
    assert ask(("127.0.0.1", port), "pid") not in map(str, pids)


@pytest.mark.parametrize("blocking", [True, False])
def test_a_worker_that_waits_for_datagrams_is_seen(holdport, blocking):
    code = ("import socket,select\ns=socket.socket(fileno=3)\n"
            + ("" if blocking else "e=select.epoll(); e.register(s, 1); e.poll()\n")
            + "s.recvfrom(100)\nimport time; time.sleep(60)")
    path = holdport.dir / "server.py"
    path.write_text(code)
    holdport.run_web(socket="type = datagram", section=f"command = {sys.executable} {path}")
    [generation] = holdport.program("web")["generations"]
    assert generation["proved_by"] == "waiting"


def test_who_has_the_port_is_named(holdport):
    port = holdport.port()
    child = taker(port)
    holdport.write_web("--notify", address=f"*:{port}", socket="type = datagram")
    holdport.run()
    reason = eventually(lambda: holdport.socket("http")["reason"])
    assert f"*:{port} is taken by a socket of python3" in reason and f"pid {child.pid}" in reason
    child.stdin.close()
    child.wait()
    holdport.await_("web")
    assert ask(("127.0.0.1", port)) == "worker hello"


def test_a_tcp_listener_is_not_in_the_way_of_udp(holdport):
    port = holdport.port()
    child = taker(port, kind="STREAM")
    holdport.run_web("--notify", address=f"127.0.0.1:{port}", socket="type = datagram")
    assert ask(("127.0.0.1", port)) == "worker hello"
    child.stdin.close()
    child.wait()


@pytest.mark.parametrize("kind, word", [(socket.SOCK_DGRAM, "datagram"),
                                        (socket.SOCK_SEQPACKET, "seqpacket"),
                                        (socket.SOCK_STREAM, "stream")])
@pytest.mark.parametrize("abstract", [False, True])
def test_unix_sockets_of_every_type(holdport, kind, word, abstract):
    path = str(holdport.dir / "s")
    listen = f"unix:@{path}" if abstract else f"unix:{path}"
    to = f"\0{path}" if abstract else path
    holdport.run_web("--notify", address=listen, socket=f"type = {word}")
    [found] = sockets_of(holdport)
    assert (found["SO_DOMAIN"], found["SO_TYPE"]) == (socket.AF_UNIX, kind)
    assert holdport.socket("http")["listen"] == listen
    assert holdport.socket("http")["type"] == word
    name = f"@{path}" if abstract else path
    assert holdport.reports()[0]["environment"]["SERVER_STARTER_PORT"] == f"{name}=3"
    assert os.path.exists(path) is not abstract
    if kind == socket.SOCK_DGRAM:
        assert ask(to, family=socket.AF_UNIX) == "worker hello"
    else:
        request = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
        assert ask(to, request, socket.AF_UNIX, kind).endswith("\r\n\r\nworker\n")
    holdport.shutdown()
    assert not os.path.exists(path)
    with contextlib.closing(socket.socket(socket.AF_UNIX, kind)) as again:
        again.bind(to)
    if not abstract:
        os.unlink(path)


@pytest.mark.parametrize("word", ["stream", "datagram", "seqpacket"])
def test_an_abstract_name_that_is_taken_is_waited_for(holdport, word):
    kind = {"stream": socket.SOCK_STREAM, "datagram": socket.SOCK_DGRAM,
            "seqpacket": socket.SOCK_SEQPACKET}[word]
    name = f"{holdport.dir}/taken"
    with socket.socket(socket.AF_UNIX, kind) as other:
        other.bind(f"\0{name}")
        if kind != socket.SOCK_DGRAM:
            other.listen()
        holdport.write_web("--notify", address=f"unix:@{name}", socket=f"type = {word}")
        holdport.run()
        reason = eventually(lambda: holdport.socket("http")["reason"])
        assert reason.startswith(f"unix:@{name} is taken by a ")
        # ours, or that of a child of ours which has not reached its exec yet
        assert re.search(r"of python3\S* \(pid \d+, user ", reason)
    holdport.await_("web")


def test_a_stale_datagram_path_is_replaced_and_a_live_one_is_not(holdport):
    path = holdport.dir / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        holdport.write_web("--notify", address=f"unix:{path}", socket="type = datagram")
        holdport.run()
        assert "is taken by a socket of" in eventually(lambda: holdport.socket("http")["reason"])
    holdport.await_("web")
    assert ask(str(path), family=socket.AF_UNIX) == "worker hello"


def test_a_reload_from_tcp_to_udp_is_another_socket_at_the_port(holdport):
    port = holdport.port()
    holdport.run_web("--notify", address=f"127.0.0.1:{port}")
    holdport.write_web("--notify", address=f"127.0.0.1:{port}", socket="type = datagram")
    holdport.ok("reload")
    assert ask(("127.0.0.1", port)) == "worker hello"
    eventually(lambda: [s["type"] for s in holdport.status()["sockets"]] == ["datagram"])


def test_a_reload_to_another_type_at_a_path_is_refused(holdport):
    path = holdport.dir / "s"
    holdport.run_web("--notify", address=f"unix:{path}")
    holdport.write_web("--notify", address=f"unix:{path}", socket="type = seqpacket")
    said = holdport.cmd("reload")
    assert said.code != 0 and "bound anew" in said.err
    assert get(f"unix:{path}") == "worker"


def test_live_options_of_a_datagram_socket_change_in_place(holdport):
    port = holdport.port()
    holdport.run_web("--notify", address=f"127.0.0.1:{port}", socket="type = datagram")
    [pid], inode = holdport.pids("web"), holdport.socket("http")["inode"]
    holdport.write_web("--notify", address=f"127.0.0.1:{port}",
                       socket="type = datagram\ntos = 8\nbacklog = 5")
    holdport.ok("reload")
    assert holdport.pids("web") == [pid]
    assert holdport.socket("http")["inode"] == inode
    assert ask(("127.0.0.1", port)) == "worker hello"
