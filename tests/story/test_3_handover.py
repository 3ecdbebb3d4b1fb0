"""The promise of the program: servers are restarted under load and no client
notices; killed, and no client is refused."""

import os
import signal
from dataclasses import replace

import pytest

from servers import ALL, GUNICORN, NGINX, NODE, WORKER

pytestmark = pytest.mark.load

RATE = ("--rate", 500, "--keep-alive", 50)

pairs = [pytest.param(server, strategy, id=f"{server.name}-{strategy}")
         for server in ALL for strategy in server.strategies]


def has_met_the_load(report):
    """The load was what it claims to be: 500 new connections every second."""
    assert report["new_connections"] >= 490 * report["seconds"], report
    assert report["keep_alive_requests"] > 0, report


@pytest.mark.parametrize("server, strategy", pairs)
def test_restarts_lose_no_request(holdport, restarts, server, strategy):
    address = f"127.0.0.1:{holdport.port()}"
    server.write_config(holdport, address, strategy)
    holdport.run()
    holdport.await_("web")
    inode = holdport.socket("http")["inode"]
    with holdport.load(address, *RATE, *server.load) as load:
        for _ in range(restarts):
            old = holdport.pids("web")
            holdport.ok("restart", "web")
            assert holdport.program("web")["state"] == "running"
            holdport.await_replaced("web", old)
            load.await_calm()
    has_met_the_load(load.report)
    load.expect(failed=0)
    assert set(load.report["by_answer"]) == {server.name}
    assert holdport.socket("http")["inode"] == inode
    assert holdport.program("web")["generation"] == 1 + restarts
    assert holdport.program("web")["restarts"] == 0


@pytest.mark.parametrize("server", ALL, ids=lambda s: s.name)
def test_workers_that_are_killed_leave_nobody_refused(holdport, restarts, server):
    address = f"127.0.0.1:{holdport.port()}"
    server.write_config(holdport, address)
    holdport.run()
    holdport.await_("web")
    inode = holdport.socket("http")["inode"]
    with holdport.load(address, *RATE, *server.load) as load:
        for _ in range(restarts):
            old = holdport.pids("web")
            for pid in old:
                os.kill(pid, signal.SIGKILL)
            holdport.await_replaced("web", old)
            load.await_calm()
    has_met_the_load(load.report)
    load.expect(refused=0, timed_out=0)
    assert holdport.socket("http")["inode"] == inode
    assert holdport.program("web")["restarts"] == restarts * len(old)


@pytest.mark.parametrize("server", [WORKER, NGINX, NODE, GUNICORN], ids=lambda s: s.name)
def test_a_reload_with_a_new_command_loses_no_request(holdport, server):
    address = f"127.0.0.1:{holdport.port()}"
    server.write_config(holdport, address)
    holdport.run()
    holdport.await_("web")
    inode = holdport.socket("http")["inode"]
    with holdport.load(address, *RATE, *server.load) as load:
        old = holdport.pids("web")
        server.write_config(holdport, address, more="environment = STORY=second\n")
        holdport.ok("reload")
        holdport.await_replaced("web", old)
    load.expect(failed=0)
    assert holdport.socket("http")["inode"] == inode
    assert holdport.program("web")["generation"] == 2


def test_a_new_generation_that_never_proves_leaves_the_old_one_serving(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    WORKER.write_config(holdport, address)
    holdport.run()
    holdport.await_("web")
    old = set(holdport.pids("web"))
    broken = replace(WORKER, section=WORKER.section.replace("--notify", "--die-at-start 3"))
    with holdport.load(address, *RATE) as load:
        broken.write_config(holdport, address, more="start_timeout = 3s\n")
        assert holdport.cmd("reload").code == 1
        assert set(holdport.pids("web")) >= old
        assert holdport.program("web")["last_error"]
    load.expect(failed=0)
    assert holdport.program("web")["generation"] == 1


def test_a_unix_socket_is_handed_over_too(holdport, restarts):
    address = f"unix:{holdport.dir}/web.sock"
    WORKER.write_config(holdport, address)
    holdport.run()
    holdport.await_("web")
    with holdport.load(address, *RATE) as load:
        for _ in range(restarts):
            holdport.ok("restart", "web")
    load.expect(failed=0)


@pytest.mark.parametrize("restarts_at_once", [4])
def test_restarts_during_a_restart_converge_and_lose_no_request(holdport, restarts_at_once):
    address = f"127.0.0.1:{holdport.port()}"
    WORKER.write_config(holdport, address)
    holdport.run()
    holdport.await_("web")
    with holdport.load(address, *RATE) as load:
        asked = [holdport.spawn("restart", "-c", holdport.config, "web")
                 for _ in range(restarts_at_once)]
        assert {child.wait(timeout=30) for child in asked} == {0}
        holdport.await_(lambda status: len(status["programs"][0]["generations"]) == 1)
    load.expect(failed=0)
    assert holdport.program("web")["ready"] == 2
