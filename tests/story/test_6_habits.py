"""Habits of servers around their bind(2): what is done about each is written in
docs/intercept.md."""

import os
import re
import time
from pathlib import Path

import pytest

from holdport import ROOT, descriptors, eventually, get
from intercepted import await_calls, binder, calls, restart, run, second_program, write

# Each does what it has to with a socket s, before and after its bind(2).
SERVER = """\
import os, signal, socket, sys
host, port = sys.argv[1].rsplit(":", 1)
{first}
s = socket.socket()
{options}
why = 0
try:
    s.bind((host, int(port)))
    s.listen(5)
except OSError as e:
    why = e.errno
print(f"bind {{sys.argv[1]}}: errno={{why}} inode={{os.fstat(s.fileno()).st_ino}} "
      f"cloexec=1 nonblock=0 nodelay=0 backlog=0", flush=True)
signal.sigwait([signal.SIGTERM])
"""


def python(holdport, address, first="", options=""):
    script = holdport.dir / "server.py"
    script.write_text(SERVER.format(first=first, options=options))
    return f"/usr/bin/python3 {script} {address}"


def held_inodes(holdport, count):
    """Of the held socket, and what the servers got."""
    told = await_calls(holdport, count)
    assert not [c for c in told if c["errno"]]
    return {holdport.socket("http")["inode"]}, {c["inode"] for c in told}


CLOSE_ALL = "os.closerange(3, 70000)"


def test_who_closes_all_descriptors_is_answered(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, python(holdport, address, first=CLOSE_ALL), address)
    assert not [d for d in descriptors(holdport.pids("web")[0]).values() if "seccomp" in d]
    restart(holdport)
    held, given = held_inodes(holdport, 2)
    assert held == given


@pytest.mark.skipif(os.geteuid() != 0, reason="looks at what a process waits for")
def test_who_closes_all_descriptors_waits_for_the_next_manager(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    gate = holdport.dir / "gate"
    os.mkfifo(gate)
    write(holdport, python(holdport, address, first=f"{CLOSE_ALL}\nopen('{gate}').read()"),
          address)
    holdport.run()
    pid = eventually(lambda: holdport.pids("web"))[0]
    # the end of the gate that it opens is after it has closed all
    with open(gate, "w") as opened, holdport.no_manager():
        opened.close()
        eventually(lambda: "seccomp" in Path(f"/proc/{pid}/wchan").read_text())
        assert not calls(holdport)
    holdport.await_("web")
    assert holdport.pids("web") == [pid]
    held, given = held_inodes(holdport, 1)
    assert held == given


LOOK_UP = """\
import pathlib, socket
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
    s.bind((0, 0))
found = socket.getaddrinfo("localhost", 80)
pathlib.Path("{looked_up}").write_text("yes")
"""


def test_names_are_looked_up_while_there_is_no_manager(holdport):
    # getaddrinfo(3) binds a netlink socket.
    address = f"127.0.0.1:{holdport.port()}"
    gate, looked_up = holdport.dir / "gate", holdport.dir / "looked-up"
    os.mkfifo(gate)
    first = f"open('{gate}').read()\n" + LOOK_UP.format(looked_up=looked_up)
    write(holdport, python(holdport, address, first=first), address)
    holdport.run()
    eventually(lambda: holdport.pids("web"))
    with open(gate, "w") as opened, holdport.no_manager():
        opened.close()
        eventually(looked_up.exists)
    holdport.await_("web")
    held, given = held_inodes(holdport, 1)
    assert held == given


def test_a_short_name_of_a_unix_socket_is_held(holdport):
    name = f"@{holdport.port()}"     # its address is shorter than any of a network
    run(holdport, binder(f"unix:{name}"), f"unix:{name}")
    restart(holdport)
    held, given = held_inodes(holdport, 2)
    assert held == given


def test_the_descriptor_of_the_filter_is_below_a_limit(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(address), address, section="ready = listen\nlimit_nofile = 64")
    extra = [int(fd) for fd, what in descriptors(holdport.pids("web")[0]).items()
             if "seccomp" in what]
    assert len(extra) == 1 and extra[0] < 64, extra
    restart(holdport)
    assert get(address) == "binder"


FREE_BIND = "s.setsockopt(socket.SOL_IP, 15, 1)      # IP_FREEBIND: only before bind(2)"


def test_options_that_a_bound_socket_does_not_take_are_named_once(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, python(holdport, address), address)
    more = python(holdport, address, options=FREE_BIND)
    write(holdport, more, address, section="ready = listen\nenvironment = A=1")
    holdport.ok("reload")
    held, given = held_inodes(holdport, 2)
    assert held == given
    assert holdport.log().count("the held one cannot be given: free_bind") == 1, holdport.log()


OPTIONS = """\
s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 40000)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 3)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77)
"""
SAID = """\
print("options", s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
      s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF),
      s.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) > 0,
      s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), flush=True)
signal.sigwait"""


def test_options_of_a_later_one_are_read_from_its_own_socket(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    script = holdport.dir / "server.py"
    run(holdport, python(holdport, address), address)
    python(holdport, address, options=OPTIONS)
    script.write_text(script.read_text().replace("signal.sigwait", SAID))
    restart(holdport)
    eventually(lambda: "options 1 80000 True 77" in holdport.log(), what=holdport.log)


AGAIN_AND_AGAIN = """
for _ in range(150):
    with socket.socket() as other:
        try:
            other.bind(("127.0.0.1", {port}))
        except OSError:
            pass
"""


def test_who_is_refused_again_and_again_does_not_fill_the_log(holdport):
    port, other = holdport.port(), holdport.port()
    write(holdport, python(holdport, f"127.0.0.1:{port}", AGAIN_AND_AGAIN.format(port=other)),
          f"127.0.0.1:{port}", section="ready = listen\nstart = manual",
          more=second_program(binder(f"127.0.0.1:{other}"), f"127.0.0.1:{other}"))
    holdport.run()
    holdport.await_("other")
    began = time.monotonic()
    holdport.ok("start", "web")
    took = time.monotonic() - began
    told = holdport.log().count(f"its bind of 127.0.0.1:{other} is refused")
    assert 0 < told <= 50 * (took // 10 + 2)


def test_every_test_that_the_documentation_names_is_there():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/intercept.md").read_text()))
    there = {name for path in Path(__file__).parent.glob("test_*.py")
             for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)}
    assert named and named <= there, named - there
