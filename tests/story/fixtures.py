"""Fixtures: `holdport` is a supervisor, `new_holdport` makes more of them."""

import os
import subprocess
import sys

import pytest

import holdport as harness

harness.become_subreaper()


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="50 restarts where 5 do else, and stories that take a minute")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes a minute or more; only with --long")
    config.addinivalue_line("markers", "load: a steady load, which wants the machine for itself")


def pytest_report_header():
    return f"holdport: {harness.BUILD}"


def pytest_collection_modifyitems(config, items):
    """Files are numbered by depth: what is simple fails first."""
    if not (harness.BUILD / "bin/holdport").exists():
        raise pytest.UsageError(f"nothing is built in {harness.BUILD} (HOLDPORT_BUILD)")
    if not config.getoption("--long"):
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    items.sort(key=lambda item: item.path.name)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.call_failed = outcome.get_result().failed


@pytest.fixture
def long(request):
    return request.config.getoption("--long")


@pytest.fixture
def restarts(long):
    """How many a story does."""
    return 50 if long else 5


@pytest.fixture
def new_holdport(request):
    made = []

    def make():
        made.append(harness.Holdport())
        return made[-1]

    yield make
    wrong = [word for one in reversed(made) for word in one.stop()]
    expected = any(one.leftovers_expected for one in made)
    left = harness.end_leftovers(0 if expected else 3)
    if left and not expected:
        wrong.append(f"left behind: {left}")
    if wrong or getattr(request.node, "call_failed", True):
        for one in made:
            print(f"--- {one.config}\n{one.config.read_text() if one.config.exists() else ''}")
            print(f"--- what it said\n{one.log()}", file=sys.stderr)
    if os.environ.get("HOLDPORT_KEEP"):
        print("kept:", *(one.dir for one in made))
    else:
        for one in made:
            one.remove()
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def holdport(new_holdport):
    return new_holdport()


@pytest.fixture
def small_disk(holdport):
    """One of 256 KiB; gone with the story."""
    disk = holdport.dir / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], capture_output=True)
    if done.returncode:
        pytest.skip("no file system may be mounted here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)
