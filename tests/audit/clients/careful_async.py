"""CAREFUL. httpx2 with asyncio: four tasks that share one pool of connections."""

import asyncio
import os
import random
from typing import Any

import httpx2

BODY = {"plan": "starter", "region": "us-east-1", "image": "debian-12"}
PASSING = (429, 500, 502, 503, 504)


async def job(client: httpx2.AsyncClient, name: str, base: float, chance: random.Random) -> None:
    async def pause(number: int, told: float) -> None:
        await asyncio.sleep(max(told, chance.uniform(0.5, 1) * base * 2**number))

    async def attempt(method: str, path: str, **more: Any) -> tuple[int | None, float, Any]:
        """The status (None where nothing came that can be read), how long to wait, what is shown."""
        try:
            answer = await client.request(method, path, **more)
            shown = answer.json() if answer.content else None
        except (httpx2.TransportError, ValueError):
            return None, 0, None
        return answer.status_code, float(answer.headers.get("retry-after", 0)), shown

    async def insist(method: str, path: str) -> Any:
        for number in range(6):
            status, told, shown = await attempt(method, path)
            if status is not None and status not in PASSING:
                return shown
            await pause(number, told)
        raise SystemExit(f"{method} {path} does not work")

    async def found() -> Any:
        page = pages = 1
        while page <= pages:
            answer = await insist("GET", f"/v1/instances?limit=100&page={page}")
            for each in answer["data"]:
                if each["name"] == name:
                    return each
            page, pages = page + 1, answer["pagination"]["total_pages"]
        return None

    async def wanted() -> Any:
        for number in range(6):
            if made := await found():
                return made
            status, told, shown = await attempt("POST", "/v1/instances", json={**BODY, "name": name})
            if status == 201:
                return shown
            if status is not None and status not in PASSING:
                raise SystemExit(shown)
            await pause(number, told)
        raise SystemExit("the instance cannot be created")

    await insist("GET", "/v1/plans")
    made = await wanted()
    while (await insist("GET", f"/v1/instances/{made['id']}")).get("status") == "provisioning":
        await asyncio.sleep(3 * base)
    await insist("DELETE", f"/v1/instances/{made['id']}")


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    async def jobs() -> None:
        chance = random.Random(seed)
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=max(0.5, 20 * base)) as client:
            await asyncio.gather(*(job(client, f"task-{number}", base, chance) for number in range(4)))

    asyncio.run(jobs())


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
