"""What a worker finds when it wakes up: its sockets, its environment, its
rights, and nothing else."""

import json
import os
import re
import resource

import pytest

from holdport import eventually, get


def reports(holdport):
    """What the workers wrote down of themselves, oldest first."""
    path = holdport.dir / "report"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def start(holdport, section="", sockets="http", options=("--notify",), socket_options="",
          more=""):
    """One worker that reports; its first report."""
    address = f"127.0.0.1:{holdport.port()}"
    holdport.write_config(
        f"[socket:http]\nlisten = {address}\n{socket_options}\n{more}\n"
        "[program:web]\n"
        f"command = {holdport.worker('--report', holdport.dir / 'report', *options)}\n"
        f"sockets = {sockets}\n{section}\n")
    holdport.run()
    if "--exit-after-ms" not in options:
        holdport.await_("web")
    found = eventually(lambda: reports(holdport))[0]
    found["asked"] = address
    return found


def test_a_worker_gets_its_socket_in_two_dialects(holdport):
    found = start(holdport)
    env = found["environment"]
    assert env["LISTEN_FDS"] == "1"
    assert env["LISTEN_PID"] == str(found["pid"])
    assert env["LISTEN_FDNAMES"] == "http"
    assert env["SERVER_STARTER_PORT"] == f"{found['asked']}=3"
    [socket] = found["sockets"]
    assert (socket["fd"], socket["address"]) == (3, found["asked"])
    assert socket["inode"] == holdport.socket("http")["inode"]
    assert socket["SO_REUSEADDR"] == 1
    assert socket["SO_ACCEPTCONN"] == 1


def test_a_worker_knows_who_it_is(holdport):
    env = start(holdport)["environment"]
    assert env["HOLDPORT_PROGRAM"] == "web"
    assert (env["HOLDPORT_WORKER"], env["HOLDPORT_SLOT"]) == ("0", "0")
    assert env["HOLDPORT_GENERATION"] == "1"
    assert env["HOLDPORT"] == holdport.status()["supervisor"]["version"]
    assert "NOTIFY_SOCKET" in env


def test_several_sockets_come_in_the_order_declared(holdport):
    first, second = holdport.port(), holdport.port()
    found = start(holdport, sockets="b, http, a", more=f"""
[socket:a]
listen = 127.0.0.1:{first}
[socket:b]
listen = 127.0.0.1:{second}
         unix:{holdport.dir}/b.sock
""")
    assert [s["address"] for s in found["sockets"]] == [
        f"127.0.0.1:{second}", f"unix:{holdport.dir}/b.sock", found["asked"],
        f"127.0.0.1:{first}"]
    assert [s["fd"] for s in found["sockets"]] == [3, 4, 5, 6]
    assert found["environment"]["LISTEN_FDNAMES"] == "b:b:http:a"
    assert get(f"unix:{holdport.dir}/b.sock") == get(found["asked"]) == "worker"


def test_nothing_else_is_inherited(holdport):
    # ours, open and inheritable, as a careless agent's would be
    with open("/dev/zero") as careless:
        os.set_inheritable(careless.fileno(), True)
        found = start(holdport)
    assert [f["fd"] for f in found["fds"]] == [0, 1, 2, 3]
    assert found["fds"][0]["kind"] == "/dev/null"
    assert found["signals"] == {"blocked": [], "ignored": []}
    assert found["pgid"] == found["pid"]


def test_stdin_handoff_gives_the_socket_as_descriptor_0(holdport):
    found = start(holdport, "handoff = stdin", options=("--notify", "--stdin"))
    assert [s["fd"] for s in found["sockets"]] == [0]
    assert "LISTEN_FDS" not in found["environment"]
    assert get(found["asked"]) == "worker"


def test_a_number_in_the_command_line_is_the_descriptor(holdport):
    found = start(holdport, "handoff = none",
                  options=("--notify", "--from", "nowhere", "--fd", "${fd:http}"))
    assert found["sockets"][0]["address"] == found["asked"]
    assert "LISTEN_FDS" not in found["environment"]
    assert get(found["asked"]) == "worker"


def test_nginx_handoff_gives_a_socket_that_does_not_block(holdport):
    # nginx makes only what it bound itself non-blocking: of two processes that
    # wake for one connection the loser would sleep in accept(2), deaf to QUIT
    found = start(holdport, "handoff = nginx", options=("--notify", "--fd", 3))
    assert found["environment"]["NGINX"] == "3;"
    assert "LISTEN_FDS" not in found["environment"]
    assert found["sockets"][0]["non_blocking"] is True


def test_environment_and_directory_are_as_configured(holdport):
    (holdport.dir / "more.env").write_text("FROM_FILE=yes\nBOTH=file\n")
    found = start(holdport, """\
clear_environment = yes
environment_file = more.env
environment = PORT=${port:http}
              BOTH=section
              SLOT=${slot}
directory = /usr
umask = 027
limit_nofile = 123:456
""")
    names = {n for n in found["environment_names"]
             if not n.startswith(("HOLDPORT", "LISTEN_", "SERVER_STARTER_", "NOTIFY_"))}
    assert {"FROM_FILE", "PORT", "BOTH", "SLOT"} <= names
    assert not names & {"HOME", "LANG", "ASAN_OPTIONS"}
    address = found["asked"]
    assert get(address, "/env?PORT") == address.rsplit(":", 1)[1]
    assert get(address, "/env?BOTH") == "section"
    assert get(address, "/env?SLOT") == "0"
    assert found["cwd"] == "/usr"
    assert found["umask"] == "0027"
    assert found["limits"]["nofile"] == [123, 456]


