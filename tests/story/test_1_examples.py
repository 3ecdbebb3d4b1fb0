"""conf/conf.d: each example is run with the server that it is for.

A copy is run in a directory of its own, with free loopback ports and paths in
the place of the well-known ones; nothing else of it is changed.  A server that
Debian does not have is played by the worker.
"""

import getpass
import os
import re
import textwrap

import pytest

from fastcgi import fastcgi
from holdport import ROOT, get
from servers import PHP_FPM

EXAMPLES = ROOT / "conf/conf.d"

APP_PY = """
    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "6")])
        return [b"hello\\n"]
"""

ASGI_PY = """
    async def application(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200,
                        "headers": [(b"content-length", b"6")]})
            await send({"type": "http.response.body", "body": b"hello\\n"})
"""

FCGI_PL = """
    use FCGI;
    my $request = FCGI::Request();
    print "Content-Type: text/plain\\r\\n\\r\\nhello\\n" while $request->Accept() >= 0;
"""

APP_PSGI = """
    sub { return [200, ["Content-Length" => 6], ["hello\\n"]] }
"""

NGINX_CONF = """
    error_log {dir}/nginx.error.log;
    events {{ }}
    http {{
        access_log off;
        client_body_temp_path {dir}/nginx.body;
        proxy_temp_path {dir}/nginx.proxy;
        fastcgi_temp_path {dir}/nginx.fastcgi;
        uwsgi_temp_path {dir}/nginx.uwsgi;
        scgi_temp_path {dir}/nginx.scgi;
        server {{
            listen 127.0.0.1:{port};
            listen [::1]:{port};
            location / {{ return 200 "hello\\n"; }}
        }}
    }}
"""


class Example:
    """A copy of an example, and what stands beside it."""

    def __init__(self, holdport, name):
        self.holdport = holdport
        self.name = name
        self.text = (EXAMPLES / name).read_text()
        self.port = holdport.port()
        self.first_client = None    # who has to come before it runs

    def put(self, was, now):
        """`was` must be there: an example that changed wants its story changed."""
        assert was in self.text, f"{self.name} has no {was!r}"
        self.text = self.text.replace(was, now)

    def beside(self, name, text):
        (self.holdport.dir / name).write_text(textwrap.dedent(text))

    def in_comment(self, name):
        """The file that the example shows in its comments, written out."""
        shown = self.text.split(f"# {name}:\n#\n", 1)[1]
        lines = re.match(r"(?:#(?:\t|   ).*\n)+", shown).group(0)
        (self.holdport.dir / name).write_text(re.sub(r"^#\s*", "", lines, flags=re.M))

    @property
    def program(self):
        return re.search(r"^\[program:(.*)\]$", self.text, re.M).group(1)

    def run(self):
        self.holdport.write_config(self.text)
        self.holdport.run()
        if self.first_client:
            assert get(self.first_client) == "hello"
        self.holdport.await_(self.program)


def nginx(example):
    example.put("listen = 0.0.0.0:80, [::]:80",
                f"listen = 127.0.0.1:{example.port}, [::1]:{example.port}")
    here = example.holdport.dir
    example.put("/usr/sbin/nginx -g", f"/usr/sbin/nginx -e {here}/log -c {here}/nginx.conf -g")
    example.put("pid /run/", f"pid {here}/")
    example.beside("nginx.conf", NGINX_CONF.format(dir=here, port=example.port))
    return [f"127.0.0.1:{example.port}", f"[::1]:{example.port}"]


def gunicorn(example):
    example.put("127.0.0.1:8000", f"127.0.0.1:{example.port}")
    example.beside("app.py", APP_PY)
    return [f"127.0.0.1:{example.port}"]


def node(example):
    example.in_comment("server.js")
    example.put("listen = *:3000", f"listen = 127.0.0.1:{example.port}")
    # Two, whatever this machine has.
    example.put("workers = auto", "workers = 2")
    return [f"127.0.0.1:{example.port}"]


def uvicorn(example):
    example.put("127.0.0.1:8001", f"127.0.0.1:{example.port}")
    example.beside("app.py", ASGI_PY)
    return [f"127.0.0.1:{example.port}"]


