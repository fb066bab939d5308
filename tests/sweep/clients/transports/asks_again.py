"""DEFECT hammered: sends a call again whatever the error says."""

import time

from session import BODY, ask

for attempt in range(5):
    if ask("POST", "/v1/instances", BODY)[0] < 400:
        break
    time.sleep(0.05 * 2**attempt)
else:
    raise SystemExit("it did not work")
