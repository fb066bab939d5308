"""uvicorn's protocol without the rest of uvicorn."""

import inspect
import json
import re
import subprocess
import sys

import uvicorn
from uvicorn.protocols.http import httptools_impl
from uvicorn.server import ServerState as ServerStateOfUvicorn

from cnx_mock.net.uvicorn_protocol import Config, ServerState


async def app(scope: object, receive: object, send: object) -> None:
    """Answers nothing."""


def test_what_the_protocol_reads_of_its_configuration_is_what_uvicorn_has_there() -> None:
    options = {"ws": "none", "lifespan": "off", "log_config": None, "proxy_headers": False}
    theirs = uvicorn.Config(app, **options, timeout_keep_alive=75)  # type: ignore[arg-type]
    theirs.load()
    read = set(re.findall(r"\bconfig\.(\w+)", inspect.getsource(httptools_impl))) - {"load"}
    ours = Config(app, 75)
    assert {name: getattr(ours, name) for name in read} == {name: getattr(theirs, name) for name in read}
    assert "_whole" not in vars(ours), "none of it is asked of uvicorn's own"


def test_what_another_protocol_may_read_is_asked_of_uvicorn_s_own() -> None:
    assert Config(app, 75).limit_max_requests is None
    assert Config(app, 75).ws_ping_interval == 20


def test_connections_share_what_uvicorn_s_share() -> None:
    assert vars(ServerState()) == vars(ServerStateOfUvicorn())


def test_a_later_import_of_uvicorn_is_the_whole_of_it() -> None:
    source = """
import json, sys
from cnx_mock.net import uvicorn_protocol as ours
before = [name for name in sys.modules if name.startswith("uvicorn")]
import uvicorn
config = uvicorn.Config("json:loads", http="httptools", interface="asgi3")
config.load()
print(json.dumps([before, config.http_protocol_class.__name__, uvicorn.server.ServerState.__module__]))
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout) == [[], "HttpToolsProtocol", "uvicorn.server"]
