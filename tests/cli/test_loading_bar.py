"""The line of `cnx-mock serve` on a terminal, while a large world is loading."""

import io

from cnx_mock.cli.access_log import AccessLog
from cnx_mock.cli.background_stream import BackgroundStream
from cnx_mock.cli.loading_bar import LoadingBar, bar_line
from cnx_mock.http.access_record import AccessRecord
from cnx_mock.http.loading import WorldLoad

LINE = AccessRecord(1_767_225_600_123_000, "GET", "/v1/plans", 200, 1_250, "plans.list", "…0d9c", ())


def load(share: float) -> WorldLoad:
    loading = WorldLoad(iter(()), 100, "…0d9c", [])
    loading._done = int(100 * share)
    return loading


def test_the_line_says_whose_world_it_is_and_how_far_it_is() -> None:
    assert bar_line("…0d9c", 0.5, 120) == "loading the world of …0d9c [###############...............] 50%"
    assert bar_line("…0d9c", 0.0, 120).endswith("[..............................] 0%")
    assert bar_line("…0d9c", 1.0, 120).endswith("[##############################] 100%")
    assert bar_line("two\nlines \x1b[2J", 0.0, 120).startswith("loading the world of two lines \\u001b[2J [")
    assert len(bar_line("a name that is long", 0.5, 40)) == 39


def test_an_access_line_takes_the_place_of_the_bar_and_nothing_is_left_of_it() -> None:
    out = io.BytesIO()
    stream = BackgroundStream(io.TextIOWrapper(out, encoding="utf-8", newline="\n"))
    bar = LoadingBar(stream)
    log = AccessLog(stream, before=bar.clear)

    bar(load(0.25))
    log.write(LINE)
    done = load(1.0)
    done.abandon()
    bar(done)
    stream.drain()

    _, drawn, cleared = out.getvalue().decode().split("\r")
    assert drawn == "loading the world of …0d9c [#######.......................] 25%\x1b[K"
    assert cleared.startswith("\x1b[K2026-01-01T00:00:00.123Z GET /v1/plans 200 ")
    assert cleared.endswith("\n")
