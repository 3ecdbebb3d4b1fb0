"""Benches measure and judge nothing (tests/bench); here is seen that each still works."""

import os
import subprocess
import sys

import pytest

from holdport import BUILD, ROOT

BENCHES = ["restarts", "crash", "command", "footprint", "idle", "count", "rebind",
           "intercept", "upgrade", "capture"]


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_still_measures(name):
    done = subprocess.run([sys.executable, ROOT / "tests/bench/run", "--smoke", "--no-build", name],
                          env={**os.environ, "HOLDPORT_BUILD": str(BUILD)},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| holdport ")]
    assert rows, done.stdout
    assert all(cell.strip() for row in rows for cell in row.strip("|").split("|")), rows


def test_every_bench_is_seen():
    known = {path.stem for path in (ROOT / "tests/bench").glob("*.py")}
    assert known - {"bench", "pairs", "serving", "sleepers"} == set(BENCHES)
