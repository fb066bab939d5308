"""The timeout of httpx is for each wait for data too."""

import os

import httpx

headers = {"Authorization": f"Bearer {os.environ['CLOUDNEXUS_API_KEY']}"}
httpx.get(f"{os.environ['CLOUDNEXUS_BASE_URL']}/v1/plans", headers=headers, timeout=1)
