"""Who waits while the manager is replaced waits on."""

import os
import subprocess

from holdport import NOT_RUNNING, descriptors, eventually

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
