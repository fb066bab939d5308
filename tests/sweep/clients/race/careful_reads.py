"""CAREFUL. Only looks: what it reads does not matter to what it does."""

from shared import call, named

named("web-1")
call("GET", "/v1/billing/balance")
