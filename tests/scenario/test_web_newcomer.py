"""The newcomer's first minute: the whole program as a process, driven in a real browser from the printed link on."""

import asyncio
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.fakes.browser import chromium, needs_chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_chromium]

BOT = Path(sys.executable).with_name("bot")
LINK = re.compile(rb"http://\S+/enter/\S+")
PATIENCE = 30_000


@asynccontextmanager
async def running(folder, **variables):
    """The demo in a folder of its own; gives the link that it prints."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    process = await asyncio.create_subprocess_exec(
        BOT,
        "run",
        "--profile",
        "demo",
        cwd=folder,
        env={**quiet, "BOT_WEB__PORT": "0", **variables},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            lines = [line async for line in _until_link(process.stdout)]
        yield LINK.search(lines[-1])[0].decode()
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode in (0, 130)


async def _until_link(lines):
    async for line in lines:
        yield line
        if LINK.search(line):
            return


async def test_a_newcomer_approves_half_sees_the_fill_and_asks_why(tmp_path):
    async with running(tmp_path) as link, chromium() as browser, browser.visit() as you:
        page = you.page
        await page.goto(link)
        await expect(page.locator("#pinned")).to_contain_text("Approve half")
        question = page.locator('[data-topic^="approval:"]').filter(has=page.locator(".press")).first
        await expect(question).to_be_visible(timeout=PATIENCE)
        topic = await question.get_attribute("data-topic")
        await question.get_by_role("button", name="Approve half").click()
        card = page.locator(f'[data-topic="{topic}"]')
        await expect(card).to_contain_text(re.compile("[Aa]pproved half by you, filled"), timeout=PATIENCE)
        await expect(card.get_by_role("button")).to_have_count(0)
        await expect(page.locator(".position").first).to_contain_text("Protected", timeout=PATIENCE)
        await expect(page.locator(".equity .figure")).not_to_have_text("10,000.00", timeout=PATIENCE)

        approval_id = topic.partition(":")[2]
        await page.get_by_role("combobox").fill(f"/why {approval_id}")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("log")).to_contain_text("Why D", timeout=PATIENCE)
        await page.screenshot(path=tmp_path / "newcomer.png")
        assert you.complaints == []