def test_limits_are_those_that_the_supervisor_was_started_with(holdport):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert start(holdport)["limits"]["nofile"] == [soft, hard]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another")
def test_a_worker_runs_as_another_user(holdport):
    os.chmod(holdport.dir, 0o1777)
    found = start(holdport, "user = nobody\ngroup = nogroup")
    assert (found["uid"], found["gid"]) == (65534, 65534)
    assert 0 not in found["groups"]


OPTIONS = [
    ("backlog = 77", {"backlog": 77}),
    ("no_delay = yes", {"TCP_NODELAY": 1}),
    ("keep_alive = yes\nkeep_alive_idle = 30s\nkeep_alive_interval = 5s\nkeep_alive_probes = 4",
     {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4}),
    ("defer_accept = 3s", {"TCP_DEFER_ACCEPT": 3}),
    ("fast_open = 16", {"TCP_FASTOPEN": 16}),
    ("user_timeout = 20s", {"TCP_USER_TIMEOUT": 20000}),
    ("priority = 3", {"SO_PRIORITY": 3}),
    ("tos = 16", {"IP_TOS": 16}),
    ("free_bind = yes", {"IP_FREEBIND": 1}),
    ("receive_buffer = 32K", {"SO_RCVBUF": 65536}),     # the kernel doubles it
    ("send_buffer = 32K", {"SO_SNDBUF": 65536}),
    ("non_blocking = yes", {"non_blocking": True}),
    ("non_blocking = no", {"non_blocking": False}),
    ("mptcp = yes", {"SO_PROTOCOL": 262}),
]


@pytest.mark.parametrize("lines, expected", OPTIONS,
                         ids=[re.sub(r"[ \n].*", "", o[0], flags=re.S) for o in OPTIONS])
def test_socket_options_reach_the_worker(holdport, lines, expected):
    [socket] = start(holdport, options=("--notify", "--as-given"),
                     socket_options=lines)["sockets"]
    assert {key: socket[key] for key in expected} == expected
    assert get(socket["address"]) == "worker"


def test_each_of_several_workers_has_its_slot(holdport):
    start(holdport, "workers = 3")
    found = [r["environment"] for r in reports(holdport) if r["event"] == "start"]
    assert sorted(e["HOLDPORT_SLOT"] for e in found) == ["0", "1", "2"]
    assert {w["slot"] for w in holdport.workers("web")} == {0, 1, 2}


def test_what_a_worker_prints_is_forwarded_with_its_name(holdport):
    start(holdport, options=("--notify", "--print", "good morning"))
    eventually(lambda: re.search(r"web.*good morning", holdport.log()), what="the line")


def test_a_signal_reaches_the_workers(holdport):
    start(holdport)
    holdport.ok("signal", "web", "USR1")
    eventually(lambda: any(r.get("signal") == "USR1" for r in reports(holdport)))


def test_workers_can_be_added_and_taken_away_without_touching_the_others(holdport):
    start(holdport)
    [first] = holdport.pids("web")
    holdport.ok("scale", "web", 3)
    assert len(holdport.pids("web")) == 3
    holdport.ok("scale", "web", 1)
    holdport.await_(lambda s: len(s["programs"][0]["generations"][0]["workers"]) == 1)
    assert holdport.pids("web") == [first]


@pytest.mark.parametrize("ready, options", [
    ("notify", ["--notify"]), ("fd:7", ["--ready-fd", 7]), ("delay:200ms", []), ("tcp", []),
    ("auto", []), ("auto", ["--notify"])])
def test_a_worker_is_proved_as_configured(holdport, ready, options):
    found = start(holdport, f"ready = {ready}", options=options)
    assert holdport.program("web")["ready"] == 1
    assert get(found["asked"]) == "worker"


def test_a_worker_that_never_proves_ends_in_failed_when_attempts_are_limited(holdport):
    holdport.write_config(f"""\
        [socket:http]
        listen = 127.0.0.1:{holdport.port()}
        [program:web]
        command = {holdport.worker("--die-at-start", 3)}
        sockets = http
        ready = notify
        start_attempts = 2
        restart_delay = 10ms
        """)
    holdport.run()
    holdport.await_("web", "failed")
    assert "3" in holdport.program("web")["last_error"]
    assert holdport.socket("http")["state"] == "listening"
    assert holdport.cmd("status").code == 3


@pytest.mark.parametrize("policy, code, state", [
    ("never", 1, "stopped"), ("on-failure", 0, "stopped")])
def test_who_ends_for_good_is_not_started_again(holdport, policy, code, state):
    start(holdport, f"restart = {policy}",
          options=("--notify", "--exit-after-ms", 300, "--exit-code", code))
    holdport.await_(lambda s: s["programs"][0]["state"] in (state, "failed"))
    assert len([r for r in reports(holdport) if r["event"] == "start"]) == 1


def test_the_stop_ladder_climbs_to_kill(holdport):
    start(holdport, "stop = TERM:300ms KILL", options=("--notify", "--ignore-term"))
    [pid] = holdport.pids("web")
    holdport.ok("stop", "web")
    assert not os.path.exists(f"/proc/{pid}")
    assert any(r.get("signal") == "TERM" for r in reports(holdport))


def test_a_child_that_a_worker_leaves_in_its_group_ends_with_it(holdport):
    start(holdport, options=("--notify", "--fork-child"))
    holdport.ok("stop", "web")          # the fixture looks for who is left
