"""The pages of the reference that are made from declarations of ours: scenario files, faults, readings, options, audit
checks, the sweep, and commands."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from cnx_mock.api import errors
from cnx_mock.api.readings import READINGS
from cnx_mock.audit.checks import checks as audit_checks
from cnx_mock.cli.main import cli
from cnx_mock.demo.clients import careful_client
from cnx_mock.scenario import conditions, faults, models
from cnx_mock.scenario.fault import Fault
from cnx_mock.scenario.gallery import find, gallery, load
from cnx_mock.services import operations
from cnx_mock.services.worlds import load as load_fixture
from cnx_mock.services.worlds import shipped_fixtures
from cnx_mock.settings import Settings, flag, variable
from cnx_mock.sweep.plan import CRASHES, FAULTS
from cnx_mock.sweep.verdict import FAILING, GOOD, VERDICTS
from tests.docs.markdown import capital, code, entities, fenced, page, sentence, table
from tests.scenario.client_table import table as client_table

_CAREFUL = Path(careful_client.__file__)

# ---- scenario files

_MODELS = (
    ("A scenario", models.ScenarioModel, "The top level of a file. Every key is optional."),
    ("world", models.WorldModel, ""),
    ("world.clock", models.ClockModel, ""),
    ("provisioning", models.ProvisioningModel, ""),
    ("phases", models.PhaseModel, "Each item of `phases`. A phase ends by `for` or by `until`."),
    ("phases.until", models.UntilModel, ""),
    ("rules", models.RuleModel, "Each item of `rules`. A rule has a `fault` or a `sequence`."),
    ("match", models.MatchModel, ""),
    ("when", conditions.WhenModel, ""),
    ("times", conditions.TimesModel, "A number means `take`. Otherwise `skip` and `take`, or `every`, or `only`."),
    ("probability", conditions.RampModel, "A number from 0 to 1, or a ramp across a phase:"),
    ("expect", models.ExpectModel, ""),
)
_SCENARIO_FILES = """A scenario is a YAML file. These are all its keys. The keys of `fault` are on the page
[Faults](faults.md). The same keys work in `sandbox.inject(…)`, in `PUT /_mock/rules/{id}` and in the request header
`X-CNX-Mock-Fault`.

An unknown key is an error, with its line, its column and a suggestion. `cnx-mock scenarios schema` prints all of this
as a JSON Schema for your editor."""


def scenario_files() -> str:
    """Every key of a scenario file."""
    parts = []
    for title, model, words in _MODELS:
        head = f"## {title}" if " " in title else f"## `{title}`"
        parts += [head, words or sentence(inspect.getdoc(model) or ""), _keys(model)]
    return page("Scenario files", _SCENARIO_FILES, *parts)


def _keys(model: type[BaseModel]) -> str:
    schema = model.model_json_schema().get("properties", {})
    rows = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        needed = "required" if field.is_required() else ""
        words = sentence(schema.get(key, {}).get("description") or field.description or "")
        rows.append([f"`{key}`", needed, words])
    return table(["key", "", "meaning"], rows)


# ---- faults

_FAULTS = """The keys of a rule's `fault`. An *outcome* replaces the answer: a rule has at most one. A *shaper*
changes how an answer arrives, or what comes with it: a rule may have several.

`at: before` (the default) means that the call has no effect. `at: after` means that the change was committed, and
only the answer is lost or replaced."""


def fault_page() -> str:
    """Every fault, outcomes first, those with one key together; and what clients see of it."""
    parts = []
    for kind in sorted(faults.kinds(), key=lambda kind: (not kind.outcome, _example(kind)[0])):
        shown, words = _example(kind)
        parts += [f"## `{shown}`", _about_fault(kind, words)]
    seen = "## What clients see"
    words = """A client that calls with a timeout, has errors raised (`raise_for_status()`, `curl --fail`) and reads
the answer as JSON sees these exceptions. `–` means that no exception is raised. The column for curl is its exit
status. The exceptions are the same with `at: before` and with `at: after`, so no exception tells you whether the call
had an effect. Only after a refused connection or a failed handshake you know that it had none."""
    return page("Faults", _FAULTS, *parts, "## Codes of `error`", _codes(), seen, words, client_table())


def _example(kind: type[Fault]) -> tuple[str, str]:
    """The example with which a fault's docstring begins, and the whole docstring if it says more."""
    words, shown = inspect.getdoc(kind) or "", faults.example(kind)
    assert words.startswith(f"`{shown}`"), f"the docstring of {kind.__name__} begins with an example in backticks"
    return shown, "" if words.rstrip(".") == f"`{shown}`" else sentence(words)


def _about_fault(kind: type[Fault], words: str) -> str:
    role = "An outcome." if kind.outcome else "A shaper."
    rows = [[f"`{name}`", sentence(field.description or "")] for name, field in kind.model_fields.items()]
    return f"{role} {words}".rstrip() + f"\n\n{table(['key', 'meaning'], rows)}"


def _codes() -> str:
    rows = [
        [f"`{name}`", str(kind.status), kind.message, sentence(inspect.getdoc(kind) or "")]
        for name, kind in sorted(errors.catalogue().items())
    ]
    return table(["code", "status", "message", "meaning"], rows)


