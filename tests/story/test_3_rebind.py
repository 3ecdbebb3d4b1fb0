"""A held address is bound anew while clients come, and none of them notices: what
only bind(2) can change, a wider or a narrower address, another family."""

import contextlib
import ctypes
import os
import signal
import socket as sockets
import struct

import pytest

from holdport import CAP_NET_RAW, FAILED, USAGE, eventually, get
from servers import ALL
from test_2_live import copy_of

RATE = ("--rate", 1000, "--keep-alive", 20)

root = pytest.mark.skipif(os.geteuid() != 0, reason="wants CAP_NET_RAW")


def has_multipath():
    try:
        sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM, sockets.IPPROTO_MPTCP).close()
        return True
    except OSError:
        return False


ways = {
    "narrow": ("127.0.0.1:{port}", ""),
    "exclusive": ("127.0.0.1:{port}", "exclusive = yes"),
    "free_bind": ("127.0.0.1:{port}", "free_bind = yes"),
    "device": ("127.0.0.1:{port}", "bind_device = lo"),
    "multipath": ("127.0.0.1:{port}", "mptcp = yes"),
    "ipv4": ("0.0.0.0:{port}", ""),
    "dual": ("*:{port}", ""),
    "ipv6": ("*:{port}", "ipv6_only = yes"),
    "wide_device": ("*:{port}", "bind_device = lo"),
    "group": ("127.0.0.1:{port}", "reuse_port = yes"),
    "wide_group": ("*:{port}", "reuse_port = yes"),
    "two": ("127.0.0.1:{port}, 127.0.0.2:{port}", ""),
}


def write(holdport, way, port, *options, section="ready = notify\nworkers = 2", more=""):
    listen, option = ways[way]
    holdport.write_config(
        f"[socket:http]\nlisten = {listen.format(port=port)}\n{option}\n"
        f"[program:web]\ncommand = {holdport.worker('--notify', *options)}\n"
        f"sockets = http\n{section}\n{more}")


def run(holdport, way, *options, lacks=None, **named):
    port = holdport.port()
    write(holdport, way, port, *options, **named)
    holdport.run(lacks=lacks)
    holdport.await_("web")
    return port


def change(holdport, way, port, *options, **named):
    old = holdport.pids("web")
    write(holdport, way, port, *options, **named)
    said = holdport.ok("reload")
    holdport.await_replaced("web", old)
    return said


def rejoin(holdport, addresses=1):
    """Until only what is configured is held."""
    eventually(lambda: len(holdport.status()["sockets"]) == addresses,
               what="only what is configured is held")
    return holdport.socket("http")


# From, to (and back again), and where the clients go.
changes = [
    ("narrow", "free_bind", "127.0.0.1"), ("narrow", "dual", "127.0.0.1"),
    ("narrow", "ipv4", "127.0.0.1"), ("two", "ipv4", "127.0.0.2"),
    ("ipv4", "dual", "127.0.0.1"), ("dual", "ipv6", "[::1]"),
    ("narrow", "group", "127.0.0.1"), ("group", "wide_group", "127.0.0.1"),
    ("narrow", "wide_group", "127.0.0.1"), ("narrow", "device", "127.0.0.1"), ("dual", "wide_device", "[::1]"),
]
if has_multipath():
    changes.append(("narrow", "multipath", "127.0.0.1"))


def bind_to_and_fro(holdport, one, other, host, times, **named):
    port = run(holdport, one, **named)
    named.pop("lacks", None)
    with holdport.load(f"{host}:{port}", *RATE) as load:
        for way in (other, one) * times:
            before = {s["inode"] for s in holdport.status()["sockets"]}
            said = change(holdport, way, port, **named)
            assert "rebind" in said.out
            eventually(lambda: not before & {s["inode"] for s in holdport.status()["sockets"]},
                       what="the old sockets are gone")
            load.await_calm()
    load.expect(failed=0)
    assert load.report["new_connections"] >= 900 * load.report["seconds"]


