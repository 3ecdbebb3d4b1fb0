"""Who may ask what: root, the supervisor's user, members of two groups, strangers."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from holdport import BUILD, DONE, NOT_ALL_RUNNING, NOT_PERMITTED, USAGE, Result, get
from varlink import Varlink

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another")

NOBODY, READERS, CHANGERS, OTHERS = 65534, 54321, 54322, 54323
READING = (["status"], ["events"], ["wait", "web", "--state", "running"])
CHANGING = (["restart", "web", "--no-wait"], ["signal", "web", "USR1"], ["scale", "web", "1"],
            ["reload"], ["reload", "--dry-run"], ["start", "web"])


@pytest.fixture
def shared(holdport):
    """A supervisor whose directory others come through."""
    base = tempfile.mkdtemp(prefix="hp.", dir="/var/tmp")
    os.chmod(base, 0o755)
    holdport.runtime_dir = Path(base, "run")
    yield holdport
    if holdport.process:
        holdport.shutdown()
    shutil.rmtree(base, ignore_errors=True)


def run_web(shared, **groups):
    lines = "".join(f"{key} = {group}\n" for key, group in groups.items())
    shared.address = shared.write_web("--notify", section="ready = notify", more=(
        f"[supervisor]\nruntime_dir = {shared.runtime_dir}\n{lines}"))
    shared.run()
    shared.await_("web")


def ask_as(shared, words, groups=(), primary=NOBODY, user=NOBODY):
    argv = [str(BUILD / "bin/holdport"), *map(str, words), "--runtime-dir", str(shared.runtime_dir)]
    env = {"PATH": os.environ["PATH"], "NO_COLOR": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, cwd="/", env=env,
                          user=user, group=primary, extra_groups=groups)
    return Result(argv, done.returncode, done.stdout, done.stderr)


def permitted(said):
    assert said.code in (DONE, NOT_ALL_RUNNING, NOT_PERMITTED), said
    assert said.code != NOT_PERMITTED or "not permitted" in said.err, said
    return said.code != NOT_PERMITTED


def test_readers_look_and_changers_change(shared):
    run_web(shared, read_group=READERS, change_group=CHANGERS)
    for groups, reads, changes in (([], False, False), ([OTHERS], False, False),
                                   ([READERS], True, False), ([CHANGERS], True, True),
                                   ([OTHERS, READERS], True, False)):
        for words in READING:
            assert permitted(ask_as(shared, words, groups)) == reads, (groups, words)
        for words in CHANGING:
            assert permitted(ask_as(shared, words, groups)) == changes, (groups, words)
    shared.await_("web")
    assert get(shared.address) == "worker"


def test_the_primary_group_and_the_last_of_many_count(shared):
    run_web(shared, read_group=READERS)
    assert permitted(ask_as(shared, ["status"], primary=READERS))
    assert permitted(ask_as(shared, ["status"], list(range(100000, 101000)) + [READERS]))
    assert not permitted(ask_as(shared, ["status"], list(range(100000, 101000))))


def test_a_reload_gives_rights_and_takes_them(shared):
    run_web(shared)
    assert not permitted(ask_as(shared, ["status"], [READERS]))
    for key, group, expected in (("read_group", READERS, True), ("read_group", OTHERS, False)):
        shared.write_web("--notify", address=shared.address, section="ready = notify", more=(
            f"[supervisor]\nruntime_dir = {shared.runtime_dir}\n{key} = {group}\n"))
        shared.ok("reload")
        assert permitted(ask_as(shared, ["status"], [READERS])) == expected


def test_a_group_goes_by_name_or_number(holdport):
    for group, code in (("root", DONE), ("0", DONE), ("4294967294", DONE), ("4294967295", USAGE),
                        ("-1", USAGE), ("no-such-group", USAGE), ("", DONE)):
        holdport.write_config(f"[supervisor]\nruntime_dir = {holdport.runtime_dir}\n"
                              f"read_group = {group}\nchange_group = {group}\n"
                              "[program:web]\ncommand = /bin/true\n")
        said = holdport.cmd("check")
        assert said.code == code, said
        assert code == DONE or said.err.count("there is no group") == 2, said


# Attacks


def as_nobody(shared, code):
    """Python as nobody, with `path`, `client()` and time at hand; it prints when it is
    ready and ends when its input does."""
    whole = ("import socket,sys,time\npath=sys.argv[1]\ndef client():\n"
             " s=socket.socket(socket.AF_UNIX); s.connect(path); return s\n"
             + code + "\nprint('ready',flush=True)\nsys.stdin.read()\n")
    child = subprocess.Popen(["/usr/bin/python3", "-c", whole, str(shared.runtime_dir / "control")],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/",
                             user=NOBODY, group=NOBODY, extra_groups=[])
    shared._children.append(child)
    assert child.stdout.readline() == "ready\n"
    return child


def end(child):
    child.stdin.close()
    assert child.wait(timeout=20) == 0


def memory(pid):
    """What is resident, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def answers_at_once(shared):
    before = time.monotonic()
    shared.ok("status", "web")
    return time.monotonic() - before < 5


def test_a_hundred_strangers_keep_nobody_out(shared):
    run_web(shared)
    attack = as_nobody(shared, "all=[client() for _ in range(100)]")
    assert answers_at_once(shared)
    shared.ok("restart", "web")
    assert shared.log().count("turned away") < 5
    end(attack)


