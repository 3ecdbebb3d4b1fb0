#!/usr/bin/python3
"""alone.py [--down|--rfc1337] COMMAND [ARG...]: runs a command in a network
namespace of its own, without privilege, and says on a line behind its output the
states of the sockets that it left there, as JSON.  --down: loopback is not up.
--rfc1337: TIME_WAIT takes no reset (net.ipv4.tcp_rfc1337).  Ends with the command's
code (or 128 + the signal that ended it)."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import own_net

CLONE_NEWUSER, NOBODY = 0x10000000, 65534


def enter():
    try:
        own_net.enter(own_net.CLONE_NEWNET | (0 if os.geteuid() == 0 else CLONE_NEWUSER))
    except OSError as e:
        sys.exit(f"no network namespace: {e.strerror}")


def sockets():
    return [line.split()[3] for table in ("tcp", "tcp6")
            for line in Path("/proc/self/net", table).read_text().splitlines()[1:]]


def main():
    argv = sys.argv[1:]
    enter()
    if argv[0] == "--down":
        argv = argv[1:]
    else:
        own_net.bring_up()
    if argv[0] == "--rfc1337":
        argv = argv[1:]
        Path("/proc/sys/net/ipv4/tcp_rfc1337").write_text("1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    code = subprocess.run(argv, check=False, **who).returncode
    print(json.dumps(sockets()), flush=True)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
