"""`explain` and `drain`: an address that somebody wants to bind, without a supervisor."""

import os
import pwd
import re
import socket
import subprocess
import time

import pytest

from holdport import (BUILD, DONE, NOT_PERMITTED, PATIENCE, TIMED_OUT, USAGE, end, eventually,
                      shown_on_terminal, stranger)
from test_1_gate import foreign   # noqa: F401 (a fixture)

CANNOT = 3
ROOT = os.geteuid() == 0
BLOCKER = {"kind", "state", "count", "pid", "program", "descriptor", "options", "user",
           "free_after_s",
           "free_before_s"}


def as_nobody(*words):
    """`holdport WORDS` by somebody without privilege."""
    named = {"user": "nobody", "group": "nogroup", "extra_groups": []} if ROOT else {}
    return subprocess.run([str(BUILD / "bin/holdport"), *map(str, words)], cwd="/", text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, **named)


def explain(holdport, *words):
    result = holdport.plain("explain", *words, "--json")
    assert set(result.json) == {"address", "can_bind", "blockers", "advice"}
    assert all(set(b) == BLOCKER for b in result.json["blockers"])
    assert result.json["can_bind"] is (result.code == DONE)
    return result.json, result.code


def test_an_address_that_is_free_can_be_bound_and_is_not_taken(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    for _ in range(2):
        answer, code = explain(holdport, address)
        assert (answer, code) == ({"address": address, "can_bind": True, "blockers": [],
                                   "advice": []}, DONE)
    assert holdport.plain("explain", address).out == f"{address} can be bound\n"
    assert holdport.plain("drain", address).out == f"{address} can be bound\n"


def test_a_listener_is_told_with_its_process_and_its_descriptor(holdport):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", holdport.port()))
        listener.listen()
        port = listener.getsockname()[1]
        answer, code = explain(holdport, f"*:{port}")
        [blocker] = answer["blockers"]
        assert code == CANNOT and len(answer["advice"]) == 1
        assert blocker == {"kind": "listener", "state": "LISTEN", "count": 1, "pid": os.getpid(),
                           "program": blocker["program"], "descriptor": listener.fileno(),
                           "options": "none" if ROOT else blocker["options"],
                           "user": pwd.getpwuid(os.geteuid()).pw_name, "free_after_s": None,
                           "free_before_s": None}
        assert blocker["program"].startswith("python")
        answer, code = explain(holdport, f"127.0.0.2:{port}")
        assert (answer["can_bind"], code) == (True, DONE)


def test_a_socket_that_is_bound_only_is_found(holdport):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", holdport.port()))
        answer, code = explain(holdport, f"127.0.0.1:{bound.getsockname()[1]}")
        [blocker] = answer["blockers"]
        assert (blocker["state"], blocker["pid"], code) == ("BOUND", os.getpid(), CANNOT)


def test_datagrams_and_abstract_names_have_holders_too(holdport):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, \
            socket.socket(socket.AF_UNIX) as name:
        udp.bind(("127.0.0.1", 0))
        port = udp.getsockname()[1]
        name.bind(f"\0holdport-{os.getpid()}")
        name.listen()
        for words in [(f"*:{port}", "--type", "datagram"), (f"unix:@holdport-{os.getpid()}",)]:
            answer, code = explain(holdport, *words)
            [blocker] = answer["blockers"]
            assert (blocker["kind"], blocker["pid"], code) == ("listener", os.getpid(), CANNOT)


def test_what_is_left_is_told_with_its_end(holdport, foreign):
    port = holdport.port()
    foreign(port).leave("FIN_WAIT_2")
    answer, code = explain(holdport, port)
    [blocker] = answer["blockers"]
    assert code == CANNOT
    assert (blocker["kind"], blocker["state"], blocker["count"]) == ("connection", "FIN_WAIT_2", 1)
    assert 0 <= blocker["free_after_s"] <= 1 and 60 <= blocker["free_before_s"] <= 67
    assert "holdport drain" in answer["advice"][0]
    said = holdport.plain("explain", port).out
    assert re.search(r"^free in 0 to 6\d s$", said, re.M), said


def test_what_a_dual_stack_server_left_blocks_the_wildcard_of_ipv4_too(holdport):
    port = holdport.port()
    with socket.socket(socket.AF_INET6) as listener:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", port))
        listener.listen()
        client = socket.create_connection(("::1", port))
        server, _ = listener.accept()
    with client, server:
        for address, count in [("0.0.0.0", 1), ("127.0.0.1", 0), ("[::1]", 1)]:
            answer, _ = explain(holdport, f"{address}:{port}")
            assert [b["count"] for b in answer["blockers"]] == [1] * count, address
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_mptcp_blocks_and_leaves_what_it_leaves(holdport):
    """The kernel shows the subflow of a connection that nobody has open any more as
    ESTABLISHED, and as somebody's."""
    port = holdport.port()
    try:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP)
    except OSError:
        pytest.skip("this kernel has no MPTCP")
    with listener, socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP) as client:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        [blocker] = explain(holdport, port)[0]["blockers"]
        assert (blocker["kind"], blocker["state"], blocker["pid"]) == ("listener", "LISTEN",
                                                                       os.getpid())
        client.connect(("127.0.0.1", port))
        server, _ = listener.accept()
        listener.close()
        server.close()
        eventually(lambda: explain(holdport, port)[0]["blockers"][0]["state"] == "FIN_WAIT_2")
        [blocker] = explain(holdport, port)[0]["blockers"]
        assert (blocker["count"], blocker["pid"], blocker["user"]) == (1, None, None)
        assert blocker["free_after_s"] <= 60 <= blocker["free_before_s"] <= 126
        if ROOT:
            assert holdport.plain("drain", port, "--reset").code == DONE


