"""Keeper and manager are killed at once: the next `run` finds what lives."""

import os
import signal
import subprocess

import pytest

from holdport import (CAP_SYS_PTRACE, NOBODY, SUPPORT, alive, descendants, eventually, get,
                      kill)

pytestmark = pytest.mark.load


def inodes(holdport):
    return [s["inode"] for s in holdport.status()["sockets"]]


def test_the_next_run_takes_workers_and_sockets_back(holdport):
    address = holdport.run_web("--notify", section="workers = 2")
    holdport.ok("restart", "web")
    holdport.await_(lambda s: [g["number"] for g in s["programs"][0]["generations"]] == [2])
    before, pids = inodes(holdport), holdport.pids("web")
    with holdport.load(address, "--rate", 200) as load:
        holdport.kill_both()
        holdport.run()
        holdport.await_("web")
    load.expect(failed=0, refused=0)
    assert inodes(holdport) == before
    assert holdport.pids("web") == pids
    assert holdport.program("web")["generation"] == 2
    assert holdport.socket("http")["origin"] == "recovered"
    assert "2 of its workers live, 1 sockets are taken back" in holdport.log()
    with holdport.load(address, "--rate", 200) as load:
        holdport.ok("restart", "web")
        holdport.await_replaced("web", pids)
    load.expect(failed=0, refused=0)
    assert holdport.program("web")["generation"] == 3
    assert inodes(holdport) == before


def test_it_may_happen_again(holdport):
    address = holdport.run_web("--notify")
    pids = holdport.pids("web")
    for _ in range(3):
        holdport.kill_both()
        holdport.run()
    holdport.kill_keeper()
    assert holdport.pids("web") == pids
    assert get(address) == "worker"


def test_one_that_takes_them_back_may_be_killed_before_it_has(holdport):
    """It has them from the workers, and has written nothing down yet."""
    address = holdport.run_web("--notify", section="workers = 2")
    before, [first, second] = inodes(holdport), holdport.pids("web")
    holdport.kill_both()
    hang = holdport.dir / "hang"
    hang.touch()
    with open(holdport.output, "ab") as out:
        holdport.process = holdport.spawn("run", "-c", holdport.config, stdout=out, stderr=out,
                                          env={**holdport.env, "HOLDPORT_HANG": str(hang),
                                               "HOLDPORT_FAIL": "mkdir@notify:HANG:1",
                                               "LD_PRELOAD": str(SUPPORT / "libfail.so")})
    eventually(lambda: "2 of its workers live" in holdport.log(), what=holdport.log)
    [manager] = eventually(lambda: [*descendants(holdport.pid)])
    kill(first)
    os.waitpid(first, 0)
    hang.unlink()
    kill(manager)
    eventually(holdport.answer)
    holdport.await_(lambda s: s["programs"][0]["ready"] == 2)
    assert second in holdport.pids("web")
    assert inodes(holdport) == before
    assert get(address) == "worker"


def test_the_output_of_workers_is_read_again(holdport):
    holdport.run_web("--notify", "--print", "first")
    [pid] = holdport.pids("web")
    holdport.kill_both()
    flags = os.open(f"/proc/{pid}/fd/2", os.O_WRONLY)
    os.write(flags, b"meanwhile\n")
    os.close(flags)
    holdport.run()
    eventually(lambda: "web/1/0: meanwhile" in holdport.log(), what=holdport.log)


def test_what_a_worker_says_afterwards_is_heard(holdport):
    holdport.run_web("--notify")
    [worker] = holdport.reports()
    holdport.kill_both()
    holdport.run()
    say = "import os, socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(" \
          "b'STATUS=later', sys.argv[1])"
    path = holdport.runtime_dir / "notify" / "web.0"
    subprocess.run(["/usr/bin/python3", "-c", say, str(path)], check=True)
    holdport.await_(lambda s: s["programs"][0]["generations"][0]["workers"][0]["status"]
                    == "later")


SAYS_IT_TO_NOBODY = """\
#!/bin/bash
trap '' PIPE
exec 2>/dev/null
read go <{dir}/go
echo >&5
exec 5>&-
echo >{dir}/said
while :; do read go <{dir}/go; done
"""


@pytest.mark.parametrize("ready", ["fd:5", "notify"])
def test_one_that_may_have_said_that_it_is_ready_is_started_anew(holdport, ready):
    """What it says while nobody of ours lives comes to nobody."""
    script, go, said = (holdport.dir / name for name in ("server", "go", "said"))
    script.write_text(SAYS_IT_TO_NOBODY.format(dir=holdport.dir))
    script.chmod(0o755)
    os.mkfifo(go)
    os.mkfifo(said)
    holdport.write_web(section=f"command = {script}\nready = {ready}")
    holdport.run()
    [pid] = eventually(lambda: holdport.pids("web"))
    eventually(lambda: os.readlink(f"/proc/{pid}/exe").endswith("bash"))
    holdport.kill_both()
    go.write_text("go\n")
    said.read_text()
    holdport.run()
    [new] = eventually(lambda: set(holdport.pids("web")) - {pid})
    assert "may have said while nobody was there to hear it" in holdport.log()
    eventually(lambda: holdport.take_orphans() or holdport.pids("web") == [new])
    assert not alive(pid)
    assert holdport.status()["supervisor"]["recoveries"] == 1


