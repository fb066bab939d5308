"""How connections and requests end."""

import asyncio
import socket
import struct

_LINGER_SECONDS = 2
"""How long a client may continue to send after such an answer."""


_LINGER_0 = struct.pack("ii", 1, 0)


def abort(transport: asyncio.Transport) -> None:
    """End a connection with an RST, unless it is closing already."""
    if not transport.is_closing():
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        transport.abort()


def end_gently(transport: asyncio.Transport) -> None:
    """End a connection after an answer that the client may not expect yet. What it still sends is to be dropped: an RST
    would take the answer from it too (RFC 9112 section 9.6)."""
    transport.write_eof()
    asyncio.get_running_loop().call_later(_LINGER_SECONDS, transport.close)


async def drain(tasks: set[asyncio.Task[None]], seconds: float) -> None:
    """Wait until the requests in flight end; cancel those that have not ended after this many seconds."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=seconds)
