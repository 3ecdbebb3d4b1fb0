"""A configuration that changes under what runs."""

import signal

import pytest

from holdport import USAGE, connect, end, eventually, get, stranger


def plan(said):
    """{(what, name): action} of what `reload` printed."""
    return {tuple(words[1:3]): words[0] for words in
            (line.split() for line in said.out.splitlines()) if len(words) > 2
            and words[1] in ("socket", "program")}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(holdport):
    address = holdport.run_web("--notify", more=f"""\
        [program:extra]
        command = {holdport.worker("--no-socket", "--notify")}
        [socket:extra]
        listen = 127.0.0.1:{holdport.port()}
        """)
    holdport.await_("extra")
    before = holdport.status()
    holdport.write_web("--notify", "--answer", "new", address=address, socket="backlog = 7",
                       more=f"""\
        [program:fresh]
        command = {holdport.worker("--notify")}
        sockets = fresh
        [socket:fresh]
        listen = 127.0.0.1:{holdport.port()}
        """)
    said = holdport.ok("reload", "--dry-run")
    assert plan(said) == {("socket", "http"): "live", ("program", "web"): "restart",
                          ("socket", "extra"): "remove", ("program", "extra"): "remove",
                          ("socket", "fresh"): "add", ("program", "fresh"): "add"}
    assert "command" in said.out and "backlog" in said.out
    assert holdport.status() == before


def test_nothing_changed_is_nothing_done(holdport):
    holdport.run_web("--notify")
    before = holdport.pids("web")
    said = holdport.ok("reload")
    assert plan(said) == {("socket", "http"): "keep", ("program", "web"): "keep"}
    assert holdport.pids("web") == before
    assert holdport.status()["supervisor"]["reloads"] == 1


def test_kept_sockets_stay_and_others_come_and_go(holdport):
    gone, fresh = f"127.0.0.1:{holdport.port()}", f"127.0.0.1:{holdport.port()}"
    address = holdport.run_web("--notify", more=f"""\
        [socket:gone]
        listen = {gone}
        [program:gone]
        command = {holdport.worker("--notify")}
        sockets = gone
        """)
    holdport.await_("gone")
    inode, pids = holdport.socket("http")["inode"], holdport.pids("web")
    holdport.write_web("--notify", address=address, more=f"""\
        [socket:fresh]
        listen = {fresh}
        [program:fresh]
        command = {holdport.worker("--notify", "--answer", "fresh")}
        sockets = fresh
        """)
    holdport.ok("reload")
    assert get(fresh) == "fresh"
    holdport.await_(lambda s: [p["name"] for p in s["programs"]] == ["web", "fresh"])
    assert [s["name"] for s in holdport.status()["sockets"]] == ["http", "fresh"]
    with pytest.raises(ConnectionRefusedError):
        connect(gone)
    assert holdport.socket("http")["inode"] == inode
    assert holdport.pids("web") == pids


def test_a_changed_command_is_a_new_generation_on_the_same_socket(holdport):
    address = holdport.run_web("--notify")
    inode = holdport.socket("http")["inode"]
    holdport.write_web("--notify", "--answer", "new", address=address)
    holdport.ok("reload")
    assert get(address) == "new"
    assert holdport.socket("http")["inode"] == inode
    assert holdport.program("web")["generation"] == 2


def test_a_socket_may_change_its_name(holdport):
    address = holdport.run_web("--notify")
    inode = holdport.socket("http")["inode"]
    holdport.config.write_text(holdport.config.read_text().replace(
        "[socket:http]", "[socket:https]").replace("sockets = http", "sockets = https"))
    holdport.ok("reload")
    assert holdport.socket("https")["inode"] == inode
    assert holdport.reports()[-1]["environment"]["LISTEN_FDNAMES"] == "https"
    assert get(address) == "worker"


def test_live_keys_are_taken_over_without_a_restart(holdport):
    address = holdport.run_web("--notify", "--ignore-term", section="stop = TERM:60s KILL")
    [pid] = holdport.pids("web")
    holdport.write_web("--notify", "--ignore-term", address=address, socket="backlog = 99",
                       section="stop = USR1:20ms TERM:20ms KILL\nworkers = 2")
    said = holdport.ok("reload")
    assert plan(said)[("program", "web")] == "live"
    holdport.await_(lambda s: s["programs"][0]["ready"] == 2)
    assert pid in holdport.pids("web")
    assert holdport.program("web")["generation"] == 1
    assert holdport.socket("http")["backlog"] == 99
    holdport.ok("stop", "web")
    assert holdport.signals(pid) == ["USR1", "TERM"]