def test_causes_that_are_no_socket_have_their_kind(holdport, tmp_path):
    (tmp_path / "file").write_text("")
    for address, kind in [("203.0.113.9:80", "no_such_address"),
                          (f"unix:{tmp_path}/nowhere/s", "path"),
                          (f"unix:{tmp_path}/file", "path")]:
        answer, code = explain(holdport, address)
        assert ([b["kind"] for b in answer["blockers"]], code) == ([kind], CANNOT)
    assert (tmp_path / "file").read_text() == ""


def test_a_stale_unix_socket_is_no_blocker_and_stays_where_it_is(holdport):
    path = holdport.dir / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    assert explain(holdport, f"unix:{path}")[1] == DONE
    assert path.is_socket()
    path.chmod(0o777)
    path.parent.chmod(0o1777)
    if ROOT:
        said = as_nobody("explain", f"unix:{path}")
        assert (said.returncode, "belongs to user root" in said.stdout) == (CANNOT, True), said


def test_without_privilege_what_is_not_visible_is_said(holdport):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as f:
        low = int(f.read()) - 1
    if low > 0:
        said = as_nobody("explain", f"127.0.0.1:{low}")
        assert said.returncode == CANNOT and "needs root or CAP_NET_BIND_SERVICE" in said.stdout
        assert as_nobody("drain", f"127.0.0.1:{low}").returncode == NOT_PERMITTED
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", holdport.port()))
        listener.listen()
        said = as_nobody("explain", listener.getsockname()[1])
        assert said.returncode == CANNOT
        assert (f"pid {os.getpid()}" in said.stdout) != ROOT
        assert ("a process that is not visible from here (user root)" in said.stdout) == ROOT


def test_what_is_no_address_is_a_mistake(holdport):
    assert holdport.plain("explain", "nonsense").code == USAGE
    assert holdport.plain("drain", "80", "--type", "carrier-pigeon").code == USAGE


# drain


def test_drain_ends_when_the_address_is_free(holdport):
    port = holdport.port()
    somebody = stranger(port)
    drain = holdport.spawn("drain", f"127.0.0.1:{port}", stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
    assert f"pid {somebody.pid}" in drain.stderr.readline()
    end(somebody)
    ended = time.monotonic()
    assert drain.wait(timeout=PATIENCE) == DONE
    assert time.monotonic() - ended < 1
    assert drain.stdout.read() == f"127.0.0.1:{port} can be bound\n"
    drain.stderr.close()


def test_drain_waits_for_the_kernels_timer(holdport, foreign):
    port = holdport.port()
    foreign(port).leave("FIN_WAIT_2")
    assert holdport.plain("drain", port, "--timeout", "10s").code == DONE


def test_drain_gives_up_in_time_and_says_why(holdport, foreign):
    port = holdport.port()
    foreign(port).leave("ESTABLISHED")
    result = holdport.plain("drain", port, "--timeout", "200ms")
    assert result.code == TIMED_OUT
    assert "1 in ESTABLISHED" in result.err


def test_drain_resets_what_nobody_serves_and_nothing_else(holdport, foreign):
    dead, alive = holdport.port(), holdport.port()
    foreign(dead).leave("FIN_WAIT_1")
    left = foreign(alive).leave("ESTABLISHED")
    result = holdport.plain("drain", dead, "--reset")
    can = not (result.code == NOT_PERMITTED and not ROOT)
    assert result.code == (DONE if can else NOT_PERMITTED), result
    result = holdport.plain("drain", alive, "--timeout", "100ms", "--reset")
    assert result.code == TIMED_OUT and "no connection that nobody serves" in result.err
    left.client.send(b"x")
    assert left.server.recv(1) == b"x"


@pytest.mark.skipif(not ROOT, reason="ending connections needs root")
def test_drain_resets_what_somebody_serves_if_it_is_told_to(holdport, foreign):
    mine, other = holdport.port(), holdport.port()
    left, alive = foreign(mine).leave("CLOSE_WAIT"), foreign(other).leave("ESTABLISHED")
    assert "--served" in explain(holdport, mine)[0]["advice"][0]
    result = holdport.plain("drain", mine, "--reset", "--served")
    assert result.code == DONE and "ended 1 connection\n" in result.out, result
    with pytest.raises(ConnectionError):
        left.server.send(b"x")
    alive.client.send(b"x")
    assert alive.server.recv(1) == b"x"


def test_drain_resets_nothing_beside_a_listener_and_served_is_of_a_reset(holdport):
    port = holdport.port()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        client = socket.create_connection(("127.0.0.1", port))
        server, _ = listener.accept()
        result = holdport.plain("drain", port, "--timeout", "100ms", "--reset", "--served")
        assert result.code == TIMED_OUT and "not connections alone" in result.err
        client.send(b"x")
        assert server.recv(1) == b"x"
        client.close()
        server.close()
    assert holdport.plain("drain", port, "--served").code == USAGE


def test_drain_says_that_a_reset_is_not_permitted(holdport, foreign):
    port = holdport.port()
    foreign(port).leave("FIN_WAIT_1")
    said = as_nobody("drain", port, "--reset")
    assert said.returncode == NOT_PERMITTED
    assert "ending connections needs root or CAP_NET_ADMIN" in said.stderr


def test_drain_shows_a_line_on_a_terminal(holdport, foreign):
    port = holdport.port()
    foreign(port).leave("FIN_WAIT_1")
    shown, code = shown_on_terminal(holdport.env, "drain", f"127.0.0.1:{port}", "--timeout", "700ms")
    assert code == TIMED_OUT
    assert re.match(rf"\r127\.0\.0\.1:{port}: 1 in FIN_WAIT_1; 1s left… 0s\x1b\[K",
                    shown), shown
