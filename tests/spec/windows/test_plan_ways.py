"""Every way into the program belongs to a business that a window can stop, or is said never to be stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from yibao.domains.services.items import service_book
from yibao.domains.windows.tables import (
    NEVER,
    books,
    business_of_way,
    businesses,
    channels,
    families,
    terms,
    ways,
)
from yibao.entrypoints.api.table import routes
from yibao.entrypoints.cli.main import app
from yibao.entrypoints.exchange.handlers import HANDLERS
from yibao.entrypoints.gateway.offer import standings


def verbs_of(group: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Give every verb of the command line with its groups."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs_of(command, (*path, name))
        else:
            yield " ".join((*path, name))


def named(kind: str) -> set[str]:
    """Return the names of one kind in the table."""
    return {name for what, name in ways() if what == kind}


def test_no_transaction_is_missing() -> None:
    assert {s.infno for s in standings()} == named("transaction")


def test_no_operation_of_the_api_is_missing() -> None:
    assert {r.operation for r in routes()} == named("operation")


def test_no_message_of_a_party_is_missing() -> None:
    assert {f"{party}/{kind}" for party, kind in HANDLERS} == named("message")


def test_no_verb_of_the_command_line_is_missing() -> None:
    assert set(verbs_of(typer.main.get_command(app))) == named("batch")


def test_no_service_item_is_missing() -> None:
    assert set(service_book().items) == named("item")


def test_every_way_leads_to_a_business() -> None:
    assert set(ways().values()) <= set(businesses()) | {NEVER}


def test_every_business_is_reached_or_is_somebody_elses() -> None:
    """What no way of ours leads to is refined from facts of a message, or is a linked office's."""
    refined = {"resident_change", "resident_query", "flexible_contribution", "negotiated_drug", "remote_inpatient",
               "remote_account", "maternity_settlement", "chronic_settlement", "online_hall", "commercial_supplement"}
    assert set(businesses()) - set(ways().values()) <= refined


def test_what_changes_money_is_never_free_of_the_window() -> None:
    """The gateway's transactions that change something belong to a business, but for signing in and files."""
    free = {s.infno for s in standings() if s.changes and business_of_way("transaction", s.infno) == NEVER}
    assert free == {"9001", "9002", "9101"}


@pytest.mark.parametrize(("path", "business"), [
    ("/institution/settlements/abc", "settlement_query"), ("/institution/messages", NEVER), ("/elsewhere", NEVER),
])
def test_a_page_has_the_business_of_its_longest_path(path: str, business: str) -> None:
    assert business_of_way("page", path) == business


def test_the_tables_hold_together() -> None:
    kinds = {b.kind for b in businesses().values()}
    assert all(set(c.kinds) <= kinds for c in channels().values())
    assert not set(families()) & set(businesses())
    assert {"deposit", "refund", "bill", "amount", ""} >= {b.money for b in books().values()}
    assert {b.keeper for b in books().values()} == {"agency", "institution"}
    assert len(terms()) == len({(t.disposition, t.term) for t in terms().values()})
