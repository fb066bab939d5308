"""What people install: the wheel, built without a network and opened."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest

from cnx_mock import __version__

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = folder.glob("*.whl")
    assert path.name == f"cnx_mock-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path) as opened:
        yield opened


def about(wheel: zipfile.ZipFile, name: str) -> str:
    return wheel.read(f"cnx_mock-{__version__}.dist-info/{name}").decode()


def test_everything_of_the_package_is_inside(wheel: zipfile.ZipFile) -> None:
    kept = [path for suffix in ("py", "j2") for path in (ROOT / "cnx_mock").rglob(f"*.{suffix}")]
    kept += [path for path in (ROOT / "cnx_mock" / "dashboard" / "static").rglob("*") if path.is_file()]
    expected = {str(path.relative_to(ROOT)) for path in kept} | {"cnx_mock/py.typed"}
    assert expected <= set(wheel.namelist())


@pytest.mark.parametrize("folder", ["fixtures", "scenarios"])
def test_the_shipped_files_are_inside_the_package(wheel: zipfile.ZipFile, folder: str) -> None:
    for path in (ROOT / folder).glob("*.yaml"):
        assert wheel.read(f"cnx_mock/{folder}/{path.name}") == path.read_bytes()


def test_nothing_else_is_inside(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in wheel.namelist()} == {"cnx_mock", f"cnx_mock-{__version__}.dist-info"}
    for name in wheel.namelist():
        assert "tests" not in Path(name).parts
        assert not Path(name).match("test_*.py") and not Path(name).match("conftest.py")
        assert not name.endswith(".pyc")


def test_it_brings_its_licence_and_says_which(wheel: zipfile.ZipFile) -> None:
    metadata = Parser().parsestr(about(wheel, "METADATA"))
    assert metadata["License-Expression"].startswith("Apache-2.0")
    assert about(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_text()
    assert metadata["Requires-Python"] == ">=3.11"


def test_pytest_is_needed_only_by_those_who_use_the_fixture(wheel: zipfile.ZipFile) -> None:
    needed = Parser().parsestr(about(wheel, "METADATA")).get_all("Requires-Dist", [])
    assert [each for each in needed if "pytest" in each] == []


def test_the_command_and_the_plugin_are_announced(wheel: zipfile.ZipFile) -> None:
    points = ConfigParser()
    points.read_string(about(wheel, "entry_points.txt"))
    assert points["console_scripts"]["cnx-mock"] == "cnx_mock.cli.entry:main"
    assert points["pytest11"]["cnx_mock"] == "cnx_mock.pytest_plugin.plugin"
