"""What a reload changes on the socket that is held: every option that is live."""

import ctypes
import os
import re
import socket

import pytest

from holdport import descriptors
from test_2_reload import plan


GETFD = 438  # pidfd_getfd(2), which Python 3.11 does not have


def copy_of(holdport, inode):
    """A descriptor of our own for the supervisor's socket with this inode."""
    pid = holdport.manager_pid
    number = next(int(fd) for fd, what in descriptors(pid).items() if what == f"socket:[{inode}]")
    handle = os.pidfd_open(pid)
    fd = ctypes.CDLL(None, use_errno=True).syscall(GETFD, handle, number, 0)
    os.close(handle)
    assert fd >= 0, os.strerror(ctypes.get_errno())
    return socket.socket(fileno=fd)


# A value, and what the kernel says of it: level, option, value.
IP, TCP, SOL = socket.IPPROTO_IP, socket.IPPROTO_TCP, socket.SOL_SOCKET
live_options = {
    "backlog": ("77", None), "non_blocking": ("yes", None),
    "mark": ("7", (SOL, socket.SO_MARK, 7)), "priority": ("5", (SOL, socket.SO_PRIORITY, 5)),
    "tos": ("16", (IP, socket.IP_TOS, 16)), "no_delay": ("yes", (TCP, socket.TCP_NODELAY, 1)),
    "defer_accept": ("3s", (TCP, socket.TCP_DEFER_ACCEPT, 3)),
    "fast_open": ("9", (TCP, socket.TCP_FASTOPEN, 9)),
    "congestion": ("reno", (TCP, socket.TCP_CONGESTION, "reno")),
    "keep_alive": ("yes", (SOL, socket.SO_KEEPALIVE, 1)),
    "keep_alive_idle": ("31s", (TCP, socket.TCP_KEEPIDLE, 31)),
    "keep_alive_interval": ("7s", (TCP, socket.TCP_KEEPINTVL, 7)),
    "keep_alive_probes": ("4", (TCP, socket.TCP_KEEPCNT, 4)),
    "receive_buffer": ("64K", (SOL, socket.SO_RCVBUF, 131072)),
    "send_buffer": ("32K", (SOL, socket.SO_SNDBUF, 65536)),
    "user_timeout": ("9s", (TCP, socket.TCP_USER_TIMEOUT, 9000)),
}


def read_back(fd, level, option, value):
    if isinstance(value, str):
        return fd.getsockopt(level, option, 16).rstrip(b"\0").decode()
    return int(bool(fd.getsockopt(level, option))) if value == 1 else fd.getsockopt(level, option)


@pytest.mark.skipif(os.geteuid() != 0, reason="mark needs CAP_NET_ADMIN")
def test_every_live_option_changes_on_the_socket_that_is_held(holdport):
    address = holdport.run_web("--notify")
    before = holdport.socket("http")
    pids = holdport.pids("web")
    lines = "\n".join(f"{key} = {value}" for key, (value, _) in live_options.items())
    holdport.write_web("--notify", address=address, socket=lines)
    said = holdport.ok("reload")
    assert plan(said) == {("socket", "http"): "live", ("program", "web"): "keep"}
    after = holdport.socket("http")
    assert (after["inode"], holdport.pids("web")) == (before["inode"], pids)
    assert after["backlog"] == 77
    with copy_of(holdport, after["inode"]) as held:
        assert not os.get_blocking(held.fileno())
        for key, (_, wanted) in live_options.items():
            assert not wanted or read_back(held, *wanted) == wanted[2], key


def test_every_option_that_a_plan_calls_live_is_seen_to_be(holdport):
    text = holdport.plain("config", "--reference").out
    section = text[text.index("[socket:NAME]"):text.index("[program:NAME]")]
    rows = re.findall(r"^  ([a-z_]+) =.*?a change: (\w+)", section, re.M | re.S)
    live = {key for key, effect in rows if effect == "live"}
    elsewhere = {"mode", "owner", "group", "when_busy", "busy_timeout", "when_down"}
    assert live - elsewhere == set(live_options), "paths and policies have stories of their own"
