"""A worker of another user that attacks: what it is given, and what lies around it.

The attacker is Python as that user; it notes what it could do.  Beside it a program
of the supervisor's own user must serve on as if nothing were."""

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from holdport import DONE, NOT_ALL_RUNNING, eventually, get, kill

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another")

ATTACKER = 54399            # nobody else's, so that its processes can be counted

TOOLS = '''\
import ctypes, errno, json, os, signal, socket, sys, time
base, run, notes = sys.argv[1:4]
def note(what, **more):
    with open(notes, "a") as out:
        print(json.dumps({"what": what, **more}), file=out)
def attempt(what, act, *args):
    """Notes what came of it: ok, or the error."""
    try:
        act(*args)
        note(what, came="ok")
    except OSError as e:
        note(what, came=errno.errorcode[e.errno])
def say(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
'''


@pytest.fixture
def open_house(holdport):
    """A supervisor whose directory every user comes through."""
    base = Path(tempfile.mkdtemp(prefix="hp.", dir="/var/tmp"))
    base.chmod(0o755)
    holdport.base, holdport.runtime_dir = base, base / "run"
    (base / "desk").mkdir()
    os.chown(base / "desk", ATTACKER, ATTACKER)
    yield holdport
    if holdport.process and holdport.process.poll() is None:
        holdport.shutdown()
    shutil.rmtree(base, ignore_errors=True)


def run_attack(house, attack, section=""):
    """[program:evil] beside [program:good]; the address of the good one."""
    (house.base / "evil.py").write_text(TOOLS + attack)
    house.notes = house.base / "desk/notes"
    house.good, house.evil = (f"127.0.0.1:{house.port()}" for _ in range(2))
    house.write_config(f"""\
[socket:good]
listen = {house.good}
[socket:evil]
listen = {house.evil}
[program:good]
command = {house.worker("--notify")}
sockets = good
ready = notify
[program:evil]
command = /usr/bin/python3 {house.base}/evil.py {house.base} {house.runtime_dir} {house.notes}
sockets = evil
user = {ATTACKER}
group = {ATTACKER}
directory = /
restart = never
{section}
""")
    house.run()
    house.await_("good")


def await_note(house, what):
    def noted():
        lines = house.notes.read_text().splitlines() if house.notes.exists() else []
        return next((n for n in map(json.loads, lines) if n["what"] == what), None)
    return eventually(noted, what=f"{what}\n{house.log()}")


def all_is_well(house):
    began = time.monotonic()
    assert get(house.good) == "worker"
    assert house.cmd("status").code in (DONE, NOT_ALL_RUNNING)
    assert time.monotonic() - began < 5


def test_it_changes_nothing_in_the_runtime_directory(open_house):
    run_attack(open_house, """
for path in (run, run + "/notify", base):
    attempt("create", lambda: open(path + "/mine", "w"))
    attempt("link", os.symlink, "/etc/passwd", path + "/link")
for name in ("control", "lock", "notify"):
    attempt("remove", os.unlink, run + "/" + name)
    attempt("rename", os.rename, run + "/" + name, run + "/gone")
    attempt("chmod", os.chmod, run + "/" + name, 0o777)
attempt("write", lambda: open(run + "/lock", "w"))
attempt("list", os.listdir, run + "/notify")
own = os.environ["NOTIFY_SOCKET"]
attempt("remove own", os.unlink, own)
attempt("lock", os.open, run + "/lock", os.O_RDONLY)
note("done")
time.sleep(60)
""")
    await_note(open_house, "done")
    lines = map(json.loads, open_house.notes.read_text().splitlines())
    came = [(n["what"], n["came"]) for n in lines if n["what"] != "done"]
    assert len(came) == 19
    assert all(c in ("EACCES", "EPERM", "EISDIR") for _, c in came), came
    all_is_well(open_house)


def test_it_may_ask_the_control_socket_nothing(open_house):
    run_attack(open_house, """
def ask(method, **parameters):
    s = socket.socket(socket.AF_UNIX)
    s.connect(run + "/control")
    s.sendall(json.dumps({"method": "io.holdport." + method, "parameters": parameters}).encode()
              + b"\\0")
    return json.loads(s.recv(65536).rstrip(b"\\0"))
for method in ("Status", "Sockets", "Events", "Shutdown", "Reload"):
    note("asked", error=ask(method).get("error"))
for method in ("Stop", "Restart", "Rollback"):
    note("asked", error=ask(method, names=["good"]).get("error"))
note("asked", error=ask("Signal", name="good", signal="KILL").get("error"))
note("asked", error=ask("Scale", name="good", workers=0).get("error"))
note("done")
time.sleep(60)
""")
    pids = open_house.pids("good")
    await_note(open_house, "done")
    lines = list(map(json.loads, open_house.notes.read_text().splitlines()))
    assert {n["error"] for n in lines if n["what"] == "asked"} == {"io.holdport.PermissionDenied"}
    assert len(lines) == 11
    assert open_house.pids("good") == pids
    all_is_well(open_house)


