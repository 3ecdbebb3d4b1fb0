#!/usr/bin/python3
"""own_net.py COMMAND [ARG...]: runs a command in a network namespace of its own, with
loopback up, so that tests see their own sockets only.  Whoever may not make one (any
user but root) gets the command as it is."""

import ctypes
import fcntl
import os
import socket
import struct
import sys

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def enter(flags=CLONE_NEWNET):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def bring_up():
    with socket.socket() as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def main():
    try:
        enter()
        bring_up()
    except PermissionError:
        pass
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
