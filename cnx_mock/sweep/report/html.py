"""One HTML page with everything in it: no script, no address, nothing to load."""

import re
from collections.abc import Iterator
from html import escape

from cnx_mock import __version__
from cnx_mock.sweep.explanation import blame, sentence
from cnx_mock.sweep.report.json import Facts
from cnx_mock.sweep.report.matrix import bad_first, counts, matrix, word
from cnx_mock.sweep.results import Result
from cnx_mock.sweep.verdict import GOOD

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { border: 1px solid #8886; padding: .2rem .5rem; text-align: center; }
th[scope=row] { text-align: left; font-weight: normal; white-space: nowrap; font-family: ui-monospace, monospace; }
td a { color: inherit; }
.hung, .duplicated, .leaked, .lost { background: #c62828; color: #fff; font-weight: bold; }
.hammered { background: #f9a825; color: #000; }
.failed { background: #00838f33; } .survived { background: #2e7d3233; }
.accepted { opacity: .6; }
code, pre { font-family: ui-monospace, monospace; }
pre { background: #8882; padding: .5rem; margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
h1 code { font-size: 1.1rem; overflow-wrap: anywhere; }
li { margin-bottom: 1rem; }
"""


def page(facts: Facts) -> str:
    """The page."""
    sweep, results = facts.sweep, facts.results
    failed = sum(map(facts.fails, results))
    command = escape(" ".join(sweep.stage.command))
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in counts(results).items())
    left_out = f" {sweep.left_out} more were left out." if sweep.left_out else ""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>cnx-mock sweep: {command}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>Sweep of <code>{command}</code></h1>",
            f"<p><strong>{f'{failed} bad' if failed else 'No bad'} cell{'' if failed == 1 else 's'}</strong> in "
            f"{len(results)} runs: {verdicts}.{left_out}</p>",
            *_table(facts),
            *_list(facts),
            f"<p><small>cnx-mock {__version__}, seed {sweep.wish.seed}, time limit {sweep.limit:.1f} s</small></p>",
            "</body>\n</html>\n",
        ]
    )


def _table(facts: Facts) -> Iterator[str]:
    table = matrix(facts.sweep)
    yield '<div class="wide"><table>\n<thead><tr><th scope="col">call</th>'
    for fault in table.faults:
        yield f'<th scope="col" title="{escape(fault.said)}">{escape(fault.name)}</th>'
    yield "</tr></thead>\n<tbody>"
    for call in table.calls:
        yield f'<tr><th scope="row">{escape(call.title)}</th>'
        for fault in table.faults:
            cell = table.cell(call, fault)
            yield "<td></td>" if cell is None else _cell(facts, facts.sweep.results.get(cell.name))
        yield "</tr>"
    yield "</tbody>\n</table></div>"


def _cell(facts: Facts, result: Result | None) -> str:
    if result is None:
        return f"<td>{word(result)}</td>"
    classes = result.verdict.split()[0] + (" accepted" if facts.accepted(result) else "")
    title = escape(f"{result.verdict}: {blame(result)}" if blame(result) else result.verdict)
    text = word(result)
    if result.verdict not in GOOD:
        text = f'<a href="#{escape(result.cell.name)}">{text}</a>'
    return f'<td class="{classes}" title="{title}">{text}</td>'


def _list(facts: Facts) -> Iterator[str]:
    bad = [result for result in bad_first(facts.results) if result.verdict not in GOOD]
    if not bad:
        return
    yield "<h2>What went wrong</h2>\n<ol>"
    for result in bad:
        known = " (known)" if facts.accepted(result) else ""
        yield f'<li id="{escape(result.cell.name)}"><strong>{result.verdict}</strong>{known}: '
        yield re.sub("`([^`]+)`", r"<code>\1</code>", escape(sentence(result)))
        yield f"<pre>{escape(facts.line(result))}</pre></li>"
    yield "</ol>"