@root
@pytest.mark.load
@pytest.mark.parametrize("one, other, host", changes)
def test_an_address_is_bound_anew_and_no_client_is_lost(holdport, long, one, other, host):
    bind_to_and_fro(holdport, one, other, host, 200 if long else 4)


@root
@pytest.mark.load
@pytest.mark.parametrize("section", [
    "workers = 2\nready = notify\nstrategy = replace", "workers = 3\nready = tcp",
    "workers = 2\nready = notify\nstrategy = overlap"])
def test_so_it_is_with_each_strategy_and_with_a_probe(holdport, section):
    bind_to_and_fro(holdport, "narrow", "dual", "127.0.0.1", 2, section=section)


@pytest.mark.load
@pytest.mark.parametrize("one, other", [("narrow", "free_bind"), ("narrow", "dual")])
def test_so_it_is_without_the_right_to_steer(holdport, one, other):
    bind_to_and_fro(holdport, one, other, "127.0.0.1", 3, lacks=CAP_NET_RAW)


@root
@pytest.mark.load
@pytest.mark.parametrize("one, other, host", changes[:3])
def test_a_new_generation_that_fails_costs_nobody_anything(holdport, one, other, host):
    port = run(holdport, one, "--answer", "old")
    before = holdport.pids("web")
    with holdport.load(f"{host}:{port}", *RATE) as load:
        write(holdport, other, port, "--start-delay", 200, "--die-at-start", 3)
        said = holdport.cmd("reload")
        assert said.code == FAILED, said
        assert "generation 1 serves on" in said.out
        load.await_calm()
        eventually(lambda: holdport.pids("web") == before)
    load.expect(failed=0)
    assert set(load.report["by_answer"]) == {"old"}
    change(holdport, other, port, "--answer", "new")
    assert get(f"{host}:{port}") == "new"
    rejoin(holdport)


@root
@pytest.mark.load
def test_a_second_change_during_the_first_is_what_counts(holdport):
    port = run(holdport, "narrow")
    with holdport.load(f"127.0.0.1:{port}", *RATE) as load:
        write(holdport, "dual", port, "--never-ready")
        holdport.ok("reload", "--no-wait")
        change(holdport, "free_bind", port)
        load.await_calm()
    load.expect(failed=0)
    assert rejoin(holdport)["listen"] == f"127.0.0.1:{port}"


@root
@pytest.mark.load
def test_two_programs_share_an_address_that_is_bound_anew(holdport):
    more = f"[program:other]\ncommand = {holdport.worker('--notify')}\nsockets = http\n"
    port = run(holdport, "narrow", more=more)
    holdport.await_("other")
    with holdport.load(f"127.0.0.1:{port}", *RATE) as load:
        old = holdport.pids("other")
        change(holdport, "dual", port, more=more)
        holdport.await_replaced("other", old)
        load.await_calm()
    load.expect(failed=0)
    rejoin(holdport)


def may_share(address):
    """Whether somebody of our user who shares may bind there now."""
    host, port = address.rsplit(":", 1)
    with sockets.socket(sockets.AF_INET) as s:
        s.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        s.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEPORT, 1)
        with contextlib.suppress(OSError):
            s.bind((host, int(port)))
            s.listen()
            return True
    return False


@pytest.mark.parametrize("to", ["free_bind", "ipv4", "narrow"])
def test_when_it_is_done_nobody_may_bind_beside_it(holdport, to):
    port = run(holdport, "ipv4" if to == "narrow" else "narrow")
    address = f"127.0.0.1:{port}"
    assert not may_share(address)
    change(holdport, to, port)
    rejoin(holdport)
    assert not may_share(address)


def test_what_cannot_be_bound_beside_changes_nothing(holdport):
    port = run(holdport, "narrow")
    before = holdport.status()
    write(holdport, "ipv4", port)
    with sockets.create_server(("127.0.0.9", port)):
        said = holdport.cmd("reload")
        assert said.code == FAILED, said
        assert "cannot be bound beside the one that is held" in said.err
    after = holdport.status()
    assert (after["sockets"], after["programs"]) == (before["sockets"], before["programs"])
    assert get(f"127.0.0.1:{port}") == "worker"
    assert not may_share(f"127.0.0.1:{port}"), "the old one is as it was"
    change(holdport, "ipv4", port)