# ---- readings and options


def readings() -> str:
    """The readings as a table."""
    rows = ([f"`{each.name}`", each.words, code(each.options), each.why] for each in READINGS)
    return table(["reading", "words of the reference", "options (default first)", "why this default"], rows)


def readings_page() -> str:
    """The readings, and how to choose them."""
    words = """Some sentences of the CloudNexus reference can mean several things. Each such sentence is a *reading*:
you choose its meaning. Test your client with each option.

Choose with `cnx-mock serve --reading delete-answer=204`, with `pytest --cnx-reading delete-answer=204`, in a scenario
with `world: {readings: {delete-answer: "204"}}`, or on a running server with `PATCH /_mock/readings`.
`pytest --cnx-readings` and `cnx-mock sweep --readings` test a client with each option."""
    return page("Readings", words, readings())


def options() -> str:
    """The options of `serve` as a table."""
    rows = []
    for each in fields(Settings):
        default = ", ".join(each.default) if isinstance(each.default, tuple) else str(each.default)
        spelled = f"`{flag(each.name)} {each.metadata['metavar']}`".replace(" `", "`")
        shown = "" if each.default in ((), False, "") else f"`{default}`"
        rows.append([spelled, f"`{variable(each.name)}`", shown, each.metadata["help"]])
    return table(["flag", "variable", "default", "meaning"], rows)


def options_page() -> str:
    """The options, and where they can be given."""
    words = """Every option of `cnx-mock serve`. Each one is also an environment variable, and a field of
`cnx_mock.Settings` in Python. `cnx-mock run`, `sweep` and `shrink` take those that make sense for them: see
[Commands](commands.md)."""
    return page("Options", words, options())


# ---- the audit and the sweep


def checks() -> str:
    """The checks as a table."""
    rows = ([f"`{each.code}`", each.title + ", only with `--also`" * each.on_request] for each in audit_checks())
    return table(["check", "what it finds"], rows)


def checks_page() -> str:
    """Every check: why it matters, how to fix it, its thresholds."""
    parts = []
    for each in audit_checks():
        asked = " It runs only when you ask for it with `--also`." * each.on_request
        parts += [f"## `{each.code}`", f"Finds: {sentence(each.title)}{asked}", f"Why it matters: {each.why}"]
        parts += [f"How to fix it: {each.fix}"]
        if each.thresholds:
            rows = (
                [f"`--{t.name}`", f"`{t.default}`", sentence(t.meaning), sentence(t.reason)] for t in each.thresholds
            )
            parts.append(table(["threshold", "default", "what it is", "why this default"], rows))
    words = """The audit reads a journal and reports bad behaviour of a client. It runs as `cnx-mock audit`, at the
end of `cnx-mock run`, as `GET /_mock/audit`, as `cnx.audit.assert_clean()` and as `expect: {audit: clean}` in a
scenario."""
    return page("Audit checks", words, checks(), *parts)


_VERDICTS = {
    "hung": "The program exceeded the time limit (`--timeout`; 3 × its own time + 15 s, more while its waits grow).",
    "stuck": "The program was run again in the same world, and failed. Only with `--crash` and `--rerun`.",
    "duplicated": "More creates were committed than without the fault, and more resources are left.",
    "leaked": "More resources are left, or the program failed and left something that it created.",
    "lost": "The exit status is 0, but something is missing or different.",
    "raced": "Two programs at once had a result that is not possible one after the other. Only with `--race`.",
    "misread": "With another meaning of the documentation the program left something else, or failed. Only with "
    "`--readings`, and in pytest with `--cnx-readings` and `--cnx-sweep-readings`.",
    "raised": "A test raised an exception that `cnx_sweep(allow=…)` does not list. Only under `pytest --cnx-sweep`.",
    "hammered": "The client retried too early, without growing waits, in lockstep, without end, or without a chance of "
    "success; or it has no deadline for a call.",
    "doubled": "A call was delivered twice, and the resource of the second time still exists. A client cannot prevent "
    "this resource, but it can find it if it looks again after a create.",
    "failed cleanly": "The exit status is not 0, and nothing is left that the program created.",
    "recovered": "The program was run again in the same world, and its result is the same as without the fault. Only "
    "with `--crash` and `--rerun`.",
    "serial": "Two programs at once had a result that is possible one after the other. Only with `--race`.",
    "survived": "The result is the same as without the fault.",
}


def verdicts() -> str:
    """The verdicts as a table."""
    rows = ([f"`{each}`", _VERDICTS[each], _judged(each)] for each in VERDICTS)
    return table(["verdict", "meaning", "exit status"], rows)


def _judged(verdict: Any) -> str:
    return "1" if verdict in FAILING else "0" if verdict in GOOD else "0, or 1 with `--fail-on hammered`"


