"""after = NAMES: who starts when who else is proved, and stops when who else is gone."""

import os
import signal

import pytest

from holdport import USAGE, alive, eventually

STUBBORN = "stop = TERM:60s KILL\n"


def write(holdport, **programs):
    """name -> (options of the worker, lines of its section); each reports."""
    sections = []
    for name, (options, lines) in programs.items():
        words = [*options, "--no-socket", "--notify", "--report", holdport.dir / "report"]
        sections.append(f"[program:{name}]\ncommand = {holdport.worker(*words)}\n"
                        f"ready = notify\n{lines}\n")
    holdport.write_config("".join(sections))


def gated(flag):
    """Lines of one that is proved when the flag is there."""
    return f"ready = exec:test -e {flag}\n"


def with_gated_first(holdport, flag, **more):
    write(holdport, web=((), "after = db\n"), **more)
    text = holdport.config.read_text()
    holdport.config.write_text(
        f"{text}[program:db]\ncommand = {holdport.worker('--no-socket')}\n{gated(flag)}")


def watch(holdport):
    """Events; whoever listens has read the configuration, which may change from now on."""
    events = holdport.events()
    events.await_(lambda e: True)
    return events


def numbers(events, name, what, state):
    return [e["seq"] for e in events.seen
            if (e["name"], e["what"], e["state"]) == (name, what, state)]


def test_who_is_after_another_starts_when_that_is_proved(holdport):
    flag = holdport.dir / "flag"
    with_gated_first(holdport, flag, other=((), ""), third=((), "after = web, other\n"))
    holdport.run()
    events = watch(holdport)
    holdport.await_("other")            # nobody waits whose turn it is
    web = holdport.program("web")
    assert web["state"] == "starting" and not web["generations"]
    assert web["last_error"] == "starts when db is proved (after)"
    assert holdport.program("third")["last_error"] == "starts when web is proved (after)"
    assert "web: starting: starts when db is proved (after)" in holdport.log()
    flag.touch()
    holdport.await_("third")
    events.await_(lambda e: (e["name"], e["state"]) == ("third", "running"))
    for first, then in (("db", "web"), ("web", "third")):
        [proved], [made] = (numbers(events, first, "program", "running"),
                            numbers(events, then, "worker", "starting"))
        assert proved < made
    assert holdport.program("web")["last_error"] is None


@pytest.mark.parametrize("lines", [
    "start = manual\n", "restart_delay = 60s\nrestart_delay_max = 60s\n", "start_attempts = 1\n"])
def test_who_is_not_wanted_or_fails_keeps_nobody_waiting(holdport, lines):
    write(holdport, db=(("--die-at-start", 3), lines), web=((), "after = db\n"))
    holdport.run()
    holdport.await_("web")
    assert holdport.program("db")["state"] in ("stopped", "backoff", "failed")


def test_who_is_started_by_hand_waits_only_for_those_that_start_too(holdport):
    flag = holdport.dir / "flag"
    with_gated_first(holdport, flag)
    text = holdport.config.read_text()
    holdport.config.write_text(text.replace("\nready", "\nstart = manual\nready"))
    holdport.run()
    holdport.ok("start", "web")
    holdport.ok("stop", "web")
    starting = holdport.spawn("start", "-c", holdport.config, "--all")
    holdport.await_(lambda s: all(p["state"] == "starting" for p in s["programs"]))
    assert not holdport.program("web")["generations"]
    flag.touch()
    assert starting.wait(timeout=20) == 0
    assert holdport.program("web")["state"] == "running"


def test_a_restart_waits_for_nobody(holdport):
    flag = holdport.dir / "flag"
    flag.touch()
    with_gated_first(holdport, flag)
    holdport.run()
    holdport.await_("web")
    flag.unlink()
    holdport.ok("stop", "db")           # alone: who is after it stays
    assert holdport.program("web")["state"] == "running"
    holdport.ok("start", "--no-wait", "db")
    holdport.await_("db", "starting")
    holdport.ok("restart", "web")
    assert holdport.program("db")["state"] == "starting"


def ordered(holdport):
    """c after b after a, a and b free to go as soon as they are told."""
    write(holdport, a=((), STUBBORN), b=((), STUBBORN + "after = a\n"),
          c=(("--ignore-term",), STUBBORN + "after = b\n"), d=((), STUBBORN))
    holdport.run()
    for name in "abcd":
        holdport.await_(name)
    return {name: holdport.pids(name)[0] for name in "abcd"}


def in_order(events):
    """Each was told to stop when the one after it was gone."""
    for follower, first in (("c", "b"), ("b", "a")):
        [gone] = numbers(events, follower, "worker", "gone")
        [told] = numbers(events, first, "worker", "draining")
        assert gone < told


