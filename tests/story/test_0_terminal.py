"""What a terminal is shown, and what a pipe is."""

import re

import pytest

from holdport import shown_on_terminal

# The old worker may be gone already.
RESTARTED = (r"web: generation 2 is running"
             r"(; 1 worker is on its way out, \d+s at most)?")


@pytest.fixture
def slow(holdport):
    """[program:web], whose workers take a moment to start."""
    holdport.run_web("--notify", "--start-delay", 700, section="ready = notify")
    return holdport


def on_a_terminal(holdport, *words, **env):
    return shown_on_terminal(holdport.env, *words, "-c", holdport.config, **env)


def test_long_work_is_one_line_that_is_rewritten(slow):
    shown, code = on_a_terminal(slow, "restart", "web")
    assert code == 0
    lines = shown.split("\r\n")
    assert re.search(r"\rweb: generation 2 \w+, 0/1 ready… 0s\x1b\[K", lines[0]), shown
    assert re.search("\r\x1b\\[K" + RESTARTED + "$", lines[0]), shown
    assert lines[1:] == [""]


def test_elsewhere_it_is_a_line_for_each_event(slow):
    said = slow.ok("restart", "web")
    assert re.fullmatch(RESTARTED + "\n", said.out)
    assert "web: generation 2 proving" in said.err.splitlines()
    assert "\r" not in said.err and "\x1b" not in said.err


def test_colours_are_for_a_terminal_that_wants_them(slow):
    assert "\x1b[" in on_a_terminal(slow, "status")[0]
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_a_terminal(slow, "status", **env)[0]
    plain = slow.plain("status", "-c", slow.config, env={"NO_COLOR": "", "TERM": "xterm"})
    assert "running" in plain.out and "\x1b" not in plain.out
