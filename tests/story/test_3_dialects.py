"""einhorn's and php-fpm's own ways to hand sockets to a successor."""

import os
import threading

import pytest

from fastcgi import fastcgi
from holdport import FAILED, USAGE, alive, eventually, get
from servers import PHP_FPM

# What einhorn's clients do: the Ruby and Go ones over EINHORN_SOCK_PATH.
EINHORN = """\
import json, os, signal, socket, sys, time
assert int(os.environ["EINHORN_MASTER_PID"]) == os.getppid()
count = int(os.environ["EINHORN_FD_COUNT"])
fds = [int(os.environ[f"EINHORN_FD_{i}"]) for i in range(count)]
assert os.environ["EINHORN_FDS"].split() == [str(fd) for fd in fds]
time.sleep(float(sys.argv[3]))
def ack(message):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.environ["EINHORN_SOCK_PATH"])
        s.sendall(message.encode())
pid = os.getpid()
ack({"json": json.dumps({"command": "worker:ack", "pid": pid}) + "\\n",
     "yaml": f"---%0Acommand: worker:ack%0Apid: {pid}%0A\\n",
     "ping": json.dumps({"command": "worker:ping", "id": "1"}) + "\\n",
     "half": json.dumps({"command": "worker:ack", "pid": pid}),
     "much": "x" * 5000 + "worker:ack command\\n"}[sys.argv[2]])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
listener = socket.socket(fileno=fds[-1])
body = f"{sys.argv[1]} {os.environ['EINHORN_CHILD_INDEX']}"
while True:
    s, _ = listener.accept()
    s.recv(4096)
    s.sendall(f"HTTP/1.1 200 OK\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}".encode())
    s.close()
"""


def proved_by(holdport):
    return holdport.program("web")["generations"][-1]["proved_by"]


def einhorn(holdport, answer, how="json", delay=0, more=""):
    client = holdport.dir / "einhorn.py"
    client.write_text(EINHORN)
    return (f"command = /usr/bin/python3 {client} {answer} {how} {delay}\n"
            f"handoff = einhorn\n{more}")


@pytest.mark.parametrize("ready", ["auto", "notify"])
@pytest.mark.parametrize("how", ["json", "yaml"])
def test_einhorns_acknowledgement_is_readiness(holdport, how, ready):
    address = holdport.run_web(section=einhorn(holdport, "one", how, more=f"ready = {ready}\n"))
    assert proved_by(holdport) == "ack"
    assert get(address) == "one 0"
    old = holdport.pids("web")
    holdport.ok("restart", "web")
    # the old one may drop what it has just accepted: this server is not graceful
    eventually(lambda: not alive(old[0]), what="the old one is gone")
    assert get(address) == "one 1"      # beside the old one: a slot of its own


def test_the_last_of_several_sockets_is_the_last_of_einhorns(holdport):
    first, second = (f"127.0.0.1:{holdport.port()}" for _ in range(2))
    holdport.run_web(address=f"{first}, {second}", section=einhorn(holdport, "one"))
    assert get(second) == "one 0"


@pytest.mark.parametrize("how", ["ping", "half", "much"])
def test_something_else_is_no_acknowledgement(holdport, how):
    holdport.write_web(section=einhorn(holdport, "one", how, more="""\
        ready = notify
        start = manual
        start_timeout = 600ms
        start_attempts = 1
        """.replace("        ", "")))
    holdport.run()
    said = holdport.cmd("start", "web")
    assert said.code == FAILED
    assert "start_timeout" in said.out


def test_who_acknowledged_once_must_do_so_again(holdport):
    address = holdport.run_web(section=einhorn(holdport, "one"))
    holdport.write_web(address=address,
                       section=einhorn(holdport, "two", "ping", more="start_timeout = 1500ms\n"))
    said = holdport.cmd("reload")
    assert said.code == FAILED
    assert "start_timeout" in said.out
    assert get(address) == "one 0"


def test_nothing_of_the_acknowledgement_stays(holdport):
    holdport.run_web(section=einhorn(holdport, "one"))
    [sock] = holdport.runtime_dir.rglob("*:ack")
    holdport.ok("stop", "web")
    assert not sock.exists()


# php-fpm

FPM_CONF = """\
[global]
daemonize = no
error_log = {dir}/fpm.log
process_control_timeout = 10s
[www]
{user}
listen = {listen}
pm = static
pm.max_children = 2
"""


def fpm(holdport, listen, address, strategy="rolling"):
    php = holdport.dir / "x.php"
    php.write_text("<?php usleep(20000); echo posix_getppid();")
    os.chmod(holdport.dir, 0o755)
    php.chmod(0o644)
    user = "user = nobody\ngroup = nogroup" if os.getuid() == 0 else ""
    conf = holdport.dir / "fpm.conf"
    conf.write_text(FPM_CONF.format(dir=holdport.dir, listen=listen, user=user))
    holdport.write_web(address=address, section=f"""\
        command = {PHP_FPM} -F -y {conf}
        handoff = php-fpm
        strategy = {strategy}
        """)
    return php


@pytest.mark.parametrize("listen, address, host", [
    ("127.0.0.1:{}", "127.0.0.1:{}", "127.0.0.1"), ("0.0.0.0:{}", "0.0.0.0:{}", "127.0.0.1"),
    ("[::1]:{}", "[::1]:{}", "[::1]"), ("{}", "*:{}", "127.0.0.1")])
def test_php_fpm_takes_the_socket_that_it_is_given(holdport, listen, address, host):
    port = holdport.port()
    php = fpm(holdport, listen.format(port), address.format(port))
    holdport.run()
    holdport.await_("web")
    inode = holdport.socket("http")["inode"]
    assert fastcgi(f"{host}:{port}", php) == str(holdport.pids("web")[0])
    holdport.ok("restart", "web")
    eventually(lambda: len(holdport.pids("web")) == 1)
    assert fastcgi(f"{host}:{port}", php) == str(holdport.pids("web")[0])
    assert holdport.socket("http")["inode"] == inode


@pytest.mark.parametrize("strategy", ["rolling", "replace"])
def test_php_fpm_is_restarted_without_losing_a_request(holdport, strategy):
    port = holdport.port()
    php = fpm(holdport, f"127.0.0.1:{port}", f"127.0.0.1:{port}", strategy)
    holdport.run()
    holdport.await_("web")
    over, answers, wrong = threading.Event(), [], []

    def ask():
        while not over.is_set():
            try:
                answers.append(fastcgi(f"127.0.0.1:{port}", php))
            except OSError as e:
                wrong.append(repr(e))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for t in threads:
        t.start()
    for _ in range(2):
        holdport.ok("restart", "web")
    over.set()
    for t in threads:
        t.join()
    assert not wrong
    assert len(set(answers)) >= 2


def test_php_fpm_has_no_unix_socket_to_remove(holdport):
    holdport.write_web(address=f"unix:{holdport.dir}/s", section="handoff = php-fpm\n")
    said = holdport.cmd("check")
    assert said.code == USAGE
    assert "removes the path of a unix socket" in said.err
