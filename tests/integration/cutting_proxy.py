"""A proxy in front of a unix socket that swallows answers or cuts connections when told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Self


class CuttingProxy:
    """Passes bytes both ways until told otherwise. Async context manager.

    Attributes:
        swallow_answers: requests reach the server, answers vanish.
        cut_after_request: the connection is cut once a request has reached the server.
    """

    def __init__(self, target: str, directory: Path) -> None:
        self.target = target
        self.socket = str(directory / "p.sock")
        self.url = f"unix://{self.socket}"
        self.swallow_answers = False
        self.cut_after_request = False
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self.socket)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks)

    def cut(self) -> None:
        """Cut every connection now."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.append(task)
        server_reader, server_writer = await asyncio.open_unix_connection(self.target)
        self._writers += [writer, server_writer]
        try:
            await asyncio.gather(
                self._requests(reader, server_writer), self._answers(server_reader, writer)
            )
        except OSError:
            return  # a cut connection is what this proxy is for
        finally:
            writer.transport.abort()
            server_writer.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if self.cut_after_request:
                self.cut_after_request = False
                writer.transport.abort()
                return
            if not self.swallow_answers:
                writer.write(data)
                await writer.drain()
        writer.write_eof()
