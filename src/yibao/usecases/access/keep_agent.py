"""An administrator adds or changes an agent of the agency."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from yibao.domains.access import agents_operations, agents_queries
from yibao.domains.access.agents_model import Agent
from yibao.domains.access.agents_rules import agent_faults, institution_faults, role_faults
from yibao.domains.institutions import queries as institutions
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.trail import write_trail

Login = Annotated[str, Meta(min_length=2, max_length=40, pattern=r"^[a-z0-9][a-z0-9._-]*$", description="登录名")]


class AgentForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent as an administrator writes it.

    Attributes:
        admdvs: region that keeps the account; for ever.
        regions: regions whose data the agent may see; empty means the own one.
        division: county or town that limits it further; ``""`` for the whole region.
        disabled: the account and all its keys open nothing.
        fixmedins_code: the institution of the region for which an agent in role ``institution`` acts.
    """

    login: Login
    admdvs: Annotated[str, Meta(pattern=r"^[0-9]{6}$")]
    name: Annotated[str, Meta(min_length=1, max_length=40)]
    roles: Annotated[tuple[str, ...], Meta(min_length=1, max_length=7)]
    regions: Annotated[tuple[str, ...], Meta(max_length=20)] = ()
    division: Annotated[str, Meta(pattern=r"^([0-9]{6}|[0-9]{9})?$")] = ""
    disabled: bool = False
    fixmedins_code: Annotated[str, Meta(max_length=30, pattern=r"^[0-9A-Za-z]*$")] = ""


async def keep_agent(tx: Connection, form: AgentForm, *, actor: Actor, now: datetime, ids: Ids) -> Agent | Refusal:
    """Add an agent or change one; nobody changes the own account, and nobody gives regions he does not have."""
    regions = tuple(dict.fromkeys(form.regions or (form.admdvs,)))
    faults = role_faults(form.roles) + agent_faults(
        login=form.login, name=form.name, admdvs=form.admdvs, regions=regions, division=form.division
    )
    faults += institution_faults(roles=form.roles, fixmedins_code=form.fixmedins_code, division=form.division)
    faults += [
        Fault("REGION_NOT_YOURS", "不属于您办理的统筹区", "regions", region, "请由所属经办机构登记")
        for region in regions if region not in actor.regions
    ]
    if form.login == actor.login:
        faults.append(
            Fault("OWN_ACCOUNT", "不得修改本人的账号", "login", form.login, "请由另一管理人员办理", "经办岗位不相容原则")
        )
    if not faults and form.fixmedins_code:
        faults += await _unknown_institution(tx, form)
    if faults:
        return Refusal(tuple(faults))
    known = await agents_queries.find_agent(tx, form.login)
    agent = Agent(
        login=form.login, admdvs=form.admdvs, name=form.name, regions=regions, division=form.division,
        roles=tuple(dict.fromkeys(form.roles)), created_at=known.created_at if known else now,
        created_by=known.created_by if known else actor.login, disabled_at=now if form.disabled else None,
        fixmedins_code=form.fixmedins_code,
    )
    if not await agents_operations.keep_agent(tx, agent):
        return refuse("LOGIN_TAKEN", "登录名已被使用", field="login", received=form.login, remedy="请换一个登录名")
    await write_trail(tx, actor, verb="keep_agent", object_id=agent.login, admdvs=agent.admdvs, state=agent, now=now, ids=ids)
    return agent


async def _unknown_institution(tx: Connection, form: AgentForm) -> list[Fault]:
    """Say that the institution is not there, or has its agreement with another region's agency."""
    found = await institutions.find_institution(tx, form.fixmedins_code)
    if found is not None and found.region == form.admdvs:
        return []
    return [Fault("INSTITUTION_NOT_FOUND", "本统筹区没有该定点医药机构", "fixmedins_code", form.fixmedins_code, "请核对机构编号")]
