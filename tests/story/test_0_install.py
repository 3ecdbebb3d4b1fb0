"""`cmake --install`: everything is where a system looks for it, and runs there."""

import os
import subprocess
from pathlib import Path

import pytest

from holdport import ROOT, eventually, get

TREE = Path(os.environ.get("HOLDPORT_BUILD") or ROOT / "build/dev").resolve()
FILES = """\
bin/holdport bin/holdport-listen-pid sbin/holdportd lib/holdport/libholdport-preload.so
lib/holdport/holdport-http
share/man/man1/holdport.1 share/man/man5/holdport.conf.5 share/man/man8/holdportd.8
share/bash-completion/completions/holdport share/zsh/site-functions/_holdport
share/fish/vendor_completions.d/holdport.fish
share/doc/holdport/holdport.conf share/doc/holdport/conf.d/nginx.conf share/doc/holdport/LICENSE
""".split()


@pytest.fixture
def installed(holdport):
    """Where it was installed to, as a package would be."""
    def install(*options, **env):
        subprocess.run(["cmake", "--install", str(TREE), *map(str, options)], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, **env})
    return install


def test_the_release_needs_nothing_that_only_tests_need(holdport):
    found = subprocess.run(["pkg-config", "--variable", "pc_path", "pkg-config"], check=True,
                           capture_output=True, text=True).stdout.strip()
    (holdport.dir / "pc").mkdir()
    for folder in map(Path, found.split(":")):
        for file in folder.glob("*.pc"):
            if file.name not in ("cmocka.pc", "libsystemd.pc"):
                (holdport.dir / "pc" / file.name).symlink_to(file)
    subprocess.run(["cmake", "--preset", "release", "-S", ROOT, "-B", holdport.dir / "build"],
                   check=True, cwd=ROOT, stdout=subprocess.DEVNULL,
                   env={**os.environ, "PKG_CONFIG_LIBDIR": str(holdport.dir / "pc")})


def test_all_of_it_lies_below_the_prefix(holdport, installed):
    prefix = holdport.dir / "usr"
    installed("--prefix", prefix)
    assert [f for f in FILES if not (prefix / f).is_file()] == []


def test_destdir_goes_in_front_of_it(holdport, installed):
    installed(DESTDIR=str(holdport.dir / "package"))
    assert (holdport.dir / "package/usr/local/bin/holdport").is_file()


def test_what_is_installed_runs_from_there(holdport, installed):
    prefix = holdport.dir / "usr"
    installed("--prefix", prefix)
    (holdport.dir / "bin").mkdir()
    (holdport.dir / "bin/hp").symlink_to(prefix / "bin/holdport")
    address = holdport.write_web("--notify")
    with open(holdport.output, "ab") as out:
        holdport.process = subprocess.Popen(
            [holdport.dir / "bin/hp", "run", "-c", holdport.config], stdin=subprocess.DEVNULL,
            stdout=out, stderr=out, env=holdport.env, start_new_session=True)
    holdport._children.append(holdport.process)
    eventually(holdport._answers, what="the supervisor answers")
    holdport.await_("web")
    assert get(address) == "worker"
    exe = os.readlink(f"/proc/{holdport.manager_pid}/exe")
    assert exe == str(prefix / "sbin/holdportd")
