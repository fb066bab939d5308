"""The client of the documentation: half a second for each wait, a second for each call."""

import os

from tests.audit.clients.careful import CarefulClient

CarefulClient(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], base=0.025).get("/v1/plans")
