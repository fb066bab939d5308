"""Make an instance, read it, ask for one that is not there; print the three statuses. The library is the argument."""

import asyncio
import json
import os
import sys
import urllib.error
import urllib.request

KEY = os.environ["CLOUDNEXUS_API_KEY"]
URL = os.environ["CLOUDNEXUS_BASE_URL"] + "/v1/instances"
HEADERS = {"Authorization": f"Bearer {KEY}"}
BODY = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}
MISSING = f"{URL}/inst_0000000000000000"


def by_requests():
    import requests

    created = requests.post(URL, json=BODY, headers=HEADERS, timeout=20)
    urls = f"{URL}/{created.json()['id']}", MISSING
    return [created.status_code, *(requests.get(url, headers=HEADERS, timeout=20).status_code for url in urls)]


def by_httpx2():
    import httpx2

    with httpx2.Client(headers=HEADERS, timeout=20) as client:
        created = client.post(URL, json=BODY)
        urls = f"{URL}/{created.json()['id']}", MISSING
        return [created.status_code, *(client.get(url).status_code for url in urls)]


def by_urllib():
    def call(url, body=None):
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(url, data, HEADERS | {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, None

    status, made = call(URL, BODY)
    return [status, *(call(url)[0] for url in (f"{URL}/{made['id']}", MISSING))]


def by_aiohttp():
    import aiohttp

    async def calls():
        async with aiohttp.ClientSession(headers=HEADERS, trust_env=True) as session:
            async with session.post(URL, json=BODY) as created:
                statuses, made = [created.status], await created.json()
            for url in (f"{URL}/{made['id']}", MISSING):
                async with session.get(url) as response:
                    statuses.append(response.status)
            return statuses

    return asyncio.run(calls())


sys.stdout.write(" ".join(map(str, globals()[f"by_{sys.argv[1]}"]())))
