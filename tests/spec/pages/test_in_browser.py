"""The pages in a real browser: accessible in every mode, light, usable on a phone and in large type.

Set ``YIBAO_SCREENSHOTS`` to a directory to keep pictures of what was looked at.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from tests.spec.pages import world
from yibao.entrypoints.portals.look.rendering import link

pytestmark = pytest.mark.slow

SETTLED_MSGID = world.msgid(world.OURS, world.NOW.replace(hour=8, minute=10), 7)
PAGES = {
    "front": "/",
    "components": "/ui",
    "messages": "/institution/messages",
    "nothing-found": "/institution/messages?q=none",
    "wrong-dates": "/institution/messages?from=2026-12-01&to=2026-11-01",
    "message": link("/institution/messages/view", msgid=SETTLED_MSGID),
    "details": link("/institution/messages/view", msgid=world.msgid(
        world.OURS, world.NOW.replace(hour=8, minute=5), 3)),
    "refused": "/institution/messages/view?entry=t2",
    "broken": "/institution/messages/view?entry=t4",
    "settlements": "/institution/settlements",
    "settlement": f"/institution/settlements/{world.SETTLED}",
    "missing": "/institution/settlements/none",
}
MODES: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 360, "height": 740}},
    "desk": {"viewport": {"width": 1440, "height": 900}},
    "elder": {"viewport": {"width": 360, "height": 740}},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
}


_EXCESS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@asynccontextmanager
async def visitor(
    browser: Browser, address: str, mode: str, *, signed_in: bool = True, **options: Any
) -> AsyncIterator[Page]:
    """Open a page in a fresh browser profile, logged in for our hospital."""
    context = await browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", **(MODES[mode] | options))
    if mode == "elder":
        await context.add_cookies([{"name": "yibao_elder", "value": "1", "url": address}])
    page = await context.new_page()
    if signed_in:
        await page.goto(f"{address}/institution/login")
        await page.fill("#login", "ours")
        await page.fill("#password", world.PASSWORD)
        await page.click("main button")
        await page.wait_for_url("**/institution/messages")
    yield page
    await context.close()


async def keep(page: Page, name: str) -> None:
    """Keep a picture of the page where somebody asked for it."""
    folder = os.environ.get("YIBAO_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("mode", list(MODES))
async def test_no_page_has_an_accessibility_violation(browser: Browser, address: str, mode: str) -> None:
    found: dict[str, list[str]] = {}
    async with visitor(browser, address, mode, signed_in=False) as page:
        await page.goto(f"{address}/institution/login")
        await keep(page, f"{mode}-login")
        await _judge(page, mode, "login", found)
    async with visitor(browser, address, mode) as page:
        for name, path in PAGES.items():
            await page.goto(address + path)
            await keep(page, f"{mode}-{name}")
            await _judge(page, mode, name, found)
    assert found == {}


async def _judge(page: Page, mode: str, name: str, found: dict[str, list[str]]) -> None:
    # Another colour scheme changes colours and nothing else.
    rules = {"runOnly": ["color-contrast"]} if "dark" in mode else None
    for violation in (await Axe().run(page, options=rules)).response["violations"]:
        nodes = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
        found.setdefault(name, []).append(f"{violation['id']}: {nodes}")
    wide = await page.evaluate(_EXCESS)
    if wide > 0:
        found.setdefault(name, []).append(f"{wide} px wider than the window")


@pytest.mark.parametrize(("mode", "budget_kb"), [("phone", 30), ("desk", 60)])
async def test_every_page_is_light(browser: Browser, address: str, mode: str, budget_kb: int) -> None:
    """Everything a first visit transfers, headers included, stays in the budget."""
    weights: dict[str, float] = {}
    async with visitor(browser, address, mode) as page:
        wire = await page.context.new_cdp_session(page)
        await wire.send("Network.enable")
        await wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        received: list[float] = []
        wire.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        for name, path in PAGES.items():
            received.clear()
            await page.goto(address + path, wait_until="networkidle")
            weights[name] = sum(received) / 1024
            assert 1 < len(received) <= 6, f"{name}: {len(received)} requests"
    assert {n: w for n, w in weights.items() if w > budget_kb} == {}


_SMALL_TEXT = """() => [...document.querySelectorAll('body *')].filter(e => {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (!own || !e.checkVisibility() || box.width < 2) return false;
    return parseFloat(style.fontSize) < 18 || parseFloat(style.lineHeight) / parseFloat(style.fontSize) < 1.3;
}).map(e => e.outerHTML.slice(0, 90))"""
_SMALL_TARGETS = """() => [...document.querySelectorAll(
    'button, .button, input:not([type=hidden]), select, summary, .tabs a, .chip, .ranges a')].filter(e => {
    const box = e.getBoundingClientRect();
    return e.checkVisibility() && box.width > 2 && (box.height < 59.5 || box.width < 59.5);
}).map(e => `${e.outerHTML.slice(0, 90)} ${e.getBoundingClientRect().width}x${e.getBoundingClientRect().height}`)"""


async def test_elder_mode_meets_its_figures(browser: Browser, address: str) -> None:
    """Text of at least 18 px at 1.3 lines, headings of at least 30, main targets of at least 60 x 60."""
    breaches: dict[str, list[str]] = {}
    async with visitor(browser, address, "elder") as page:
        for name, path in PAGES.items():
            await page.goto(address + path)
            heading = await page.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)")
            assert heading >= 30
            for script in (_SMALL_TEXT, _SMALL_TARGETS):
                if small := await page.evaluate(script):
                    breaches.setdefault(name, []).extend(small[:4])
    assert breaches == {}


async def test_phone_targets_are_large_enough_for_a_thumb(browser: Browser, address: str) -> None:
    async with visitor(browser, address, "phone") as page:
        for path in PAGES.values():
            await page.goto(address + path)
            small = await page.evaluate(_SMALL_TARGETS.replace("59.5", "43.5"))
            assert small == [], path


async def test_no_page_scrolls_sideways(browser: Browser, address: str) -> None:
    async with visitor(browser, address, "phone") as page:
        for name, path in PAGES.items():
            await page.goto(address + path)
            for width in (320, 480, 768, 1024):
                await page.set_viewport_size({"width": width, "height": 740})
                assert await page.evaluate(_EXCESS) <= 0, f"{name} at {width}"


async def test_everything_works_without_javascript(browser: Browser, address: str) -> None:
    """Log in, find a visit by its number, open the settlement, switch to large type, log out."""
    async with visitor(browser, address, "phone", java_script_enabled=False) as page:
        await page.fill("#q", world.VISIT_NO)
        await page.click("main form button")
        await page.click(f"text={world.SETTLED}")
        assert "本人支付现金 55.98 元" in " ".join((await page.inner_text("main")).split())
        await page.click("text=长辈版")
        assert await page.locator("html.elder").count() == 1
        assert page.url.endswith(world.SETTLED)
        await page.click("text=退出")
        assert page.url.endswith("/institution/login")
        await page.goto(f"{address}/institution/messages")
        assert "/institution/login" in page.url


async def test_nothing_in_a_message_runs_in_the_reader_s_browser(browser: Browser, address: str) -> None:
    async with visitor(browser, address, "desk") as page:
        said: list[str] = []
        page.on("dialog", lambda dialog: said.append(dialog.message))
        await page.goto(address + PAGES["refused"], wait_until="networkidle")
        assert world.XSS in await page.inner_text("main")
        assert await page.title() == "报文 2207 · 医保 Yibao"
        assert said == []


async def test_printed_sheet_shows_the_amounts_and_no_furniture(browser: Browser, address: str) -> None:
    async with visitor(browser, address, "desk") as page:
        await page.goto(address + PAGES["settlement"])
        await page.emulate_media(media="print")
        await keep(page, "print-settlement")
        assert not await page.locator(".side").is_visible()
        assert not await page.locator("header.head").is_visible()
        assert await page.locator("text=266.25").first.is_visible()
        assert await page.locator("text=示例参数，非当地现行政策").first.is_visible()


async def test_script_narrows_fields_and_shows_the_clock(browser: Browser, address: str) -> None:
    async with visitor(browser, address, "desk") as page:
        await page.goto(address + PAGES["message"])
        await page.fill("#narrow", "medfee_sumamt")
        shown = await page.locator(".narrow:visible").all_inner_texts()
        assert shown
        assert all("medfee_sumamt" in text for text in shown)
        assert (await page.inner_text(".clock b")).count(":") == 1
