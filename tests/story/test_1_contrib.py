"""contrib: what is there for systemd and Monit is what they, and holdport, take; the
set-up says what it does, and what it cannot."""

import re
import shutil
import subprocess

import pytest

from holdport import BUILD, ROOT

UNIT = ROOT / "contrib/systemd/holdport.service"
MONITRC = ROOT / "contrib/monit/holdport.monitrc"


def run(*argv):
    done = subprocess.run(list(map(str, argv)), stdin=subprocess.DEVNULL, text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("file", [UNIT, MONITRC], ids=lambda f: f.name)
def test_only_commands_that_there_are_are_used(holdport, file):
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    used = set(re.findall(r"/bin/holdport (\w+)", "\n".join(lines)))
    told = {line.split("\t")[0]
            for line in holdport.plain("help", "--complete").out.splitlines()}
    assert used and used <= told


def test_systemd_takes_the_unit(holdport):
    unit = holdport.dir / "holdport.service"
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/holdport", f"{BUILD}/bin/holdport"))
    said = run("systemd-analyze", "verify", "--man=no", unit)
    assert "holdport.service:" not in said, said


def test_monit_takes_the_example(holdport):
    monitrc = holdport.dir / "monitrc"
    monitrc.write_text(MONITRC.read_text().replace("/usr/local/bin/holdport",
                                                   f"{BUILD}/bin/holdport"))
    monitrc.chmod(0o600)
    run("monit", "-t", "-c", monitrc)


# contrib/setup, on a machine of our own making


@pytest.fixture
def machine(holdport):
    """A PATH with a shell's tools, and what a story adds; runs contrib/setup there."""
    bin_ = holdport.dir / "bin"
    bin_.mkdir()
    for tool in ("sh", "cat", "sed", "grep", "cut", "tr", "id", "basename", "rm", "tee", "chmod", "env"):
        (bin_ / tool).symlink_to(shutil.which(tool))

    def setup(mode, **programs):
        for name, text in programs.items():
            program = bin_ / name.replace("_", "-")
            program.unlink(missing_ok=True)
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
        return subprocess.run([ROOT / "contrib/setup", mode], text=True, capture_output=True,
                              env={"PATH": str(bin_), "CALLS": str(holdport.dir / "calls")})
    setup.calls = holdport.dir / "calls"
    return setup


def test_on_a_system_that_it_does_not_know_it_says_what_is_missing(machine):
    said = machine("build")
    assert said.returncode == 1
    assert "this system is not known" in said.stderr
    assert "a C11 compiler (gcc or clang, as cc)   (Debian: gcc)" in said.stderr
    assert "inih (r53 or newer) with headers   (Debian: libinih-dev)" in said.stderr
    assert "pytest" not in said.stderr


RECORD = 'echo "${0##*/} $*" >>"$CALLS"'


def test_without_root_and_sudo_it_says_so(machine):
    said = machine("build", id="echo 1000", apt_get=RECORD)
    assert said.returncode == 1
    assert "neither root nor sudo" in said.stderr and "cmake" in said.stderr
    assert not machine.calls.exists()


def test_through_sudo_it_installs_what_it_named_and_looks_again(machine):
    said = machine("build", id="echo 1000", apt_get=RECORD, sudo=f"{RECORD}; exec \"$@\"",
                   apt_cache="echo '  Candidate: 1.0'")
    calls = machine.calls.read_text()
    [named] = re.findall("^setup: apt-get install (.*)$", said.stdout, re.M)
    assert {"gcc", "cmake", "libinih-dev"} <= set(named.split())
    assert re.search(f"^sudo env .*apt-get install .*{named}$", calls, re.M), calls
    assert said.returncode == 1                     # for nothing was really installed
    assert "still missing after the installation" in said.stderr


def test_where_all_is_there_it_does_nothing():
    assert run(ROOT / "contrib/setup", "test") == ""
