"""A program that says too much: lines beyond log_rate are dropped, counted, said."""

import re

import pytest

from holdport import FAILED, descendants, eventually, kill
from outputs import run_one, text_of

SAY = "seq -w 1 100000"
MISSING = re.compile(r"holdport: (\d+) lines \((\d+) bytes\) are missing here: more than log_rate = \d+ lines a second")


def await_all(holdport, path, total=100000):
    """The text, when all of what was said is in it or counted as missing."""
    def whole():
        text = text_of(path)
        there = len(re.findall(r"^(?:\S+ )*\d{6}$", text, re.M))
        missing = sum(int(n) for n, _ in MISSING.findall(text))
        assert there + missing <= total, (there, missing)
        return there + missing == total and text
    return eventually(whole, what=lambda: f"all of it in {text_of(path)[-300:]}\n{holdport.log()[-2000:]}")


@pytest.mark.parametrize("where", ["stdout = file:{path}", "stdout = log\nlog_file = {path}\nlog_prefix = yes"])
def test_lines_beyond_the_rate_are_counted_and_said(holdport, where):
    path = holdport.dir / "log"
    run_one(holdport, f"sh -c '{SAY}; exec sleep 1000'",
            where.format(path=path) + "\nlog_rate = 100\nlog_max_size = 0")
    text = await_all(holdport, path)
    lines = re.findall(r"\d{6}$", text, re.M)
    assert lines[:100] == [f"{n:06}" for n in range(1, 101)] and len(lines) < 10000
    assert sum(int(b) for _, b in MISSING.findall(text)) == 7 * (100000 - len(lines))
    assert "more than log_rate = 100 lines a second; those beyond are dropped" in holdport.log()


def test_so_many_at_once_are_let_through(holdport):
    path = holdport.dir / "log"
    run_one(holdport, f"sh -c '{SAY}; exec sleep 1000'",
            f"stdout = file:{path}\nlog_rate = 100\nlog_burst = 5000\nlog_max_size = 0")
    lines = re.findall(r"^\d{6}$", await_all(holdport, path), re.M)
    assert lines[:5000] == [f"{n:06}" for n in range(1, 5001)]


def test_it_is_the_rate_of_a_program_not_of_a_worker(holdport):
    path = holdport.dir / "log"
    run_one(holdport, f"sh -c '{SAY}; exec sleep 1000'",
            f"workers = 3\nstdout = file:{path}\nlog_rate = 1\nlog_burst = 1000\nlog_max_size = 0")
    lines = re.findall(r"^\d{6}$", await_all(holdport, path, 300000), re.M)
    assert 1000 <= len(lines) < 3000


def test_lines_that_are_forwarded_have_a_rate_too(holdport):
    run_one(holdport, f"sh -c '{SAY}; exit 3'", "log_rate = 100\nstart = manual\nstart_attempts = 1")
    result = holdport.cmd("start", "one")
    assert result.code == FAILED and "| 100000" in result.err + result.out, result

    def counts():
        return [int(n) for n in re.findall(r"one/1/0: holdport: (\d+) lines \(\d+ bytes\) are missing here", holdport.log())]

    there = len(re.findall(r"^one/1/0: \d{6}$", holdport.log(), re.M))
    assert 100 <= there < 10000 and there + sum(counts()) == 100000, (there, counts())


def test_another_one_who_writes_counts_on(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'while sleep 0.01; do echo 000000; done'",
            f"stdout = file:{path}\nlog_rate = 10\nlog_burst = 1")
    eventually(lambda: "are missing here" in text_of(path))
    [kill(p) for p, name in descendants().items() if name == "holdport-scribe"]
    size = path.stat().st_size
    eventually(lambda: "are missing here" in text_of(path)[size:])
    assert "000000" in text_of(path)[size:]
