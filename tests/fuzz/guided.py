"""One target under atheris, which ends the process: `python -m tests.fuzz.guided yaml -max_total_time=20 FOLDER`."""

import sys
from importlib import import_module

atheris = import_module("atheris")  # it has no types, and does not install everywhere

with atheris.instrument_imports(include=["cnx_mock"]):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
