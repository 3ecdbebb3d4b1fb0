"""What each command says, and with which exit code it ends."""

import json
import os
import signal
import subprocess

import pytest

from holdport import (BUILD, DONE, FAILED, NO_SUCH, NOT_ALL_RUNNING, NOT_RUNNING, TIMED_OUT,
                      USAGE, Result, connect, eventually, get)


@pytest.fixture
def running(holdport):
    holdport.address = holdport.run_web("--notify", section="ready = notify", more=f"""\
        [program:idle]
        command = {holdport.worker("--no-socket", "--notify")}
        start = manual
        """)
    return holdport


@pytest.mark.parametrize("words, code", [
    (["status"], NOT_ALL_RUNNING), (["status", "web"], DONE), (["status", "idle"], NOT_ALL_RUNNING),
    (["status", "http"], DONE), (["status", "web", "idle", "http"], NOT_ALL_RUNNING),
    (["status", "web", "web"], DONE), (["status", "web", "nobody"], NO_SUCH),
    (["wait", "web", "--state", "running"], DONE),
    (["wait", "web", "--state", "backoff", "--timeout", "200ms"], TIMED_OUT),
    (["wait", "web", "--state", "stopped", "--timeout", "200ms"], TIMED_OUT),
    (["wait", "web", "--state", "stopped", "--no-wait"], TIMED_OUT),
    (["wait", "web", "--state", "runing"], USAGE), (["wait", "nobody", "--state", "running"], NO_SUCH),
    (["signal", "web", "USR1"], DONE), (["signal", "web", "SIGUSR1"], DONE),
    (["signal", "web", "10"], DONE), (["signal", "web", "USR7"], USAGE),
    (["signal", "nobody", "USR1"], NO_SUCH), (["signal", "web"], USAGE),
    (["scale", "web", "2"], DONE), (["scale", "web", "two"], USAGE),
    (["scale", "web", "-1"], USAGE), (["scale", "web", "1001"], USAGE),
    (["scale", "nobody", "2"], NO_SUCH), (["scale", "web"], USAGE),
    (["start", "web"], DONE), (["start", "idle"], DONE), (["start", "--all"], DONE),
    (["start", "web", "nobody"], NO_SUCH), (["start"], USAGE), (["start", "web", "--all"], USAGE),
    (["stop", "idle"], DONE), (["stop", "web", "idle"], DONE), (["stop", "--all"], DONE),
    (["restart", "web"], DONE), (["restart", "idle"], DONE), (["restart", "--all"], DONE),
    (["restart", "web", "--no-wait"], DONE), (["restart", "http"], NO_SUCH),
    (["reload"], DONE), (["reload", "--dry-run"], DONE), (["reload", "web"], USAGE),
    (["events"], DONE), (["events", "--since", "3"], DONE), (["events", "--since", "x"], USAGE),
    (["check"], DONE), (["config"], DONE), (["shutdown"], DONE), (["shutdown", "--no-wait"], DONE),
    (["status", "--timeout", "soon"], USAGE), (["restart", "web", "--dry-run"], USAGE),
    (["version"], USAGE)], ids=lambda v: " ".join(v) if isinstance(v, list) else str(v))
def test_an_exit_code(running, words, code):
    said = running.cmd(*words[:1], *words[1:])
    assert said.code == code, said
    assert said.err or code in (DONE, FAILED, NOT_ALL_RUNNING), said


def test_names_stand_before_or_after_the_options(running):
    for words in (["restart", "--timeout", "9s", "web", "-c"], ["restart", "web", "--timeout=9s", "-c"],
                  ["--timeout", "9s", "restart", "web", "-c"]):
        assert running.plain(*words, running.config).code == DONE, words


