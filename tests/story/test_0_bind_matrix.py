"""`bind-matrix`: what this system does with a second bind, found out by doing it.

What is expected stands in tests/data: what this project measured, and what was
published before."""

import json
import os
import pty
import signal
import subprocess
import sys

import pytest

from holdport import BUILD, DONE, ROOT, SOURCES, STATES, SUPPORT, descendants

DATA = ROOT / "tests/data"
OPTIONS = ["none", "SO_REUSEADDR", "SO_REUSEPORT", "SO_REUSEADDR+SO_REUSEPORT"]
WORDS = {"ok": "ok", "x": "EADDRINUSE", "n": "EADDRNOTAVAIL"}
NAMES = ["family", "first_address", "second_address", "state", "first", "second"]
ALONE = [sys.executable, str(SOURCES / "alone.py")]


def places(title):
    """`family: wildcard > wildcard, other; specific > other`, one by one"""
    family, pairs = title.removeprefix("clients, ").split(": ")
    for pair in pairs.split("; "):
        first, seconds = pair.split(" > ")
        for second in seconds.split(", "):
            yield family, first, second


def cells_of(text):
    """The tables, as (family, addresses, state, options) -> result."""
    found = {}
    for part in text.strip().split("\n\n"):
        lines = part.splitlines()
        heads = lines.index(next(line for line in lines if line.startswith("first ")))
        for line in lines[heads + 2:]:
            state, *results = line.split()
            assert len(results) == len(OPTIONS) ** 2
            for place in (p for title in lines[:heads] for p in places(title)):
                for i, result in enumerate(results):
                    key = (*place, state, OPTIONS[i // len(OPTIONS)], OPTIONS[i % len(OPTIONS)])
                    assert key not in found, key
                    found[key] = WORDS[result]
    return found


def alone(*args, how=(), env=None, said_besides=""):
    """`holdport bind-matrix` in a network namespace of its own, by nobody: what it
    said, and the states of the sockets that it left there."""
    argv = [*ALONE, *how, str(BUILD / "bin/holdport"), "bind-matrix", *args]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **(env or {})})
    assert done.returncode == DONE and done.stderr == said_besides, done
    said, left = done.stdout.rstrip("\n").rsplit("\n", 1)
    return said, [STATES[int(state, 16)] for state in json.loads(left)]


@pytest.fixture(scope="module")
def measured():
    """What this kernel does: place, state, options -> result; what was left."""
    said, left = alone("--json")
    cells = json.loads(said)
    assert set(cells[0]) == {*NAMES, "result", "reason"}
    found = {tuple(c[name] for name in NAMES): c["result"] for c in cells}
    assert len(found) == len(cells)
    return found, left


def test_this_kernel_binds_as_the_data_says_cell_by_cell(measured):
    found, left = measured
    wanted = cells_of((DATA / "bind_matrix.txt").read_text())
    assert len(found) == len(wanted) == 9 * 6 * 9 * 16 + 3 * 2 * 16
    differing = {k: (found.get(k), wanted[k]) for k in wanted if found.get(k) != wanted[k]}
    assert not differing, "not as in docs/platforms.md; name the difference there"
    assert not left


def test_the_published_matrix_is_reproduced(measured):
    found, _ = measured
    rows = [line.split() for line in (DATA / "bind_published.txt").read_text().splitlines()
            if not line.startswith("#")]
    assert len(rows) == 8
    for state, option, result in rows:
        for place in ("wildcard", "specific"):
            assert found["ipv4", place, place, state, option, option] == result, (state, option)


def test_the_rules_for_clients_hold(measured):
    """One local address to two destinations; the same four-tuple twice."""
    found, _ = measured
    for family in ("ipv4", "ipv6", "dual-stack"):
        def beside(state, option):
            return found[family, "specific", "specific", state, option, option]

        assert beside("CONNECTED", "none") == "EADDRINUSE"
        assert beside("CONNECTED", "SO_REUSEADDR") == "ok"
        assert beside("CONNECTED_SAME", "SO_REUSEADDR") == "EADDRNOTAVAIL"
        assert beside("LISTEN", "SO_REUSEADDR") == "EADDRINUSE"


def test_the_tables_say_the_same_as_the_cells():
    said, left = alone()
    head, tables = said.split("\n\n", 1)
    tables, end_ = tables.rsplit("\n\n", 1)
    assert "A SO_REUSEADDR" in head
    assert tables + "\n" == (DATA / "bind_matrix.txt").read_text()
    assert end_ == "All 7872 binds ended as holdport expects."
    assert not left


def test_what_cannot_be_made_is_not_tested_and_says_why():
    cells = json.loads(alone("--json", how=["--down"])[0])
    assert {c["state"] for c in cells if c["result"]} == {"LISTEN"}
    assert {c["reason"] for c in cells if c["state"] == "TIME_WAIT"} == {
        "cannot connect to loopback: Network is unreachable",
        "cannot connect to loopback: Cannot assign requested address",
        "ipv6: cannot bind the specific address: Cannot assign requested address"}
    said, _ = alone(how=["--down"])
    assert "TIME_WAIT           ?  ?" in said
    assert "? ESTABLISHED+LISTEN: cannot connect to loopback: Network is unreachable" in said


def test_what_the_system_keeps_for_a_minute_is_said():
    said, left = alone(how=["--rfc1337"], said_besides=(
        "holdport: 24 connections could not be taken away again; they end within a minute\n"))
    assert left == ["TIME_WAIT"] * 24
    assert said.endswith("All 7872 binds ended as holdport expects.")


def test_a_system_that_differs_is_told_so():
    said, _ = alone(env={"LD_PRELOAD": str(SUPPORT / "libnoreuseport.so"),
                         "ASAN_OPTIONS": "verify_asan_link_order=0"})
    tables, end_ = said.rsplit("\n\n", 1)
    first, *lines, more = end_.splitlines()
    assert first.endswith(" of 7872 binds did not end as holdport expects:")
    assert lines[0] == ("  ipv4: wildcard > wildcard, LISTEN, P then P: "
                        "EADDRINUSE instead of ok")
    assert len(lines) == 20 and more == "  …"
    assert cells_of(tables.split("\n\n", 1)[1])["ipv4", "wildcard", "wildcard", "LISTEN",
                                                 "SO_REUSEPORT", "SO_REUSEPORT"] == "EADDRINUSE"


def interrupted(terminal, show):
    """Started on a terminal, interrupted when that shows a word; what was left."""
    with subprocess.Popen([*ALONE, str(BUILD / "bin/holdport"), "bind-matrix"],
                          stdout=subprocess.PIPE, stderr=show, text=True) as child:
        shown = b""
        while b"TIME_WAIT" not in shown:
            shown += os.read(terminal, 1024)
        [pid] = [p for p, name in descendants(child.pid).items() if name == "holdport"]
        os.kill(pid, signal.SIGINT)
        said = child.stdout.read()
    assert child.returncode == 128 + signal.SIGINT
    return shown, said


def test_a_terminal_shows_how_far_it_is_and_an_interruption_leaves_nothing():
    terminal, show = pty.openpty()
    try:
        shown, said = interrupted(terminal, show)
    finally:
        os.close(terminal)
        os.close(show)
    assert b"\ripv4 TIME_WAIT" in shown and b"%" in shown
    assert said == "[]\n"
