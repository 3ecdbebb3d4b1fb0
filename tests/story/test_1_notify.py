"""What a worker says to NOTIFY_SOCKET, and what follows from it."""

import json
import os
import signal
import socket
import textwrap
import time

import pytest

from holdport import DONE, alive, eventually, get


CLIENT = '''\
import array, json, os, socket, sys, time

def say(text, *fds):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(os.environ["NOTIFY_SOCKET"])
        s.sendmsg([text.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
                  if fds else [])

def note(what, **more):
    with open(os.environ["NOTES"], "a") as out:
        print(json.dumps({"what": what, "pid": os.getpid(), **more}), file=out)

def barrier(seconds=10):
    """True: everything said before was dealt with."""
    import select
    r, w = os.pipe()
    say("BARRIER=1", w)
    os.close(w)
    gone = select.poll()
    gone.register(r, select.POLLHUP)
    told = gone.poll(seconds * 1000)
    os.close(r)
    return bool(told)

generation = int(os.environ["HOLDPORT_GENERATION"])
'''


def run_client(holdport, body, section="", more=""):
    """[program:web], a worker that is CLIENT and then this; its notes."""
    client = holdport.dir / "client.py"
    client.write_text(CLIENT + body)
    holdport.write_config(f"""\
[program:web]
command = /usr/bin/python3 {client}
environment = NOTES={holdport.dir}/notes
ready = notify
{section}
{more}
""")
    holdport.run()


def notes(holdport, what):
    path = holdport.dir / "notes"
    lines = path.read_text().splitlines() if path.exists() else []
    return [n for n in map(json.loads, lines) if n["what"] == what]


def await_note(holdport, what, count=1):
    return eventually(lambda: len(notes(holdport, what)) >= count and notes(holdport, what),
                      what=f"{count} times {what}\n{holdport.log()}")


def test_a_reload_is_told_when_it_begins_and_ends(holdport):
    run_client(holdport, """
say("READY=1")
say(f"RELOADING=1\\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
say("READY=1")
say("RELOADING=1\\nMONOTONIC_USEC=1")    # older than the one before: stale
say("STATUS=done")
time.sleep(60)
""")
    holdport.await_(lambda s: s["programs"][0]["generations"][0]["workers"][0]["status"] == "done")
    log = holdport.log()
    assert log.count(" reloads") == 1, log
    assert log.count("has reloaded, in ") == 1, log
    assert holdport.program("web")["ready"] == 1


def test_an_errno_is_part_of_the_failure(holdport):
    run_client(holdport, "say('ERRNO=98')\nsys.exit(1)\n", section="start_attempts = 1")
    holdport.await_("web", "failed")
    error = holdport.program("web")["last_error"]
    assert "exit status 1" in error and "errno 98 (Address already in use)" in error


@pytest.mark.parametrize("extend, ready", [(5, True), (0, False)])
def test_a_start_may_take_longer_when_it_says_so(holdport, extend, ready):
    run_client(holdport, f"""
if {extend}:
    say("EXTEND_TIMEOUT_USEC={extend}000000")
time.sleep(2)
say("READY=1")
time.sleep(60)
""", section="start_timeout = 800ms\nstart_attempts = 1")
    holdport.await_("web", "running" if ready else "failed")


def test_no_more_than_ten_times_longer(holdport):
    run_client(holdport, """
while True:
    say("EXTEND_TIMEOUT_USEC=999999999999999999")
    time.sleep(0.02)
""", section="start_timeout = 100ms\nstart_attempts = 1")
    holdport.await_("web", "failed", seconds=10)
    assert "start_timeout" in holdport.program("web")["last_error"]


def test_a_stop_may_take_longer_when_it_says_so(holdport):
    run_client(holdport, """
import signal
def stop(number, frame):
    say("STOPPING=1\\nEXTEND_TIMEOUT_USEC=5000000")
    time.sleep(1.5)
    note("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
say("READY=1")
while True:
    time.sleep(60)
""", section="stop = TERM:300ms KILL")
    holdport.await_("web")
    holdport.ok("stop", "web")
    assert notes(holdport, "stopped")


