"""Designated institutions of the region, and what the catalogue says."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from yibao.domains.catalogue.search import Hit
from yibao.domains.institutions.directory import DirectoryEntry, find_institutions
from yibao.entrypoints.api.fields import Limit, Region
from yibao.entrypoints.api.routing import read
from yibao.entrypoints.api.services import Call
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal
from yibao.usecases.catalogue.search_catalogue import search_catalogue


class Institutions(msgspec.Struct, frozen=True):
    """Institutions by code."""

    rows: list[DirectoryEntry]


@read("/institutions", verb="list_institutions")
async def list_institutions(
    call: Call, kind: Literal["1", "2"] = "1", name: Annotated[str, Meta(max_length=60)] = "", limit: Limit = 50
) -> Institutions:
    """List designated institutions: kind 1 hospitals, 2 pharmacies; part of a name narrows it."""
    return Institutions(await find_institutions(call.tx, kind=kind, code=None, name=name or None, limit=limit))


class Hits(msgspec.Struct, frozen=True):
    """Rows of the national lists, best fits first."""

    rows: list[Hit]


@read("/catalogue", verb="search_catalogue")
async def search_lists(
    call: Call, text: Annotated[str, Meta(min_length=1, max_length=100)], admdvs: Region | Literal[""] = "",
    level: Literal["1", "2", "3"] = "3", on: date | None = None, limit: Limit = 20,
) -> Hits | Refusal:
    """Search drugs, items, diagnoses and procedures by code, name or pinyin initials.

    With a region the terms of payment of the day are told for items; amounts in millionths of a yuan, shares in
    ten-thousandths.
    """
    today = business_date(call.now)
    found = await search_catalogue(
        call.tx, text=text, on=on, admdvs=admdvs, level=level, priced_on=on or today, limit=limit
    )
    return found if isinstance(found, Refusal) else Hits(found)


ROUTES = (list_institutions, search_lists)
