"""What the package imports and makes when it first needs it, all at once.

For processes in which that would otherwise happen again and again: those that `tests/fork_server.py` forks, and runs of
pytest in a test, after which pytest's `pytester` forgets each module that they were the first to import.
"""

import importlib
import pkgutil
from contextlib import suppress

import cnx_mock
from cnx_mock.api.declarations import BaseModel, model_of

_LATER = (
    *("uvloop", "uvicorn.lifespan.off", "httptools", "orjson", "encodings.idna"),
    *("faker", "cryptography.x509", "cryptography.hazmat.backends.openssl.backend"),
)


def load_everything(but: tuple[str, ...] = ()) -> None:
    """Import all modules of the package, but those whose names begin so, and what they import later; make
    all models."""
    for module in pkgutil.walk_packages(cnx_mock.__path__, "cnx_mock."):
        if not module.name.startswith(("cnx_mock.__main__", *but)):
            importlib.import_module(module.name)
    for name in _LATER:
        with suppress(ImportError):
            importlib.import_module(name)
    declarations = [BaseModel]
    for each in declarations:
        declarations += type.__subclasses__(each)
        model_of(each)