def test_live_socket_options_are_taken_back_too(holdport):
    address = holdport.run_web("--notify", socket="keep_alive = yes\nkeep_alive_idle = 30s")
    holdport.write_web("--notify", address=address, section="environment = A=1")
    holdport.ok("reload")
    [found] = holdport.reports()[-1]["sockets"]
    assert found["SO_KEEPALIVE"] == 0
    assert found["TCP_KEEPIDLE"] != 30


@pytest.mark.parametrize("way", ["command", "signal"])
def test_a_broken_file_is_refused_and_everything_goes_on(holdport, way):
    address = holdport.run_web("--notify")
    before = holdport.status()
    good = holdport.config.read_text()
    holdport.config.write_text(good + "worker = 3\n[program:x]\n")
    if way == "command":
        said = holdport.cmd("reload")
        assert said.code == USAGE
        assert "workers" in said.err and "nothing was changed" in said.err
    else:
        holdport.process.send_signal(signal.SIGHUP)
        eventually(lambda: "workers" in holdport.log(), what="the fault is logged")
    assert holdport.process.poll() is None
    assert get(address) == "worker"
    holdport.config.write_text(good)
    assert holdport.status() == before


def test_hup_reloads(holdport):
    address = holdport.run_web("--notify")
    holdport.write_web("--notify", "--answer", "new", address=address)
    holdport.process.send_signal(signal.SIGHUP)
    holdport.await_(lambda s: s["programs"][0]["generation"] == 2)
    assert get(address) == "new"


def test_a_new_address_that_a_stranger_has_is_waited_for(holdport):
    address = holdport.run_web("--notify")
    port = holdport.port()
    somebody = stranger(port)
    holdport.write_web("--notify", address=address, more=f"""\
        [socket:busy]
        listen = 127.0.0.1:{port}
        [program:busy]
        command = {holdport.worker("--notify", "--answer", "busy")}
        sockets = busy
        """)
    said = holdport.cmd("reload", "--timeout", "300ms")
    assert said.code == 8, said
    assert holdport.socket("busy")["state"] == "waiting"
    # at once, unless there are more processes than can be looked through at a time
    eventually(lambda: str(somebody.pid) in holdport.program("busy")["last_error"])
    assert get(address) == "worker"
    end(somebody)
    holdport.await_("busy")
    assert get(f"127.0.0.1:{port}") == "busy"


def test_a_running_program_whose_new_address_is_busy_serves_on(holdport):
    address = holdport.run_web("--notify")
    old, port = holdport.pids("web"), holdport.port()
    somebody = stranger(port)
    holdport.write_web("--notify", address=address,
                       more=f"[socket:more]\nlisten = 127.0.0.1:{port}\n")
    holdport.config.write_text(holdport.config.read_text().replace(
        "sockets = http", "sockets = http, more"))
    holdport.ok("reload", "--no-wait")
    assert holdport.pids("web") == old
    assert get(address) == "worker"
    end(somebody)
    holdport.await_replaced("web", old)
    assert get(f"127.0.0.1:{port}") == "worker"


def test_a_reload_that_cannot_hold_its_new_socket_changes_nothing(holdport):
    address = holdport.run_web("--notify")
    before = holdport.status()
    fresh = f"127.0.0.1:{holdport.port()}"
    holdport.write_web("--notify", "--answer", "new", address=address, socket="backlog = 5",
                       more=f"[socket:a]\nlisten = {fresh}\n[socket:b]\n"
                            f"listen = 127.0.0.1:{holdport.port()}\ncongestion = of-no-such\n")
    said = holdport.cmd("reload")
    assert said.code == USAGE, said
    assert "of-no-such" in said.err
    after = holdport.status()
    assert after["sockets"] == before["sockets"]
    assert after["programs"] == before["programs"]
    with pytest.raises(ConnectionRefusedError):
        connect(fresh)
