"""Zibo's ordinary outpatient benefit for employees as OpenFisca variables; run as a program in its own environment.

``python formula.py IN.npz OUT.npz``: reads columns of yuan and facts, writes what the fund pays and the seconds it took.
OpenFisca reckons money in 32-bit floats, as its own countries do; that is what is compared.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from openfisca_core.entities import build_entity
from openfisca_core.periods import YEAR
from openfisca_core.simulation_builder import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

PERIOD = "2025"
Person = build_entity(key="person", plural="persons", label="person", is_person=True)


def _input(name: str, kind: type) -> type:
    return type(name, (Variable,), {"value_type": kind, "entity": Person, "definition_period": YEAR, "label": name})


class standard(Variable):
    """Yearly deductible by level."""

    value_type, entity, definition_period, label = float, Person, YEAR, "deductible of the level"

    def formula(person, period, parameters):  # noqa: ARG002
        level = person("level", period)
        return np.select([level == 1, level == 2], [100.0, 500.0], 700.0)


class deductible(Variable):
    """What is still charged of the deductible."""

    value_type, entity, definition_period, label = float, Person, YEAR, "deductible charged"

    def formula(person, period, parameters):  # noqa: ARG002
        left = np.maximum(person("standard", period) - person("borne", period), 0)
        return np.minimum(left, person("in_scope", period))


class ratio(Variable):
    """Share of the pool by level, five points more for the retired."""

    value_type, entity, definition_period, label = float, Person, YEAR, "ratio"

    def formula(person, period, parameters):  # noqa: ARG002
        level = person("level", period)
        return np.select([level == 1, level == 2], [0.8, 0.7], 0.6) + 0.05 * person("retired", period)


class uncapped(Variable):
    """What the pool pays before its ceiling, to the fen."""

    value_type, entity, definition_period, label = float, Person, YEAR, "payment before the ceiling"

    def formula(person, period, parameters):  # noqa: ARG002
        above = person("in_scope", period) - person("deductible", period)
        return np.floor(above * person("ratio", period) * 100 + 0.5) / 100


class pool(Variable):
    """What the pool pays."""

    value_type, entity, definition_period, label = float, Person, YEAR, "payment"

    def formula(person, period, parameters):  # noqa: ARG002
        cap = 4500.0 + 1000.0 * person("retired", period)
        return np.minimum(person("uncapped", period), np.maximum(cap - person("used", period), 0))


class person_part(Variable):
    """What is left to the person."""

    value_type, entity, definition_period, label = float, Person, YEAR, "person's part"

    def formula(person, period, parameters):  # noqa: ARG002
        return person("amount", period) - person("pool", period)


def main() -> None:
    """Read the columns, decide them three times, write the last result and the best time."""
    given = np.load(sys.argv[1])
    system = TaxBenefitSystem([Person])
    for name in ("amount", "in_scope", "borne", "used"):
        system.add_variable(_input(name, float))
    system.add_variable(_input("level", int))
    system.add_variable(_input("retired", bool))
    for variable in (standard, deductible, ratio, uncapped, pool, person_part):
        system.add_variable(variable)
    best = float("inf")
    for _ in range(3):
        simulation = SimulationBuilder().build_default_simulation(system, count=len(given["amount"]))
        for name in given.files:
            simulation.set_input(name, PERIOD, given[name])
        started = time.perf_counter()
        part = simulation.calculate("person_part", PERIOD)
        best = min(best, time.perf_counter() - started)
        paid = simulation.calculate("pool", PERIOD)
    np.savez(sys.argv[2], pool=paid, person_part=part, seconds=np.array([best]))


if __name__ == "__main__":
    main()