def server_starter(example):
    example.put("127.0.0.1:5000", f"127.0.0.1:{example.port}")
    example.beside("app.psgi", APP_PSGI)
    return [f"127.0.0.1:{example.port}"]


def stdin(example):
    path = example.holdport.dir / "fcgi.sock"
    example.put("unix:/run/fcgi-app.sock", f"unix:{path}")
    example.put("/srv/fcgi/app", f"/usr/bin/perl {example.holdport.dir}/app.pl")
    example.beside("app.pl", FCGI_PL)
    # Other users cannot be taken, nor reach the directory, on every machine.
    example.put("group = www-data\n", "")
    example.put("user = www-data\n", "")
    return [f"unix:{path}"]


def php_fpm(example):
    here = example.holdport.dir
    here.chmod(0o755)           # it becomes another user
    user = "nobody" if os.getuid() == 0 else getpass.getuser()
    example.put("/usr/sbin/php-fpm8.2 -F", f"{PHP_FPM} -F -y {here}/fpm.conf")
    example.put("listen = 127.0.0.1:9000\n\n", f"listen = 127.0.0.1:{example.port}\n\n")
    example.beside("fpm.conf", f"""
        [global]
        error_log = {here}/fpm.log
        [www]
        listen = 127.0.0.1:{example.port}
        user = {user}
        pm = static
        pm.max_children = 1
    """)
    (here / "x.php").write_text("<?php echo 'hello';")
    return [f"127.0.0.1:{example.port}"]


def intercept(example):
    for was in ("listen = *:8000", "http.server 8000"):
        example.put(was, was.replace("8000", str(example.port)))
    example.beside("index.html", "hello\n")
    return [f"127.0.0.1:{example.port}"]


def logs(example):
    return intercept(example)


def health(example):
    for was in ("listen = 0.0.0.0:8000", "http.server 8000"):
        example.put(was, was.replace("8000", str(example.port)))
    example.beside("index.html", "hello\n")
    return [f"127.0.0.1:{example.port}"]


JOBS_PY = """
    import sys, time, urllib.request
    assert urllib.request.urlopen(sys.argv[1]).read() == b"hello\\n"
    while True:
        time.sleep(60)
"""


def on_demand(example):
    example.put("127.0.0.1:8003", f"127.0.0.1:{example.port}")
    example.beside("app.py", APP_PY)
    example.first_client = f"127.0.0.1:{example.port}"
    return [example.first_client]


def order(example):
    """A job that is started too early would fail: its first worker is its only one."""
    example.text = example.text.replace("127.0.0.1:8000", f"127.0.0.1:{example.port}")
    example.beside("app.py", APP_PY)
    example.beside("jobs.py", JOBS_PY)
    return [f"127.0.0.1:{example.port}"]


ADAPT = {"nginx.conf": nginx, "php-fpm.conf": php_fpm, "gunicorn.conf": gunicorn,
         "node.conf": node, "uvicorn.conf": uvicorn, "server-starter.conf": server_starter,
         "stdin.conf": stdin, "intercept.conf": intercept, "logs.conf": logs,
         "order.conf": order, "on-demand.conf": on_demand,
         "health.conf": health}
FASTCGI = ("php-fpm.conf", "stdin.conf")


def test_every_example_has_its_story():
    assert sorted(p.name for p in EXAMPLES.iterdir()) == sorted(ADAPT)


@pytest.mark.parametrize("name", ADAPT)
def test_an_example_answers_is_restarted_and_ends(holdport, name):
    example = Example(holdport, name)
    addresses = ADAPT[name](example)

    def all_answer():
        for address in addresses:
            answer = (fastcgi(address, holdport.dir / "x.php") if name in FASTCGI
                      else get(address))
            assert answer == "hello"

    example.run()
    all_answer()
    before = holdport.pids(example.program)
    inodes = [s["inode"] for s in holdport.status()["sockets"]]
    holdport.ok("restart", example.program)
    holdport.await_replaced(example.program, before)
    all_answer()
    assert [s["inode"] for s in holdport.status()["sockets"]] == inodes
    assert holdport.shutdown() == 0
