"""Takes the pictures of the documents anew: ``python -m tests.bench.pictures docs``.

It runs the demo as it comes in a real browser: takes the first question, approves whatever it asks, and takes the
page with ``/chart`` once the first trade has been closed and some days have gone by. It needs ``chromium`` on the path
and about two minutes.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Locator, Page

from tests.fakes.browser import chromium
from tests.scenario.test_web_newcomer import running

SIZE = {"width": 1280, "height": 960}
SPEED = "36000"
"""Market seconds in a wall second while nothing is asked."""
APPROVALS = 14
"""After so many answers some days of the market are over, and the first trade is closed."""
WITHIN = 300
"""Wall seconds."""


def _approve(page: Page) -> Locator:
    """The button of the newest question."""
    return page.locator("[data-topic^='approval:']").get_by_role("button", name="Approve", exact=True).last


async def _question(page: Page, file: Path) -> None:
    await _approve(page).wait_for(timeout=WITHIN * 1000)
    await page.locator("#pinned summary").click()
    await page.wait_for_timeout(1000)
    await page.screenshot(path=file)


async def _chart(page: Page, file: Path) -> None:
    await page.get_by_role("combobox").fill("/chart T1")
    await page.keyboard.press("Enter")
    chart = page.get_by_role("log").get_by_text("T1 BTC/USDT, candles of").last
    await chart.wait_for()
    await page.wait_for_timeout(1000)
    await page.evaluate("document.activeElement.blur()")
    await chart.evaluate("chart => chart.scrollIntoView({block: 'start'})")
    await page.screenshot(path=file)


async def main(docs: Path) -> None:
    """Run the demo in a folder of its own and take the pictures."""
    with TemporaryDirectory() as folder:
        demo = running(Path(folder), BOT_REPLAY__SPEED=SPEED)
        british = {"locale": "en-GB", "timezone_id": "UTC"}
        async with asyncio.timeout(WITHIN), demo as link, chromium() as browser, browser.visit(SIZE, **british) as you:
            await you.page.goto(link)
            await _question(you.page, docs / "screenshot.png")
            for _ in range(APPROVALS):
                await _approve(you.page).click(timeout=WITHIN * 1000)
                await you.page.wait_for_timeout(500)
            await _chart(you.page, docs / "chart.png")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
