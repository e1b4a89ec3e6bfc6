"""A connection that the client has closed is closed here, too, at once.

hypercorn 0.18 waits for its idle timer first: the descriptor of each connection that a client used and closed stays
open for ``keep_alive_timeout``, which is more than a minute here, and a busy client has hundreds of them.
"""

from __future__ import annotations

from hypercorn.asyncio.tcp_server import TCPServer


def install() -> None:
    """End the idle timer when there is nothing more to read; a request that is being answered goes on."""
    before = TCPServer._read_data

    async def read_data(self: TCPServer) -> None:
        await before(self)
        await self.idle_task.stop()

    TCPServer._read_data = read_data
