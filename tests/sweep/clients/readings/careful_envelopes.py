"""CAREFUL. Reads a list whatever it is wrapped in."""

from plain import BODY, call


def items(page):
    if isinstance(page, list):
        return page
    return page["data"] if "data" in page else next(each for each in page.values() if isinstance(each, list))


_, page = call("GET", "/v1/instances")
if not any(each["name"] == "web-1" for each in items(page)):
    call("POST", "/v1/instances", BODY)
