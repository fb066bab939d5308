"""DEFECT duplicated: a counter that is read, used, and written when all is done."""

from remember import BODY, call, remember, remembered

number = (remembered("counter") or 0) + 1
call("POST", "/v1/instances", {**BODY, "name": f"web-{number}"})
remember("counter", number)
