"""Servers that were never taught: their own bind(2) is answered with the held socket."""

import errno
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from holdport import BUILD, FAILED, SOURCES, SUPPORT, USAGE, descriptors, eventually, get
from intercepted import await_calls, binder, calls, restart, run, second_program, write
from servers import NGINX_CONF

NODE = """\
const server = require("http").createServer((q, a) => a.end("node\\n"));
server.listen(%d);
process.on("SIGTERM", () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
"""


# Servers


def python_server(holdport, port):
    Path(holdport.dir, "index.html").write_text("python\n")
    return f"/usr/bin/python3 -m http.server {port} -d {holdport.dir}", f"*:{port}"


def node_server(holdport, port):
    Path(holdport.dir, "server.js").write_text(NODE % port)
    return f"node {holdport.dir}/server.js", f"*:{port}"


def nginx_server(holdport, port):
    text = NGINX_CONF.format(dir=holdport.dir, address=f"0.0.0.0:{port}")
    Path(holdport.dir, "nginx.conf").write_text(text)
    return (f"/usr/sbin/nginx -e {holdport.dir}/nginx.error.log -c {holdport.dir}/nginx.conf "
            f"-g 'pid {holdport.dir}/nginx.${{slot}}.pid;'"), f"*:{port}"


def static_server(holdport, port):
    return binder("--name", "static", f"127.0.0.1:{port}"), f"127.0.0.1:{port}"


@pytest.mark.load
@pytest.mark.parametrize("server, section", [
    (static_server, ""), (node_server, ""), (nginx_server, "stop = QUIT:30s KILL")],
    ids=["static C", "node", "nginx"])
def test_a_server_that_binds_for_itself_is_restarted_without_a_lost_request(
        holdport, restarts, server, section):
    port = holdport.port()
    command, listen = server(holdport, port)
    run(holdport, command, listen, section=f"ready = listen\n{section}")
    address = f"127.0.0.1:{port}"
    inode = holdport.socket("http")["inode"]
    with holdport.load(address, "--rate", 500) as load:
        for _ in range(restarts):
            restart(holdport)
            load.await_calm()
    load.expect(failed=0)
    assert holdport.socket("http")["inode"] == inode
    assert holdport.program("web")["generations"][-1]["proved_by"] == "listen"


@pytest.mark.load
def test_a_server_that_drops_its_requests_when_stopped_refuses_nobody(holdport, restarts):
    port = holdport.port()
    run(holdport, *python_server(holdport, port))
    with holdport.load(f"127.0.0.1:{port}", "--rate", 100) as load:
        for _ in range(restarts):
            restart(holdport)
            load.await_calm()
    load.expect(refused=0, timed_out=0)


def test_redis_keeps_both_of_its_addresses(holdport):
    port = holdport.port()
    redis = (f"/usr/bin/redis-server --port {port} --bind 127.0.0.1 ::1 --save '' "
             f"--dir {holdport.dir}")
    run(holdport, redis, f"127.0.0.1:{port}, [::1]:{port}")
    before = [s["inode"] for s in holdport.status()["sockets"]]
    restart(holdport)
    # until then the old one may take a client, and drops it when it ends
    holdport.await_(lambda status: len(status["programs"][0]["generations"]) == 1)
    assert [s["inode"] for s in holdport.status()["sockets"]] == before
    for host in ("127.0.0.1", "::1"):
        with socket.create_connection((host, port)) as s:
            s.sendall(b"PING\r\n")
            assert s.recv(100) == b"+PONG\r\n"


# What a program may bind, and what it gets


def test_the_first_bind_makes_the_held_socket_and_later_ones_are_given_it(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(address), address)
    held = holdport.socket("http")
    assert held["state"] == "listening" and held["origin"] == "bound"
    restart(holdport)
    assert [c["inode"] for c in await_calls(holdport, 2)] == [held["inode"]] * 2
    assert holdport.program("web")["restarts"] == 0


