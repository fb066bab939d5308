"""What every server can do for a test: make sandboxes."""

from typing import TYPE_CHECKING, Any

from cnx_mock.errors import (
    ControlError,
    FixtureError,
    FixtureRefusedError,
    InputRefusedError,
    NotRunningError,
    ScenarioRefusedError,
)
from cnx_mock.net.addresses import KEY_REQUIRED
from cnx_mock.python_api.control import Control, control_path
from cnx_mock.python_api.handle import Handle
from cnx_mock.python_api.inputs import FixtureInput, ScenarioInput, fixture_document, scenario_document, warn
from cnx_mock.python_api.sandbox import Sandbox
from cnx_mock.services.worlds import read_fixture
from cnx_mock.world.chance import key_digits, random_token
from cnx_mock.world.keys import test_key

if TYPE_CHECKING:
    from cnx_mock.python_api.race.origin import RaceOrigin


class SandboxMaker(Handle):
    """A server that makes sandboxes."""

    __slots__ = ()

    def _running(self) -> Control:
        """Return the client of its control plane. Raises NotRunningError if the server does not run."""
        raise NotImplementedError

    def _race_origin(self, sandbox_id: str) -> "RaceOrigin":
        """Return the sandbox with this id as it is now, for a race. Raises NotRunningError if the server is not in this
        process."""
        raise NotRunningError("race needs a server in this process: leave --cnx-url out, or use MockServer")

    @property
    def url(self) -> str:
        """The base URL, to which paths such as `/v1/instances` are appended. Raises NotRunningError if the server does
        not run."""
        return self._running().url

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control plane without a key, for the server as a whole, and return the JSON of the answer.

        Arguments:

        - `method`: The HTTP method.
        - `path`: The path after `/_mock`, such as `/requests` for the requests that reached no sandbox.
        - `body`: Plain data to send as JSON.

        Raises:

        - `ControlError` if the server refuses the call; InputRefusedError if that is because of the body.
        - `InvalidInputError` if path or body cannot be sent.
        - `NotRunningError` if the server does not run.
        - `ServerNotFoundError` if the server does not answer.
        """
        return self._running().call(method, control_path(path), body=body)

    def sandbox(
        self,
        scenario: ScenarioInput | list[ScenarioInput] | None = None,
        fixture: FixtureInput | None = None,
        *,
        name: str | None = None,
        seed: int | None = None,
        key: str | None = None,
    ) -> Sandbox:
        """Create a fresh sandbox: a new key, and a world that nothing else uses.

        Arguments:

        - `scenario`: What goes wrong in it: the name of a scenario, a path, plain data, or a list of them to stack.
          The server's scenario unless given.
        - `fixture`: The world that it starts from: a name, a path or plain data. The server's fixture unless given.
        - `name`: A name for it. Ids and chance depend on the name and the seed: the same name has the same ids.
        - `seed`: The seed for all random choices in it, a whole number from 0. The server's seed unless given.
        - `key`: A test key that is fixed in the code under test. Its sandbox is created again.

        Returns the sandbox.

        Raises:

        - `UnknownScenario`, `UnknownFixture` if nothing has that name.
        - `SourceError` if a file cannot be used; it has every problem as file:line:column.
        - `ScenarioError`, `FixtureError` if plain data cannot be used; the message has every problem.
        - `InputRefusedError` if the name, the seed or the key cannot be used.
        - `NotRunningError` if the server does not run.
        - `ServerNotFoundError` if the server does not answer.

        Example:

            sandbox = server.sandbox("flaky-network", "small-team")
        """
        body: dict[str, Any] = {"key": key, "name": name, "seed": seed}
        if fixture is not None:
            body["fixture"] = fixture_document(fixture)
        if scenario is not None:
            scenarios = scenario if isinstance(scenario, list) else [scenario]
            body["scenario"] = [scenario_document(each) for each in scenarios]
        body = {field: value for field, value in body.items() if value is not None}
        control = self._running()
        try:
            fresh = _made(control, body)
        except InputRefusedError as error:
            raise _blamed(error, body) from None
        warn(fresh["warnings"])
        return Sandbox(control, fresh["api_key"], fresh["id"], self._race_origin)


def _made(control: Control, body: dict[str, Any]) -> Any:
    """Return the new sandbox. A proxy that leads each key to a server of its own wants to see the key first: the same
    name and seed have the same one."""
    try:
        return control.call("POST", "/_mock/sandboxes", body=body)
    except ControlError as error:
        if error.code != KEY_REQUIRED:
            raise
    key = body.get("key") or test_key(key_digits(body.get("seed"), body.get("name") or random_token()))
    return control.call("POST", "/_mock/sandboxes", key, {**body, "key": key})


def _blamed(error: InputRefusedError, body: dict[str, Any]) -> InputRefusedError:
    """Return the refusal as that of the scenario or of the fixture, if it is about one of them."""
    if error.details.keys() <= {"key", "name", "seed"}:
        return error
    kind = ScenarioRefusedError if "scenario" in body else FixtureRefusedError
    if "scenario" in body and "fixture" in body:
        try:
            read_fixture(body["fixture"])
        except FixtureError:
            kind = FixtureRefusedError
    return kind(error.status, error.code, error.message, error.details)
