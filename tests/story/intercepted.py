"""A program with handoff = intercept, and what it tells of its calls (support/binder.c)."""

import re
import shlex

from holdport import SUPPORT, eventually


def binder(*words):
    return shlex.join(map(str, [SUPPORT / "binder", *words]))


def write(holdport, command, listen, section="ready = listen", socket="", more=""):
    holdport.write_config(f"""\
[socket:http]
listen = {listen}
{socket}
[program:web]
command = {command}
sockets = http
handoff = intercept
{section}
{more}
""")


def second_program(command, listen, handoff="intercept"):
    """A second program with an address of its own, for write(more=)."""
    return f"""
[socket:other]
listen = {listen}
[program:other]
command = {command}
sockets = other
handoff = {handoff}
"""


def run(holdport, command, listen, **named):
    write(holdport, command, listen, **named)
    holdport.run()
    holdport.await_("web")


def calls(holdport, call="bind"):
    """What the servers told of their calls, oldest first."""
    found = re.findall(rf"{call} (\S+): errno=(\d+) inode=(\d+) cloexec=(\d) nonblock=(\d) "
                       r"nodelay=(-?\d) backlog=(\d+)", holdport.log())
    names = ("address", "errno", "inode", "cloexec", "nonblock", "nodelay", "backlog")
    return [{n: v if n == "address" else int(v) for n, v in zip(names, one)} for one in found]


def inodes(holdport):
    return [c["inode"] for c in calls(holdport)]


def await_calls(holdport, count, call="bind"):
    """A worker is ready before it has bound the rest, and its words come later."""
    return eventually(lambda: len(calls(holdport, call)) >= count and calls(holdport, call))


def restart(holdport):
    old = holdport.pids("web")
    holdport.ok("restart", "web")
    holdport.await_replaced("web", old)