def test_nothing_is_bound_before_a_worker_does(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    write(holdport, binder(address), address, section="start = manual")
    holdport.run()
    held = holdport.socket("http")
    assert held["state"] == "waiting" and "no worker has bound it" in held["reason"]
    assert "waits" not in holdport.log()
    holdport.ok("start", "web")
    assert holdport.socket("http")["state"] == "listening"


@pytest.mark.parametrize("listen, bound", [
    ("*:{p}", ["0.0.0.0:{p}"]), ("*:{p}", ["[::]:{p}"]), ("*:{p}", ["127.0.0.1:{p}"]),
    ("*:{p}", ["127.0.0.1:{p}", "[::1]:{p}"]), ("127.0.0.1:{p}", ["[::ffff:127.0.0.1]:{p}"]),
    ("0.0.0.0:{p}", ["127.0.0.1:{p}", "127.0.0.2:{p}"])])
def test_what_an_address_covers_is_held_just_as_it_was_bound(holdport, listen, bound):
    port = holdport.port()
    bound = [b.format(p=port) for b in bound]
    run(holdport, binder(*bound), listen.format(p=port))
    assert {c["inode"] for c in await_calls(holdport, len(bound))} == \
        {s["inode"] for s in holdport.status()["sockets"]}
    restart(holdport)
    told = await_calls(holdport, 2 * len(bound))
    assert [c["inode"] for c in told[:len(bound)]] == [c["inode"] for c in told[len(bound):]]
    assert not [c for c in told if c["errno"]]
    for one in bound:
        assert get(one.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")) == "binder"


def test_both_families_of_one_port_are_two_sockets(holdport):
    port = holdport.port()
    run(holdport, binder("--v6only", 1, f"0.0.0.0:{port}", f"[::]:{port}"), f"*:{port}")
    await_calls(holdport, 2)
    assert len({s["inode"] for s in holdport.status()["sockets"]}) == 2
    restart(holdport)
    assert get(f"127.0.0.1:{port}") == get(f"[::1]:{port}") == "binder"


@pytest.mark.parametrize("listen, bound", [
    ("127.0.0.1:{p}", "0.0.0.0:{p}"), ("0.0.0.0:{p}", "[::]:{p}"), ("[::1]:{p}", "[::]:{p}")])
def test_more_than_is_permitted_is_the_programs_own(holdport, listen, bound):
    port = holdport.port()
    run(holdport, binder(bound.format(p=port)), listen.format(p=port), section="ready = auto")
    eventually(lambda: "is more than [socket:http] permits" in holdport.log())
    assert get(f"[::1]:{port}" if "[::" in bound else f"127.0.0.1:{port}") == "binder"


def test_what_fails_for_it_is_not_told_to_intercept(holdport):
    port = holdport.port()
    holdport.run_web(address=f"127.0.0.1:{port}", section=(
        f"command = /usr/bin/python3 -m http.server {port}\nhandoff = intercept\n"
        "ready = auto\nstart_attempts = 1\nrestart_delay = 10ms"))
    eventually(lambda: "is more than [socket:http] permits" in holdport.log())
    said = holdport.cmd("restart", "web")
    assert said.code == FAILED, said
    assert "what it binds is not what they permit" in said.out
    assert "set handoff = intercept" not in said.out


def test_other_ports_and_no_port_are_left_alone(holdport):
    port, other = holdport.port(), holdport.port()
    run(holdport, binder("127.0.0.1:0", f"127.0.0.1:{other}", f"127.0.0.1:{port}"),
        f"127.0.0.1:{port}")
    assert len(holdport.status()["sockets"]) == 1
    assert [c["errno"] for c in await_calls(holdport, 3)] == [0, 0, 0]
    assert get(f"127.0.0.1:{other}") == "binder"
    assert holdport.log().count("is none of its sockets, and is not held") == 1


@pytest.mark.parametrize("theirs", ["intercept", "auto"])
def test_what_is_for_another_program_is_refused(holdport, theirs):
    port, other = holdport.port(), holdport.port()
    command = binder(f"127.0.0.1:{other}") if theirs == "intercept" else holdport.worker()
    write(holdport, binder(f"0.0.0.0:{other}"), f"127.0.0.1:{port}",
          section="start = manual\nstart_attempts = 1",
          more=second_program(command, f"127.0.0.1:{other}", theirs))
    holdport.run()
    holdport.await_("other")
    said = holdport.cmd("start", "web")
    assert said.code == FAILED, said
    assert f"bind of 0.0.0.0:{other} is refused: [socket:other]" in holdport.log()
    await_calls(holdport, 1)
    assert [c["errno"] for c in calls(holdport) if c["address"] == f"0.0.0.0:{other}"] == [98]


def test_an_address_that_a_stranger_has_is_answered_as_the_system_does(holdport):
    port = holdport.port()
    with socket.create_server(("127.0.0.1", port)):
        write(holdport, binder(f"127.0.0.1:{port}"), f"127.0.0.1:{port}",
              section="restart_delay = 50ms\nrestart_delay_max = 50ms")
        holdport.run()
        eventually(lambda: [c for c in calls(holdport) if c["errno"] == 98])
    holdport.await_("web")
    assert get(f"127.0.0.1:{port}") == "binder"


def test_a_socket_shared_with_a_program_that_takes_descriptors_is_one(holdport):
    port = holdport.port()
    write(holdport, binder("--name", "bound", f"127.0.0.1:{port}"), f"127.0.0.1:{port}", more=f"""
[program:taught]
command = {holdport.worker("--answer", "taught")}
sockets = http
""")
    holdport.run()
    holdport.await_("web")
    holdport.await_("taught")
    assert await_calls(holdport, 1)[0]["inode"] == holdport.socket("http")["inode"]
    holdport.ok("stop", "taught")
    eventually(lambda: get(f"127.0.0.1:{port}") == "bound")
    holdport.ok("stop", "web")
    holdport.ok("start", "taught")
    assert get(f"127.0.0.1:{port}") == "taught"


# As the server had made its own


@pytest.mark.parametrize("option, name, value", [
    (None, "cloexec", 1), ("--no-cloexec", "cloexec", 0), (None, "nonblock", 1),
    ("--blocking", "nonblock", 0)])
def test_the_descriptor_is_as_the_server_made_its_own(holdport, option, name, value):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(*[option] if option else [], address), address)
    restart(holdport)
    assert [c[name] for c in await_calls(holdport, 2)] == [value] * 2


def test_the_backlog_stays_that_of_the_configuration(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(address), address, socket="backlog = 77")
    restart(holdport)
    assert [c["backlog"] for c in await_calls(holdport, 2, "listen")] == [77] * 2
    assert holdport.socket("http")["backlog"] == 77


def test_what_is_held_is_shared_with_nobody(holdport):
    # The server's SO_REUSEPORT would let everybody of its user bind beside it.
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder("--reuseport", "--threads", 4, address), address)
    told = await_calls(holdport, 4)
    assert [c["inode"] for c in told] == [holdport.socket("http")["inode"]] * 4
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError):
            s.bind(("127.0.0.1", int(address.rsplit(":", 1)[1])))
    restart(holdport)
    assert get(address) == "binder"