@pytest.mark.parametrize("words", [["shutdown"], ["stop", "--all"], ["stop", "a", "b", "c", "d"]])
def test_who_is_after_another_goes_first(holdport, words):
    pids = ordered(holdport)
    events = watch(holdport)
    stopping = holdport.spawn(*words, "-c", holdport.config)
    eventually(lambda: not alive(pids["d"]), what="who is in no order goes at once")
    holdport.await_(lambda s: s["programs"][0]["last_error"] == "stops when b is gone (after)")
    assert holdport.program("a")["state"] == "stopping"
    assert holdport.program("b")["last_error"] == "stops when c is gone (after)"
    assert alive(pids["a"]) and alive(pids["b"])
    os.kill(pids["c"], signal.SIGKILL)
    events.await_(lambda e: (e["name"], e["what"], e["state"]) == ("a", "worker", "gone"))
    in_order(events)
    assert stopping.wait(timeout=20) == 0


def test_a_second_term_gives_the_order_up(holdport):
    pids = ordered(holdport)
    holdport.process.send_signal(signal.SIGTERM)
    eventually(lambda: holdport.signals(pids["c"]) == ["TERM"])
    assert holdport.signals(pids["a"]) == []
    holdport.process.send_signal(signal.SIGTERM)    # c: KILL; the others: their first
    assert holdport.process.wait(timeout=20) == 0
    assert holdport.signals(pids["a"]) == holdport.signals(pids["b"]) == ["TERM"]


def test_quit_waits_for_no_order(holdport):
    pids = ordered(holdport)
    holdport.process.send_signal(signal.SIGQUIT)
    assert holdport.process.wait(timeout=20) == 0
    assert not any(map(alive, pids.values()))


def test_shutdown_timeout_ends_those_that_wait_too(holdport):
    pids = ordered(holdport)
    holdport.config.write_text(holdport.config.read_text().replace(
        "[supervisor]\n", "[supervisor]\nshutdown_timeout = 300ms\n"))
    holdport.ok("reload")
    assert holdport.shutdown() == 0
    assert not any(map(alive, pids.values()))


def test_one_that_waits_for_its_end_can_be_started_again(holdport):
    pids = ordered(holdport)
    stopping = holdport.spawn("stop", "-c", holdport.config, "--all")
    holdport.await_(lambda s: s["programs"][0]["last_error"] == "stops when b is gone (after)")
    holdport.ok("start", "a")
    assert holdport.program("a")["state"] == "running"
    os.kill(pids["c"], signal.SIGKILL)
    assert stopping.wait(timeout=20) == 1
    assert holdport.program("b")["state"] == "stopped"
    assert holdport.program("a")["state"] == "running"


def test_a_reload_adds_and_removes_in_order(holdport):
    flag = holdport.dir / "flag"
    write(holdport, other=((), ""))
    holdport.run()
    holdport.await_("other")
    with_gated_first(holdport, flag, other=((), ""))
    reloading = holdport.spawn("reload", "-c", holdport.config)
    holdport.await_(lambda s: [p["last_error"] for p in s["programs"]] ==
                    ["starts when db is proved (after)", None, None])
    flag.touch()
    assert reloading.wait(timeout=20) == 0
    events = watch(holdport)
    write(holdport, other=((), ""))
    holdport.ok("reload")
    events.await_(lambda e: (e["name"], e["state"]) == ("db", "removed"))
    [gone], [told] = (numbers(events, "web", "worker", "gone"),
                      numbers(events, "db", "worker", "draining"))
    assert gone < told


def test_a_successor_keeps_the_order(holdport):
    flag = holdport.dir / "flag"
    with_gated_first(holdport, flag, last=(("--ignore-term",), STUBBORN + "after = web\n"))
    holdport.run()
    holdport.await_(lambda s: s["programs"][0]["last_error"])
    holdport.kill_manager()
    assert holdport.program("web")["last_error"] == "starts when db is proved (after)"
    flag.touch()
    holdport.await_("last")
    stopping = holdport.spawn("stop", "-c", holdport.config, "--all")
    [last] = holdport.pids("last")
    eventually(lambda: holdport.signals(last) == ["TERM"])
    holdport.kill_manager()
    holdport.await_(lambda s: s["programs"][0]["last_error"] == "stops when last is gone (after)")
    [web] = holdport.pids("web")
    assert holdport.signals(web) == []
    os.kill(last, signal.SIGKILL)
    for name in ("last", "web", "db"):
        holdport.await_(name, "stopped")
    stopping.wait(timeout=20)


@pytest.mark.parametrize("line, fault", [
    ("after = dbx", "after: there is no [program:dbx]; did you mean \"db\"?"),
    ("after = web", "after: it waits for itself"),
    ("after = db", "after: db waits for web, which waits for db: none of them can be the first")])
def test_an_order_that_cannot_be_is_a_fault_with_its_line(holdport, line, fault):
    holdport.write_config(f"""\
        [program:web]
        command = /bin/true
        {line}
        [program:db]
        command = /bin/true
        {"after = web" if line == "after = db" else ""}
        """)
    said = holdport.cmd("check")
    assert said.code == USAGE
    assert said.err.strip() == f"{holdport.config}:{8 if 'circle' in fault or 'none of' in fault else 5}: {fault}"
