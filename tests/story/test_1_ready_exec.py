"""ready = exec:COMMAND: a command that is run until it ends with 0."""

import os

from holdport import FAILED, alive, eventually, get


def proved_by(holdport):
    return holdport.program("web")["generations"][-1]["proved_by"]


def script(holdport, text, name="check"):
    path = holdport.dir / name
    path.write_text("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def test_it_is_run_until_it_ends_with_0(holdport):
    tries = holdport.dir / "tries"
    check = script(holdport, f"echo run >>{tries}; test $(wc -l <{tries}) -ge 4")
    address = holdport.run_web("--deaf", section=f"ready = exec:{check}\n")
    assert proved_by(holdport) == "exec"
    assert len(lines(tries)) == 4
    assert address


def test_it_knows_the_worker_and_asks_it(holdport):
    said = holdport.dir / "said"
    check = script(holdport, f"""\
echo "$1 $HOLDPORT_PID $HOLDPORT_PROGRAM $HOLDPORT_SLOT $MINE $PWD" >{said}
env | grep -E '^(LISTEN_|SERVER_STARTER_|NOTIFY_SOCKET)' >>{said}
ls -l /proc/self/fd | grep -c socket: >>{said}
exit 0
""")
    holdport.run_web(section=f"""\
        ready = exec:{check} "a word ${{port:http}}"
        environment = MINE=yes
        """)
    [pid] = holdport.pids("web")
    port = holdport.socket("http")["listen"].rsplit(":")[-1]
    assert lines(said) == [f"a word {port} {pid} web 0 yes {holdport.dir}", "0"]


def test_a_run_that_hangs_blocks_nobody_and_ends_with_the_attempt(holdport):
    pids = holdport.dir / "pids"
    check = script(holdport, f"sleep 1000 & echo $$ $! >>{pids}; wait")
    other = holdport.worker("--notify", "--no-socket")
    holdport.write_web(section=f"""\
        ready = exec:{check}
        start = manual
        start_timeout = 700ms
        start_attempts = 1
        """, more=f"[program:other]\ncommand = {other}\nready = notify\n")
    holdport.run()
    holdport.ok("start", "--no-wait", "web")
    eventually(lambda: lines(pids))
    holdport.await_("other")
    said = holdport.cmd("wait", "web", "--state", "running")
    assert said.code == FAILED
    assert "start_timeout" in holdport.log()
    for pid in lines(pids)[0].split():
        eventually(lambda: not alive(int(pid)))


def test_why_it_failed_last_is_said(holdport):
    holdport.write_web(section="""\
        ready = exec:sh -c 'exit 7'
        start = manual
        start_timeout = 300ms
        start_attempts = 1
        """)
    holdport.run()
    said = holdport.cmd("start", "web")
    assert said.code == FAILED
    assert "the last run of its readiness command: ended with exit status 7" in said.out


def test_a_command_that_is_not_there_is_named(holdport):
    holdport.write_web(section="ready = exec:no-such-command\nstart_attempts = 1\n"
                               "start = manual\n")
    holdport.run()
    said = holdport.cmd("start", "web")
    assert said.code == FAILED
    assert 'ready = exec: command "no-such-command" was not found' in said.out


def test_a_worker_that_ends_takes_its_check_along(holdport):
    pids = holdport.dir / "pids"
    check = script(holdport, f"echo $$ >>{pids}; exec sleep 1000")
    holdport.write_web(section=f"""\
        ready = exec:{check}
        start_attempts = 1
        restart = never
        start = manual
        """)
    holdport.run()
    start = holdport.spawn("start", "web", "-c", holdport.config)
    eventually(lambda: pids.exists() and lines(pids), what="the check runs")
    holdport.ok("signal", "web", "KILL")
    assert start.wait(timeout=20) == FAILED
    eventually(lambda: not alive(int(lines(pids)[0])))


def test_what_the_check_leaves_behind_goes_with_it(holdport):
    pids = holdport.dir / "pids"
    check = script(holdport, f"sleep 1000 & echo $! >{pids}; exit 0")
    address = holdport.run_web(section=f"ready = exec:{check}\n")
    assert get(address) == "worker"
    eventually(lambda: not alive(int(lines(pids)[0])))


def test_a_shutdown_during_a_check_is_orderly(holdport):
    pids = holdport.dir / "pids"
    check = script(holdport, f"echo $$ >{pids}; exec sleep 1000")
    holdport.write_web(section=f"ready = exec:{check}\n")
    holdport.run()
    eventually(lambda: lines(pids))
    assert holdport.shutdown() == 0
    eventually(lambda: not alive(int(lines(pids)[0])))


def test_a_reload_changes_it_for_the_next_generation(holdport):
    address = holdport.run_web(section="ready = exec:true\n")
    holdport.write_web(address=address, section="ready = exec:false\nstart_timeout = 300ms\n")
    assert "live" in holdport.ok("reload").out
    assert holdport.cmd("restart", "web").code == FAILED
    assert get(address) == "worker"
    assert "ready = exec:false" in holdport.ok("config").out


def test_its_words_are_checked_with_the_file(holdport):
    holdport.write_web(section="ready = exec:curl ${port:nothing}\n")
    said = holdport.cmd("check")
    assert said.code == 2
    assert '"nothing" is not among the program\'s sockets' in said.out + said.err
    holdport.write_web(section="ready = exec:\n")
    assert "a command is needed" in holdport.cmd("check").err
