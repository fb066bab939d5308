"""The base of the comparison: a bare ASGI app on uvicorn (httptools, uvloop, no access log) with constant answers.

`python bare.py ANSWERS.json` reads {"list"|"get"|"create": [status, [[name, value], …], body]}, prints its URL in one
JSON line, and serves until it is stopped.
"""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn


def app_of(answers: dict[str, Any]) -> Any:
    def messages(status: int, headers: list[list[str]], body: str) -> tuple[dict[str, Any], dict[str, Any]]:
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        start = {"type": "http.response.start", "status": status, "headers": raw}
        return start, {"type": "http.response.body", "body": body.encode()}

    of = {name: messages(*answer) for name, answer in answers.items()}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            start, body = of["create"]
        else:
            start, body = of["list"] if scope["path"] == "/v1/instances" else of["get"]
        await send(start)
        await send(body)

    return app


def main() -> None:
    answers = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        app_of(answers),
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,  # the captured answers bring the mock's own
    )
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