def test_a_stranger_gets_little_room(shared):
    run_web(shared)
    attack = as_nobody(shared, """
s = client()
try:
    for _ in range(100): s.sendall(b"x" * 4096)
    print("not hung up upon")
except (BrokenPipeError, ConnectionResetError): pass
""")
    assert answers_at_once(shared)
    end(attack)


def test_who_never_reads_costs_little(shared):
    run_web(shared)
    before = memory(shared.manager_pid)
    attack = as_nobody(shared, """
def ask(s):
    s.setblocking(False)
    try:
        while True: s.send(b'{"method":"org.varlink.service.GetInterfaceDescription",'
                           b'"parameters":{"interface":"io.holdport"}}\\0' * 100)
    except BlockingIOError: pass
all=[client() for _ in range(8)]
for _ in range(20):
    for s in all: ask(s)
    time.sleep(0.05)
""")
    assert answers_at_once(shared)
    # The sanitizer's quarantine keeps what was freed.
    assert memory(shared.manager_pid) - before < 300 * 1024
    end(attack)


def test_a_byte_a_second_is_not_waited_for(shared):
    run_web(shared)
    began = time.monotonic()
    attack = subprocess.Popen(["/usr/bin/python3", "-c", """
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
try:
    for _ in range(60):
        s.send(b"{"); time.sleep(1)
except (BrokenPipeError, ConnectionResetError): sys.exit(0)
sys.exit(1)""", str(shared.runtime_dir / "control")], user=NOBODY, group=NOBODY, extra_groups=[],
                              cwd="/")
    shared._children.append(attack)
    with Varlink(shared) as half, Varlink(shared) as follower:
        half.socket.settimeout(60)
        half.send_bytes(b'{"method":')
        follower.send("io.holdport.Events", {"follow": True}, more=True)
        assert half.receive() is None
        assert 25 < time.monotonic() - began < 45
        assert attack.wait(timeout=20) == 0
        shared.ok("restart", "web")
        while follower.answer()["event"]["generation"] != 2:
            pass


# What others prepared


def refused_to_run(holdport, word):
    said = holdport.run_to_end()
    assert said.code in (1, USAGE), said
    assert word in said.err, said


@pytest.mark.parametrize("name", ["control", "lock", "notify"])
def test_a_link_in_the_runtime_directory_is_not_followed(holdport, name):
    holdport.write_web("--notify")
    holdport.runtime_dir.mkdir()
    victim = holdport.dir / "victim"
    victim.write_text("precious")
    (holdport.runtime_dir / name).symlink_to(victim)
    refused_to_run(holdport, str(holdport.runtime_dir / name))
    assert victim.read_text() == "precious"
    assert (holdport.runtime_dir / name).is_symlink()


def test_a_lock_that_is_another_file_too_is_left_alone(holdport):
    holdport.write_web("--notify")
    holdport.runtime_dir.mkdir()
    victim = holdport.dir / "victim"
    victim.write_text("precious")
    os.link(victim, holdport.runtime_dir / "lock")
    refused_to_run(holdport, "lock")
    assert victim.read_text() == "precious"


def test_no_other_user_takes_the_lock_in_our_place(shared):
    shared.runtime_dir.mkdir()
    lock = shared.runtime_dir / "lock"
    lock.touch(0o644)               # as an earlier version left it
    run_web(shared)
    take = subprocess.run(["/usr/bin/python3", "-c", "import sys; open(sys.argv[1])", str(lock)],
                          user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, cwd="/")
    assert b"PermissionError" in take.stderr


@pytest.mark.parametrize("mode, owner, word", [
    (0o777, 0, "can be written by others"), (0o770, 0, "can be written by others"),
    (0o700, NOBODY, "belongs to")])
def test_a_directory_that_others_may_write_is_refused(holdport, mode, owner, word):
    holdport.write_web("--notify")
    holdport.runtime_dir.mkdir()
    os.chown(holdport.runtime_dir, owner, 0)
    os.chmod(holdport.runtime_dir, mode)
    refused_to_run(holdport, word if owner else "others may write it")
    os.chmod(holdport.runtime_dir, 0o755)
    os.chown(holdport.runtime_dir, 0, 0)
    os.chown(holdport.dir, owner, 0)
    os.chmod(holdport.dir, mode)
    refused_to_run(holdport, word)
    os.chown(holdport.dir, 0, 0)
    os.chmod(holdport.dir, 0o700)


def test_a_reload_refuses_a_file_that_others_may_write(holdport):
    holdport.run_web("--notify")
    holdport.config.chmod(0o666)
    said = holdport.cmd("reload", "--runtime-dir", holdport.runtime_dir)
    assert said.code == USAGE and "written by others" in said.err
    holdport.config.chmod(0o644)
    holdport.ok("reload")


def test_an_ordinary_user_is_kept_from_files_that_anybody_may_write(shared):
    base = shared.runtime_dir.parent
    os.chown(base, NOBODY, NOBODY)
    config = base / "user.conf"
    config.write_text("[program:web]\ncommand = /bin/true\n")
    os.chown(config, NOBODY, NOBODY)

    def check():
        return subprocess.run([BUILD / "bin/holdport", "check", "-c", config], text=True,
                              capture_output=True, user=NOBODY, group=NOBODY, extra_groups=[],
                              env={"PATH": os.environ["PATH"]}, cwd="/")
    assert check().returncode == DONE
    config.chmod(0o664)
    assert check().returncode == DONE
    config.chmod(0o666)
    assert "written by anybody" in check().stderr
    config.chmod(0o644)
    base.chmod(0o777)
    assert "written by anybody" in check().stderr
