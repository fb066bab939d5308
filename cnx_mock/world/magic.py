"""Magic values: names that make the sandbox misbehave, for clients that cannot add a header. `scenario.magic` has the
rule behind each."""

PREFIX = "mock-"
"""Instance names that begin with it are reserved."""

NAMES = (
    "mock-insufficient-credits",
    "mock-provision-stuck",
    "mock-provision-slow",
    "mock-provision-instant",
    "mock-stopped",
    "mock-internal-error",
    "mock-created-then-500",
    "mock-rate-limited",
)
"""The instance names with a meaning."""

REGION = "mock-outage-1"
"""A region in which nothing can be made."""