# Who calls


@pytest.mark.parametrize("words", [
    ("--off-thread",), ("--fork",), ("--restless",), ("--fork", "--off-thread")])
def test_whoever_of_the_worker_calls_is_answered(holdport, words):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(*words, address), address)
    restart(holdport)
    assert {c["inode"] for c in await_calls(holdport, 2)} == {holdport.socket("http")["inode"]}
    assert get(address) == "binder"


def test_a_server_behind_a_shell_is_answered(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, f"sh -c '{binder(address)}; exit'", address, section="kill_mode = group")
    restart(holdport)
    assert {c["inode"] for c in await_calls(holdport, 2)} == {holdport.socket("http")["inode"]}


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_user_without_rights_serves_a_port_below_1024(holdport):
    run(holdport, binder("127.0.0.1:81"), "127.0.0.1:81", section="user = nobody\ndirectory = /")
    restart(holdport)
    assert get("127.0.0.1:81") == "binder"
    assert Path(f"/proc/{holdport.pids('web')[0]}").stat().st_uid != 0


def test_a_program_without_intercept_binds_as_ever(holdport):
    port = holdport.port()
    holdport.write_web(section=f"command = {binder(f'127.0.0.1:{port}')}")
    holdport.run()
    holdport.await_("web")
    pid = holdport.pids("web")[0]
    assert not [d for d in descriptors(pid).values() if "seccomp" in d]
    assert "Seccomp:\t0" in Path(f"/proc/{pid}/status").read_text()


