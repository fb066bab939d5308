"""Whoever makes sandboxes: this process's own server, or one that runs anywhere else on this machine."""

from typing import Any

from cnx_mock.python_api.control import Control
from cnx_mock.python_api.sandbox import Sandbox, Story, World, document, warn, world


class SandboxMaker:
    """A server that sandboxes can be asked of."""

    def _running(self) -> Control:
        """Its control plane."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """The base URL. Raises RuntimeError unless the server runs."""
        return self._running().url

    def sandbox(
        self,
        scenario: Story | list[Story] | None = None,
        fixture: World | None = None,
        *,
        name: str | None = None,
        seed: int | None = None,
        key: str | None = None,
    ) -> Sandbox:
        """A fresh sandbox. `scenario` is one or several to stack, `fixture` its world, `name` keys its chance: the same
        name and seed see the same ids. `key` is for code with a hard-coded key: that key's world, made anew."""
        body: dict[str, Any] = {} if fixture is None else {"fixture": world(fixture)}
        if key is not None:
            body["key"] = key
        if name is not None:
            body["name"] = name
        if seed is not None:
            body["seed"] = seed
        if scenario is not None:
            stories = scenario if isinstance(scenario, list) else [scenario]
            body["scenario"] = [document(story) for story in stories]
        control = self._running()
        fresh = control.call("POST", "/_mock/sandboxes", body=body)
        warn(fresh["warnings"])
        return Sandbox(control, fresh["api_key"])


class RemoteServer(SandboxMaker):
    """A cnx-mock that somebody else has started, such as `cnx-mock serve`."""

    def __init__(self, url: str) -> None:
        """Raises ConnectionError where no cnx-mock answers, ValueError for what is no such URL."""
        if not url.startswith("http://"):
            raise ValueError(f"{url!r} is no URL of a cnx-mock: write http://127.0.0.1:4269")
        self._control = Control(url.rstrip("/"))
        if self._control.call("GET", "/_mock/health").get("status") != "ok":
            raise ConnectionError(f"what answers at {url} is no cnx-mock")

    def _running(self) -> Control:
        return self._control

    def close(self) -> None:
        """Close the connection to it."""
        self._control.close()