def test_one_that_stops_by_itself_is_replaced_while_it_drains(holdport):
    run_client(holdport, """
say("READY=1")
if not os.path.exists("second"):
    open("second", "w").close()
    say("STOPPING=1")
    time.sleep(60)
note("second")
time.sleep(60)
""", section="stop = TERM:5s KILL")
    await_note(holdport, "second")
    holdport.await_(lambda s: s["programs"][0]["ready"] == 1)
    assert sorted(w["state"] for w in holdport.workers("web")) == ["draining", "serving"]
    assert holdport.program("web")["restarts"] == 1
    assert "stops by itself" in holdport.log()


def test_one_that_says_it_stops_and_does_not_is_killed(holdport):
    run_client(holdport, "say('READY=1')\nnote('up')\nsay('STOPPING=1')\nsay('READY=1')\n"
                         "time.sleep(60)\n", section="stop = TERM:200ms KILL")
    first = await_note(holdport, "up")[0]["pid"]
    eventually(lambda: not alive(first))
    eventually(lambda: len(holdport.workers("web")) <= 3)


def test_a_barrier_is_answered_when_all_before_it_was_heard(holdport):
    run_client(holdport, """
say("READY=1")
for i in range(50):
    say(f"STATUS={i}")
note("barrier", told=barrier())
time.sleep(60)
""")
    assert await_note(holdport, "barrier")[0]["told"]
    assert holdport.workers("web")[0]["status"] == "49"


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_descriptors_that_nobody_asked_for_are_closed(holdport):
    run_client(holdport, """
say("READY=1")
barrier()
fds = [os.open("/", os.O_RDONLY) for _ in range(200)]
note("before")
while not os.path.exists("go"):
    time.sleep(0.01)
for _ in range(100):
    say("STATUS=x", *fds)
    say("BARRIER=1", *fds[:3])
note("after", told=barrier())
time.sleep(60)
""")
    await_note(holdport, "before")
    before = open_descriptors(holdport.manager_pid)
    (holdport.dir / "go").touch()
    assert await_note(holdport, "after")[0]["told"]
    eventually(lambda: open_descriptors(holdport.manager_pid) <= before)


def test_who_misses_the_watchdog_is_replaced(holdport):
    run_client(holdport, """
assert int(os.environ["WATCHDOG_PID"]) == os.getpid()
assert os.environ["WATCHDOG_USEC"] == "500000"
say("READY=1")
note("up")
for _ in range(10 if generation == 1 and not os.path.exists("second") else 10000):
    say("WATCHDOG=1")
    time.sleep(0.1)
open("second", "w").close()
time.sleep(60)
""", section="watchdog = 500ms\nstop = TERM:5s KILL")
    first, second = await_note(holdport, "up", 2)[:2]
    eventually(lambda: not alive(first["pid"]))
    p = holdport.program("web")
    assert p["restarts"] == 1
    assert "missed its watchdog" in p["last_error"]
    events = holdport.cmd("events", "--json").out
    assert "missed its watchdog" in events
    time.sleep(1)
    assert holdport.pids("web") == [second["pid"]]


def test_what_was_said_while_we_were_kept_from_listening_counts(holdport):
    run_client(holdport, """
say("READY=1")
note("up")
while True:
    say("WATCHDOG=1")
    time.sleep(0.05)
""", section="watchdog = 1s")
    [first] = await_note(holdport, "up")
    manager = holdport.manager_pid
    for _ in range(2):
        os.kill(manager, signal.SIGSTOP)
        time.sleep(1.3)             # the deadline passes
        os.kill(manager, signal.SIGCONT)
        assert holdport.pids("web") == [first["pid"]]
    assert "missed its watchdog" not in holdport.log()


