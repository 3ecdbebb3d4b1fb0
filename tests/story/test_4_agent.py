"""The story the program was written for: a monitoring agent restarts a server
while connections of the old one are left in every state, and the address is
there all the time."""

import os
import signal
import socket

import pytest

from holdport import connect, eventually, get, states_on

pytestmark = pytest.mark.load

LEFT_BEHIND = {"ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_2", "TIME_WAIT"}


def stop_and_start(holdport):
    holdport.ok("stop", "web")
    assert holdport.socket("http")["state"] == "listening"
    holdport.ok("start", "web")


def restart(holdport):
    holdport.ok("restart", "web")


def kill_the_worker(holdport):
    for pid in holdport.pids("web"):
        os.kill(pid, signal.SIGKILL)


def ask_to_close(address):
    """A connection that the server has closed and we have not."""
    s = connect(address)
    s.sendall(b"GET / HTTP/1.1\r\nHost: story\r\nConnection: close\r\n\r\n")
    while s.recv(4096):
        pass
    return s


def leave_every_state(address):
    """Connections that leave the server's side of the port in each state; the
    sockets are to be kept."""
    established = connect(address)
    get(address, keep=established)
    close_wait = connect(address)
    get(address, keep=close_wait)
    close_wait.shutdown(socket.SHUT_WR)     # the worker ignores the end and keeps it
    fin_wait_2 = ask_to_close(address)
    ask_to_close(address).close()           # TIME_WAIT is the server's: it closed first
    return established, close_wait, fin_wait_2


@pytest.mark.parametrize("act", [stop_and_start, restart, kill_the_worker])
@pytest.mark.parametrize("strategy", ["rolling", "replace"])
def test_the_address_stays_while_old_connections_are_left(holdport, act, strategy):
    port = holdport.port()
    address = f"127.0.0.1:{port}"
    holdport.write_config(f"""\
        [socket:http]
        listen = {address}
        [program:web]
        command = {holdport.worker("--notify", "--ignore-eof")}
        sockets = http
        strategy = {strategy}
        stop = TERM:5s KILL
        """)
    holdport.run()
    holdport.await_("web")
    inode = holdport.socket("http")["inode"]
    kept = leave_every_state(address)
    eventually(lambda: LEFT_BEHIND <= set(states_on(port)), what=f"{LEFT_BEHIND} on the port")
    old = holdport.pids("web")
    with holdport.load(address, "--rate", 200, "--keep-alive", 10) as load:
        act(holdport)
        holdport.await_replaced("web", old)
        assert holdport.socket("http")["inode"] == inode
        # What the old worker held has not vanished; it blocks nobody.
        assert {"FIN_WAIT_2", "TIME_WAIT"} <= set(states_on(port))
    load.expect(refused=0, timed_out=0)
    if act is not kill_the_worker:
        load.expect(failed=0)
    assert get(address) == "worker"
    for s in kept:
        s.close()


def test_an_agent_that_restarts_all_day_meets_no_refusal(holdport, restarts):
    address = f"127.0.0.1:{holdport.port()}"
    holdport.write_config(f"""\
        [socket:http]
        listen = {address}
        [program:web]
        command = {holdport.worker("--notify")}
        sockets = http
        """)
    holdport.run()
    holdport.await_("web")
    inode = holdport.socket("http")["inode"]
    with holdport.load(address) as load:
        for n in range(restarts):
            old = holdport.pids("web")
            (stop_and_start, restart, kill_the_worker)[n % 3](holdport)
            holdport.await_replaced("web", old)
    load.expect(refused=0)
    assert holdport.socket("http")["inode"] == inode
