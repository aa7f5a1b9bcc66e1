"""Headless Chromium over its DevTools protocol, without a driver."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.support import MS, eventually


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
START_S = 60_000 * MS
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)


class Page:
    """One page: evaluate in it, press keys, and see what it complained about.

    Attributes:
        complaints: errors of the console, of scripts and of loading, as texts.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.complaints: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def receive(self) -> None:
        """Take messages until the socket ends."""
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
                continue
            found = message["params"]
            match message["method"]:
                case "Runtime.exceptionThrown":
                    self.complaints.append(json.dumps(found["exceptionDetails"]))
                case "Runtime.consoleAPICalled" if found["type"] in ("error", "assert"):
                    self.complaints.append(json.dumps(found["args"]))
                case "Log.entryAdded" if found["entry"]["level"] == "error":
                    self.complaints.append(json.dumps(found["entry"]))
                case _:
                    pass

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser and return its result."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        message = await asyncio.wait_for(answer, START_S)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def press(self, key: str, code: int) -> None:
        """Press and release a key."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    async def open(self, url: str) -> None:
        """Go to an address, listening to complaints from its first moment."""
        for domain in ("Runtime", "Log", "Page"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)


@asynccontextmanager
async def opened_page(folder: Path) -> AsyncIterator[Page]:
    """Start a browser with an empty profile and yield its page."""
    browser = started(folder)
    try:
        note = folder / "DevToolsActivePort"
        port = await eventually(lambda: note.exists() and note.read_text().split(), START_S)
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            targets = (await client.get(f"http://127.0.0.1:{port[0]}/json/list")).json()
        (target,) = [each for each in targets if each["type"] == "page"]
        async with connect(target["webSocketDebuggerUrl"], max_size=None, proxy=None) as socket:
            page = Page(socket)
            receiving = asyncio.create_task(page.receive(), name="devtools")
            try:
                yield page
            finally:
                receiving.cancel()
    finally:
        browser.kill()
        browser.wait()


def started(folder: Path) -> subprocess.Popen[bytes]:
    """Start a browser whose profile is this folder."""
    assert CHROMIUM is not None
    return subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
