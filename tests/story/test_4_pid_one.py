"""holdport as the first process of a pid namespace, as in a container.

The kernel hands such a process every orphan, and gives it no signal that it has
no handler for.  `unshare` stands outside and ends as it does."""

import os
import signal
import subprocess

import pytest

from holdport import BUILD, DONE, PATIENCE, USAGE, _processes, eventually, get, kill

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root may make a namespace")

# An orphan says whom it came to, and ends when it is told to.
ORPHANS = """\
for i in 1 2 3 4 5; do
    (sh -c 'until [ "$(awk "/^PPid/ {print \\$2}" /proc/$$/status)" = 1 ]; do sleep 0.01; done
            echo 1 >>came; until [ -e go ]; do sleep 0.01; done; exit 3' &)
done
exec "$@"
"""


def first_process(holdport, *words):
    argv = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child",
            str(BUILD / "bin/holdport"), *map(str, words)]
    with open(holdport.output, "ab") as out:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                 env=holdport.env, cwd=holdport.dir, start_new_session=True)
    holdport._children.append(child)
    return child


def below(pid, state=None):
    return [p for p, (parent, s, _) in _processes().items()
            if parent == pid and (not state or s == state)]


@pytest.fixture
def inside(holdport):
    """Runs it there, until it answers; the pid of its first process as seen from here."""
    def run():
        holdport.process = first_process(holdport, "run", "-c", holdport.config)
        eventually(holdport._answers, what="the supervisor answers")
        return below(holdport.process.pid)[0]
    return run


def test_strangers_orphans_are_taken_and_our_own_keep_their_exit_status(holdport, inside):
    script = holdport.dir / "orphans.sh"
    script.write_text(ORPHANS)
    worker = holdport.worker("--notify", "--exit-code", 7)
    address = holdport.write_web(section=f"command = /bin/sh {script} {worker}\n"
                                         "kill_mode = process\nready = notify\n")
    first = inside()
    holdport.await_("web")
    came = holdport.dir / "came"
    eventually(lambda: came.exists() and came.read_text().count("1\n") == 5, what=holdport.log)
    orphans = set(below(first))
    assert len(orphans) == 6            # and the manager
    (holdport.dir / "go").touch()
    eventually(lambda: len(below(first)) == 1, what="they were taken")
    assert get(address) == "worker"
    get(address, "/pid")
    holdport.ok("signal", "web", "TERM")
    eventually(lambda: holdport.program("web")["restarts"] == 1)
    assert "exit status 7" in holdport.log()
    holdport.await_("web")
    assert holdport.shutdown() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_from_outside_ends_it_with_0(holdport, inside, number):
    holdport.write_web("--notify")
    first = inside()
    holdport.await_("web")
    os.kill(first, number)
    assert holdport.process.wait(timeout=PATIENCE) == 0


def test_a_worker_may_signal_the_first_process_as_kill_1(holdport, inside):
    log = holdport.dir / "log"
    holdport.write_web("--notify", more=f"[supervisor]\nruntime_dir = {holdport.runtime_dir}\n"
                                        f"log = {log}\n")
    first = inside()
    holdport.await_("web")

    def kill_1(word):       # which may end with the namespace
        subprocess.run(["nsenter", "-t", str(first), "-p", "-m", "/bin/kill", f"-{word}", "1"])

    log.rename(holdport.dir / "moved")
    kill_1("USR1")
    eventually(log.exists, what="the log is opened anew")
    kill_1("HUP")
    eventually(lambda: holdport.status()["supervisor"]["reloads"] == 1, what="it reloads")
    kill_1("KILL")                      # nothing inside can
    assert holdport.status()["supervisor"]["reloads"] == 1
    kill_1("TERM")
    assert holdport.process.wait(timeout=PATIENCE) == 0


def test_it_ends_with_the_exit_codes_of_run(holdport, new_holdport):
    holdport.write_web("--notify")
    holdport.run()
    assert first_process(holdport, "run", "-c", holdport.config).wait(timeout=PATIENCE) == 9
    other = new_holdport()
    other.write_web("--notify", section="workers = none\n")
    assert first_process(other, "run", "-c", other.config).wait(timeout=PATIENCE) == USAGE
    assert "workers" in other.log()


@pytest.mark.parametrize("command, code", [("exit 5", 5), ("kill -9 $$", 128 + 9), ("true", DONE)])
def test_exec_ends_as_its_command_did(holdport, command, code):
    child = first_process(holdport, "exec", f"--runtime-dir={holdport.runtime_dir}",
                          "--restart=never", "--", "sh", "-c", command)
    assert child.wait(timeout=PATIENCE) == code, holdport.log()


def test_its_end_is_the_end_of_all(holdport, inside):
    holdport.write_web("--notify", section="workers = 2")
    first = inside()
    holdport.await_("web")
    workers = below(below(first)[0])
    assert len(workers) == 2
    kill(first)
    holdport.process.wait(timeout=PATIENCE)
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))