def test_what_connections_under_exclusive_keep_is_said(holdport):
    port = run(holdport, "exclusive")
    with sockets.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(100)
        write(holdport, "narrow", port)
        said = holdport.cmd("reload")
        assert said.code == FAILED, said
        assert "exclusive = yes keeps the address" in said.err


@pytest.mark.parametrize("lacks, to, word", [
    (None, "dual", ""), (CAP_NET_RAW, "free_bind", ""), (CAP_NET_RAW, "dual", "ready = tcp"),
    (CAP_NET_RAW, "device", "lost if it fails")])
def test_a_dry_run_tells_what_may_be_lost(holdport, lacks, to, word):
    if lacks is None and os.geteuid() != 0:
        pytest.skip("wants CAP_NET_RAW")
    port = run(holdport, "narrow", lacks=lacks)
    before = holdport.status()
    write(holdport, to, port)
    said = holdport.ok("reload", "--dry-run")
    assert "rebind   socket   http" in said.out
    assert "restart  program  web" in said.out
    assert ("CAP_NET_RAW" in said.out) == bool(word), said
    assert word in said.out
    assert holdport.status() == before


@pytest.mark.parametrize("one, other", [("narrow", "group"), ("group", "narrow"),
                                        ("group", "wide_group")])
def test_a_group_is_not_bound_anew_without_the_right_to_steer(holdport, one, other):
    port = run(holdport, one, lacks=CAP_NET_RAW)
    before = holdport.status()["sockets"]
    write(holdport, other, port)
    for words in (("--dry-run",), ()):
        said = holdport.cmd("reload", *words)
        assert said.code == USAGE and "cannot be bound anew while it is held" in said.err, said
    assert holdport.status()["sockets"] == before
    assert get(f"127.0.0.1:{port}") == "worker"


@root
def test_clients_in_the_old_queue_are_accepted_before_their_workers_are_told_to_stop(holdport):
    port = run(holdport, "narrow", "--answer", "old", section="ready = notify\nworkers = 1")
    old, = holdport.pids("web")
    os.kill(old, signal.SIGSTOP)
    clients = [sockets.create_connection(("127.0.0.1", port)) for _ in range(20)]
    write(holdport, "dual", port, "--answer", "new", section="ready = notify\nworkers = 1")
    holdport.ok("reload", "--no-wait")
    eventually(lambda: "what is new comes to its sockets" in holdport.log())
    assert get(f"127.0.0.1:{port}") == "new"
    assert holdport.program("web")["generations"][0]["state"] == "current"
    os.kill(old, signal.SIGCONT)
    for client in clients:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"old" in client.makefile("rb").read()
        client.close()
    holdport.await_replaced("web", [old])


@root
def test_status_says_what_becomes_of_each(holdport):
    port = run(holdport, "narrow", section="ready = notify\nstop = TERM:60s KILL")
    write(holdport, "dual", port, "--never-ready", section="ready = notify")
    holdport.ok("reload", "--no-wait")
    reasons = {s["listen"]: s["reason"] for s in holdport.status()["sockets"]}
    assert reasons == {
        f"*:{port}": "takes over when a generation that has it is proved",
        f"127.0.0.1:{port}": "serves until a generation has the one that is to take its place"}
    change(holdport, "free_bind", port)
    assert rejoin(holdport)["reason"] is None


@root
@pytest.mark.load
@pytest.mark.parametrize("server", ALL, ids=lambda s: s.name)
def test_servers_notice_as_little(holdport, server):
    address = f"127.0.0.1:{holdport.port()}"
    server.write_config(holdport, address)
    holdport.run()
    holdport.await_("web")
    with holdport.load(address, "--rate", 500, "--keep-alive", 20, *server.load) as load:
        for option in ("free_bind = yes", "", "bind_device = lo", ""):
            old = holdport.pids("web")
            server.write_config(holdport, address)
            text = holdport.config.read_text()
            holdport.config.write_text(text.replace("[program:web]", f"{option}\n[program:web]"))
            assert "rebind" in holdport.ok("reload").out
            holdport.await_replaced("web", old)
            load.await_calm()
    load.expect(failed=0)
    rejoin(holdport)


