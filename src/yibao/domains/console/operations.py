"""Writes of the window desk."""

from __future__ import annotations

import msgspec

from yibao.domains.console.model import Call, Problem
from yibao.infra.database import Connection

ADD_CALL = "insert into console.call values ($1, $2, $3, $4, $5, $6, $7, $8)"
ADD_PROBLEM = "insert into console.problem values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
CHANGE_PROBLEM = """
update console.problem set says = $3, workaround = $4, people = $5, close_by = $6, moved = $7, closed_at = $8, closed_by = $9,
    outcome = $10
where admdvs = $1 and problem_id = $2
"""


async def add_call(tx: Connection, call: Call) -> None:
    """Write a call down."""
    await tx.execute(ADD_CALL, *msgspec.structs.astuple(call))


async def add_problem(tx: Connection, problem: Problem) -> None:
    """Write a new problem."""
    await tx.execute(ADD_PROBLEM, *msgspec.structs.astuple(problem))


async def change_problem(tx: Connection, p: Problem) -> None:
    """Write what may change of a problem."""
    await tx.execute(CHANGE_PROBLEM, p.admdvs, p.problem_id, p.says, p.workaround, p.people, p.close_by, p.moved, p.closed_at,
                     p.closed_by, p.outcome)
