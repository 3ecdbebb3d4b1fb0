"""A server behind a shell: LISTEN_PID is the shell's, and what helps."""

import os
import subprocess

import pytest

from holdport import BUILD, FAILED, eventually, get

LISTEN_PID = BUILD / "bin/holdport-listen-pid"
HINT = "a process below the worker has the worker's LISTEN_PID"


def wrapper(holdport, text):
    path = holdport.dir / "wrapper"
    path.write_text("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


def server(holdport, *options):
    return holdport.worker("--from", "listen-fds", *options)


def test_behind_a_shell_the_helper_puts_listen_pid_right(holdport):
    # "; true": a shell that has more to do cannot exec its last command
    path = wrapper(holdport, f"{LISTEN_PID} {server(holdport, '--notify')}; true\n")
    address = holdport.run_web(section=f"command = {path}\nkill_mode = group\nready = notify\n")
    assert get(address) == "worker"
    assert get(address, "/env?LISTEN_PID") == get(address, "/pid")
    assert HINT not in holdport.log()


def test_without_it_the_log_says_what_is_wrong_once(holdport):
    other = f"127.0.0.1:{holdport.port()}"
    path = wrapper(holdport, f"{server(holdport, '--bind', other)}; true\n")
    holdport.run_web(section=f"command = {path}\nkill_mode = group\n"
                             "strategy = replace\n")
    assert holdport.program("web")["generations"][0]["proved_by"] == "alive"
    eventually(lambda: HINT in holdport.log())
    assert "holdport-listen-pid" in holdport.log()
    holdport.ok("restart", "web")
    assert holdport.log().count(HINT) == 1


@pytest.mark.parametrize("options", [["--deaf"], ["--deaf", "--fork-child"]])
def test_others_that_are_only_alive_get_no_hint(holdport, options):
    holdport.run_web(section=f"command = {server(holdport, *options)}\n")
    assert holdport.program("web")["generations"][0]["proved_by"] == "alive"
    path = wrapper(holdport, f"exec {server(holdport, *options)}\n")
    holdport.write_web(address=holdport.socket("http")["listen"], section=f"command = {path}\n")
    holdport.ok("reload")
    assert HINT not in holdport.log()


@pytest.mark.parametrize("how", ["script", "sh -c"])
def test_one_that_meets_its_own_address_is_told_of_the_helper(holdport, how):
    address = f"127.0.0.1:{holdport.port()}"
    line = f"{server(holdport, '--bind', address)}; exit 3"
    command = wrapper(holdport, line) if how == "script" else f"/bin/sh -c '{line}'"
    holdport.write_web(address=address, section=f"""\
        command = {command}
        start = manual
        start_attempts = 1
        """)
    holdport.run()
    said = holdport.cmd("start", "web")
    assert said.code == FAILED
    assert "this program binds for itself" in said.out
    assert "behind a shell it takes none unless it is started with exec" in said.out


def helper(*words, **env):
    done = subprocess.run([LISTEN_PID, *words], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], **env})
    return done.returncode, done.stdout, done.stderr


def test_the_helper_says_what_is_wrong_as_a_shell_does(holdport):
    code, _, err = helper()
    assert code == 2 and err.startswith("usage: holdport-listen-pid")
    code, _, err = helper("no-such-command")
    assert code == 127 and "no-such-command" in err
    code, _, err = helper(str(holdport.dir))
    assert code == 126
    assert helper("sh", "-c", "exit 9")[0] == 9
    # it makes nothing up where nobody handed sockets
    assert helper("sh", "-c", "echo ${LISTEN_PID-none}")[1] == "none\n"
    code, out, _ = helper("sh", "-c", "echo $LISTEN_PID $$", LISTEN_FDS="1", LISTEN_PID="1")
    assert len(set(out.split())) == 1
