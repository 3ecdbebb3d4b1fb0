"""Configurations that follow each other faster than what they name can end."""

import pytest

from holdport import DONE, FAILED, USAGE, connect, end, get, stranger
from test_2_reload import plan


def test_a_program_that_comes_back_while_its_removal_drains(holdport):
    address = holdport.run_web("--notify", "--stop-delay", 600)
    [old] = holdport.pids("web")
    full = holdport.config.read_text()
    holdport.config.write_text(full[:full.index("[program")])
    holdport.ok("reload", "--no-wait")
    holdport.config.write_text(full)
    holdport.ok("reload", "--no-wait")
    assert get(address) == "worker"
    holdport.await_(lambda s: len(s["programs"][0]["generations"]) == 1)
    assert old not in holdport.pids("web")
    assert len(holdport.status()["programs"]) == 1


def test_a_socket_that_is_removed_and_added_again_is_the_same_while_it_drains(holdport):
    address = holdport.run_web("--notify", "--stop-delay", 600)
    inode = holdport.socket("http")["inode"]
    full = holdport.config.read_text()
    holdport.config.write_text(full[:full.index("[socket")])
    holdport.ok("reload", "--no-wait")
    holdport.config.write_text(full)
    holdport.ok("reload")
    assert holdport.socket("http")["inode"] == inode
    assert get(address) == "worker"


def test_a_generation_that_fails_is_tried_again_by_the_next_reload(holdport):
    flag = holdport.dir / "flag"
    address = holdport.run_web("--notify")
    old = holdport.pids("web")
    holdport.write_web(address=address, section=(
        f'command = sh -c "test -e {flag} || exit 9; exec $$0 --notify --answer new"\n'
        f"    {holdport.worker()}\n"))
    assert holdport.cmd("reload").code == FAILED
    assert holdport.pids("web") == old
    assert holdport.cmd("status").code == DONE
    assert holdport.cmd("reload").code == FAILED     # it is not forgotten
    flag.touch()
    holdport.ok("reload")
    assert get(address) == "new"


def test_back_to_what_runs_after_a_failure_is_nothing_to_do(holdport):
    address = holdport.run_web("--notify")
    old = holdport.pids("web")
    holdport.write_web("--die-at-start", 1, address=address)
    assert holdport.cmd("reload").code == FAILED
    holdport.write_web("--notify", address=address)
    assert plan(holdport.ok("reload"))[("program", "web")] == "keep"
    assert holdport.pids("web") == old


def test_a_socket_removed_under_generations_that_still_drain(holdport):
    # Three configurations are alive at once, and end in another order.
    extra = f"127.0.0.1:{holdport.port()}"
    more = f"[socket:extra]\nlisten = {extra}\n"
    address = holdport.write_web("--notify", "--stop-delay", 1500, more=more)
    holdport.config.write_text(holdport.config.read_text().replace(
        "sockets = http", "sockets = http, extra"))
    holdport.run()
    holdport.await_("web")
    [slow] = holdport.pids("web")
    holdport.write_web("--notify", address=address, more=more)
    holdport.config.write_text(holdport.config.read_text().replace(
        "sockets = http", "sockets = http, extra"))
    holdport.ok("reload")
    holdport.write_web("--notify", address=address)
    holdport.ok("reload")
    holdport.await_(lambda s: {g["number"] for g in s["programs"][0]["generations"]} == {1, 3})
    assert slow in holdport.pids("web")
    assert holdport.cmd("status").code in (0, 3)
    holdport.await_(lambda s: len(s["programs"][0]["generations"]) == 1)
    assert [s["name"] for s in holdport.status()["sockets"]] == ["http"]
    with pytest.raises(ConnectionRefusedError):
        connect(extra)


def test_a_refused_reload_after_a_readded_socket(holdport):
    # the socket is kept by a draining generation; the refused file names it again
    address = holdport.run_web("--notify", "--stop-delay", 1500)
    full = holdport.config.read_text()
    holdport.config.write_text(full[:full.index("[socket")])
    holdport.ok("reload")
    holdport.config.write_text(full + f"[socket:b]\nlisten = 127.0.0.1:{holdport.port()}\n"
                               "congestion = of-no-such\n")
    assert holdport.cmd("reload").code == USAGE
    assert holdport.cmd("status").code in (0, 3)
    holdport.config.write_text(full)
    holdport.ok("reload")
    assert get(address) == "worker"


def test_back_from_a_busy_address(holdport):
    address = holdport.run_web("--notify")
    port = holdport.port()
    somebody = stranger(port)
    full = holdport.config.read_text()
    holdport.write_web("--notify", address=address,
                       more=f"[socket:more]\nlisten = 127.0.0.1:{port}\n")
    holdport.config.write_text(holdport.config.read_text().replace(
        "sockets = http", "sockets = http, more"))
    holdport.ok("reload", "--no-wait")
    holdport.config.write_text(full)
    holdport.ok("reload", "--timeout", "8s")
    end(somebody)
    assert get(address) == "worker"
    assert holdport.cmd("status").code == 0
    holdport.await_("web")


def test_a_failed_program_comes_back_by_a_reload(holdport):
    address = holdport.write_web("--die-at-start", 1, section="start_attempts = 1")
    holdport.run()
    holdport.await_("web", "failed")
    holdport.write_web("--notify", address=address, section="start_attempts = 1")
    holdport.ok("reload", "--timeout", "8s")
    assert get(address) == "worker"
