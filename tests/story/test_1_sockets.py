"""What can be held: every family, every option, as the worker finds it."""

import os
import socket
import stat
from pathlib import Path

import pytest

from holdport import connect, get

HAS_V6 = Path("/proc/net/if_inet6").exists() and "00000001 01" in Path(
    "/proc/net/if_inet6").read_text()
needs_v6 = pytest.mark.skipif(not HAS_V6, reason="no IPv6 here")
is_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may")


def sockets_of(holdport):
    return holdport.reports()[0]["sockets"]


def test_ipv4(holdport):
    address = holdport.run_web("--notify")
    assert sockets_of(holdport)[0]["SO_DOMAIN"] == socket.AF_INET
    assert get(address) == "worker"


@needs_v6
@pytest.mark.parametrize("option, v6only", [("", 1), ("ipv6_only = yes", 1), ("ipv6_only = no", 0)])
def test_ipv6(holdport, option, v6only):
    port = holdport.port()
    holdport.run_web("--notify", address=f"[::]:{port}", socket=option)
    [found] = sockets_of(holdport)
    assert (found["SO_DOMAIN"], found["IPV6_V6ONLY"]) == (socket.AF_INET6, v6only)
    assert found["address"] == f"[::]:{port}"
    assert get(f"[::1]:{port}") == "worker"


@needs_v6
@pytest.mark.parametrize("stars", ["", "*:"])
def test_one_dual_stack_socket_serves_both_families(holdport, stars):
    port = holdport.port()
    holdport.run_web("--notify", address=f"{stars}{port}")
    [found] = sockets_of(holdport)
    assert (found["SO_DOMAIN"], found["IPV6_V6ONLY"]) == (socket.AF_INET6, 0)
    assert get(f"127.0.0.1:{port}") == get(f"[::1]:{port}") == "worker"
    assert holdport.reports()[0]["environment"]["SERVER_STARTER_PORT"] == f"{port}=3"


@needs_v6
def test_a_star_that_is_ipv6_only_leaves_ipv4_to_another(holdport):
    port = holdport.port()
    holdport.run_web("--notify", address=f"*:{port}", socket="ipv6_only = yes")
    with pytest.raises(ConnectionRefusedError):
        connect(f"127.0.0.1:{port}")
    assert get(f"[::1]:{port}") == "worker"


@needs_v6
def test_both_families_side_by_side_on_one_port(holdport):
    port = holdport.port()
    holdport.run_web("--notify", address=f"0.0.0.0:{port}, [::]:{port}")
    assert [s["SO_DOMAIN"] for s in sockets_of(holdport)] == [socket.AF_INET, socket.AF_INET6]
    assert get(f"127.0.0.1:{port}") == get(f"[::1]:{port}") == "worker"


def test_a_unix_socket_has_the_mode_that_is_asked_for_and_goes_with_us(holdport):
    path = holdport.dir / "s"
    holdport.run_web("--notify", address=f"unix:{path}", socket="mode = 0640")
    found = path.stat()
    assert stat.S_ISSOCK(found.st_mode)
    assert found.st_mode & 0o7777 == 0o640
    assert get(f"unix:{path}") == "worker"
    holdport.shutdown()
    assert not path.exists()


@is_root
def test_a_unix_socket_belongs_to_whom_it_should(holdport):
    path = holdport.dir / "s"
    holdport.run_web("--notify", address=f"unix:{path}", socket="owner = nobody\ngroup = 12")
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 12)


# Every option that is not in test_1_program.py, as the worker finds it.
OPTIONS = [
    ("exclusive = auto", {"SO_REUSEADDR": 1, "SO_REUSEPORT": 0}),
    ("exclusive = yes", {"SO_REUSEADDR": 0, "SO_REUSEPORT": 0}),
    ("exclusive = no", {"SO_REUSEADDR": 1, "SO_REUSEPORT": 1}),
    ("congestion = reno", {"TCP_CONGESTION": "reno"}),
    ("no_delay = no", {"TCP_NODELAY": 0}),
    ("backlog = 1", {"backlog": 1}),
    ("mptcp = no", {"SO_PROTOCOL": socket.IPPROTO_TCP}),
    ("tos = 16\npriority = 2", {"IP_TOS": 16, "SO_PRIORITY": 2}),
    pytest.param("bind_device = lo", {"SO_BINDTODEVICE": "lo"}, marks=is_root),
    pytest.param("mark = 4294967295", {"SO_MARK": -1}, marks=is_root),
    pytest.param("mark = 77", {"SO_MARK": 77}, marks=is_root),
    pytest.param("transparent = yes", {"IP_TRANSPARENT": 1}, marks=is_root),
]


@pytest.mark.parametrize("lines, expected", OPTIONS)
def test_an_option_reaches_the_worker(holdport, lines, expected):
    address = holdport.run_web("--notify", socket=lines)
    [found] = sockets_of(holdport)
    assert {key: found[key] for key in expected} == expected
    assert get(address) == "worker"


@needs_v6
@pytest.mark.parametrize("lines, expected", [
    ("tos = 8", {"IP_TOS": 8, "IPV6_TCLASS": 8}), ("free_bind = yes", {"IP_FREEBIND": 1})])
def test_a_dual_stack_socket_has_the_options_of_both(holdport, lines, expected):
    holdport.run_web("--notify", address=f"*:{holdport.port()}", socket=lines)
    [found] = sockets_of(holdport)
    assert {key: found[key] for key in expected} == expected


def test_an_address_that_this_host_does_not_have_can_be_held_with_free_bind(holdport):
    address = f"203.0.113.7:{holdport.port()}"
    holdport.run_web("--notify", address=address, socket="free_bind = yes")
    assert sockets_of(holdport)[0]["address"] == address


def test_an_option_that_the_system_refuses_is_named(holdport):
    holdport.write_web("--notify", socket="congestion = of-no-such-name")
    holdport.run()
    held = holdport.socket("http")
    assert held["state"] == "waiting"
    assert "congestion" in held["reason"] and "of-no-such-name" in held["reason"]
