"""What a race says when it fails: the sentence, the calls, and how to run the same order again."""

from collections.abc import Iterator, Mapping, Sequence

from cnx_mock.errors import RaceError
from cnx_mock.python_api.race.trial import FunctionPair, FunctionRun
from cnx_mock.sweep.race.outcome import RaceOutcome, clash, consequence, nearest, sentence
from cnx_mock.sweep.race.schedule import RACERS, Schedule, order_of, switches_of
from cnx_mock.text.control_characters import visible_line

_CALLS_SHOWN = 30
"""How many calls a message lists."""


def schedule_text(run: FunctionRun) -> str:
    """Return the order in which the calls of a run were performed: `A1 B1 B2 A2`."""
    return Schedule(order_of(run.race.order)).text()


def raced(pair: FunctionPair, run: FunctionRun, actual: RaceOutcome, serial: Sequence[RaceOutcome]) -> RaceError:
    """Return the error for a run whose outcome is none of the serial ones."""
    known = [each for each in switches_of(run.race.order) if run.race.operation(each.racer, each.call) is not None]
    if known:
        words = sentence(clash(run.race, known), actual, serial)
    else:
        words = f"at once: {consequence(actual, nearest(actual, serial))}"
    error = _error(pair, run, words)
    error.__cause__ = next(
        (
            run.answers[racer].error
            for place, racer in enumerate(RACERS)
            if racer in run.answers and actual.ends[place] not in [each.ends[place] for each in serial]
        ),
        None,
    )
    return error


def hung(pair: FunctionPair, run: FunctionRun, seconds: float) -> RaceError:
    """Return the error for a run in which a function did not end in time."""
    late = [racer for racer in RACERS if run.race.ended[racer].status is None]
    who = " and ".join(f"{racer} ({pair.names[racer]})" for racer in late)
    return _error(pair, run, f"{who} did not end within {seconds:g} s, and ends in time without a race")


def _error(pair: FunctionPair, run: FunctionRun, words: str) -> RaceError:
    schedule = schedule_text(run)
    error = RaceError("\n".join([words, *_details(pair, run, schedule)]))
    error.schedule = schedule
    return error


def _details(pair: FunctionPair, run: FunctionRun, schedule: str) -> Iterator[str]:
    one, two = (pair.names[racer] for racer in RACERS)
    yield f"  A and B are both {one}" if pair.is_one_function else f"  A is {one}, B is {two}"
    entries = run.race.run.entries
    for each in entries[:_CALLS_SHOWN]:
        yield visible_line(f"    {each['racer']}{each['number']}  {each['method']} {each['path']}  {_status(each)}")
    if len(entries) > _CALLS_SHOWN:
        yield f"    … and {len(entries) - _CALLS_SHOWN} more calls"
    arguments = ", ".join(name if name.isidentifier() else "…" for name in pair.names.values())
    yield f'  the same order again: race({arguments}, schedule="{schedule}")'


def _status(entry: Mapping[str, object]) -> str:
    return str(entry["status"] or "no answer")