def test_a_worker_may_ask_to_be_taken_for_dead(holdport):
    run_client(holdport, """
say("READY=1")
note("up")
if not os.path.exists("second"):
    open("second", "w").close()
    while not os.path.exists("runs"):
        time.sleep(0.01)
    say("WATCHDOG=trigger")
time.sleep(60)
""")
    holdport.await_("web")          # before that, a proof would make its error forgotten
    (holdport.dir / "runs").touch()
    await_note(holdport, "up", 2)
    assert "WATCHDOG=trigger" in holdport.program("web")["last_error"]
    assert holdport.program("web")["restarts"] == 1


def test_a_worker_may_set_its_own_watchdog(holdport):
    run_client(holdport, """
assert "WATCHDOG_USEC" not in os.environ
say("WATCHDOG_USEC=300000")
say("READY=1")
note("up")
time.sleep(60)
""")
    await_note(holdport, "up", 2)
    assert "missed its watchdog" in holdport.program("web")["last_error"]


@pytest.mark.parametrize("flood", [
    "s.send(b'RELOADING=1'); s.send(b'READY=1\\nSTATUS=' + b'x' * 3000)",
    "s.send(b'MAINPID=1'); s.send(b'MAINPID=%d' % os.getppid())",
    "say('FDSTORE=1', *fds)", "say('BARRIER=1', *fds)", "s.send(b'WATCHDOG_USEC=999999999')",
    "s.send(b'EXTEND_TIMEOUT_USEC=1\\nRESTART_RESET=1\\nERRNO=5')"])
def test_a_flood_hurts_only_its_own_program(holdport, flood):
    address = f"127.0.0.1:{holdport.port()}"
    run_client(holdport, f"""
say("READY=1")
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"])
fds = [os.memfd_create("x") for _ in range(250)]
note("flood")
while True:
    {flood}
""", more=f"""
[socket:http]
listen = {address}
[program:good]
sockets = http
command = {holdport.worker()}
""")
    await_note(holdport, "flood")
    holdport.await_("good")
    for _ in range(10):
        began = time.monotonic()
        assert get(address) == "worker"
        assert holdport.cmd("status").code == DONE
        assert time.monotonic() - began < 5
    assert len(holdport.log()) < 20000
    assert holdport.cmd("events", "--json").out.count('"worker"') < 100
    assert open_descriptors(holdport.manager_pid) < 400      # a message of 250 may be in hand
    holdport.ok("restart", "good")


def test_restart_reset_forgets_what_was(holdport):
    run_client(holdport, """
say("READY=1")
note("up")
with open("tries", "a") as out:
    out.write("x")
if os.path.getsize("tries") < 4:
    sys.exit(1)
say("RESTART_RESET=1")
note("reset", told=barrier())
time.sleep(60)
""")
    await_note(holdport, "reset")
    assert holdport.program("web")["restarts"] == 0


def test_the_main_process_may_be_another_one(holdport):
    run_client(holdport, """
import signal
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, lambda *_: (note("term"), os._exit(0)))
    say(f"MAINPID={os.getpid()}\\nREADY=1")
    note("main")
    while True:
        time.sleep(60)
signal.signal(signal.SIGTERM, lambda *_: note("wrong"))
os.waitpid(child, 0)
""", section="stop = TERM:10s KILL\npid_file = main.pid")
    main = await_note(holdport, "main")[0]["pid"]
    holdport.await_("web")
    assert holdport.pids("web") == [main]
    assert (holdport.dir / "main.pid").read_text() == f"{main}\n"
    holdport.ok("stop", "web")
    assert notes(holdport, "term") and not notes(holdport, "wrong")


@pytest.mark.parametrize("how", ["pid", "pidfd", "pid+pidfd", "pid+id"])
def test_a_worker_lives_on_in_its_main_process(holdport, how):
    words = {"pid": "MAINPID={pid}", "pidfd": "MAINPIDFD=1", "pid+pidfd": "MAINPID={pid}\\nMAINPIDFD=1",
             "pid+id": "MAINPID={pid}\\nMAINPIDFDID={id}"}[how]
    run_client(holdport, f"""
child = os.fork()
if child == 0:
    note("main")
    while True:
        time.sleep(60)
fd = os.pidfd_open(child)
pid, id = child, os.fstat(fd).st_ino
say(f"{words}\\nREADY=1", *([fd] if "PIDFD=" in "{words}" else []))
note("ends", told=barrier())
""")
    main = await_note(holdport, "main")[0]["pid"]
    await_note(holdport, "ends")
    eventually(lambda: "goes on" in holdport.log(), what=holdport.log)
    assert holdport.pids("web") == [main]
    os.kill(main, 9)
    await_note(holdport, "ends", 2)
    assert holdport.program("web")["restarts"] == 1


