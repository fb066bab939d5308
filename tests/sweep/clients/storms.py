"""DEFECT hammered: tries again at once, eight times, whatever the answer says."""

from cloud import NO_ANSWER, Refused, call

for left in reversed(range(8)):
    try:
        call("GET", "/v1/instances")
        break
    except (Refused, *NO_ANSWER):
        if not left:
            raise
