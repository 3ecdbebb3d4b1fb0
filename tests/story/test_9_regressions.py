"""What was wrong once, and is not again."""

import signal

from holdport import FAILED, eventually, get


def test_ready_counts_as_heard_even_when_waiting_was_seen_first(holdport):
    # waits on its socket at once, says READY=1 later: the program does speak notify
    address = holdport.write_web(section="start_timeout = 1500ms\n" + (
        "command = /usr/bin/python3 " + str(holdport.dir / "s.py")))
    (holdport.dir / "s.py").write_text("""\
import os, select, socket, time
l = socket.socket(fileno=3)
p = select.epoll(); p.register(l, select.EPOLLIN); p.poll(0.3)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ["NOTIFY_SOCKET"])
s.send(b"READY=1\\nSTATUS=said"); p.poll()
time.sleep(60)
""")
    holdport.run()
    holdport.await_("web")
    holdport.await_(lambda status: status["programs"][0]["generations"][0]["workers"][0]["status"]
                    == "said")
    holdport.write_web("--answer", "silent", address=address, section="start_timeout = 1500ms")
    assert holdport.cmd("reload").code == FAILED


def test_an_address_can_be_added_to_a_section(holdport):
    address = holdport.run_web("--notify")
    inode = holdport.socket("http")["inode"]
    more = f"127.0.0.1:{holdport.port()}"
    holdport.write_web("--notify", address=f"{address}, {more}")
    holdport.ok("reload")
    assert get(more) == "worker"
    assert holdport.socket("http")["inode"] == inode


def test_a_scale_that_fails_goes_back_without_a_client_too(holdport):
    holdport.run_web(section="ready = notify\n" + only(holdport, 3) + "restart_delay = 20ms\n")
    holdport.ok("scale", "web", 5, "--no-wait")
    holdport.await_(lambda s: s["programs"][0]["workers"] == 1, seconds=8)


def only(holdport, count):
    tickets = holdport.dir / "tickets"
    tickets.mkdir()
    for n in range(count):
        (tickets / str(n)).touch()
    return (f'command = sh -c "for t in {tickets}/*; do rm $$t 2>/dev/null && exec $$0 --notify;'
            f' done; exit 6" {holdport.worker()}\n')


def test_ready_on_a_high_descriptor(holdport):
    holdport.run_web("--ready-fd", 300, section="ready = fd:300")
    assert holdport.program("web")["ready"] == 1


def test_removal_is_waited_for(holdport):
    address = holdport.run_web("--notify", "--stop-delay", 500)
    full = holdport.config.read_text()
    holdport.config.write_text(full[:full.index("[program")])
    holdport.ok("reload")
    assert not holdport.status()["programs"]


def test_usr1_opens_the_log_anew_and_what_usr2_does_is_in_it(holdport):
    log, moved = holdport.dir / "own.log", holdport.dir / "own.log.1"
    holdport.write_config(f"""\
        [supervisor]
        runtime_dir = {holdport.runtime_dir}
        log = {log}
        [program:web]
        command = {holdport.worker("--notify", "--bind", f"127.0.0.1:{holdport.port()}")}
        """)
    holdport.run()
    holdport.await_("web")
    log.rename(moved)
    holdport.process.send_signal(signal.SIGUSR1)
    eventually(log.exists)
    holdport.process.send_signal(signal.SIGUSR2)
    eventually(lambda: "supervises, in the place of" in log.read_text())
    assert "supervises, in the place of" not in moved.read_text()
