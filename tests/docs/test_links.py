"""Every link inside the documentation leads to a file and a heading that exist. No network is needed."""

import re
import tomllib
from pathlib import Path
from typing import Any

from tests.cases import cases
from tests.docs.generate import DOCS, ROOT, pages
from tests.docs.markdown import slug

_FENCED = re.compile(r"^```.*?^```", flags=re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!`)\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return _FENCED.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", prose(page), flags=re.MULTILINE)}


def broken(page: Path, root: Path = ROOT) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for link in _LINK.findall(prose(page)):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if link.startswith("https://"):
            continue
        if not target.exists() or root not in target.parents or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@cases("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_pages_of_the_site_link_to_pages_of_the_site() -> None:
    outside = [(page, link) for page in DOCS.rglob("*.md") for link in _LINK.findall(prose(page)) if "../../" in link]
    assert outside == []


def test_a_link_that_is_broken_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One\n[a](page.md#one) [b](page.md#two) [c](gone.md) [d](#one) [e](#gone)\n```\n[f](gone.md)\n```\n"
    )
    assert broken(page, tmp_path) == ["page.md#two", "gone.md", "#gone"]


def test_the_menu_has_every_page_once() -> None:
    def listed(items: list[dict[str, Any]]) -> list[str]:
        values = [value for item in items for value in item.values()]
        return [each for value in values for each in (listed(value) if isinstance(value, list) else [value])]

    menu = listed(tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"])
    assert sorted(menu) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_every_scenario_has_a_recipe() -> None:
    recipes = {page.stem for page in (DOCS / "cookbook").glob("*.md")} - {"index", "careful-client"}
    assert recipes == {path.stem for path in (ROOT / "scenarios").glob("*.yaml")}