def test_the_worker_keeps_one_high_descriptor_and_no_other(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(address), address)
    extra = {int(fd) for fd, what in descriptors(holdport.pids("web")[0]).items()
             if "seccomp" in what}
    assert len(extra) == 1 and min(extra) >= 1000, extra


# Readiness


def test_who_does_not_listen_on_all_is_not_ready(holdport):
    port, other = holdport.port(), holdport.port()
    write(holdport, binder(f"127.0.0.1:{port}"), f"127.0.0.1:{port}, 127.0.0.1:{other}",
          section="ready = listen\nstart = manual\nstart_attempts = 1\nstart_timeout = 300ms")
    holdport.run()
    said = holdport.cmd("start", "web")
    assert said.code == FAILED and "start_timeout" in said.out, said


def test_auto_is_proved_by_listening(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(address), address, section="")
    assert holdport.program("web")["generations"][-1]["proved_by"] == "listen"


def test_who_is_proved_before_it_runs_is_answered_all_the_same(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(address), address, section="ready = delay:1ms")
    assert await_calls(holdport, 1)[0]["inode"] == holdport.socket("http")["inode"]


# What is to be the same, and what cannot be


def test_options_of_a_later_generation_are_put_on_the_held_socket(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(address), address)
    assert await_calls(holdport, 1)[0]["nodelay"] == 0
    write(holdport, binder("--nodelay", address), address)
    holdport.ok("reload")
    after = await_calls(holdport, 2, "listen")[1]
    assert (after["nodelay"], after["inode"]) == (1, holdport.socket("http")["inode"])


def test_an_option_of_the_configuration_is_above_the_servers_own(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(address), address, socket="no_delay = yes")
    restart(holdport)
    assert [c["nodelay"] for c in await_calls(holdport, 2)] == [1, 1]


@pytest.mark.parametrize("option", ["--epoll-first", "--dup-first"])
def test_who_has_its_socket_elsewhere_before_it_binds_is_refused(holdport, option):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(option, address), address,
        section="ready = listen\nstart_attempts = 1\nrestart_delay = 10ms")
    old = holdport.pids("web")
    assert "this worker serves, the next one will be refused" in holdport.log()
    said = holdport.cmd("restart", "web")
    assert said.code == FAILED, said
    assert "its bind is refused" in holdport.log()
    eventually(lambda: holdport.pids("web") == old)
    assert get(address) == "binder"


def test_datagrams_are_served_by_one_socket_too(holdport):
    port = holdport.port()
    run(holdport, binder("--udp", f"127.0.0.1:{port}"), f"127.0.0.1:{port}",
        socket="type = datagram")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        s.connect(("127.0.0.1", port))
        s.send(b"x")
        assert s.recv(100) == b"binder"
        holdport.ok("stop", "web")
        s.send(b"y")  # nobody is there: it waits in the held socket
        holdport.ok("start", "web")
        assert s.recv(100) == b"binder"
    told = await_calls(holdport, 2)
    assert [c["inode"] for c in told] == [holdport.socket("http")["inode"]] * 2