def test_it_speaks_for_nobody_else(open_house):
    run_attack(open_house, """
own = os.environ["NOTIFY_SOCKET"]
head, number = os.path.split(own)
names = {number.replace("evil", "good")} | {f"{i}" for i in range(20)}
def speak(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(b"STOPPING=1\\nSTATUS=taken over", path)
for name in names:
    if os.path.join(head, name) != own:
        attempt("speak", speak, os.path.join(head, name))
note("done", own=number)
time.sleep(60)
""")
    own = await_note(open_house, "done")["own"]
    # the test does not know the names by itself: let it see that one of them was guessed
    others = {p.name for p in (open_house.runtime_dir / "notify").iterdir()} - {own}
    assert others
    came = [json.loads(line)["came"] for line in open_house.notes.read_text().splitlines()[:-1]]
    assert came.count("EACCES") == len(others), (came, others)
    assert set(came) <= {"EACCES", "ENOENT"}
    assert [w["state"] for w in open_house.workers("good")] == ["serving"]
    assert open_house.workers("good")[0]["status"] is None


def test_it_looks_into_no_other_process_and_signals_none(open_house):
    run_attack(open_house, """
while not os.path.exists(base + "/pids"):
    time.sleep(0.01)
for pid in json.load(open(base + "/pids")):
    attempt("signal", os.kill, pid, signal.SIGKILL)
    attempt("descriptors", os.listdir, f"/proc/{pid}/fd")
    attempt("memory", lambda: open(f"/proc/{pid}/mem", "rb+"))
    attempt("environment", lambda: open(f"/proc/{pid}/environ"))
    fd = os.pidfd_open(pid)
    attempt("take", lambda: os.strerror(0) if ctypes.CDLL(None, use_errno=True)
            .syscall(438, fd, 3, 0) >= 0 else (_ for _ in ()).throw(OSError(ctypes.get_errno(), "")))
note("done")
time.sleep(60)
""")
    pids = [open_house.pid, open_house.manager_pid, *open_house.pids("good")]
    assert len(set(pids)) == 3
    (open_house.base / "new").write_text(json.dumps(pids))
    (open_house.base / "new").rename(open_house.base / "pids")
    await_note(open_house, "done")
    came = [json.loads(line) for line in open_house.notes.read_text().splitlines()[:-1]]
    assert len(came) == 15
    assert {n["came"] for n in came} <= {"EACCES", "EPERM"}, came
    all_is_well(open_house)


@pytest.mark.parametrize("act", [
    "s.shutdown(socket.SHUT_RDWR)", "s.shutdown(socket.SHUT_RDWR); s.listen(1)",
    "s.listen(0)", "s.setblocking(False)"])
def test_what_it_does_to_its_socket_is_its_own_loss(open_house, act):
    run_attack(open_house, f"""
s = socket.socket(fileno=3)
for _ in range(200):
    try:
        {act}
    except OSError as e:
        pass
note("done")
time.sleep(60)
""")
    await_note(open_house, "done")
    for _ in range(5):
        all_is_well(open_house)
    open_house.ok("restart", "good")


def processes_of(user):
    found = set()
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.stat(f"/proc/{entry}").st_uid == user:
                found.add(int(entry))
        except OSError:
            pass
    return found


def test_one_that_forks_until_its_limit_is_stopped_whole(open_house):
    run_attack(open_house, """
say("READY=1")
while True:
    try:
        os.fork()
    except OSError as e:
        note("limit", came=errno.errorcode[e.errno])
        time.sleep(60)
""", section="limit_nproc = 40\nready = notify\nstop = TERM:100ms KILL\nkill_mode = mixed")
    assert await_note(open_house, "limit")["came"] == "EAGAIN"
    eventually(lambda: len(processes_of(ATTACKER)) >= 40)
    all_is_well(open_house)
    open_house.ok("restart", "good")
    open_house.ok("stop", "evil")
    eventually(lambda: not processes_of(ATTACKER), what="all of them are gone")
    all_is_well(open_house)


def test_one_that_hides_in_descriptors_is_not_looked_through(open_house):
    run_attack(open_house, """
s = socket.socket(fileno=3)
if os.environ["HOLDPORT_GENERATION"] == "1":
    kept = []
    while True:         # the probes of the second generation, too
        kept.append(s.accept())
import resource
most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 4096)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
try:
    while True: last = os.dup(3)
except OSError: os.closerange(last - 9, last + 1)
for _ in range(60):
    if os.fork() == 0:
        time.sleep(60)
note("many")
time.sleep(60)
""", section="ready = tcp\nstart_timeout = 30s\nstop = TERM:100ms KILL")
    open_house.await_("evil")
    open_house.ok("restart", "evil", "--no-wait")
    await_note(open_house, "many")

    stat = Path(f"/proc/{open_house.manager_pid}/stat")

    def busy():
        """Seconds that the manager has worked."""
        return sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13])) / os.sysconf(
            "SC_CLK_TCK")

    began, before = time.monotonic(), busy()
    time.sleep(2)               # in which its readiness is asked for again and again
    assert busy() - before < 0.5 * (time.monotonic() - began)
    all_is_well(open_house)


def test_one_that_prints_without_end_fills_no_memory(open_house):
    run_attack(open_house, """
note("prints")
while True:
    os.write(2, b"x" * 65536)
""")
    await_note(open_house, "prints")
    manager = open_house.manager_pid

    def resident():
        lines = Path(f"/proc/{manager}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    before = resident()
    try:
        for _ in range(5):
            all_is_well(open_house)
            open_house.ok("restart", "good")
        more = resident() - before
    finally:
        for pid in processes_of(ATTACKER):
            kill(pid)
        open_house.output.write_text("")            # it is large
    assert more < 400 * 1024        # KiB; the sanitizer keeps 256 MiB of what was freed
