"""contrib: what is there for systemd and Monit is what they, and holdport, take."""

import re
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
