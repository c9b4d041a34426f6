"""A real Chromium that keeps an eye on its console."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1360, "height": 860}

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


@dataclass
class Visitor:
    """A page of its own browser profile, with everything that its console complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    async def fits(self) -> bool:
        """Whether nothing sticks out sideways."""
        return await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@dataclass
class Chromium:
    """The browser; each visit is a profile of its own."""

    browser: Browser

    @asynccontextmanager
    async def visit(self, size: dict[str, int] | None = None, **options: object) -> AsyncIterator[Visitor]:
        context = await self.browser.new_context(viewport=size or DESK, **options)
        try:
            yield Visitor(page=await context.new_page())
        finally:
            await context.close()


@asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield Chromium(browser=browser)
        finally:
            await browser.close()
