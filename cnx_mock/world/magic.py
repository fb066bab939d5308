"""Values that make the sandbox misbehave, for clients that cannot add a header; `scenario.magic` says how."""

PREFIX = "mock-"
"""Instance names that begin so are reserved."""

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
"""The instance names that mean something."""

REGION = "mock-outage-1"
"""A region where nothing can be made."""