def test_a_supervisor_is_found_by_file_directory_or_variable(running):
    for words, env in (
            (["status", "web", "-c", running.config], {}),
            (["status", "web", "--runtime-dir", running.runtime_dir], {}),
            (["status", "web"], {"HOLDPORT_CONFIG": str(running.config)}),
            (["status", "web", "-c", running.config], {"HOLDPORT_CONFIG": "/none"})):
        assert running.plain(*words, env=env).code == DONE, words
    assert running.plain("status", "--runtime-dir", running.dir / "none").code == NOT_RUNNING


def test_version(holdport):
    said = holdport.plain("version", "--json")
    assert said.json["version"] == holdport.plain("version").out.split()[-1]


def test_a_time_out_ends_the_waiting_and_not_the_work(running):
    running.write_web("--notify", "--start-delay", 700, address=running.address,
                      section="ready = notify")
    said = running.cmd("reload", "--timeout", "100ms")
    assert said.code == TIMED_OUT
    assert "goes on" in said.err
    running.await_(lambda s: s["programs"][0]["generation"] == 2)


def test_no_wait_answers_before_it_is_done(running):
    running.write_web("--notify", "--start-delay", 700, address=running.address,
                      section="ready = notify")
    running.ok("reload", "--no-wait")
    assert running.program("web")["generation"] == 1
    running.await_(lambda s: s["programs"][0]["generation"] == 2)


def test_of_several_names_the_worst_outcome_counts(holdport):
    holdport.write_web("--notify", more=f"""\
        [program:bad]
        command = {holdport.worker("--no-socket", "--die-at-start", 5)}
        start = manual
        start_attempts = 1
        """)
    holdport.run()
    holdport.await_("web")
    said = holdport.cmd("restart", "web", "bad", "--json")
    assert said.code == FAILED
    assert {r["name"]: r["ok"] for r in said.json["results"]} == {"web": True, "bad": False}
    assert holdport.cmd("wait", "bad", "--state", "running").code == FAILED


@pytest.mark.parametrize("words, key", [
    (["status"], "programs"), (["status", "web"], "programs")])
def test_json_is_json(running, words, key):
    assert key in running.cmd(*words, "--json").json


def test_events_are_numbered_and_can_be_asked_for_again(running):
    running.ok("restart", "web")
    running.await_(lambda s: len(s["programs"][0]["generations"]) == 1)    # the old one is gone
    lines = [json.loads(line) for line in running.ok("events", "--json").out.splitlines()]
    numbers = [e["seq"] for e in lines]
    assert numbers == list(range(1, len(numbers) + 1))
    later = [json.loads(line) for line in
             running.ok("events", "--json", "--since", numbers[4]).out.splitlines()]
    assert later == lines[5:]
    plain = running.ok("events").out.splitlines()
    assert len(plain) == len(lines)


def test_a_gap_in_the_events_is_said(running):
    last = json.loads(running.ok("events", "--json").out.splitlines()[-1])["seq"]
    for since in (0, 1, last - 1, last):
        said = running.ok("events", "--json", "--since", since)
        assert not said.err, said
        assert [json.loads(line)["seq"] for line in said.out.splitlines()] == \
            list(range(since + 1, last + 1))
    said = running.ok("events", "--json", "--since", last + 1)
    assert "earlier supervisor" in said.err
    assert len(said.out.splitlines()) == last
    # Each stop and start is some events more; a thousand are kept.
    while last < 1020:
        running.ok("stop", "idle")
        running.ok("start", "idle")
        last = json.loads(running.ok("events", "--json").out.splitlines()[-1])["seq"]
    said = running.ok("events", "--json", "--since", 3)
    seen = [json.loads(line)["seq"] for line in said.out.splitlines()]
    assert seen == list(range(last - 999, last + 1))
    assert f"{last - 1000 - 3} events after 3 are no longer kept" in said.err
    assert not running.ok("events", "--json").err


def test_status_in_words_has_what_matters(running):
    [pid] = running.pids("web")
    out = running.cmd("status").out
    for word in ("web", "idle", "http", "running", "stopped", str(pid), running.address):
        assert word in out, out
    assert "\033" not in out