@pytest.mark.parametrize("claim", ["MAINPID=1", "MAINPID={above}", "MAINPID={own}\\nMAINPIDFDID=5",
                                   "MAINPIDFD=1"])
def test_a_strangers_process_is_passed_over(holdport, claim):
    run_client(holdport, f"""
above, own = os.getppid(), os.fork() or time.sleep(60)
say(f"READY=1\\n{claim}", os.pidfd_open(os.getppid()))
note("said", told=barrier())
time.sleep(60)
""")
    pid = await_note(holdport, "said")[0]["pid"]
    assert holdport.pids("web") == [pid]
    assert "passed over" in holdport.log()
    holdport.ok("stop", "web")


def kept(holdport, body, socket="", **named):
    """A program whose first worker leaves something with us; LISTEN_FDNAMES of the
    one after it, and what it read from the descriptors."""
    run_client(holdport, """
say("READY=1")
names = [n for n in os.environ.get("LISTEN_FDNAMES", "").split(":") if n]
assert len(names) == int(os.environ.get("LISTEN_FDS", 0))
assert not names or int(os.environ["LISTEN_PID"]) == os.getpid()
def memfd(text):
    fd = os.memfd_create("kept")
    os.write(fd, text)
    return fd
if generation == 1:
""" + textwrap.indent(textwrap.dedent(body), "    ") + """
note("up", names=names, texts=[os.pread(3 + i, 99, 0).decode() for i, n in enumerate(names)
                               if n not in ("http", "pipe")], told=barrier())
time.sleep(60)
""", section="stop = TERM:5s KILL" + socket, **named)
    await_note(holdport, "up")
    holdport.ok("restart", "web")
    return await_note(holdport, "up", 2)[1]


def test_what_a_worker_leaves_is_given_to_the_next_generation(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    second = kept(holdport, """
assert os.environ["FDSTORE"] == "64"
fd = memfd(b"one")
say("FDSTORE=1\\nFDNAME=state", fd)
say("FDSTORE=1\\nFDNAME=state", fd, os.dup(fd))      # the same
say("FDSTORE=1", memfd(b"two"))
say("FDSTORE=1\\nFDNAME=bad:name", memfd(b"three"))
say("FDSTORE=1\\nFDNAME=gone", memfd(b"four"), memfd(b"five"))
say("FDSTOREREMOVE=1\\nFDNAME=gone")
""", socket="\nsockets = http", more=f"[socket:http]\nlisten = {address}")
    assert second["names"] == ["http", "state", "stored", "stored"]
    holdport.ok("stop", "web")
    holdport.ok("start", "web")
    assert await_note(holdport, "up", 3)[2]["names"] == ["http"]


def test_without_sockets_what_was_left_comes_first(holdport):
    second = kept(holdport, "say('FDSTORE=1', memfd(b'one'))")
    assert second["names"] == ["stored"]
    assert second["texts"] == ["one"]


def test_what_hangs_up_is_dropped_unless_it_shall_not_be_watched(holdport):
    second = kept(holdport, """
for name in ("pipe\\nFDPOLL=0", "hung"):
    r, w = os.pipe()
    say("FDSTORE=1\\nFDNAME=" + name, r)
    os.close(w)
""")
    assert second["names"] == ["pipe"]


def test_no_more_than_64_are_kept(holdport):
    second = kept(holdport, """
for i in range(10):
    say("FDSTORE=1", *[memfd(b"x") for _ in range(20)])
""")
    assert len(second["names"]) == 64
    assert "more than 64" in holdport.log()

