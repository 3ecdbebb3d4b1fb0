"""Calls that fail at the worst moment (tests/support/libfail.c)."""

import pytest

from holdport import get


def configure(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    holdport.write_config(f"""\
        [socket:http]
        listen = {address}
        [program:web]
        command = {holdport.worker("--notify")}
        sockets = http
        restart_delay = 50ms
        """)
    return address


@pytest.mark.parametrize("call", ["bind", "listen"])
def test_an_address_that_is_busy_for_a_while_is_tried_again(holdport, call):
    address = configure(holdport)
    holdport.run(fail=f"{call}@{address}:EADDRINUSE:1-2")
    holdport.await_("web")
    assert get(address) == "worker"
    assert (holdport.dir / "failed").read_text().count("EADDRINUSE") == 2


@pytest.mark.parametrize("which", ["2-4", "3-5"])
def test_a_fork_that_fails_for_a_while_is_tried_again(holdport, which):
    address = configure(holdport)
    # The first may be the manager's own; then come workers and their replacements.
    holdport.run(fail=f"fork:EAGAIN:{which}")
    holdport.await_("web")
    inode = holdport.socket("http")["inode"]
    for _ in range(4):
        holdport.cmd("restart", "web")
        holdport.await_("web")
    assert "EAGAIN" in (holdport.dir / "failed").read_text()
    assert get(address) == "worker"
    assert holdport.socket("http")["inode"] == inode