# Workers that are not to be trusted, systems that do not allow it


def run_beside_another(holdport, command, section):
    """[program:web] has command(address), the other one runs.  The addresses of both."""
    address, other = f"127.0.0.1:{holdport.port()}", f"127.0.0.1:{holdport.port()}"
    write(holdport, command(address), address, section=section,
          more=second_program(binder(other), other))
    holdport.run()
    holdport.await_("other")
    return address, other


def hanging(holdport, what, address):
    return f"/usr/bin/python3 {SOURCES}/hanging.py {holdport.dir}/m {what} {address}"


def await_hanging(holdport, is_it):
    """Waits for the moment in which hanging.py hangs, where it can."""
    eventually(lambda: is_it() or "exit status 4" in holdport.log())
    if "exit status 4" in holdport.log():
        pytest.skip("this system mounts no file system of its own (fuse)")


@pytest.mark.skipif(os.geteuid() != 0, reason="userfaultfd is root's")
@pytest.mark.parametrize("option", ["--stuck", "--steal"])
def test_a_call_that_cannot_be_read_keeps_nobody_waiting(holdport, option):
    _, other = run_beside_another(
        holdport, lambda address: binder(option, address),
        "ready = listen\nstart = manual\nstart_attempts = 1\nstart_timeout = 4s")
    starting = holdport.spawn("start", "-c", holdport.config, "web")
    eventually(lambda: holdport.pids("web"))
    holdport.ok("restart", "other")  # it answers, and hands out
    assert starting.poll() is None and get(other) == "binder"
    assert starting.wait(timeout=20) == FAILED
    if option == "--stuck":  # a stolen report may be gone before we look
        assert "cannot be read; it is ended" in holdport.log()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_an_address_in_a_page_that_never_comes_keeps_nobody_waiting(holdport):
    address, other = run_beside_another(
        holdport, lambda address: hanging(holdport, "page", address),
        "ready = listen\nstart = manual\nstart_attempts = 1")
    starting = holdport.spawn("start", "-c", holdport.config, "web")
    await_hanging(holdport, lambda: f"page {address}" in holdport.log())
    holdport.ok("restart", "other")  # it answers, and hands out
    assert get(other) == "binder"
    assert starting.wait(timeout=20) == FAILED
    assert "cannot be read; it is ended" in holdport.log()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_a_file_that_never_answers_keeps_nobody_waiting(holdport):
    run_beside_another(holdport, lambda address: hanging(holdport, "bind", address),
                       "ready = listen\nstart_attempts = 1")

    def told():
        return [c["errno"] for c in calls(holdport) if c["inode"] == 0]

    await_hanging(holdport, told)
    assert told() == [errno.ENOTSOCK]
    holdport.ok("restart", "other")
    holdport.await_("web")


def test_below_another_that_intercepts_it_is_refused_before_it_starts(holdport, new_holdport):
    inner = new_holdport()
    address = f"127.0.0.1:{inner.port()}"
    write(inner, binder(address), address, section="start_attempts = 1")
    command = f"{BUILD}/bin/holdport run -c {inner.config}"
    write(holdport, command, f"127.0.0.1:{holdport.port()}", section="ready = delay:10ms")
    holdport.run()
    eventually(lambda: "another filter that reports is in place" in holdport.log())
    assert not calls(holdport)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_without_rights_the_filter_costs_new_privileges(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    write(holdport, binder(address), address)
    holdport.dir.chmod(0o755)
    holdport.runtime_dir.mkdir()
    os.chown(holdport.runtime_dir, 65534, 65534)
    command = ["setpriv", "--reuid=65534", "--clear-groups",
               BUILD / "bin/holdport", "run", "-c", holdport.config]
    with open(holdport.output, "wb") as out:
        child = subprocess.Popen(command, stdout=out, stderr=out, env=holdport.env)
    try:
        assert await_calls(holdport, 1)[0]["errno"] == 0
        assert get(address) == "binder"
        holdport.await_("web")
        pid = holdport.pids("web")[0]
        assert "NoNewPrivs:\t1" in Path(f"/proc/{pid}/status").read_text()
        restart(holdport)
    finally:
        child.terminate()
        child.wait(timeout=20)
    assert len({c["inode"] for c in await_calls(holdport, 2)}) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="wants rights")
