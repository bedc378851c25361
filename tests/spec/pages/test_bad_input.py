"""Whatever a browser sends, the answer is a page in Chinese, never a stack trace and never a 500."""

from __future__ import annotations

import random
import re
from pathlib import Path
from urllib.parse import quote

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar

from tests.spec.pages import world
from tests.spec.pages.conftest import new_client, sign_in, token_in
from yibao.entrypoints.portals.institution.portal import create_portal
from yibao.entrypoints.portals.services import PortalServices
from yibao.infra.database import Connection, Database
from yibao.kernel.refusal import Refusal

PATHS = [
    "/none", "/institution/none", "/institution/messages/view", "/institution/messages/view?msgid=", "/%00", "/%ff",
    "/institution/settlements/%00", "/institution/settlements/%ff%fe", "/institution/settlements/a%2Fb",
    "/institution/settlements/" + "9" * 3000, "/institution/messages?q=%00", "/institution/messages?q=%ff",
    "/institution/messages?q=%ed%a0%80", "/institution/messages?page=99999999999999999999", "/institution/messages?page=-1",
    "/institution/messages?page=%D9%A3", "/institution/messages?size=7", "/institution/messages?q=" + "x" * 5000,
    "/institution/messages?q=%27%3Bdrop%20table%20platform.message--", "/institution/messages?infno=%3Cscript%3E",
    "/institution/messages/view?entry=%F0%9F%92%89", "/mode?back=//evil.test", "/mode?back=https://evil.test&elder=1",
    "/assets/x/yibao.css", "/assets/x/..%2f..%2fpyproject.toml", "/assets/x/none.css", "/institution/messages?from=%00",
]


@pytest.mark.parametrize("path", PATHS)
async def test_strange_addresses_get_a_page(ours: httpx.AsyncClient, path: str) -> None:
    answer = await ours.get(path)
    assert answer.status_code in (200, 303, 400, 404)
    assert "Traceback" not in answer.text
    assert not answer.headers.get("location", "/").startswith(("//", "http"))
    if answer.status_code in (400, 404):
        assert '<html lang="zh-CN"' in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/ui", "/institution/messages/view", "/livez"])
async def test_other_methods_are_refused(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code in (204, 405)
    if answer.status_code == 405:
        assert "不支持这种访问方式" in answer.text


async def test_strange_bodies_are_refused(client: httpx.AsyncClient) -> None:
    token = token_in((await client.get("/institution/login")).text)
    for content, kind in (
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"), (b"{}", "application/json"),
        (b"--x\r\n", "multipart/form-data; boundary=x"), (b"", "multipart/form-data"), (b"a" * 100_000, "text/plain"),
        (b"login=" + b"a" * 200_000, "application/x-www-form-urlencoded"), (b"%ff%fe=%00", "application/x-www-form-urlencoded"),
        (f"form_token={token}&login=%00&password=%00".encode(), "application/x-www-form-urlencoded"),
        (f"form_token={token}&login=ours&password={'p' * 9000}".encode(), "application/x-www-form-urlencoded"),
    ):
        answer = await client.post("/institution/login", content=content, headers={"content-type": kind})
        assert answer.status_code in (400, 401, 403, 413), kind
        assert '<html lang="zh-CN"' in answer.text


@pytest.mark.parametrize("cookie", ["x", "%00", "é".encode().decode("latin-1"), "a" * 4000, '"', ";;;"])
async def test_strange_cookies_are_strangers(portal: Litestar, cookie: str) -> None:
    async with new_client(portal) as visitor:
        answer = await visitor.get(
            "/institution/messages", headers={"cookie": f"yibao_session={cookie}; yibao_elder={cookie}".encode("latin-1")}
        )
        assert answer.status_code == 303


async def test_random_addresses_never_break_a_page(ours: httpx.AsyncClient) -> None:
    chance = random.Random(20261122)
    letters = "aZ0%/?&=.-_~:;'\"<>[]{}|\\^`中é\t+#"
    for _ in range(150):
        tail = "".join(chance.choice(letters) for _ in range(chance.randrange(1, 40)))
        path = chance.choice(["/", "/institution/messages?q=", "/institution/settlements/", "/institution/messages/view?entry="])
        answer = await ours.get(path + quote(tail, safe="%/?&=.-_~:;'+"))
        assert answer.status_code in (200, 303, 400, 404), tail


async def test_health_is_told(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).text == "ok"
    assert (await client.get("/readyz")).text == "ok"


async def test_without_a_database_pages_say_so_and_the_process_lives(
    services: PortalServices, tmp_path: Path
) -> None:
    nobody = Database(
        lambda: asyncpg.connect(f"postgresql:///yibao?host={tmp_path}", timeout=1), size=1, acquire_timeout_s=1.0
    )
    async with new_client(create_portal(msgspec.structs.replace(services, database=nobody))) as visitor:
        visitor.cookies.set("yibao_session", "some-token")
        assert (await visitor.get("/livez")).status_code == 200
        assert (await visitor.get("/readyz")).status_code == 503
        page = await visitor.get("/institution/messages")
        assert page.status_code == 503
        assert "暂时无法办理" in page.text
        assert page.headers["retry-after"]
        assert (await visitor.get("/")).status_code == 200


async def test_lost_connections_are_made_again(ours: httpx.AsyncClient, filled: Database) -> None:
    await filled.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    answers = [await ours.get("/institution/messages") for _ in range(8)]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert answers[-1].status_code == 200


async def test_search_that_takes_too_long_says_how_to_ask_for_less(
    ours: httpx.AsyncClient, services: PortalServices
) -> None:
    async def slow(tx: Connection, _setl_id: str) -> Refusal:
        await tx.execute("set local statement_timeout = 20")
        await tx.execute("select pg_sleep(5)")
        raise AssertionError("not cancelled")

    async with new_client(create_portal(msgspec.structs.replace(services, explain=slow))) as visitor:
        await sign_in(visitor, "ours")
        page = await visitor.get(f"/institution/settlements/{world.SETTLED}")
    assert page.status_code == 503
    assert "请缩小日期范围" in page.text
    assert (await ours.get("/institution/messages")).status_code == 200, "the connection is still good"


async def test_fault_of_ours_is_logged_and_shown_as_a_number_to_ask_by(
    services: PortalServices, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_tx: Connection, _setl_id: str) -> Refusal:
        raise ZeroDivisionError("planted")

    async with new_client(create_portal(msgspec.structs.replace(services, explain=broken))) as visitor:
        await sign_in(visitor, "ours")
        page = await visitor.get(f"/institution/settlements/{world.SETTLED}")
    assert page.status_code == 503
    assert "planted" not in page.text
    trace = re.search(r"请提供编号 <code>(\w+)</code>", page.text)
    assert trace
    assert trace[1] in caplog.text
