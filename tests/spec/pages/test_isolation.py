"""Nobody sees another institution's data, another region's, or who the patient is."""

from __future__ import annotations

import asyncpg
import httpx
import pytest
from litestar import Litestar

from tests.spec.pages import world
from tests.spec.pages.conftest import new_client, sign_in, token_in
from tests.spec.pages.test_in_browser import PAGES
from yibao.infra.database import Database
from yibao.kernel.identity_number import is_valid

FOREIGN_AT = world.NOW.replace(hour=8, minute=11)
INSTITUTIONS = {"ours": world.OURS, "others": world.OTHERS, "far": world.FAR}


@pytest.mark.parametrize("owner", ["others", "far"])
async def test_others_messages_and_settlements_are_not_found(ours: httpx.AsyncClient, owner: str) -> None:
    code = INSTITUTIONS[owner]
    msgid = world.msgid(code, FOREIGN_AT, 1)
    for path, params in (
        ("/institution/messages/view", {"msgid": msgid}), ("/institution/messages/view", {"entry": f"x{code}"}),
        (f"/institution/settlements/S{code}", {}),
    ):
        answer = await ours.get(path, params=params)
        assert answer.status_code == 404
        assert "secret of" not in answer.text
    for number in (msgid, f"V{code}", f"P{code}", f"S{code}"):
        for path in ("/institution/messages", "/institution/settlements"):
            html = (await ours.get(path, params={"q": number})).text
            assert "没有符合条件" in html
            assert f"{number}</a>" not in html


@pytest.mark.parametrize("login", ["others", "far"])
async def test_others_do_not_find_ours(portal: Litestar, login: str) -> None:
    async with new_client(portal) as visitor:
        await sign_in(visitor, login)
        own = (await visitor.get("/institution/messages?all=1")).text
        assert "共 2 条" in own
        assert world.OURS not in own
        assert (await visitor.get(f"/institution/settlements/{world.SETTLED}")).status_code == 404
        for number in (world.PSN, world.VISIT, world.VISIT_NO, world.SETTLED):
            assert "没有符合条件" in (await visitor.get("/institution/messages", params={"q": number})).text


async def test_certificate_number_finds_the_person_and_never_gets_into_an_address(ours: httpx.AsyncClient) -> None:
    form = (await ours.get("/institution/messages")).text
    answer = await ours.post("/institution/messages", data={"q": world.CERTNO, "form_token": token_in(form)})
    assert answer.headers["location"] == f"/institution/messages?q={world.PSN}"
    by_hand = await ours.get("/institution/messages", params={"q": world.CERTNO})
    assert (by_hand.status_code, by_hand.headers["location"]) == (303, f"/institution/messages?q={world.PSN}")


async def test_person_whom_the_institution_never_met_is_not_given_away(ours: httpx.AsyncClient) -> None:
    assert is_valid(world.STRANGER)
    form = (await ours.get("/institution/messages")).text
    answer = await ours.post("/institution/messages", data={"q": world.STRANGER, "form_token": token_in(form)})
    target = answer.headers["location"]
    assert "nobody=1" in target
    assert world.STRANGER not in target
    assert "37030000000000000002" not in target
    assert "没有该证件号人员" in (await ours.get(target)).text


async def test_no_page_shows_a_citizen_number_or_the_patient_s_name(ours: httpx.AsyncClient) -> None:
    for name, path in (PAGES | {"first": "/institution/messages/view?entry=t1"}).items():
        html = (await ours.get(path)).text
        assert world.CERTNO not in html, name
        assert world.NAME not in html, name


@pytest.mark.parametrize("table", [
    "platform.message", "platform.traffic", "settlements.settlement", "encounters.encounter", "encounters.fee_line",
    "people.person", "access.staff", "access.session",
])
async def test_role_of_the_pages_sees_only_the_region_of_its_transaction(
    portal_database: Database, filled: Database, portal: Litestar, table: str
) -> None:
    async with new_client(portal) as visitor:
        await sign_in(visitor, "ours")
    assert (await filled.fetch(f"select count(*) from {table}"))[0][0] > 0
    async with portal_database.transaction() as tx:
        assert await tx.fetchval(f"select count(*) from {table}") == 0
    async with portal_database.transaction(regions=("441300",)) as tx:
        assert await tx.fetchval(f"select count(*) from {table} where admdvs <> '441300'") == 0
    async with portal_database.transaction(regions=("370300",)) as tx:
        assert await tx.fetchval(f"select count(*) from {table}") > 0


async def test_role_of_the_pages_cannot_change_business(portal_database: Database) -> None:
    for statement in (
        "update settlements.settlement set state = 'reversed'", "delete from platform.message",
        "update access.staff set password_hash = ''", "insert into platform.region values ('000000', '')",
        "update people.person set name = ''", "delete from platform.audit_entry",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with portal_database.transaction(regions=("370300",)) as tx:
                await tx.execute(statement)
