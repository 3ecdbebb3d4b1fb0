"""Real servers as a supervisor starts them: each a [program:web] on [socket:http].

A server is a name, the lines of its section, and what it asks of the load: how
often each kept-alive connection asks.  It is an open load; what a server cannot
serve on two busy processors would be counted as timed out (and gunicorn's sync
workers close after every answer: each of those requests is a connection more).
"""

import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from holdport import SOURCES

# php-fpm8.2, php-fpm8.4: Debian names it by its version.
PHP_FPM = max(map(str, Path("/usr/sbin").glob("php-fpm*")), default="/usr/sbin/php-fpm")

NGINX_CONF = """
    daemon off;
    worker_processes 2;
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
            listen {address};
            location / {{ return 200 "nginx\\n"; }}
        }}
    }}
"""


@dataclass
class Server:
    name: str
    section: str
    strategies: tuple = ("rolling", "overlap", "replace")
    load: tuple = ()
    files: dict = field(default_factory=dict)

    def write_config(self, holdport, address, strategy="rolling", more=""):
        names = {"dir": holdport.dir, "address": address, "sources": SOURCES,
                 "worker": holdport.worker("--answer", self.name)}
        for name, text in self.files.items():
            (holdport.dir / name).write_text(textwrap.dedent(text).format(**names))
        section = textwrap.dedent(self.section).format(**names)
        holdport.write_config(
            f"[socket:http]\nlisten = {address}\n"
            f"[program:web]\nsockets = http\nstrategy = {strategy}\n{section}\n"
            + textwrap.dedent(more))


WORKER = Server("worker", "command = {worker} --notify\nworkers = 2\n")

GUNICORN = Server("gunicorn", """
    command = /usr/bin/gunicorn --workers 2 --graceful-timeout 10 --chdir {sources} app:app
    """, load=("--interval", 200))

# Two nginx live at once during a restart: each slot has a pid file of its own.
NGINX = Server("nginx", """
    command = /usr/sbin/nginx -e {dir}/nginx.error.log -c {dir}/nginx.conf
        -g "pid {dir}/nginx.${{slot}}.pid;"
    handoff = nginx
    """, load=("--interval", 50), files={"nginx.conf": NGINX_CONF})

NODE = Server("node", "command = /usr/bin/env node {sources}/server.js\n",
              load=("--interval", 100))

ALL = (WORKER, GUNICORN, NGINX, NODE)
