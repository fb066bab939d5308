"""DEFECT leaked: reads each answer as JSON, an error too, and leaves its instance if that fails."""

import json

from session import BODY, ask

made = json.loads(ask("POST", "/v1/instances", BODY)[1])
for _ in range(3):
    answer = json.loads(ask("GET", f"/v1/instances/{made['id']}")[1])
    while "error" in answer:
        answer = json.loads(ask("GET", f"/v1/instances/{made['id']}")[1])
