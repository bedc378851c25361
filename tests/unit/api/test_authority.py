"""Keys and allowances: what opens, until when, and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from yibao.domains.access.agents_model import Bearer
from yibao.domains.access.agents_rules import ROLES, key_text, opens, read_key, role_faults, secret_digest
from yibao.domains.access.verbs import OWN, STRANGER, verbs
from yibao.entrypoints.api.authority import Allowance

NOW = datetime(2024, 7, 1, tzinfo=UTC)
SECRET = "s" * 43


def _bearer(**changed: object) -> Bearer:
    values = {
        "key_id": "1" * 24, "digest": secret_digest(SECRET), "login": "a.clerk", "regions": ("370300",), "division": "",
        "roles": ("intake",), "scopes": ("intake",), "rate_per_minute": 60, "expires_at": NOW + timedelta(days=1),
        "revoked_at": None, "disabled_at": None,
    }
    return Bearer(**(values | changed))  # type: ignore[arg-type]


def test_a_key_is_read_as_it_was_written() -> None:
    assert read_key(key_text("1" * 24, SECRET)) == ("1" * 24, SECRET)


@pytest.mark.parametrize(
    "text", ["", "yb", "yb_1_x", f"yb_{'1' * 24}_short", f"xx_{'1' * 24}_{SECRET}", f"yb_{'a' * 24}_{SECRET}"],
)
def test_what_is_no_key_is_none(text: str) -> None:
    assert read_key(text) is None


def test_a_key_opens_until_the_instant_it_expires() -> None:
    assert opens(_bearer(), SECRET, now=NOW)
    end = NOW + timedelta(days=1)
    assert opens(_bearer(), SECRET, now=end - timedelta(microseconds=1))
    assert not opens(_bearer(), SECRET, now=end)


@pytest.mark.parametrize("changed", [{"revoked_at": NOW}, {"disabled_at": NOW}, {"digest": secret_digest("t" * 43)}])
def test_a_key_that_was_revoked_or_is_anothers_opens_nothing(changed: dict[str, object]) -> None:
    assert not opens(_bearer(**changed), SECRET, now=NOW)


def test_an_allowance_is_saved_up_for_a_minute_and_no_longer() -> None:
    allowance = Allowance()
    taken = [allowance.take("k", per_minute=3, at_s=1000.0) for _ in range(4)]
    assert taken[:3] == [0.0, 0.0, 0.0]
    # Three a minute is one every 20 s.
    assert taken[3] == pytest.approx(20.0)
    assert allowance.take("k", per_minute=3, at_s=1019.0) == pytest.approx(1.0)
    assert allowance.take("k", per_minute=3, at_s=1020.0) == 0.0
    assert [allowance.take("k", per_minute=3, at_s=9999.0) for _ in range(4)][:3] == [0.0, 0.0, 0.0]
    assert allowance.take("another", per_minute=3, at_s=1000.0) == 0.0


@pytest.mark.parametrize(
    ("roles", "codes"),
    [
        (("intake",), []), (("intake", "review"), []), (("approve", "pay"), []), (("audit",), []), (("admin",), []),
        (("intake", "approve"), ["ROLES_EXCLUDE"]), (("review", "pay"), ["ROLES_EXCLUDE"]),
        (("audit", "intake"), ["ROLES_EXCLUDE"]), (("admin", "pay"), ["ROLES_EXCLUDE"]), ((), ["ROLES_MISSING"]),
        (("boss",), ["ROLE_UNKNOWN"]),
    ],
)
def test_which_roles_go_together(roles: tuple[str, ...], codes: list[str]) -> None:
    assert [f.code for f in role_faults(roles)] == codes


def test_the_second_person_of_a_verb_is_never_of_those_who_begin_it() -> None:
    for verb in verbs().values():
        assert set(verb.roles) <= {*ROLES, STRANGER}, verb
        assert STRANGER not in verb.roles or verb.roles == (STRANGER,), verb
        if verb.checker:
            assert verb.checker not in verb.roles, verb
            assert not role_faults([verb.checker]), verb
        assert verb.four_eyes in ("", OWN, *ROLES), verb
        assert any("一" <= c <= "鿿" for c in verb.title), verb
