"""`serve --watch`: whatever happens to the path of a scenario, what counts is the content that is read through it."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_serve import KEY, Process, Start, until

pytestmark = pytest.mark.slow

BEFORE = "name: before\nrules: [{id: it, fault: {status: 501}}]\n"
AFTER = BEFORE.replace("before", "after")
NAME = "story.yaml"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def switch(link: Path, target: Path) -> None:
    """Let a symbolic link name something else, in one step."""
    link.with_name("new-link").symlink_to(target)
    link.with_name("new-link").replace(link)


# Each of these lays out a folder, and returns the scenario's path and what changes its content.
Layout = Callable[[Path], tuple[Path, Callable[[], object]]]


def folder_made_again(at: Path) -> tuple[Path, Callable[[], object]]:
    path = written(at / "deep" / "er" / NAME, BEFORE)

    def change() -> None:
        shutil.rmtree(at / "deep")
        written(path, AFTER)

    return path, change


def folder_moved_away(at: Path) -> tuple[Path, Callable[[], object]]:
    path = written(at / "here" / NAME, BEFORE)

    def change() -> None:
        (at / "here").rename(at / "there")
        written(path, AFTER)

    return path, change


def link_to_another_file(at: Path) -> tuple[Path, Callable[[], object]]:
    path = at / NAME
    path.symlink_to(written(at / "one.yaml", BEFORE))
    return path, lambda: switch(path, written(at / "two.yaml", AFTER))


def link_to_another_folder(at: Path) -> tuple[Path, Callable[[], object]]:
    written(at / "releases" / "1" / NAME, BEFORE)
    written(at / "releases" / "2" / NAME, AFTER)
    (at / "current").symlink_to("releases/1")
    return at / "current" / NAME, lambda: switch(at / "current", Path("releases/2"))


def volume_of_kubernetes(at: Path) -> tuple[Path, Callable[[], object]]:
    written(at / "..1" / NAME, BEFORE)
    (at / "..data").symlink_to("..1")
    (at / NAME).symlink_to(f"..data/{NAME}")

    def change() -> None:
        written(at / "..2" / NAME, AFTER)
        switch(at / "..data", Path("..2"))
        shutil.rmtree(at / "..1")

    return at / NAME, change


def linked_file_edited_in_place(at: Path) -> tuple[Path, Callable[[], object]]:
    target = written(at / "elsewhere" / "the.yaml", BEFORE)
    (at / NAME).symlink_to(target)
    return at / NAME, lambda: target.write_text(AFTER)


def end_of_a_chain_of_links_replaced(at: Path) -> tuple[Path, Callable[[], object]]:
    target = written(at / "x" / "the.yaml", BEFORE)
    (at / "y.yaml").symlink_to(target)
    (at / NAME).symlink_to("y.yaml")
    return at / NAME, lambda: written(at / "x" / "beside", AFTER).replace(target)


def file_replaced(at: Path) -> tuple[Path, Callable[[], object]]:
    path = written(at / NAME, BEFORE)
    return path, lambda: written(at / ".story.swp", AFTER).replace(path)


def old_file_kept_beside(at: Path) -> tuple[Path, Callable[[], object]]:
    path = written(at / NAME, BEFORE)

    def change() -> None:  # as Vim writes with backupcopy=no
        path.rename(at / "story.yaml~")
        path.write_text(AFTER)

    return path, change


def same_size_and_same_times(at: Path) -> tuple[Path, Callable[[], object]]:
    path = written(at / NAME, BEFORE)
    times = path.stat()

    def change() -> None:
        path.write_text(BEFORE.replace("before", "after "))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    return path, change


def hard_link_written_elsewhere(at: Path) -> tuple[Path, Callable[[], object]]:
    path = written(at / NAME, BEFORE)
    (at / "beside").mkdir()
    (at / "beside" / "other.yaml").hardlink_to(path)
    return path, lambda: (at / "beside" / "other.yaml").write_text(AFTER)


LAYOUTS = [
    *(folder_made_again, folder_moved_away, link_to_another_file, link_to_another_folder, volume_of_kubernetes),
    *(linked_file_edited_in_place, end_of_a_chain_of_links_replaced, file_replaced, old_file_kept_beside),
    *(same_size_and_same_times, hard_link_written_elsewhere),
]


def names(api: Any) -> Any:
    return api.get("/_mock/scenario").json["name"]


def shows(api: Any, name: str) -> bool:
    return bool(names(api) == name)


def watching(start: Start, client: Any, path: Path | str, **more: Any) -> tuple[Process, Any]:
    process = start("--json", "--port", "0", "--scenario", str(path), "--watch", **more)
    return process, client(process.ready()["url"], KEY)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda each: each.__name__.replace("_", " "))
def test_new_content_is_seen_however_it_came_there(start: Start, client: Any, tmp_path: Path, layout: Layout) -> None:
    (tmp_path / "at").mkdir()
    path, change = layout(tmp_path / "at")
    _, api = watching(start, client, path)
    assert names(api) == "before"
    change()
    until(lambda: names(api) == "after")


def test_every_switch_of_a_link_is_seen_and_not_the_first_one_only(start: Start, client: Any, tmp_path: Path) -> None:
    one, two = written(tmp_path / "one.yaml", BEFORE), written(tmp_path / "two.yaml", AFTER)
    (tmp_path / NAME).symlink_to(one)
    _, api = watching(start, client, tmp_path / NAME)
    for target, name in ((two, "after"), (one, "before"), (two, "after")):
        switch(tmp_path / NAME, target)
        until(partial(shows, api, name))


def test_a_file_that_is_gone_is_an_error_until_it_is_back(start: Start, client: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "volume" / NAME, BEFORE)
    process, api = watching(start, client, path)
    shutil.rmtree(path.parent)
    until(lambda: "no such file" in (api.get("/_mock/scenario").json["error"] or ""))
    assert names(api) == "before"
    written(path, BEFORE)
    until(lambda: api.get("/_mock/scenario").json["error"] is None)
    until(lambda: "scenario before reloaded" in process.stderr)  # a thread writes it


def test_the_folder_that_the_server_was_started_in_may_be_made_again(start: Start, client: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "project" / NAME, BEFORE)
    _, api = watching(start, client, NAME, cwd=path.parent)
    shutil.rmtree(path.parent)
    written(path, AFTER)
    until(lambda: names(api) == "after")


def test_of_several_files_each_is_followed(start: Start, client: Any, tmp_path: Path) -> None:
    one, two = (written(tmp_path / each / NAME, f"name: {each}\n") for each in ("one", "two"))
    process = start("--json", "--port", "0", "--watch", "--scenario", str(one), "--scenario", str(two))
    api = client(process.ready()["url"], KEY)
    two.write_text("name: three\n")
    until(lambda: names(api) == "one + three")
    one.write_text("name: zero\n")
    until(lambda: names(api) == "zero + three")


def test_the_fixture_that_a_scenario_names_is_followed_too(start: Start, client: Any, tmp_path: Path) -> None:
    written(tmp_path / NAME, "name: before\n")
    process, api = watching(start, client, NAME)
    written(tmp_path / NAME, "name: after\nworld: {fixture: ./team.yaml}\n")
    until(lambda: "team.yaml" in (api.get("/_mock/scenario").json["error"] or ""))
    written(tmp_path / "team.yaml", "accounts: [{plan: enterprise}]\n")
    until(lambda: names(api) == "after")
    assert api.get("/_mock/scenario").json["error"] is None, process.stderr


def test_a_pipe_in_the_place_of_the_file_is_shown_and_stops_nothing(start: Start, client: Any, tmp_path: Path) -> None:
    path = written(tmp_path / NAME, BEFORE)
    process, api = watching(start, client, path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pipe").replace(path)
    until(lambda: "it is not a regular file" in (api.get("/_mock/scenario").json["error"] or ""))
    written(tmp_path / "new", AFTER).replace(path)
    until(lambda: names(api) == "after")
    assert process.stop() == (0, "")
