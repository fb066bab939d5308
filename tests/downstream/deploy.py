"""Deploys instances to CloudNexus: a client with a bug that real clients have, and the same client without it."""

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry


class OutOfCredits(Exception):
    """Somebody has to top up the account; no retry will do."""


class Hasty:
    """Retries whatever fails, three times.

    The bug: `allowed_methods=None` means every method, POST too. A create whose answer was lost on its way back has
    happened; the retry makes a second instance, and nobody knows of the first but the bill.
    """

    retry = Retry(total=3, backoff_factor=0, allowed_methods=None)

    def __init__(self, base_url: str, api_key: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {api_key}"
        self.session.mount("http://", HTTPAdapter(max_retries=self.retry))

    def __enter__(self) -> "Hasty":
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def deploy(self, name: str, region: str = "us-east-1") -> dict[str, Any]:
        """A running instance of this name."""
        instance = self.create({"name": name, "plan": "pro", "region": region, "image": "ubuntu-22.04-lts"})
        while instance["status"] == "provisioning":
            instance = self.ask("GET", f"/v1/instances/{instance['id']}")
        return instance

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        return self.ask("POST", "/v1/instances", json=body)

    def find(self, name: str) -> list[dict[str, Any]]:
        return [each for each in self.ask("GET", "/v1/instances?limit=100")["data"] if each["name"] == name]

    def ask(self, method: str, path: str, **more: Any) -> Any:
        response = self.session.request(method, self.base_url + path, timeout=10, **more)
        answer = response.json()
        if response.status_code == 403 and answer["error"]["code"] == "INSUFFICIENT_CREDITS":
            raise OutOfCredits(answer["error"]["details"]["current_balance"])
        response.raise_for_status()
        return answer


class Careful(Hasty):
    """Retries only what may be repeated, and looks before it creates again."""

    retry = Retry(total=3, backoff_factor=0)  # urllib3's own choice of methods: those that are idempotent

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return super().create(body)
        except requests.ConnectionError:
            found = self.find(body["name"])
            return found[0] if found else super().create(body)
