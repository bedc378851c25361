"""Examine an installation: run every check and collect what it finds."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from datetime import datetime

from yibao.infra import migrate
from yibao.infra.config import Settings
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import business_date
from yibao.usecases.catalogue.load_catalogue import packaged_files
from yibao.usecases.diagnosis import content_checks, machine_checks, server_checks
from yibao.usecases.diagnosis.finding import Finding, wrong


def examine_machine(
    settings: Settings, *, port_is_free: bool, port_is_ours: bool, environ: Mapping[str, str] = os.environ
) -> list[Finding]:
    """Run the checks that need no database."""
    return [
        machine_checks.check_home(settings.home),
        machine_checks.check_disk(settings.home),
        machine_checks.check_port(settings, is_free=port_is_free, is_ours=port_is_ours),
        machine_checks.check_zone(),
        machine_checks.check_sm3(digest=sm3),
        machine_checks.check_font(),
        machine_checks.check_failpoints(settings),
        machine_checks.check_variables(environ),
        machine_checks.check_exposure(settings),
    ]


async def examine_server(tx: Connection, settings: Settings, *, url: str, now: datetime) -> list[Finding]:
    """Run the checks of the server, its roles and the schema."""
    return [
        await server_checks.check_version(tx),
        await server_checks.check_durability(tx),
        await server_checks.check_checksums(tx),
        await server_checks.check_encoding(tx),
        await server_checks.check_clock(tx, now=now),
        await server_checks.check_connections(tx, settings),
        await server_checks.check_login(tx),
        await server_checks.check_roles(tx),
        server_checks.check_schema(found=await migrate.current(url), wanted=migrate.head()),
    ]


async def examine_content(tx: Connection, settings: Settings, *, now: datetime) -> list[Finding]:
    """Run the checks of a migrated database's content."""
    today = business_date(now)
    policies, findings = content_checks.compile_policies(read_policy_files())
    return [
        await server_checks.check_row_security(tx),
        *findings,
        await content_checks.check_regions(tx, policies, today=today),
        await content_checks.check_catalogue(tx, packaged_digests()),
        await content_checks.check_agreements(tx, today=today),
        await content_checks.check_senders(tx, settings),
        await content_checks.check_sealing(tx, now=now),
    ]


def packaged_digests() -> dict[str, str]:
    """Return part -> SM3 (hex) of the text of the packaged catalogue file, as loading records it."""
    return {
        file.part: sm3(gzip.decompress(file.content) if file.name.endswith(".gz") else file.content).hex()
        for file in packaged_files()
    }


def no_database(error: Exception) -> Finding:
    """Return the finding of a database that does not answer; nothing else can be checked then."""
    return wrong("database.answers", str(error), "启动数据库，核对 YIBAO_DATABASE_URL；内置数据库用 yibao demo 建立")
