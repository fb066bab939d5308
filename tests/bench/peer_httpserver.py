"""pytest-httpserver with constant answers: `python peer_httpserver.py ANSWERS.json PORT`, in the peer's environment."""

import json
import sys
import threading
from pathlib import Path

from pytest_httpserver import HTTPServer  # type: ignore[import-not-found]  # installed beside it, not here


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    paths = {"list": "/v1/instances", "get": f"/v1/instances/{given['instance']}", "create": "/v1/instances"}
    server = HTTPServer("127.0.0.1", int(sys.argv[2]))
    for kind, (status, headers, body) in given["answers"].items():
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        expected = server.expect_request(paths[kind], method="POST" if kind == "create" else "GET")
        expected.respond_with_data(body, status, kept)
    server.start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
