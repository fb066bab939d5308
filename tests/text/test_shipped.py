"""The YAML files that come with the package: where they are in a wheel and in a checkout."""

from pathlib import Path

import pytest

from cnx_mock.text import shipped as module
from cnx_mock.text.shipped import locate, names, shipped


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds the package, as site-packages or a repository does."""
    monkeypatch.setattr(module, "_PACKAGE", tmp_path / "cnx_mock")
    return tmp_path


@pytest.fixture
def scenarios(root: Path) -> Path:
    folder = root / "cnx_mock" / "scenarios"
    folder.mkdir(parents=True)
    for name in ("tail.yaml", "friday-brownout.yaml", "README.md", ".hidden.yaml", "two words.yaml"):
        (folder / name).touch()
    (folder / "folder.yaml").mkdir()
    (root / "cnx_mock" / "secret.yaml").touch()
    return folder


def test_a_wheel_has_the_files_inside_the_package(root: Path, scenarios: Path) -> None:
    assert locate("scenarios") == scenarios


def test_a_checkout_has_them_beside_the_package(root: Path) -> None:
    (root / "fixtures").mkdir()
    (root / "pyproject.toml").touch()
    assert locate("fixtures") == root / "fixtures"


def test_a_folder_of_somebody_else_in_site_packages_is_not_ours(root: Path) -> None:
    (root / "fixtures").mkdir()
    with pytest.raises(FileNotFoundError, match=r"the shipped fixtures are neither in .* nor in .*fixtures"):
        locate("fixtures")


def test_a_file_is_found_by_its_name(scenarios: Path) -> None:
    assert shipped("scenarios", "tail") == scenarios / "tail.yaml"


@pytest.mark.parametrize("name", ["absent", "", "../secret", "/etc/passwd", ".hidden", "two words", "tail\n", "folder"])
def test_nothing_else_is_ever_opened(scenarios: Path, name: str) -> None:
    assert shipped("scenarios", name) is None


def test_names_are_sorted(scenarios: Path) -> None:
    assert names("scenarios") == ["friday-brownout", "tail"]


def test_the_catalogue_is_not_a_fixture(root: Path) -> None:
    folder = root / "cnx_mock" / "fixtures"
    folder.mkdir(parents=True)
    for name in ("catalogue.json", "fleet.yaml"):
        (folder / name).touch()
    assert names("fixtures") == ["fleet"]
