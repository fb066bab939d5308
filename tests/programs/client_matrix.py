"""Programs in several languages, and what each needs to be led to the mock: a table of the documentation, and its
test."""

from dataclasses import dataclass
from pathlib import Path

from tests.docs import markdown

PROGRAMS = Path(__file__).resolve().parent.parent / "clients"

WAYS = {
    "base URL": "`CLOUDNEXUS_BASE_URL` (plain HTTP)",
    "TLS": "`tls_url` as the base URL",
    "proxy": "`https://api.cloudnexus.com`, unchanged",
}
"""How a program can be led: each with its column's title."""


@dataclass(frozen=True)
class Client:
    """A program; what it `needs` beyond the environment that `cnx-mock run` and `cnx-mock env` set, by way."""

    name: str
    tool: str
    command: tuple[str, ...]
    needs: dict[str, str]


_NODE = "Node 22.21 or 24.5"
CLIENTS = (
    Client("curl", "curl", ("sh", str(PROGRAMS / "client.sh")), {}),
    *(
        Client(title, "python", (str(PROGRAMS / "client.py"), library), needs)
        for title, library, needs in (
            ("Python: `requests`", "requests", {}),
            ("Python: `httpx2`", "httpx2", {}),
            ("Python: `urllib.request`", "urllib", {}),
            ("Python: `aiohttp`", "aiohttp", {"proxy": "`trust_env=True`"}),
        )
    ),
    Client("Node: `fetch`", "node", (str(PROGRAMS / "fetch.mjs"),), {"proxy": "Node 22.21 or 24.0"}),
    Client("Node: `https`", "node", (str(PROGRAMS / "https.mjs"),), {"proxy": _NODE}),
    Client(
        "Java: `java.net.http`",
        "java",
        (str(PROGRAMS / "Client.java"),),
        {"TLS": "a trust store with the CA", "proxy": "a trust store with the CA, and `-Dhttps.proxyHost`"},
    ),
    Client("Go: `net/http`", "go", (), {"TLS": "Linux, BSD", "proxy": "Linux, BSD"}),
)


def table() -> str:
    """The clients as a table."""
    rows = [(client.name, *(client.needs.get(way, "nothing") for way in WAYS)) for client in CLIENTS]
    return markdown.table(["client", *WAYS.values()], rows)
