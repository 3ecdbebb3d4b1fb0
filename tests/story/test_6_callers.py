"""Who calls bind(2), and by which way: each is held, or binds for itself as is written."""

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from holdport import SUPPORT, descriptors, eventually, get
from intercepted import await_calls, binder, calls, restart, run, write


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a set-user-id program")
def test_a_set_user_id_helper_is_answered_and_keeps_its_rights(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    helper = holdport.dir / "helper"
    helper.write_bytes((SUPPORT / "binder").read_bytes())
    helper.chmod(0o4755)
    holdport.dir.chmod(0o755)
    run(holdport, f"sh -c '{helper} {address}; exit'", address,
        section="ready = listen\nuser = nobody\ndirectory = /\nkill_mode = group")
    assert await_calls(holdport, 1)[0]["inode"] == holdport.socket("http")["inode"]
    shell = holdport.pids("web")[0]
    pid = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0]
    uids = re.search(r"Uid:\t(\d+)\t(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert uids.groups() == ("65534", "0")


@pytest.mark.skipif(os.geteuid() != 0, reason="stops the keeper")
def test_signals_that_interrupt_a_call_do_not_lose_it(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    gate = holdport.dir / "gate"
    os.mkfifo(gate)
    write(holdport, f"sh -c 'read go < {gate}; exec {binder('--restless', address)}'", address)
    holdport.run()
    pid = eventually(lambda: holdport.pids("web"))[0]
    with holdport.no_manager():  # each 20 ms a signal takes it out of its bind(2)
        gate.write_text("go\n")
        eventually(lambda: "seccomp" in Path(f"/proc/{pid}/wchan").read_text())
        before = switches(pid)
        eventually(lambda: switches(pid) >= before + 5)
    holdport.await_("web")
    assert holdport.pids("web") == [pid]
    assert await_calls(holdport, 1)[0]["inode"] == holdport.socket("http")["inode"]


def switches(pid):
    """How often it began to wait."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"\nvoluntary_ctxt_switches:\t(\d+)", text)[1])


@pytest.mark.parametrize("way", ["--x32", "--ring"])
def test_what_the_filter_does_not_see_binds_for_itself(holdport, way):
    address = f"127.0.0.1:{holdport.port()}"
    write(holdport, binder(way, address), address,
          section="ready = delay:1ms\nrestart = never")
    holdport.run()
    why = await_calls(holdport, 1)[0]["errno"]
    if why in (1, 22, 38):  # a kernel that has no such call says so, as without a filter
        assert holdport.socket("http")["state"] == "waiting"
        return
    await_calls(holdport, 1, "listen")
    assert get(address) == "binder"
    assert holdport.socket("http")["state"] == "waiting"
    assert "which is held" not in holdport.log()


only_x86_64 = pytest.mark.skipif(os.uname().machine != "x86_64",
                                 reason="32 bits beside 64: x86-64 only")


@only_x86_64
def test_a_call_of_32_bits_is_held(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    run(holdport, binder("--32-bits", address), address)
    restart(holdport)
    assert [(c["errno"], c["inode"]) for c in await_calls(holdport, 2)] == \
        [(0, holdport.socket("http")["inode"])] * 2


# Without a C library, which would have to be installed for 32 bits.
OF_32_BITS = r"""
struct in { unsigned short family, port; unsigned address; char zero[8]; };
static const char text[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n32\n";

static long call(long number, long a, long b, long c)
{
	long rc;

	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return rc;
}

static long old(long which, long a, long b, long c)
{
	long args[] = { a, b, c };

	return call(102, which, (long)args, 0);
}

__attribute__((used)) void begin(int argc, char **argv)
{
	struct in a = { 2, 0, 0x0100007f, { 0 } };
	unsigned port = 0;
	long s, client;
	char request[4096];

	for (const char *p = argv[1]; *p; p++)
		port = port * 10 + (*p - '0');
	a.port = (unsigned short)(port << 8 | port >> 8);
	s = argc > 2 ? old(1, 2, 1, 0) : call(359, 2, 1, 0);
	if ((argc > 2 ? old(2, s, (long)&a, sizeof(a)) : call(361, s, (long)&a, sizeof(a))) < 0)
		call(1, 3, 0, 0);
	if ((argc > 2 ? old(4, s, 5, 0) : call(363, s, 5, 0)) < 0)
		call(1, 4, 0, 0);
	while ((client = old(5, s, 0, 0)) >= 0) {
		call(3, client, (long)request, sizeof(request));
		call(4, client, (long)text, sizeof(text) - 1);
		call(6, client, 0, 0);
	}
	call(1, 5, 0, 0);
}

__asm__(".globl _start\n_start: mov %esp, %eax\n lea 4(%eax), %edx\n push %edx\n"
	" push (%eax)\n call begin\n");
"""


@pytest.fixture
def of_32_bits(holdport):
    (holdport.dir / "old.c").write_text(OF_32_BITS)
    subprocess.run(["gcc", "-m32", "-O1", "-static", "-nostdlib", "-ffreestanding", "-fno-pie",
                    "-no-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
                    "-o", holdport.dir / "old", holdport.dir / "old.c"], check=True)
    return holdport.dir / "old"


@only_x86_64
@pytest.mark.parametrize("way", ["bind", "socketcall"])
def test_a_program_of_32_bits_is_held(holdport, of_32_bits, way):
    port = holdport.port()
    run(holdport, f"{of_32_bits} {port} {'old' if way == 'socketcall' else ''}",
        f"127.0.0.1:{port}")
    held = f"socket:[{holdport.socket('http')['inode']}]"
    assert held in descriptors(holdport.pids("web")[0]).values()
    restart(holdport)
    assert held in descriptors(holdport.pids("web")[0]).values()
    assert get(f"127.0.0.1:{port}") == "32"
    assert holdport.program("web")["restarts"] == 0


@only_x86_64
@pytest.mark.skipif(os.geteuid() != 0, reason="looks at what a process waits for")
def test_a_program_of_32_bits_waits_for_the_next_manager(holdport, of_32_bits):
    port = holdport.port()
    gate = holdport.dir / "gate"
    os.mkfifo(gate)
    write(holdport, f"sh -c 'read go < {gate}; exec {of_32_bits} {port} old'",
          f"127.0.0.1:{port}")
    holdport.run()
    pid = eventually(lambda: holdport.pids("web"))[0]
    with holdport.no_manager():
        gate.write_text("go\n")
        eventually(lambda: "seccomp" in Path(f"/proc/{pid}/wchan").read_text())
    holdport.await_("web")
    assert holdport.pids("web") == [pid] and get(f"127.0.0.1:{port}") == "32"


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace")
@pytest.mark.parametrize("kind", ["address", "abstract"])
def test_another_network_is_another_matter(holdport, kind):
    port = holdport.port()
    address = f"127.0.0.1:{port}" if kind == "address" else f"unix:@holdport-{os.getpid()}-{port}"
    run(holdport, f"sh -c '{binder('--elsewhere', address)} & exec {binder(address)}'", address,
        section="ready = listen\nkill_mode = group")
    told = await_calls(holdport, 2)
    assert [c["errno"] for c in told] == [0, 0]
    held = holdport.socket("http")["inode"]
    assert sorted(c["inode"] == held for c in told) == [False, True]
    restart(holdport)
    assert sum(c["inode"] == held for c in await_calls(holdport, 4)) == 2


NAMED = """\
import signal, socket, sys
found = socket.getaddrinfo("localhost", sys.argv[1], socket.AF_INET, socket.SOCK_STREAM)[0]
s = socket.socket(*found[:3])
s.bind(found[4])
s.listen()
print("bound", flush=True)
signal.sigwait([signal.SIGTERM])
"""


def free_name():
    """A service of TCP that nobody has here, with its port."""
    for line in Path("/etc/services").read_text().splitlines():
        found = re.match(r"(\S+)\s+(\d+)/tcp", line)
        with socket.socket() as s:
            if found and int(found[2]) > 1024:
                try:
                    s.bind(("127.0.0.1", int(found[2])))
                    return found[1], int(found[2])
                except OSError:
                    continue
    pytest.skip("every service has its server")


def test_a_port_that_is_asked_for_by_name_is_held(holdport):
    name, port = free_name()
    script = holdport.dir / "named.py"
    script.write_text(NAMED)
    run(holdport, f"/usr/bin/python3 {script} {name}", f"127.0.0.1:{port}")
    inode = holdport.socket("http")["inode"]
    restart(holdport)
    eventually(lambda: holdport.log().count("bound\n") == 2)
    assert holdport.socket("http")["inode"] == inode
    assert holdport.program("web")["restarts"] == 0
    assert not calls(holdport)


@pytest.mark.parametrize("dies", [False, True], ids=["", "the manager dies"])
def test_what_is_left_of_a_worker_binds_as_if_nobody_looked(holdport, dies):
    ours, its = f"127.0.0.1:{holdport.port()}", f"127.0.0.1:{holdport.port()}"
    gate, said = holdport.dir / "gate", holdport.dir / "said"
    os.mkfifo(gate)
    left = f"trap \"\" TERM; read go < {gate}; exec {binder(its)} > {said}"
    run(holdport, f"sh -c '({left}) & exec {binder(ours)}'", ours,
        section="ready = listen\nkill_mode = process")
    await_calls(holdport, 1, "listen")
    holdport.ok("stop", "web")
    holdport.leftovers_expected = True
    if dies:
        holdport.kill_manager()
    gate.write_text("go\n")
    eventually(lambda: said.exists() and "listen " in said.read_text())
    assert said.read_text().count("errno=0") == 2
    assert get(its) == "binder"
    holdport.ok("start", "web")
    assert get(ours) == "binder"


@pytest.mark.skipif(os.geteuid() != 0, reason="looks at descriptors of the manager")
def test_nothing_is_kept_for_what_is_left_of_a_worker_once_it_has_ended(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    gate = holdport.dir / "gate"
    os.mkfifo(gate)
    run(holdport, f"sh -c '(trap \"\" TERM; read go < {gate}) & exec {binder(address)}'", address,
        section="ready = listen\nkill_mode = process")

    def listeners():
        return sum("seccomp" in d for d in descriptors(holdport.manager_pid).values())

    holdport.ok("stop", "web")
    assert listeners() == 1
    gate.write_text("go\n")
    eventually(lambda: listeners() == 0)
