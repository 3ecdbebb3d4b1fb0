"""Who waits while the manager is replaced waits on, and is told what became of it."""

import json
import os
import signal
import subprocess

import pytest

from holdport import DONE, FAILED, NOT_RUNNING, descriptors, eventually
from varlink import Varlink, VarlinkError

# Ready when the story says so; with a second pipe, gone when it says so.
GATED = """\
#!/usr/bin/python3
import os, signal, socket, sys

def leave(*_):
    open(sys.argv[2]).readline()
    os._exit(0)

if len(sys.argv) > 2:
    signal.signal(signal.SIGTERM, leave)
open(sys.argv[1]).readline()
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
while True:
    signal.pause()
"""


class Gated:
    """A supervisor of a program `web` whose workers wait for the story."""

    def __init__(self, holdport, leaving=False):
        self.holdport = holdport
        script = holdport.dir / "server"
        script.write_text(GATED)
        script.chmod(0o755)
        for name in ("enter", "leave"):
            os.mkfifo(holdport.dir / name)
        self.daemon = holdport.install()
        command = f"{script} {holdport.dir}/enter" + leaving * f" {holdport.dir}/leave"
        holdport.write_config(f"[program:web]\ncommand = {command}\nready = notify\n")
        holdport.run()
        self.let("enter")
        holdport.await_("web")
        self.events = holdport.events()

    def let(self, how):
        """One that waits there, or will."""
        (self.holdport.dir / how).write_text("\n")

    def ask(self, *words):
        return self.holdport.spawn(*words, "-c", self.holdport.config, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def await_worker(self, state, index=None, generation=None):
        self.events.await_(lambda e: e["what"] == "worker" and e["state"] == state and
                           index in (None, e["worker"]) and
                           generation in (None, e["generation"]))


def said(asker):
    """How it ended, and what it said of that; of what happened on the way, each once."""
    out, err = asker.communicate(timeout=20)
    lines = err.splitlines()
    assert len(set(lines)) == len(lines), err
    return asker.returncode, out


INTERRUPTED = {
    "manager": lambda h: h.kill_manager(),
    "keeper": lambda h: h.kill_keeper(),
    "upgrade": lambda h: h.ok("upgrade"),
}


def test_events_go_on_without_a_gap_or_a_double(holdport):
    holdport.install()
    holdport.run_web("--notify")
    events = holdport.events()
    for before, interrupt in enumerate(INTERRUPTED.values(), start=1):
        interrupt(holdport)
        holdport.ok("restart", "web")
        events.await_(lambda e: e["what"] == "generation" and e["state"] == "gone" and
                      e["generation"] == before)
    assert [e["seq"] for e in events.seen] == list(range(1, len(events.seen) + 1))


def test_status_is_watched_on(holdport):
    holdport.run_web("--notify")
    watcher = holdport.spawn("status", "-c", holdport.config, "--watch", "--json", text=True,
                             stdout=subprocess.PIPE)
    assert json.loads(watcher.stdout.readline())["supervisor"]["recoveries"] == 0
    holdport.kill_manager()
    for line in watcher.stdout:
        if json.loads(line)["supervisor"]["recoveries"] == 1:
            break
    else:
        raise AssertionError("it ended")


def test_events_end_with_the_supervisor(holdport):
    holdport.run_web("--notify")
    reader = holdport.spawn("events", "-c", holdport.config, "-f", stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)
    holdport.shutdown()
    assert "no supervisor runs in" in reader.communicate(timeout=20)[1]
    assert reader.returncode == NOT_RUNNING


def test_logs_are_followed_on(holdport):
    holdport.install()
    path, pipe = holdport.dir / "log", holdport.dir / "pipe"
    os.mkfifo(pipe)
    holdport.write_config(f"""\
        [program:one]
        command = sh -c 'while read line; do echo $$line; done <>{pipe}'
        stdout = file:{path}
        log_timestamps = no
        """)
    holdport.run()
    holdport.await_("one")
    reader = holdport.spawn("logs", "-c", holdport.config, "-f", "one", stdout=subprocess.PIPE,
                            text=True)

    def connection():
        return [what for what in descriptors(reader.pid).values() if what.startswith("socket:")]

    for how, interrupt in INTERRUPTED.items():
        pipe.write_text(f"before {how}\n")
        assert reader.stdout.readline() == f"before {how}\n"
        old = connection()
        interrupt(holdport)
        eventually(lambda: connection() not in ([], old), what="it asks the one that follows")
    pipe.write_text("the last\n")
    assert reader.stdout.readline() == "the last\n"


@pytest.mark.parametrize("how", INTERRUPTED)
def test_a_restart_is_waited_for_to_its_end(holdport, how):
    web = Gated(holdport)
    asker = web.ask("restart", "web")
    web.await_worker("starting", generation=2)
    INTERRUPTED[how](holdport)
    web.let("enter")
    code, out = said(asker)
    assert code == DONE and out.startswith("web: generation 2 is running")
    assert holdport.program("web")["generation"] == 2


def test_it_is_waited_for_over_many_managers(holdport):
    web = Gated(holdport)
    asker = web.ask("restart", "web")
    web.await_worker("starting", generation=2)
    for interrupt in (*INTERRUPTED.values(), *INTERRUPTED.values()):
        interrupt(holdport)
    web.let("enter")
    code, out = said(asker)
    assert code == DONE and out.startswith("web: generation 2 is running")


def test_that_it_failed_is_told_too(holdport):
    web = Gated(holdport)
    asker = web.ask("restart", "web")
    web.await_worker("starting", generation=2)
    holdport.kill_manager()
    [new] = [w["pid"] for w in holdport.workers("web") if w["state"] == "starting"]
    os.kill(new, signal.SIGALRM)
    code, out = said(asker)
    assert code == FAILED
    assert "web: FAILED: " in out and "generation 1 serves on" in out


def test_a_reload_is(holdport):
    web = Gated(holdport)
    holdport.config.write_text(holdport.config.read_text() + "environment = A=B\n")
    asker = web.ask("reload")
    web.await_worker("starting", generation=2)
    holdport.kill_manager()
    web.let("enter")
    code, out = said(asker)
    assert code == DONE and "web: generation 2 is running" in out
    assert holdport.status()["supervisor"]["reloads"] == 1


def test_scaling_is(holdport):
    web = Gated(holdport)
    asker = web.ask("scale", "web", "2")
    web.await_worker("starting", index=1)
    holdport.kill_manager()
    web.let("enter")
    assert said(asker) == (DONE, "web: 2 workers are wanted, 2 are ready\n")


def test_a_rollback_is(holdport):
    web = Gated(holdport)
    with_two = web.ask("restart", "web")
    web.let("enter")
    assert said(with_two)[0] == DONE
    asker = web.ask("rollback", "web")
    web.await_worker("starting", generation=3)
    holdport.kill_manager()
    web.let("enter")
    code, out = said(asker)
    assert code == DONE and out.startswith("web: generation 3 is running")
    assert holdport.program("web")["generation"] == 3


def test_a_stop_is_and_the_start_after_it(holdport):
    web = Gated(holdport, leaving=True)
    asker = web.ask("stop", "web")
    web.await_worker("draining")
    holdport.kill_manager()
    web.let("leave")
    assert said(asker) == (DONE, "web: is stopped\n")
    asker = web.ask("start", "web")
    web.await_worker("starting", generation=2)
    holdport.kill_manager()
    web.let("enter")
    assert said(asker) == (DONE, "web: generation 2 is running\n")
    holdport.ok("stop", "web", "--no-wait")
    web.let("leave")


def test_that_those_before_are_gone_is(holdport):
    web = Gated(holdport, leaving=True)
    asker = web.ask("restart", "web", "--drained")
    web.let("enter")
    web.await_worker("draining", generation=1)
    holdport.kill_manager()
    web.let("leave")
    code, out = said(asker)
    assert (code, out) == (DONE, "web: generation 2 is running; nobody is on the way out\n")
    holdport.ok("stop", "web", "--no-wait")
    web.let("leave")


def test_a_shutdown_is(holdport):
    web = Gated(holdport, leaving=True)
    manager = holdport.manager_pid
    asker = web.ask("shutdown")
    web.await_worker("draining")
    holdport.kill_manager(manager)
    web.let("leave")
    assert said(asker) == (DONE, "shut down\n")
    assert holdport.process.wait(timeout=20) == 0


def test_what_has_ended_is_known_to_a_successor_and_not_done_again(holdport):
    holdport.run_web("--notify")
    asked = {"names": ["web"], "request": "one"}
    with Varlink(holdport) as client:
        first = client.call("io.holdport.Restart", asked)
    for interrupt in holdport.kill_manager, holdport.kill_keeper:
        interrupt()
        with Varlink(holdport) as client:
            assert client.call("io.holdport.Restart", asked) == first
    assert holdport.program("web")["generation"] == 2
    with Varlink(holdport) as client:
        with pytest.raises(VarlinkError, match="InvalidParameter"):
            client.call("io.holdport.Stop", asked)
        client.call("io.holdport.Restart", {**asked, "request": "two"})
    assert holdport.program("web")["generation"] == 3


def test_who_hangs_up_may_ask_again_for_what_goes_on(holdport):
    web = Gated(holdport)
    asked = {"names": ["web"], "request": "one"}
    with Varlink(holdport) as client:
        client.send("io.holdport.Restart", asked)
        web.await_worker("starting", generation=2)
    with Varlink(holdport) as first, Varlink(holdport) as second:
        told = first.stream("io.holdport.Restart", {**asked, "since": 0})
        assert next(told)["continues"]
        second.send("io.holdport.Restart", asked)
        assert [*told][-1]["error"] == "io.holdport.Failed"     # only one waits for it
        web.let("enter")
        [result] = second.answer()["results"]
    assert result["ok"] and result["text"].startswith("generation 2 is running")


def test_only_the_last_changes_are_remembered(holdport):
    """A start of what runs changes nothing, so it can be asked for often."""
    holdport.run_web("--notify")
    with Varlink(holdport) as client:
        for n in range(700):
            client.call("io.holdport.Start", {"names": ["web"], "request": f"r{n}"})
    known = set()
    for line in (holdport.runtime_dir / "state").read_text().splitlines():
        if line.startswith("request "):
            (known.discard if "gone=1" in line else known.add)(line.split('"')[1])
    assert {"r400", "r699"} <= known and "r100" not in known