def sweep_page() -> str:
    """The faults of a sweep, and its verdicts."""
    rows = (
        [
            f"`{each.name}`",
            capital(sentence(_meaning(each))),
            "yes, if `--timeout` is longer" if each.seconds else "yes" if each.by_default else "no",
        ]
        for each in FAULTS
    )
    crashes = ([f"`{each.name}`", capital(sentence(_meaning(each)))] for each in CRASHES)
    return page(
        "Sweep: faults and verdicts",
        "A sweep runs a program once for every fault at every call to which it applies. The verdict of a run is the "
        "first one in the table that is true.",
        "## Faults",
        table(["fault", "what happens", "used without `--faults`"], rows),
        "## Crashes",
        "`--crash` kills the program at every call, and runs it again in the same world.",
        table(["crash", "what happens"], crashes),
        "## Verdicts",
        verdicts(),
    )


def _meaning(fault: Any) -> str:
    """What a fault of the sweep does, in its own words."""
    return str(next(value for name, value in _attributes(fault) if name not in ("name",) and isinstance(value, str)))


def _attributes(fault: Any) -> Iterator[tuple[str, Any]]:
    return ((each.name, getattr(fault, each.name)) for each in fields(fault))


# ---- scenarios and fixtures that come with the package


def scenarios() -> str:
    """The gallery as a table."""
    rows = ([f"`{name}`", load(name, operations()).description] for name in gallery())
    return table(["scenario", "what happens"], rows)


def scenario_file(name: str) -> str:
    """A scenario's file, without the comment at its head."""
    text = find(name).read_text("utf-8")
    return fenced("yaml", f"name: {name}\n" + text[text.index("description:") :])


def source(where: str) -> str:
    """A class, a function, a command or a constant of ours, as it is written: `MODULE:NAME`."""
    name, _, attribute = where.partition(":")
    module = import_module(name)
    found: Any = getattr(module, attribute)
    if isinstance(found, click.Command):
        found = found.callback
    text = inspect.getsource(found) if callable(found) else _assignment(inspect.getsource(module), attribute)
    return fenced("python", inspect.cleandoc("\n" + text))


def _assignment(text: str, name: str) -> str:
    """The statement of a module that gives a constant its value."""
    for statement in ast.parse(text).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return ast.get_source_segment(text, statement) or ""
    raise LookupError(name)


def recipes() -> str:
    """The gallery as a table, with links to its recipes."""
    rows = ([f"[`{name}`]({name}.md)", load(name, operations()).description] for name in gallery())
    return table(["scenario", "what happens"], rows)


def fixtures() -> str:
    """The shipped fixtures as a table."""
    rows = ([f"`{name}`", load_fixture(name).description] for name in shipped_fixtures())
    return table(["fixture", "what it is"], rows)


def careful() -> str:
    """The careful client, without the text at its head."""
    text = _CAREFUL.read_text("utf-8")
    return fenced("python", text[text.index("import json") :])


# ---- commands

_COMMANDS = """Every command and its options. `--help` shows the same in the terminal. `cnx-mock completion
bash|zsh|fish` prints a completion script."""
_STATUSES = (
    ("0", "Success; `serve` was ended by Ctrl-C."),
    ("1", "`sweep` has a failing verdict; `audit` has findings; the server of `journal follow` stopped."),
    ("2", "Something in your input cannot be used: an option, a file, a name."),
    (
        "3",
        "`run`: the program succeeded, but an expectation is not met: an `expect` of the scenario, or of an option.",
    ),
    ("126, 127", "`run`, `sweep`, `shrink`: the program cannot be executed, or is not found."),
    ("128 + N", "`run`: signal N ended the program. 130 is Ctrl-C."),
    ("any other", "`run`: the program's own exit status."),
)


def commands_page() -> str:
    """Every command."""
    parts = ["## Exit statuses", table(["status", "meaning"], _STATUSES)]
    for path, command in _commands(cli, ("cnx-mock",)):
        parts += [f"## `{' '.join(path)}`", *_command(command)]
    return page("Commands", _COMMANDS, *parts)


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


def _command(command: click.Command) -> Iterator[str]:
    for part in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        text = inspect.cleandoc(part.replace("\b", ""))
        if text.startswith("Examples:"):
            yield fenced("text", inspect.cleandoc("\n" + text.removeprefix("Examples:")))
        elif text:
            yield entities(" ".join(text.split()))
    rows = [_option(each) for each in command.params if isinstance(each, click.Option)]
    if rows:
        yield table(["option", "meaning"], rows)


def _option(option: click.Option) -> list[str]:
    metavar = "" if option.is_flag else f" {option.make_metavar(click.Context(click.Command('x')))}"
    return [f"`{', '.join(option.opts)}{metavar}`", option.help or ""]


def help_module() -> str:
    """The module with the command's help, as click writes it at the usual widths of terminals."""
    texts = "".join(f'    {columns}: """\\\n{_help(columns)}""",\n' for columns in (80, 100))
    about = '"""The help of `cnx-mock`, by the columns of the terminal. Made by `python -m tests.docs.generate`."""'
    return f"{about}\n\nTEXTS = {{\n{texts}}}\n"


def _help(columns: int) -> str:
    context = click.Context(cli, info_name="cnx-mock", terminal_width=columns - 2, **cli.context_settings)
    return f"{cli.get_help(context)}\n"
