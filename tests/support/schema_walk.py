"""Draws requests from the served description of the API and holds every answer against it (schemathesis).

Each operation is asked with the key of a role that may, so that answers come from behind the guard. ``walk`` asks each
operation by itself; ``follow_links`` goes from answer to answer along the links of the description.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]
_RUN = random.SystemRandom().randrange(10**9)
_NUMBERS = itertools.count(1)


class Walked:
    """What was asked: how many requests by status, and every answer that the description does not allow."""

    def __init__(self) -> None:
        self.by_status: Counter[int] = Counter()
        self.by_operation: Counter[str] = Counter()
        self.breaches: list[str] = []

    @property
    def requests(self) -> int:
        """Return how many requests were sent."""
        return sum(self.by_status.values())


class Walker:
    """Sends drawn requests to a served platform."""

    def __init__(self, schema_url: str, keys: Mapping[str, str], *, known: Mapping[str, str] | None = None) -> None:
        """Read the description.

        Args:
            keys: a key by role, all of one region.
            known: values that exist, by name of the parameter or field: half of the requests use them.
        """
        self._base_url = schema_url.removesuffix("/api/schema")
        self._keys, self._known = keys, dict(known or {})
        self.of(httpx.get(schema_url, timeout=30).json())

    def of(self, document: dict[str, Any]) -> Walker:
        """Hold the platform against another description and begin anew."""
        self.document, self.walked = document, Walked()
        self.schema = schemathesis.openapi.from_dict(document)
        self.schema.config.update(base_url=self._base_url)
        # Keys come from us; drawn ones would only be refused at the door.
        self.schema.config.generation.update(with_security_parameters=False)
        return self

    def walk(self, examples: int, *, random_seed: int) -> Walked:
        """Ask every operation ``examples`` times."""
        for result in self.schema.get_all_operations():
            operation = result.ok()
            self._ask(operation, examples, random_seed)
        return self.walked

    def follow_links(self, runs: int, steps: int, *, random_seed: int) -> Walked:
        """Go ``runs`` times along at most ``steps`` links."""
        walker = self

        class Machine(self.schema.as_state_machine()):  # type: ignore[misc] # made at run time
            """Follows links; sends with the key of the operation's role."""

            def before_call(self, case: Case) -> None:
                walker._spare(case)

            def get_call_kwargs(self, case: Case) -> dict[str, Any]:
                return {"headers": walker._headers(case)}

            def validate_response(self, response: Any, case: Case, **_: Any) -> None:
                walker._judge(case, response)

        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            seed(random_seed)(Machine),
            settings=settings(
                max_examples=runs, stateful_step_count=steps, deadline=None, database=None,
                suppress_health_check=list(HealthCheck), phases=[Phase.generate],
            ),
        )
        return self.walked

    def _ask(self, operation: Any, examples: int, random_seed: int) -> None:
        @seed(random_seed)
        @settings(
            max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(case=operation.as_strategy())
        def ask(case: Case) -> None:
            if self.walked.requests % 2:
                for part in (case.path_parameters, case.query, case.body):
                    if isinstance(part, dict):
                        part.update({k: v for k, v in self._known.items() if k in part})
            self._spare(case)
            self._judge(case, case.call(headers=self._headers(case)))

        ask()

    def _spare(self, case: Case) -> None:
        """Revoke none of the keys that the walk itself uses."""
        number = case.path_parameters.get("key_id")
        if number and any(str(number) in key for key in self._keys.values()):
            case.path_parameters["key_id"] = "0" * 24

    def _headers(self, case: Case) -> dict[str, str]:
        raw = case.operation.definition.raw
        headers = {}
        if raw.get("security") != []:
            headers["Authorization"] = f"Bearer {self._keys[raw['x-roles'][0]]}"
        if any(p["name"] == "Idempotency-Key" for p in raw["parameters"]):
            # Drawn keys would meet again and answer for each other.
            headers["Idempotency-Key"] = f"walk-{_RUN}-{next(_NUMBERS)}"
        return headers

    def _judge(self, case: Case, response: Any) -> None:
        self.walked.by_status[response.status_code] += 1
        self.walked.by_operation[case.operation.label] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as failures:
            body = getattr(case, "body", None)
            self.walked.breaches += [
                f"{case.operation.label} -> {response.status_code}: {str(f)[:600]}\n{response.text[:500]}\n"
                f"{case.path_parameters} {case.query} {body!r}"[:2000]
                for f in failures.exceptions
            ]


