"""Staff of an institution log in, stay, are locked out when somebody guesses, and log out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from litestar import Litestar

from tests.spec.pages import world
from tests.spec.pages.conftest import new_client, sign_in, token_in
from yibao.domains.access import passwords
from yibao.infra.database import Database
from yibao.infra.digest import sm3
from yibao.kernel.clock import FixedClock

LIST = "/institution/messages"


@pytest.fixture(autouse=True)
async def as_new(clock: FixedClock, filled: Database) -> AsyncIterator[None]:
    """Begin each test at the same time with unlocked accounts."""
    clock.at = world.NOW
    await filled.fetch("update access.staff set failed = 0, locked_until = null, disabled = false")
    yield
    clock.at = world.NOW


async def test_right_password_opens_a_session_of_which_only_the_digest_is_stored(
    client: httpx.AsyncClient, filled: Database
) -> None:
    answer = await sign_in(client, "ours")
    assert (answer.status_code, answer.headers["location"]) == (303, LIST)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    token = client.cookies["yibao_session"]
    rows = await filled.fetch("select login from access.session where token_digest = $1", sm3(token.encode()))
    assert [row["login"] for row in rows] == ["ours"]
    page = await client.get(LIST)
    assert page.status_code == 200
    assert world.OURS in page.text
    assert "王*明" in page.text


async def test_log_in_is_audited(client: httpx.AsyncClient, filled: Database) -> None:
    before = await _audited(filled)
    await sign_in(client, "ours")
    await client.post("/institution/logout", data={"form_token": token_in((await client.get(LIST)).text)})
    assert (await _audited(filled))[len(before):] == [("sign_in_staff", "ours"), ("sign_out_staff", "ours")]


@pytest.mark.parametrize("path", [LIST, f"/institution/settlements/{world.SETTLED}", "/institution/settlements"])
async def test_pages_for_staff_lead_strangers_to_the_log_in_and_back(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/institution/login?next=")
    form = await client.get(answer.headers["location"])
    answer = await client.post("/institution/login", data={
        "login": "ours", "password": world.PASSWORD, "form_token": token_in(form.text), "next": path,
    })
    assert answer.headers["location"] == path


@pytest.mark.parametrize("target", [
    "//evil.test/institution/", "https://evil.test", "/\\evil.test", "/institution/\nx", "javascript:alert(1)", "/mode",
])
async def test_log_in_leads_to_our_own_pages_only(client: httpx.AsyncClient, target: str) -> None:
    form = await client.get("/institution/login", params={"next": target})
    answer = await client.post("/institution/login", data={
        "login": "ours", "password": world.PASSWORD, "form_token": token_in(form.text), "next": target,
    })
    assert answer.headers["location"].startswith("/institution/")
    assert "evil" not in answer.headers["location"]


async def test_unknown_wrong_locked_and_disabled_look_the_same_and_cost_the_same(
    client: httpx.AsyncClient, filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled.fetch("update access.staff set disabled = true where login = 'late'")
    await filled.fetch("update access.staff set locked_until = $1 where login = 'lock'", world.NOW + timedelta(minutes=9))
    hashed: list[str] = []
    real = passwords.matches

    def counted(password_hash: str, password: str) -> bool:
        hashed.append(password_hash.split("$")[3])
        return real(password_hash, password)

    monkeypatch.setattr(passwords, "matches", counted)
    seen = set()
    for login, password in (("ours", "wrong"), ("nobody", "x"), ("lock", world.PASSWORD), ("late", world.PASSWORD)):
        answer = await sign_in(client, login, password)
        text = answer.text.replace(f'value="{login}"', "")
        seen.add((answer.status_code, re.sub(r'name="form_token" value="[^"]+"', "", text)))
    assert len(seen) == 1
    assert len(hashed) == 4
    assert len(set(hashed)) == 1, "all checks use the same Argon2 parameters"


async def test_five_failures_lock_the_account_for_a_quarter_of_an_hour(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    for _ in range(5):
        assert (await sign_in(client, "lock", "wrong")).status_code == 401
    assert (await sign_in(client, "lock")).status_code == 401
    clock.at = world.NOW + timedelta(minutes=14, seconds=59)
    assert (await sign_in(client, "lock")).status_code == 401
    clock.at = world.NOW + timedelta(minutes=15)
    assert (await sign_in(client, "lock")).status_code == 303


async def test_four_failures_and_a_success_start_the_count_again(client: httpx.AsyncClient, filled: Database) -> None:
    for _ in range(4):
        await sign_in(client, "lock", "wrong")
    assert (await sign_in(client, "lock")).status_code == 303
    row = (await filled.fetch("select failed, locked_until from access.staff where login = 'lock'"))[0]
    assert (row["failed"], row["locked_until"]) == (0, None)


async def test_guesses_at_once_get_no_more_tries_than_one_by_one(
    portal: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    decoy = passwords.decoy_hash()
    real = passwords.matches

    def counted(password_hash: str, password: str) -> bool:
        if password_hash != decoy:
            checked.append(password)
        return real(password_hash, password)

    monkeypatch.setattr(passwords, "matches", counted)
    async with new_client(portal) as visitor:
        form = token_in((await visitor.get("/institution/login")).text)
        answers = await asyncio.gather(*(
            visitor.post("/institution/login", data={"login": "lock", "password": f"guess {n}", "form_token": form})
            for n in range(12)
        ))
    assert {answer.status_code for answer in answers} == {401}
    assert len(checked) == 5


async def test_log_in_gives_a_new_session_id_and_ends_the_old_one(portal: Litestar) -> None:
    async with new_client(portal) as visitor, new_client(portal) as thief:
        await sign_in(visitor, "ours")
        first = visitor.cookies["yibao_session"]
        page = (await visitor.get(LIST)).text
        await visitor.post("/institution/login", data={
            "login": "late", "password": world.PASSWORD, "form_token": token_in(page),
        })
        assert visitor.cookies["yibao_session"] != first
        thief.cookies.set("yibao_session", first)
        assert (await thief.get(LIST)).status_code == 303


async def test_log_out_ends_the_session_on_the_server(portal: Litestar) -> None:
    async with new_client(portal) as visitor, new_client(portal) as thief:
        await sign_in(visitor, "ours")
        thief.cookies.set("yibao_session", visitor.cookies["yibao_session"])
        assert (await thief.get(LIST)).status_code == 200
        await visitor.post("/institution/logout", data={"form_token": token_in((await visitor.get(LIST)).text)})
        assert (await thief.get(LIST)).status_code == 303


async def test_session_ends_after_a_quarter_of_an_hour_idle(client: httpx.AsyncClient, clock: FixedClock) -> None:
    await sign_in(client, "ours")
    clock.at = world.NOW + timedelta(minutes=14)
    assert (await client.get(LIST)).status_code == 200
    clock.at = world.NOW + timedelta(minutes=28)
    assert (await client.get(LIST)).status_code == 200
    clock.at = world.NOW + timedelta(minutes=43)
    assert (await client.get(LIST)).status_code == 303


async def test_session_ends_after_eight_hours_of_work(client: httpx.AsyncClient, clock: FixedClock) -> None:
    await sign_in(client, "ours")
    for minutes in range(10, 480, 10):
        clock.at = world.NOW + timedelta(minutes=minutes)
        assert (await client.get("/institution/settlements?q=none")).status_code == 200
    clock.at = world.NOW + timedelta(hours=8)
    assert (await client.get(LIST)).status_code == 303


async def test_disabled_staff_are_out_at_once(ours: httpx.AsyncClient, filled: Database) -> None:
    await filled.fetch("update access.staff set disabled = true where login = 'ours'")
    assert (await ours.get(LIST)).status_code == 303


async def test_forms_of_others_are_refused(ours: httpx.AsyncClient, portal: Litestar) -> None:
    """Without our token, with another browser's, or sent from another site: 403, and nobody is logged out."""
    async with new_client(portal) as other:
        foreign = token_in((await other.get("/institution/login")).text)
    own = token_in((await ours.get(LIST)).text)
    for data, headers in (
        ({}, {}), ({"form_token": "x"}, {}), ({"form_token": foreign}, {}), ({"form_token": "é.ü"}, {}),
        ({"form_token": own}, {"sec-fetch-site": "cross-site"}), ({"form_token": own}, {"sec-fetch-site": "same-site"}),
    ):
        for path in ("/institution/logout", LIST, "/institution/login"):
            answer = await ours.post(path, data=data, headers=headers)
            assert answer.status_code == 403, (path, data)
            assert "表单已失效" in answer.text
    assert (await ours.get(LIST)).status_code == 200


async def test_pages_are_not_kept_and_run_nothing_foreign(ours: httpx.AsyncClient) -> None:
    for path in ("/", "/ui", LIST, f"/institution/settlements/{world.SETTLED}", "/none"):
        headers = (await ours.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def _audited(database: Database) -> list[tuple[str, str]]:
    rows = await database.fetch("select verb, actor from platform.audit_entry where channel = 'portal' order by xid")
    return [(row["verb"], row["actor"]) for row in rows]