def test_a_closed_output_is_a_failure_and_no_signal(running):
    for command in ("status", "config"):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BUILD / "bin/holdport", command, "-c", running.config],
                                  stdout=full, stderr=subprocess.PIPE, env=running.env)
        assert done.returncode == FAILED, (command, done)


def test_status_watches(running):
    out = running.dir / "watched"
    with open(out, "w") as into:
        watching = running.spawn("status", "--watch", "-c", running.config, stdout=into)
    eventually(lambda: str(running.pids("web")[0]) in out.read_text(), what="the first sight")
    running.ok("restart", "web")
    eventually(lambda: str(running.pids("web")[0]) in out.read_text(), what="the change")
    watching.terminate()     # not SIGINT, which whoever runs us may have ignored
    watching.wait(timeout=20)


# exec


def run_exec(holdport, *words, timeout=30):
    argv = [str(BUILD / "bin/holdport"), "exec", *map(str, words)]
    env = {**holdport.env, "XDG_RUNTIME_DIR": str(holdport.dir)}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, env=env,
                          stdin=subprocess.DEVNULL, cwd=holdport.dir)
    return Result(argv, done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("restart, command, code", [
    ("never", ["sh", "-c", "exit 0"], 0), ("never", ["sh", "-c", "exit 3"], 3),
    ("never", ["sh", "-c", "sleep 0.1; exit 255"], 255),
    ("never", ["sh", "-c", "kill -TERM $$"], 128 + 15),
    ("never", ["sh", "-c", "kill -KILL $$"], 128 + 9),
    ("on-failure", ["sh", "-c", "exit 0"], 0)])
@pytest.mark.parametrize("ready", ["auto", "delay:0"])
def test_exec_ends_as_its_command_did(holdport, restart, command, code, ready):
    said = run_exec(holdport, f"--restart={restart}", f"--ready={ready}", "--", *command)
    assert said.code == code, said


def test_exec_with_attempts_ends_with_the_last_one(holdport):
    said = run_exec(holdport, "--start-attempts=2", "--restart-delay=10ms", "--", "sh", "-c",
                    "exit 4")
    assert said.code == 4, said


@pytest.mark.parametrize("words, code", [
    (["--restart=never", "--", "no-such-command-anywhere"], FAILED),
    (["--restart=never"], USAGE), (["--no-such-key=1", "--", "true"], USAGE),
    (["-l"], USAGE), (["-l", "nonsense:nonsense", "--", "true"], USAGE),
    (["--listen"], USAGE), (["--listen="], USAGE), (["-l", "--", "true"], USAGE),
    (["--intercept", "--", "true"], USAGE),  # which addresses may it bind?
    (["--workers", "2", "--", "true"], USAGE)])
def test_exec_that_cannot_begin_says_why(holdport, words, code):
    said = run_exec(holdport, *words)
    assert said.code == code, said
    assert said.err


def test_exec_serves_and_ends_by_a_signal(holdport):
    address, path = f"127.0.0.1:{holdport.port()}", f"unix:{holdport.dir}/s"
    argv = [str(BUILD / "bin/holdport"), "exec", "-l", address, f"-l{path}", "--workers=2",
            "--stop=TERM:5s KILL", "--", *holdport.worker(
                "--notify", "--report", holdport.dir / "report",
                "--answer", "a$b;").replace("'", "").split()]
    with open(holdport.output, "ab") as out:
        child = subprocess.Popen(argv, stdout=out, stderr=out, env=holdport.env,
                                 stdin=subprocess.DEVNULL, cwd=holdport.dir)
    holdport._children.append(child)
    eventually(lambda: listens(address))
    assert get(address) == get(path) == "a$b;"
    eventually(lambda: len({r["pid"] for r in holdport.reports()}) == 2)
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=20) == 0
    assert not os.path.exists(holdport.dir / "s")


def listens(address):
    try:
        connect(address).close()
        return True
    except ConnectionRefusedError:
        return False
