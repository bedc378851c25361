"""Windows: plans of cut-overs and their versions, what is stopped now, and the stages of a reopening."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from yibao.domains.windows import queries
from yibao.domains.windows.gate import stage_of
from yibao.domains.windows.model import STAGES
from yibao.domains.windows.stored import Opening, StoredPlan
from yibao.domains.windows.words import restart_says, stop_says
from yibao.entrypoints.api.fields import MaybeWords, Region, Words
from yibao.entrypoints.api.routing import deed, public, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.windows.open_stage import MoveStage, StageState, open_stage, stages_of, stop_stage
from yibao.usecases.windows.propose_plan import ProposePlan, propose_plan, withdraw_plan
from yibao.usecases.windows.publish_plan import PublishPlan, publish_plan

PlanName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$", description="方案名称")]
Version = Annotated[int, Meta(ge=1, le=10_000)]
Ordinal = Annotated[int, Meta(ge=0, le=1_000)]


class PlanText(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as TOML, whole; why, and where people are told."""

    admdvs: Region
    text: Annotated[str, Meta(min_length=1, max_length=500_000)]
    reason: MaybeWords = ""
    announced_in: MaybeWords = ""


class Why(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which region, and why."""

    admdvs: Region
    reason: Words


class MaybeWhy(msgspec.Struct, frozen=True, kw_only=True):
    """Of which region, and why where there is something to say."""

    admdvs: Region
    reason: MaybeWords = ""


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """Of which region."""

    admdvs: Region


class PlanVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a plan without its text."""

    admdvs: str
    name: str
    version: int
    state: str
    amends: int
    reason: str
    announced_in: str
    digest: str
    proposed_by: str
    proposed_at: datetime
    published_by: str
    published_at: datetime | None


class Plans(msgspec.Struct, frozen=True):
    """Versions of plans by name and number."""

    rows: list[PlanVersion]


class PlanShown(msgspec.Struct, frozen=True):
    """A version of a plan with its text."""

    plan: PlanVersion
    text: str


class StagesShown(msgspec.Struct, frozen=True):
    """How the stages of a plan stand, and everything that was done with them."""

    rows: list[StageState]
    history: list[Opening]


class TrackNow(msgspec.Struct, frozen=True, kw_only=True):
    """How a group of businesses stands now."""

    admdvs: str
    plan: str
    version: int
    track: str
    title: str
    stage: str
    says: str
    stop: str
    restart: str


class StopsNow(msgspec.Struct, frozen=True):
    """Every track of every plan that counts."""

    rows: list[TrackNow]


@read("/windows/plans", verb="list_window_plans")
async def list_plans_of_windows(call: Call, name: Annotated[str, Meta(max_length=40)] = "") -> Plans:
    """List the versions of plans with their states."""
    return Plans([_version(p) for p in await queries.list_plans(call.tx, name=name)])


@read("/windows/plans/{name}/versions/{version}", verb="list_window_plans")
async def show_plan_of_window(call: Call, name: PlanName, version: Version, admdvs: Region) -> PlanShown | Refusal:
    """Show a version with its text."""
    found = await queries.find_plan(call.tx, admdvs, name, version)
    if found is None:
        return refuse("PLAN_NOT_FOUND", "没有这一版方案", field="version", received=f"{name} {version}",
                      remedy="请核对名称和版本")
    return PlanShown(_version(found), found.text)


@deed("/windows/plans", verb="propose_window_plan", status=201)
async def propose_window(call: Call, data: PlanText) -> PlanVersion | Refusal:
    """Propose a plan or its next version; it must be sound and must not change the past. Somebody else publishes it."""
    command = ProposePlan(admdvs=data.admdvs, text=data.text, reason=data.reason, announced_in=data.announced_in)
    return _answer(await propose_plan(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/windows/plans/{name}/versions/{version}/publish", verb="publish_window_plan")
async def publish_window(call: Call, name: PlanName, version: Version, data: Published) -> PlanVersion | Refusal:
    """Publish a proposed version: within a second every way in goes by it."""
    command = PublishPlan(admdvs=data.admdvs, name=name, version=version)
    return _answer(await publish_plan(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/windows/plans/{name}/versions/{version}/withdraw", verb="publish_window_plan")
async def withdraw_window(call: Call, name: PlanName, version: Version, data: Why) -> PlanVersion | Refusal:
    """Withdraw a version: a proposed one, or the published one while nothing it said has passed."""
    return _answer(await withdraw_plan(
        call.tx, data.admdvs, name, version, why=data.reason, actor=call.actor, now=call.now, ids=call.ids
    ))


@read("/windows/plans/{name}/stages", verb="list_window_plans")
async def list_stages_of_window(call: Call, name: PlanName, admdvs: Region) -> StagesShown | Refusal:
    """List the stages of the reopening: open, stopped or waiting, since when, by whom and why."""
    plan = next((p for p in call.gate.plans_of(admdvs) if p.name == name), None)
    if plan is None:
        return refuse("PLAN_NOT_FOUND", "没有已发布的方案", field="name", received=name, remedy="请核对方案名称")
    states = await stages_of(call.tx, plan, now=call.now)
    return StagesShown(list(states.values()), await queries.list_openings(call.tx, admdvs, name))


@deed("/windows/plans/{name}/stages/{ordinal}/open", verb="move_window_stage")
async def open_stage_of_window(call: Call, name: PlanName, ordinal: Ordinal, data: MaybeWhy) -> Opening | Refusal:
    """Open a stage of the reopening, or resume one that was stopped, with the reason."""
    command = MoveStage(admdvs=data.admdvs, name=name, ordinal=ordinal, reason=data.reason)
    return await open_stage(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)


@deed("/windows/plans/{name}/stages/{ordinal}/stop", verb="move_window_stage")
async def stop_stage_of_window(call: Call, name: PlanName, ordinal: Ordinal, data: Why) -> Opening | Refusal:
    """Stop a stage that is open."""
    command = MoveStage(admdvs=data.admdvs, name=name, ordinal=ordinal, reason=data.reason)
    return await stop_stage(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)


@public("/windows/now")
async def show_stops_now(call: Call, admdvs: Annotated[str, Meta(pattern=r"^([0-9]{6})?$")] = "") -> StopsNow:
    """Say to anybody what is stopped now, since when and until when."""
    plans = call.gate.plans_of(*([admdvs] if admdvs else call.actor.regions))
    return StopsNow([
        TrackNow(
            admdvs=plan.admdvs, plan=plan.name, version=plan.version, track=track.code, title=track.title,
            stage=(stage := stage_of(track, call.now)), says=STAGES[stage], stop=stop_says(track),
            restart=restart_says(track),
        )
        for plan in plans for track in plan.tracks
    ])


def _answer(stored: StoredPlan | Refusal) -> PlanVersion | Refusal:
    return stored if isinstance(stored, Refusal) else _version(stored)


def _version(stored: StoredPlan) -> PlanVersion:
    published = stored.published_at.astimezone(SHANGHAI) if stored.published_at else None
    return PlanVersion(
        admdvs=stored.admdvs, name=stored.name, version=stored.version, state=stored.state, amends=stored.amends,
        reason=stored.reason, announced_in=stored.announced_in, digest=stored.digest.hex(), proposed_by=stored.proposed_by,
        proposed_at=stored.proposed_at.astimezone(SHANGHAI), published_by=stored.published_by, published_at=published,
    )


ROUTES = (
    list_plans_of_windows, show_plan_of_window, propose_window, publish_window, withdraw_window, list_stages_of_window,
    open_stage_of_window, stop_stage_of_window, show_stops_now,
)
