"""A browser, driven over WebDriver's own HTTP protocol (W3C, "WebDriver", Level 2).

Only what the tests of the report need, and Chromium's way to its development tools for
what WebDriver lacks: the size of the screen, and what the reader prefers.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)
_SECONDS = 60.0
TAB = "\ue004"
ENTER = "\ue007"
SPACE = " "


def missing() -> str | None:
    """Say which of the two programs is not installed; None where both are."""
    absent = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(absent)} not installed" if absent else None


class Page:
    """One window of a browser."""

    def __init__(self, http: httpx.Client, session: str) -> None:
        self._http = http
        self._session = f"/session/{session}"

    def _post(self, path: str, **body: Any) -> Any:  # noqa: ANN401 -- JSON
        answer = self._http.post(f"{self._session}/{path}", json=body)
        value = answer.json()["value"]
        assert answer.is_success, value
        return value

    def open(self, file: Path) -> None:
        """Open *file*, and forget what the page before it had logged and sent."""
        self.logged("performance")
        self.logged("browser")
        self._post("url", url=file.as_uri())

    def run(self, script: str, *arguments: Any) -> Any:  # noqa: ANN401 -- JSON
        """Run the body of a function in the page and give what it returns."""
        return self._post("execute/sync", script=script, args=list(arguments))

    def until(self, script: str, *arguments: Any) -> Any:  # noqa: ANN401 -- JSON
        """Run *script* until it returns something that counts as true."""
        end = time.monotonic() + _SECONDS
        while not (found := self.run(script, *arguments)):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.02)
        return found

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        pressed = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._post("actions", actions=[{"type": "key", "id": "keyboard", "actions": pressed}])

    def tools(self, command: str, **parameters: Any) -> Any:  # noqa: ANN401 -- JSON
        """Give a command to Chromium's development tools."""
        return self._post("goog/cdp/execute", cmd=command, params=parameters)

    def prefer(self, **features: str) -> None:
        """Have the reader prefer something: `prefers_color_scheme="dark"`."""
        wanted = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.tools("Emulation.setEmulatedMedia", features=wanted)

    def resize(self, width: int, height: int = 900) -> None:
        """Give the page a screen that is so many CSS pixels wide."""
        self.tools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def logged(self, kind: str) -> list[str]:
        """Take what was logged of a *kind* since the last time."""
        return [entry["message"] for entry in self._post("se/log", type=kind)]

    def printed(self) -> bytes:
        """Give the page as PDF."""
        return base64.b64decode(self._post("print"))

    def picture(self, *, whole: bool = False) -> bytes:
        """Give what is seen as PNG, or the *whole* page."""
        found = self.tools("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(found["data"])


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Run a browser that knows nothing, with its profile in *folder*; it ends with the block."""
    log = folder / "chromedriver.log"
    with subprocess.Popen(  # noqa: S603 -- a program of the system, and no shell
        ["chromedriver", "--port=0", f"--log-path={log}"],  # noqa: S607 -- wherever it is
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as driver:
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{_port(driver)}", trust_env=False, timeout=_SECONDS
            ) as http:
                yield from _session(http, folder / "profile")
        finally:
            driver.terminate()


def _port(driver: subprocess.Popen[str]) -> str:
    assert driver.stdout
    for line in driver.stdout:
        if found := re.search(r"started successfully on port (\d+)", line):
            return found[1]
    raise AssertionError("chromedriver did not start")


def _session(http: httpx.Client, profile: Path) -> Iterator[Page]:
    options = {"args": [*_FLAGS, f"--user-data-dir={profile}"]}
    wanted = {
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }
    answer = http.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
    assert answer.is_success, answer.text
    session = answer.json()["value"]["sessionId"]
    try:
        yield Page(http, session)
    finally:
        http.delete(f"/session/{session}")
