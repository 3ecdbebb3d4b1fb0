"""The smallest WSGI application: its body is $ANSWER, or "gunicorn"."""

import os

BODY = os.environ.get("ANSWER", "gunicorn").encode() + b"\n"


def app(environ, start_response):
    start_response("200 OK", [
        ("Content-Type", "text/plain"),
        ("Content-Length", str(len(BODY))),
        ("X-Pid", str(os.getpid())),
    ])
    return [BODY]
