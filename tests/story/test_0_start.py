"""It starts, says what it is, ends; and what it answers when it cannot."""

import re
import signal

import pytest

from holdport import (ANOTHER_RUNS, DONE, NO_SUCH, NOT_RUNNING, USAGE, eventually, get)

TEXT, NUMBER, FLAG = str, int, bool
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")

# status --json, key by key; a tuple: one of these, None: null.
SUPERVISOR = {"version": TEXT, "keeper_pid": NUMBER, "manager_pid": NUMBER,
              "started": RFC3339, "config": (TEXT, None), "reloads": NUMBER,
              "upgrades": NUMBER, "recoveries": NUMBER, "abilities": dict}
PROGRAM = {"name": TEXT, "state": TEXT, "asleep": FLAG, "generation": NUMBER, "workers": NUMBER,
           "ready": NUMBER, "restarts": NUMBER, "last_error": (TEXT, None),
           "intercept": (TEXT, None), "health": (TEXT, None),
           "generations": list}
GENERATION = {"number": NUMBER, "state": TEXT, "proved_by": (TEXT, None), "workers": list}
WORKER = {"index": NUMBER, "slot": NUMBER, "pid": (NUMBER, None), "state": TEXT,
          "started": RFC3339, "connections": (NUMBER, None), "status": (TEXT, None),
          "health": (TEXT, None)}
SOCKET = {"name": TEXT, "index": NUMBER, "listen": TEXT, "type": TEXT, "state": TEXT,
          "origin": TEXT, "inode": (NUMBER, None), "queue": (NUMBER, None),
          "backlog": (NUMBER, None), "reason": (TEXT, None),
          "free_after_s": (NUMBER, float, None), "free_before_s": (NUMBER, float, None)}


def has_shape(thing, shape):
    assert set(thing) == set(shape)
    for key, kinds in shape.items():
        value = thing[key]
        if isinstance(kinds, re.Pattern):
            assert kinds.match(value), (key, value)
            continue
        kinds = kinds if isinstance(kinds, tuple) else (kinds,)
        assert type(value) in [type(None) if k is None else k for k in kinds], (key, value)


def one_worker(holdport, *options, ready="auto"):
    address = f"127.0.0.1:{holdport.port()}"
    holdport.write_config(f"""\
        [socket:http]
        listen = {address}
        [program:web]
        command = {holdport.worker("--notify", "--answer", "v1", *options)}
        sockets = http
        ready = {ready}
        """)
    return address


def test_a_program_is_started_and_serves(holdport):
    address = one_worker(holdport)
    holdport.run()
    holdport.await_("web")
    assert get(address) == "v1"
    assert int(get(address, "/pid")) == holdport.pids("web")[0]
    assert holdport.cmd("status").code == DONE


def test_status_has_every_key_of_the_interface(holdport):
    address = one_worker(holdport, "--status", "all is well", ready="notify")
    holdport.run()
    holdport.await_("web")
    status = holdport.status()
    assert set(status) == {"supervisor", "programs", "sockets"}
    has_shape(status["supervisor"], SUPERVISOR)
    assert all(type(can) is bool for can in status["supervisor"]["abilities"].values())
    [program], [socket] = status["programs"], status["sockets"]
    has_shape(program, PROGRAM)
    assert (program["name"], program["state"], program["generation"]) == ("web", "running", 1)
    [generation] = program["generations"]
    has_shape(generation, GENERATION)
    assert (generation["state"], generation["proved_by"]) == ("current", "notify")
    [worker] = generation["workers"]
    has_shape(worker, WORKER)
    assert (worker["state"], worker["status"]) == ("serving", "all is well")
    has_shape(socket, SOCKET)
    assert (socket["listen"], socket["state"], socket["origin"]) == (address, "listening", "bound")