def test_exit_codes_are_known_where_the_kernel_tells(holdport):
    holdport.run_web("--notify", "--exit-code", 7)
    [pid] = holdport.pids("web")
    holdport.kill_both()
    holdport.run()
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    eventually(lambda: "exit status 7" in holdport.log(), what=holdport.log)
    holdport.await_replaced("web", [pid])


def test_a_worker_that_is_gone_is_replaced_and_its_socket_found_elsewhere(holdport):
    """What is left of it is not its child any more, and has the socket."""
    address = holdport.run_web("--notify", "--fork-child", section="kill_mode = process")
    before, [pid] = inodes(holdport), holdport.pids("web")
    holdport.kill_both()
    kill(pid)
    os.waitpid(pid, 0)
    holdport.run()
    holdport.await_("web")
    assert inodes(holdport) == before
    assert holdport.pids("web") != [pid]
    assert get(address) == "worker"
    holdport.leftovers_expected = True


def test_where_nothing_lives_it_starts_as_ever(holdport):
    address = holdport.run_web("--notify")
    [pid] = holdport.pids("web")
    holdport.kill_both()
    kill(pid)
    os.waitpid(pid, 0)
    holdport.run()
    holdport.await_("web")
    assert holdport.program("web")["generation"] == 1
    assert holdport.status()["supervisor"]["recoveries"] == 0
    assert get(address) == "worker"


def spoil_state(holdport, change):
    path = holdport.runtime_dir / "state"
    path.write_text(change(path.read_text()))


def with_another_boot(text):
    [boot] = {w for w in text.split() if w.startswith("boot=")}
    return text.replace(boot, 'boot="00000000-0000-0000-0000-000000000000"')


SPOILT = {
    "empty": lambda text: "",
    "nonsense": lambda text: "nonsense\n" + text,
    "torn": lambda text: text[:len(text) // 3],
    "of another boot": with_another_boot,
    "of a later format": lambda text: text.replace("format=1", "format=99"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_state_that_is_of_no_use_is_not_fatal(holdport, how):
    holdport.run_web("--notify")
    [pid] = holdport.pids("web")
    holdport.kill_both()
    spoil_state(holdport, SPOILT[how])
    holdport.run()
    assert alive(pid)
    assert holdport.status()["supervisor"]["recoveries"] == 0
    kill(pid)
    os.waitpid(pid, 0)
    holdport.await_("web")
    assert holdport.pids("web") != [pid]


def test_a_pid_that_is_another_process_by_now_is_not_touched(holdport):
    holdport.run_web("--notify", section="workers = 2")
    first, second = holdport.pids("web")
    stranger = holdport.spawn_python("import signal; signal.pause()")
    holdport.kill_both()
    kill(first)
    os.waitpid(first, 0)
    spoil_state(holdport, lambda text: text.replace(f" pid={first} ", f" pid={stranger.pid} "))
    holdport.run()
    holdport.await_(lambda s: s["programs"][0]["ready"] == 2)
    assert second in holdport.pids("web")
    holdport.ok("stop", "web")
    assert stranger.poll() is None


def test_an_edited_file_waits_for_a_reload(holdport):
    holdport.run_web("--notify", "--answer", "one")
    [pid] = holdport.pids("web")
    holdport.kill_both()
    holdport.config.write_text(holdport.config.read_text().replace("one", "two"))
    holdport.run()
    assert holdport.pids("web") == [pid]
    holdport.ok("reload")
    holdport.await_replaced("web", [pid])


def test_one_that_was_killed_on_its_way_out_begins_again(holdport):
    address = holdport.run_web("--notify", "--stop-delay", 3000)
    [pid], manager = holdport.pids("web"), holdport.manager_pid
    events = holdport.events()
    holdport.ok("shutdown", "--no-wait")
    events.await_(lambda e: e["what"] == "program" and e["state"] == "stopping")
    holdport.kill_both(manager)
    holdport.run()
    holdport.await_replaced("web", [pid])
    assert get(address) == "worker"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another")
def test_another_user_than_root_takes_his_own_back(holdport):
    address = holdport.write_web("--notify")
    os.chown(holdport.dir, NOBODY, NOBODY)
    holdport.user = NOBODY
    holdport.run(user=NOBODY)
    holdport.await_("web")
    before, pids = inodes(holdport), holdport.pids("web")
    assert os.stat(f"/proc/{pids[0]}").st_uid == NOBODY
    holdport.kill_both()
    holdport.run(user=NOBODY)
    holdport.kill_keeper()
    assert inodes(holdport) == before
    assert holdport.pids("web") == pids
    assert get(address) == "worker"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another")
def test_what_may_not_be_taken_is_named_with_the_reason(holdport):
    holdport.dir.chmod(0o755)
    address = holdport.write_web(section=f"""\
        command = {holdport.worker("--notify")}
        user = {NOBODY}
        """)
    holdport.run(lacks=CAP_SYS_PTRACE)
    holdport.await_("web")
    before, [pid] = inodes(holdport), holdport.pids("web")
    holdport.kill_both()
    holdport.run(lacks=CAP_SYS_PTRACE)
    assert f"socket http is not taken back: process {pid} is of user {NOBODY}, and we have no " \
           "CAP_SYS_PTRACE" in holdport.log()
    assert holdport.pids("web") == [pid]
    assert get(address) == "worker"
    assert holdport.socket("http")["state"] == "waiting"
    kill(pid)
    os.waitpid(pid, 0)
    holdport.await_(lambda s: s["sockets"][0]["state"] == "listening")
    holdport.await_replaced("web", [pid])
    assert get(address) == "worker"
    assert inodes(holdport) != before
