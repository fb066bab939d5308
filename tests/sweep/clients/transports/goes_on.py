"""DEFECT lost: looks at no status, so that a revoked key looks like success."""

from session import BODY, ask

ask("GET", "/v1/plans")
ask("POST", "/v1/instances", BODY)
