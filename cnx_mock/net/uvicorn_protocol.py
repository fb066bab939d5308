"""What is used of uvicorn, loaded without the rest: its HTTP protocol, and the classes that the protocol needs.

`import uvicorn` loads its command too: the reloader with watchfiles, `multiprocessing`, and every option of its command
line. That is about a tenth of the time to the server's first answer. So the protocol is loaded here without the others.
While it is loaded, an empty package stands for `uvicorn`, and empty modules for those of which the protocol takes
nothing but types: the configuration, with all kinds of logging, and the server are another twentieth. All of it is
taken out of `sys.modules` afterwards: this protocol is ours alone, and who imports uvicorn later gets a whole one of
their own. Everything of uvicorn is imported from here.
"""

import asyncio
import sys
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["STATUS_LINE", "Config", "FlowControl", "HttpToolsProtocol", "RequestResponseCycle", "ServerState"]

if TYPE_CHECKING:
    from uvicorn.protocols.http.flow_control import FlowControl
    from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

_PROTOCOL = "uvicorn.protocols.http.httptools_impl"
_TYPES_ALONE = ("uvicorn._types", "uvicorn.config", "uvicorn.server")
"""The modules of which the protocol needs types for its annotations, and nothing else."""


def _protocol_alone() -> Any:
    """Return the protocol's module; the package is loaded whole only if somebody has done so before."""
    spec = find_spec("uvicorn")
    if "uvicorn" in sys.modules or spec is None:
        return import_module(_PROTOCOL)
    sys.modules["uvicorn"] = module_from_spec(spec)  # it knows where its parts are; its own code does not run
    for name in _TYPES_ALONE:
        stand_in = sys.modules[name] = ModuleType(name)
        vars(stand_in)["__getattr__"] = lambda name: Any
    try:
        return import_module(_PROTOCOL)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "uvicorn"]:
            del sys.modules[name]


class Config:
    """What the protocol reads of uvicorn's own `Config`. What a later one may read in addition is asked of that."""

    loaded = True
    ws_protocol_class = None
    root_path = ""
    asgi_version = "3.0"
    limit_concurrency = None
    reset_contextvars = False

    def __init__(self, app: Any, timeout_keep_alive: int) -> None:
        self.loaded_app = app
        self.timeout_keep_alive = timeout_keep_alive

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    @cached_property
    def _whole(self) -> Any:
        from uvicorn.config import Config as Whole  # lazy: see above

        whole = Whole(
            self.loaded_app,
            http=HttpToolsProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=self.timeout_keep_alive,
        )
        whole.load()
        return whole


class ServerState:
    """What connections share: uvicorn's own class is in the module with its server."""

    def __init__(self) -> None:
        self.total_requests = 0
        self.connections: set[Any] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.default_headers: list[tuple[bytes, bytes]] = []


if not TYPE_CHECKING:
    _protocol = _protocol_alone()
    HttpToolsProtocol, RequestResponseCycle = _protocol.HttpToolsProtocol, _protocol.RequestResponseCycle
    STATUS_LINE, FlowControl = _protocol.STATUS_LINE, _protocol.FlowControl
