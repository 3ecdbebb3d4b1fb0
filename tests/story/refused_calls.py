"""System calls that a process and all below it do not have."""

import ctypes
import struct
import subprocess

from holdport import BUILD, eventually

ENOSYS = 38
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER = 38, 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
RET_ALLOW, RET_ERRNO = 0x7fff0000, 0x00050000


def refuse(*numbers):
    """From now on they answer ENOSYS, as in a kernel that is older than they."""
    steps = [(LOAD, 0, 0, 0)]
    for number in numbers:
        steps += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, RET_ERRNO | ENOSYS)]
    steps += [(RETURN, 0, 0, RET_ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps),
                                                      ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, FILTER, program, 0, 0) == 0


def run_without(holdport, *numbers, pass_fds=()):
    """`holdport run` of what is configured, until it answers."""
    with open(holdport.output, "ab") as out:
        holdport.process = subprocess.Popen(
            [BUILD / "bin/holdport", "run", "-c", holdport.config], stdin=subprocess.DEVNULL,
            stdout=out, stderr=out, env=holdport.env, start_new_session=True,
            pass_fds=pass_fds, preexec_fn=lambda: refuse(*numbers))
    holdport._children.append(holdport.process)
    eventually(holdport._answers, what="the supervisor answers")