def test_shutdown_ends_all_and_run_exits_0(holdport):
    one_worker(holdport)
    holdport.run()
    holdport.await_("web")
    assert holdport.shutdown() == 0
    assert holdport.cmd("status").code == NOT_RUNNING


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_shuts_down_and_run_exits_0(holdport, number):
    one_worker(holdport)
    holdport.run()
    holdport.await_("web")
    holdport.process.send_signal(number)
    assert holdport.process.wait(timeout=20) == 0


def test_a_second_run_is_refused_and_names_the_first(holdport):
    one_worker(holdport)
    first = holdport.run()
    second = holdport.run_to_end()
    assert second.code == ANOTHER_RUNS
    pids = {first.pid, holdport.status()["supervisor"]["manager_pid"]}
    assert any(re.search(rf"\b{pid}\b", second.err) for pid in pids), second
    assert holdport.process.poll() is None


@pytest.mark.parametrize("command", ["status", "events", "reload", "shutdown"])
def test_without_a_supervisor_a_command_exits_7(holdport, command):
    one_worker(holdport)
    result = holdport.cmd(command)
    assert result.code == NOT_RUNNING
    assert result.err


@pytest.mark.parametrize("command", [
    ["status", "nobody"], ["restart", "nobody"], ["stop", "nobody"], ["start", "nobody"]])
def test_a_program_that_is_not_there_exits_6_and_is_named(holdport, command):
    one_worker(holdport)
    holdport.run()
    result = holdport.cmd(*command)
    assert result.code == NO_SUCH
    assert "nobody" in result.err


@pytest.mark.parametrize("words", [
    ["frobnicate"], ["status", "--frobnicate"], ["restart"], ["wait", "web"], []])
def test_wrong_usage_exits_2_and_says_why(holdport, words):
    result = holdport.plain(*words)
    assert result.code == USAGE
    assert result.err


@pytest.mark.parametrize("words, hint", [
    (["frobnicate"], "holdport help"), (["restrat", "web"], '"restart"'),
    (["run", "web.conf"], "-c web.conf"), (["check", "web.conf"], "-c web.conf"),
    (["reload", "web"], "restart web"), (["shutdown", "web"], "stop web"),
    (["scale", "web"], "NAME N"), (["wait", "web", "more", "--state", "running"], '"more"'),
    (["exec", "--ready", "tcp", "--", "true"], "--ready=tcp"), (["exec", "-x", "true"], "-l ADDR"),
    (["exec", "--intercept", "--", "./own"], "--intercept -l 8080 -- ./own"),
    (["exec", "--interceptt", "-l", "1", "--", "true"], "-l ADDR, --intercept and"),
    (["exec"], "-- ./server")])
def test_a_mistake_is_answered_with_what_would_be_right(holdport, words, hint):
    said = holdport.plain(*words)
    assert said.code == USAGE
    assert hint in said.err, said


def test_help_of_exec_says_what_its_options_are(holdport):
    said = holdport.plain("help", "exec")
    assert "-l ADDR" in said.out and "config --reference" in said.out and "--ready=" in said.out


def test_a_faulty_file_exits_2_with_every_fault_and_its_line(holdport):
    holdport.config.write_text("[program:web]\n"
                               "comand = /bin/true\n"
                               "workers = zero\n")
    for command in ("check", "run"):
        result = holdport.cmd(command)
        assert result.code == USAGE, result
        assert f"{holdport.config}:2: " in result.err + result.out
        assert f"{holdport.config}:3: " in result.err + result.out
        assert "command" in result.err + result.out     # the nearest known name


def test_a_missing_file_exits_2(holdport):
    result = holdport.cmd("run")
    assert result.code == USAGE
    assert str(holdport.config) in result.err


def test_a_worker_that_dies_is_replaced(holdport):
    address = one_worker(holdport, "--die-after-requests", 1)
    holdport.run()
    holdport.await_("web")
    old = holdport.pids("web")
    assert get(address) == "v1"
    holdport.await_replaced("web", old)
    assert holdport.program("web")["restarts"] == 1
    eventually(lambda: get(address) == "v1")
