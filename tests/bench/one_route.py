"""What the start of the mock is compared to: Starlette with one route, under uvicorn's default command line."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def plans(request: Request) -> JSONResponse:
    return JSONResponse({"data": []})


app = Starlette(routes=[Route("/v1/plans", plans)])
