"""What is used of uvicorn, loaded without the rest: its HTTP protocol, and the classes that the protocol needs.

`import uvicorn` loads its command too: the reloader with watchfiles, `multiprocessing`, and every option of its command
line. That is about a tenth of the time to the server's first answer. So the package is loaded here by its parts: while
they are loaded, an empty package stands for `uvicorn`. It is gone afterwards, and whoever imports uvicorn later gets
the whole of it, with these same parts. Everything of uvicorn is imported from here.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

__all__ = ["STATUS_LINE", "Config", "FlowControl", "HttpToolsProtocol", "RequestResponseCycle", "ServerState"]

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.protocols.http.flow_control import FlowControl
    from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
    from uvicorn.server import ServerState


def _parts() -> tuple[Any, Any, Any]:
    config = import_module("uvicorn.config")
    vars(sys.modules["uvicorn"])["Config"] = config.Config  # the next part takes it from the package
    import_module("uvicorn.lifespan.off")  # `Config.load` looks it up by name, and finds it in `sys.modules`
    return config, import_module("uvicorn.protocols.http.httptools_impl"), import_module("uvicorn.server")


def _parts_alone() -> tuple[Any, Any, Any]:
    """Return the parts; the package is loaded whole only if somebody has done so before."""
    spec = find_spec("uvicorn")
    if "uvicorn" in sys.modules or spec is None:
        return _parts()
    sys.modules["uvicorn"] = module_from_spec(spec)  # it knows where its parts are; its own code does not run
    try:
        return _parts()
    finally:
        del sys.modules["uvicorn"]


if not TYPE_CHECKING:
    _config, _protocol, _server = _parts_alone()
    Config, ServerState = _config.Config, _server.ServerState
    HttpToolsProtocol, RequestResponseCycle = _protocol.HttpToolsProtocol, _protocol.RequestResponseCycle
    STATUS_LINE, FlowControl = _protocol.STATUS_LINE, _protocol.FlowControl