def test_root_leaves_new_privileges_alone(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(address), address)
    assert "NoNewPrivs:\t0" in Path(f"/proc/{holdport.pids('web')[0]}/status").read_text()


# What cannot be is said before


@pytest.mark.parametrize("section, wrong", [
    ("handoff = intercept, auto\nsockets = http", "intercept stands alone"),
    ("handoff = intercept", "intercept needs to know what the program may bind"),
    ("ready = listen\nsockets = http", "listen(2) of a program is seen only with"),
    ("handoff = intercept\nsockets = http\nenvironment = FD=${fd:http}", "is given no descriptor")])
def test_what_does_not_go_together_is_a_fault(holdport, section, wrong):
    holdport.write_config(f"""\
[socket:http]
listen = 127.0.0.1:{holdport.port()}
[program:web]
command = true
{section}
""")
    said = holdport.cmd("check")
    assert said.code == USAGE and wrong in said.out + said.err, said


# Reloads and the end


def test_a_reload_keeps_what_a_worker_bound(holdport):
    port = holdport.port()
    run(holdport, binder(f"0.0.0.0:{port}"), f"*:{port}")
    inode = holdport.socket("http")["inode"]
    write(holdport, binder("--name", "second", f"0.0.0.0:{port}"), f"*:{port}",
          socket="backlog = 99")
    holdport.ok("reload")
    eventually(lambda: get(f"127.0.0.1:{port}") == "second")
    held = holdport.socket("http")
    assert (held["inode"], held["backlog"]) == (inode, 99)


def test_what_would_have_to_be_bound_anew_is_refused(holdport):
    port = holdport.port()
    run(holdport, binder(f"127.0.0.1:{port}"), f"127.0.0.1:{port}")
    write(holdport, binder(f"127.0.0.1:{port}"), f"*:{port}")
    said = holdport.cmd("reload")
    assert said.code == USAGE and "cannot be bound anew" in said.out + said.err, said
    assert get(f"127.0.0.1:{port}") == "binder"


def test_stopped_clients_wait_in_the_queue_and_are_served_by_the_next(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder(address), address)
    holdport.ok("stop", "web")
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        holdport.ok("start", "web")
        assert s.recv(1000).endswith(b"binder\n")


def test_a_socket_that_is_removed_is_let_go(holdport):
    port, other = holdport.port(), holdport.port()
    run(holdport, binder(f"0.0.0.0:{port}"), f"*:{port}")
    write(holdport, binder(f"127.0.0.1:{other}"), f"127.0.0.1:{other}")
    holdport.ok("reload")
    eventually(lambda: len(holdport.status()["sockets"]) == 1)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("0.0.0.0", port))


# One command without a file


@pytest.mark.parametrize("words", [("-l", "{port}"), ("--listen", "{port}"),
                                   ("--listen=*:{port}",)])
def test_exec_intercepts_a_command_that_binds_for_itself(holdport, words):
    port = holdport.port()
    said = holdport.dir / "said"
    words = [word.format(port=port) for word in words]
    with open(said, "wb") as out:
        child = holdport.spawn("exec", "--intercept", *words, f"--runtime-dir={holdport.dir}/x",
                               "--", SUPPORT / "binder", f"0.0.0.0:{port}", stderr=out)
    eventually(lambda: "which is held from now on" in said.read_text())
    assert get(f"127.0.0.1:{port}") == "binder"
    holdport.plain("restart", "--runtime-dir", holdport.dir / "x", "binder")
    assert "is answered with the held socket" in said.read_text()
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=20) == 0
