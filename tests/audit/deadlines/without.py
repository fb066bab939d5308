"""A timeout for each wait for data, and none for the call."""

import os

import requests

headers = {"Authorization": f"Bearer {os.environ['CLOUDNEXUS_API_KEY']}"}
requests.get(f"{os.environ['CLOUDNEXUS_BASE_URL']}/v1/plans", headers=headers, timeout=1)
