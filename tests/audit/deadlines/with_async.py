"""A deadline around the call."""

import asyncio
import os

import httpx


async def plans() -> None:
    headers = {"Authorization": f"Bearer {os.environ['CLOUDNEXUS_API_KEY']}"}
    async with httpx.AsyncClient() as client, asyncio.timeout(1):
        await client.get(f"{os.environ['CLOUDNEXUS_BASE_URL']}/v1/plans", headers=headers)


asyncio.run(plans())