@pytest.mark.parametrize("one, other", [("narrow", "dual"), ("dual", "narrow")])
def test_what_refuses_because_nobody_serves_it_refuses_on(holdport, one, other):
    def address(way):
        return ways[way][0].format(port=port)

    def write_config(way):
        holdport.write_config(f"[socket:http]\nlisten = {address(way)}\nwhen_down = refuse\n"
                              f"[program:web]\ncommand = {holdport.worker('--notify')}\n"
                              "sockets = http\nready = notify\n")

    port = holdport.port()
    write_config(one)
    holdport.run()
    holdport.await_("web")
    holdport.ok("stop", "web")
    eventually(lambda: holdport.socket("http")["state"] == "refusing")
    write_config(other)
    holdport.ok("reload")
    eventually(lambda: holdport.socket("http")["state"] == "refusing")
    assert holdport.socket("http")["listen"] == address(other)
    with pytest.raises(ConnectionRefusedError):
        sockets.create_connection(("127.0.0.1", port))
    holdport.ok("start", "web")
    assert get(f"127.0.0.1:{port}") == "worker"


DROP_ALL = b"\x06\0\0\0\0\0\0\0"  # ret 0, as struct sock_filter
SO_ATTACH_FILTER, SO_LOCK_FILTER = 26, 44


@root
def test_a_socket_that_a_worker_spoilt_is_bound_anew_by_a_restart(holdport):
    port = run(holdport, "narrow")
    old = holdport.socket("http")["inode"]
    with copy_of(holdport, old) as held:
        code = ctypes.create_string_buffer(DROP_ALL, len(DROP_ALL))
        held.setsockopt(sockets.SOL_SOCKET, SO_ATTACH_FILTER,
                        struct.pack("HP", 1, ctypes.addressof(code)))
        held.setsockopt(sockets.SOL_SOCKET, SO_LOCK_FILTER, 1)
    with pytest.raises(TimeoutError):
        sockets.create_connection(("127.0.0.1", port), timeout=0.2)
    holdport.ok("restart", "web")
    assert get(f"127.0.0.1:{port}") == "worker"
    assert rejoin(holdport)["inode"] != old
    assert "it was spoilt, and is bound anew" in holdport.log()
    inode = holdport.socket("http")["inode"]
    holdport.ok("restart", "web")
    assert holdport.socket("http")["inode"] == inode


@root
def test_datagrams_are_bound_anew_as_well(holdport):
    def write_config(option):
        holdport.write_config(
            f"[socket:http]\nlisten = 127.0.0.1:{port}\ntype = datagram\n{option}\n"
            f"[program:web]\ncommand = {holdport.worker('--notify')}\nsockets = http\n"
            "ready = notify\n")

    port = holdport.port()
    write_config("")
    holdport.run()
    holdport.await_("web")
    inode = holdport.socket("http")["inode"]
    with sockets.socket(sockets.AF_INET, sockets.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.connect(("127.0.0.1", port))
        for n in range(200):
            if n == 100:
                old = holdport.pids("web")
                write_config("free_bind = yes")
                holdport.ok("reload", "--no-wait")
            client.send(str(n).encode())
            assert client.recv(100).split()[-1] == str(n).encode()
    holdport.await_replaced("web", old)
    assert rejoin(holdport)["inode"] != inode


@root
def test_a_stopped_program_is_no_obstacle(holdport):
    port = run(holdport, "narrow")
    holdport.ok("stop", "web")
    write(holdport, "dual", port, "--answer", "new")
    holdport.ok("reload")
    assert len(holdport.status()["sockets"]) == 1
    with sockets.create_connection(("127.0.0.1", port)) as client:
        holdport.ok("start", "web")
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"new" in client.makefile("rb").read()
