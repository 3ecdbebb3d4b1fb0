"""How a worker is born: what it inherits, who it is, and what is said when it
cannot be."""

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from holdport import BUILD, DONE, FAILED, descriptors, eventually, get

is_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another")


def careless(holdport):
    """The supervisor started by somebody who blocks and ignores signals, and
    leaves descriptors open and its own variables about."""
    code = ("import os, signal, sys\n"
            "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\n"
            "for s in (signal.SIGPIPE, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR2):\n"
            "    signal.signal(s, signal.SIG_IGN)\n"
            "for fd in (9, 77, 500): os.dup2(os.open('/dev/zero', os.O_RDONLY), fd)\n"
            "os.umask(0o077)\n"
            "os.environ.update(LISTEN_FDS='1', LISTEN_PID='1', NOTIFY_SOCKET='/x', NGINX='3;',\n"
            "    SERVER_STARTER_PORT='1=1', EINHORN_FDS='3', HOLDPORT_SLOT='99', KEPT='yes')\n"
            "os.execv(sys.argv[1], sys.argv[1:])\n")
    with open(holdport.output, "ab") as out:
        holdport.process = subprocess.Popen(
            [sys.executable, "-c", code, str(BUILD / "bin/holdport"), "run", "-c",
             str(holdport.config)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env=holdport.env, start_new_session=True)
    holdport._children.append(holdport.process)
    eventually(holdport._answers)


def test_nothing_of_a_careless_starter_is_inherited(holdport):
    address = holdport.write_web("--notify")
    careless(holdport)
    holdport.await_("web")
    [found] = holdport.reports()
    assert [f["fd"] for f in found["fds"]] == [0, 1, 2, 3]
    assert found["fds"][0]["kind"] == "/dev/null"
    assert found["signals"] == {"blocked": [], "ignored": []}
    assert found["environment"]["LISTEN_FDS"] == "1"
    assert found["environment"]["LISTEN_PID"] == str(found["pid"])
    assert found["environment"]["HOLDPORT_SLOT"] == "0"
    assert not {"NGINX", "EINHORN_FDS"} & set(found["environment"])
    assert get(address, "/env?KEPT") == "yes"
    assert found["umask"] == "0077"      # as the supervisor's: not ours to change
    assert holdport.shutdown() == 0      # its own signals work all the same


def test_sockets_of_other_programs_are_not_inherited(holdport):
    holdport.write_web("--notify", more=f"""\
        [socket:a]
        listen = 127.0.0.1:{holdport.port()}
        [program:b]
        command = {holdport.worker("--no-socket", "--notify", "--report", holdport.dir / "b")}
        [program:c]
        command = {holdport.worker("--notify", "--report", holdport.dir / "c")}
        sockets = a
        workers = 2
        """)
    holdport.run()
    for name in ("web", "b", "c"):
        holdport.await_(name)
    for name, most in (("b", 2), ("c", 3)):
        for pid in holdport.pids(name):
            # all but what it opened itself: epoll, signalfd, its report
            kinds = descriptors(pid)
            assert not {fd for fd, kind in kinds.items()
                        if int(fd) > most and "anon_inode" not in kind}, kinds


def test_a_worker_leads_a_process_group_of_its_own(holdport):
    holdport.run_web("--notify", section="workers = 2")
    for found in holdport.reports():
        assert found["pgid"] == found["pid"]
        assert found["ppid"] == holdport.status()["supervisor"]["manager_pid"]


def test_the_presets_are_the_supervisors_own(holdport):
    holdport.run_web("--notify")
    [found] = holdport.reports()
    assert found["cwd"] == str(holdport.dir)     # where the file is
    mask = os.umask(0)
    os.umask(mask)
    assert found["umask"] == f"{mask:04o}"
    assert (found["uid"], found["gid"]) == (os.getuid(), os.getgid())
    assert set(found["groups"]) == set(os.getgroups())
    assert found["no_new_privileges"] is False


def test_the_environment_can_be_cleared_and_still_has_a_path(holdport):
    address = holdport.run_web("--notify", section="clear_environment = yes")
    assert "/usr/bin" in get(address, "/env?PATH")
    names = set(holdport.reports()[0]["environment_names"])
    assert not {n for n in names if not n.startswith(
        ("HOLDPORT", "FDSTORE", "LISTEN_", "SERVER_STARTER_", "NOTIFY_SOCKET", "PATH"))}


@is_root
@pytest.mark.parametrize("section, uid, gid, groups", [
    ("user = nobody", 65534, pwd.getpwnam("nobody").pw_gid, set()),
    ("user = 65534", 65534, pwd.getpwnam("nobody").pw_gid, set()),
    ("user = nobody\ngroup = 12", 65534, 12, set()),
    ("user = nobody\nsupplementary_groups = 4, adm, 20", 65534,
     pwd.getpwnam("nobody").pw_gid, {4, 20}),
    ("group = 12", 0, 12, None)])
def test_a_worker_is_who_it_should_be(holdport, section, uid, gid, groups):
    # not below /tmp, where nobody else gets into a runtime_dir, so as to notify
    with tempfile.TemporaryDirectory(prefix="hp.", dir="/var/tmp") as base:
        os.chmod(base, 0o755)
        os.chmod(holdport.dir, 0o1777)
        holdport.runtime_dir = Path(base, "run")
        is_who(holdport, section, uid, gid, groups)
        holdport.shutdown()


def is_who(holdport, section, uid, gid, groups):
    address = holdport.run_web("--notify", section=section + "\nready = notify\n")
    [found] = holdport.reports()
    assert (found["uid"], found["gid"]) == (uid, gid)
    if groups is not None:
        assert set(found["groups"]) - {gid} == groups
    assert get(address) == "worker"


LIMITS = {"as": None, "core": 0, "cpu": 1000, "data": None, "fsize": 1 << 30,
          "memlock": 65536, "nofile": 64, "nproc": 4096, "stack": 4 << 20, "rss": 1 << 30,
          "locks": 5, "sigpending": 99, "msgqueue": 8192, "nice": 0, "rtprio": 0,
          "rttime": 1000000}


@is_root
def test_every_limit_reaches_the_worker(holdport):
    lines = "\n".join(f"limit_{name} = {'unlimited' if value is None else value}"
                      for name, value in LIMITS.items())
    holdport.run_web("--notify", section=lines)
    found = holdport.reports()[0]["limits"]
    assert {name: soft for name, (soft, _) in found.items()} == LIMITS
    assert {name: hard for name, (_, hard) in found.items()} == LIMITS


# What exec said


def script(holdport, name, text, mode=0o755):
    path = holdport.dir / name
    path.write_bytes(text)
    path.chmod(mode)
    return path


IMPOSSIBLE = {
    "a command that is nowhere": (lambda h: "no-such-command-anywhere", "not found in PATH"),
    "a path that is nowhere": (lambda h: "/no/such/file", "no such file"),
    "a file that may not be run": (lambda h: script(h, "plain", b"#!/bin/sh\n", 0o644),
                                   "not executable"),
    "a directory": (lambda h: "/tmp", "not executable"),
    "an interpreter that is not there": (lambda h: script(h, "x", b"#!/no/such/sh\n"),
                                         "interpreter \"/no/such/sh\""),
    "no program at all": (lambda h: script(h, "x", b"hello\n"), "not a program"),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_a_command_that_cannot_be_run_fails_its_start_with_a_sentence(holdport, what):
    make, sentence = IMPOSSIBLE[what]
    holdport.write_web(section=f"command = {make(holdport)} x\nstart = manual\n"
                               "start_attempts = 1\n")
    holdport.run()
    said = holdport.cmd("start", "web")
    assert said.code == FAILED, said
    assert sentence in said.out + said.err, said
    assert holdport.program("web")["state"] == "failed"
    assert sentence in holdport.program("web")["last_error"]


@pytest.mark.parametrize("change, sentence", [
    ("directory = /no/such/directory", "/no/such/directory"),
    ("command = no-such-command-anywhere", "not found in PATH"),
    ("limit_nofile = 20", None)])
def test_a_generation_that_cannot_be_run_leaves_the_old_one(holdport, change, sentence):
    address = holdport.run_web("--notify")
    old = holdport.pids("web")
    holdport.write_web("--notify", section=change, address=address)
    said = holdport.cmd("reload")
    if sentence is None:
        assert said.code == DONE
        return
    assert said.code == FAILED, said
    assert sentence in said.out
    assert holdport.pids("web") == old
    assert get(address) == "worker"
    assert sentence in holdport.program("web")["last_error"]


def test_a_command_is_looked_for_along_the_path_of_its_own_environment(holdport):
    (holdport.dir / "bin").mkdir()
    os.symlink(holdport.worker(), holdport.dir / "bin/a-name-of-ours")
    address = holdport.run_web(section=f"command = a-name-of-ours --notify\n"
                                       f"environment = PATH={holdport.dir}/bin\n")
    assert get(address) == "worker"


def test_server_starter_alone_is_enough_for_a_worker(holdport):
    assert get(holdport.run_web("--notify", "--from", "server-starter")) == "worker"


def test_no_handoff_hands_no_descriptor(holdport):
    holdport.run_web("--notify", "--no-socket", section="handoff = none")
    [found] = holdport.reports()
    assert [f["fd"] for f in found["fds"]] == [0, 1, 2]
    assert not [n for n in found["environment"] if n.startswith(("LISTEN", "SERVER_ST"))]


def test_stdin_handoff_beside_the_others(holdport):
    holdport.run_web("--notify", "--stdin", section="handoff = stdin, auto")
    [found] = holdport.reports()
    kinds = {f["fd"]: f["kind"] for f in found["fds"]}
    assert kinds[0] == kinds[3]
    assert found["environment"]["LISTEN_FDS"] == "1"


def test_a_worker_may_do_with_its_signals_what_it_likes(holdport):
    holdport.run_web("--notify", section="workers = 2")
    pids = holdport.pids("web")
    said = holdport.ok("signal", "web", "SIGUSR2")
    assert "2" in said.out
    eventually(lambda: all(holdport.signals(pid) == ["USR2"] for pid in pids))


def test_a_signal_may_be_for_one_generation_only(holdport):
    holdport.run_web("--notify", "--ignore-term", section="ready = notify\nstop = TERM:60s KILL")
    [old] = holdport.pids("web")
    holdport.ok("restart", "web")
    [new] = [pid for pid in holdport.pids("web") if pid != old]
    holdport.ok("signal", "web", "USR1", "--generation", "2")
    eventually(lambda: holdport.signals(new) == ["USR1"])
    assert "USR1" not in holdport.signals(old)
    holdport.ok("signal", "web", "KILL", "--generation", "1")
    holdport.await_(lambda s: len(s["programs"][0]["generations"]) == 1)
    assert holdport.pids("web") == [new]
    holdport.ok("signal", "web", "KILL")
    holdport.await_replaced("web", [new])
    holdport.process.send_signal(3)     # QUIT: nobody's 60 s are waited out
    assert holdport.process.wait(timeout=20) == 0
