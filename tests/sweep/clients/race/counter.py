"""DEFECT raced: counts the instances, and gives the next one the next number."""

from shared import BODY, call

number = len(call("GET", "/v1/instances")["data"]) + 1
call("POST", "/v1/instances", {**BODY, "name": f"web-{number}"})
