"""Under Monit, by the example that comes with holdport: what is killed is there again, and
workers do not notice."""

import subprocess

import pytest

from holdport import BUILD, ROOT, Orphan, eventually

MONITRC = ROOT / "contrib/monit/holdport.monitrc"


@pytest.fixture
def monit(holdport):
    """Monit with the example's check of holdport alone, each second."""
    pid_file, rc = holdport.dir / "pid", holdport.dir / "monitrc"
    holdport.address = holdport.write_web("--notify", more=f"""\
        [supervisor]
        runtime_dir = {holdport.runtime_dir}
        pid_file = {pid_file}
        """)
    text = MONITRC.read_text().split("# A server behind it.")[0]
    for theirs, ours in (("/usr/local/bin/holdport", BUILD / "bin/holdport"),
                         ("/etc/holdport/holdport.conf", holdport.config),
                         ("/var/log/holdport.log", holdport.output),
                         ("/run/holdport.pid", pid_file)):
        assert theirs in text
        text = text.replace(theirs, str(ours))
    own = "".join(f"set {word} {holdport.dir}/monit.{word}\n"
                  for word in ("pidfile", "statefile", "idfile", "log"))
    rc.write_text(f"set daemon 1\n{own}{text}")
    rc.chmod(0o600)
    agent = subprocess.Popen(["monit", "-I", "-c", rc], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield lambda: (holdport.dir / "monit.log").read_text()
    agent.terminate()
    agent.wait()


def started(holdport, *but):
    """Until Monit has started it: its pid."""
    def look():
        holdport.take_orphans()
        pid = holdport.answer().get("keeper_pid")
        return pid if pid not in (None, *but) else None
    pid = eventually(look, what=holdport.log)
    holdport.process = Orphan(pid)
    holdport.await_("web")
    return pid


@pytest.mark.long                   # a start that takes longer than Monit's second is doubled
def test_what_is_killed_is_there_again(holdport, monit):
    first = started(holdport)
    eventually(lambda: f"running with pid {first}" in monit(), what=monit)
    pids, inode = holdport.pids("web"), holdport.socket("http")["inode"]
    with holdport.load(holdport.address, "--rate", 100) as load:
        # The manager is the keeper from then on, and Monit finds it by its pid file.
        holdport.kill_keeper()
        heir = holdport.pid
        assert (holdport.dir / "pid").read_text() == f"{heir}\n"
        # Nobody of ours is left: it is started again, and takes up what lives.
        holdport.kill_both()
        holdport.process = None
        last = started(holdport, first, heir)
    load.expect(failed=0, refused=0)
    assert last not in (first, heir)
    assert holdport.pids("web") == pids and holdport.socket("http")["inode"] == inode
