"""Rows of the people in the stories."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from yibao.demo.employers import Employer
from yibao.demo.people import Life, Person, Recognition, Relation
from yibao.demo.stories import Story, certificate_of, ordinal_of, psn_no_of, region_of, stories
from yibao.kernel.money import yuan_to_fen

_REASONS = {"unpaid": "未缴纳医疗保险费", "dead": "参保人已死亡"}


def story_lives(*, today: date, employers: dict[str, tuple[Employer, ...]], diseases: dict[str, str]) -> Iterator[Life]:
    """Yield the people of all stories, as they are on ``today``.

    Args:
        employers: employers by region; employees of the stories work at them in turn.
        diseases: names of the chronic diseases by code.
    """
    for story in stories():
        certno, birth_on = certificate_of(story, today=today)
        who = story.person
        person = Person(
            psn_no_of(story), story.region, certno, who.name, who.sex, birth_on,
            today - timedelta(days=30) if who.state == "dead" else None,
            f"{region_of(story).card_prefix}9{ordinal_of(story):07d}", story.key,
        )
        firms = employers[story.region]
        employed = who.psn_type.startswith("11") and not who.flexible
        since = max(date(today.year - 1, 1, 1), birth_on)
        yield Life(
            person,
            (_relation(story, person, firms[ordinal_of(story) % len(firms)].emp_no if employed else None, today),),
            who.identities,
            tuple(
                Recognition(person.psn_no, code, since, story.region, diseases.get(code, code))
                for code in who.recognitions
            ),
            None if who.balance is None else yuan_to_fen(who.balance),
        )


def _relation(story: Story, person: Person, emp_no: str | None, today: date) -> Relation:
    who = story.person
    start = max(date(today.year - 5, 1, 1), person.birth_on)
    benefit_from, benefit_to, paused_on, status = start, None, None, "1"
    if who.state == "waiting":
        start, benefit_from = today - timedelta(days=20), today + timedelta(days=70)
    elif who.state == "unpaid":
        status, paused_on = "2", today - timedelta(days=40)
        benefit_to = paused_on
    elif who.state == "dead" and person.died_on:
        status, benefit_to = "4", person.died_on + timedelta(days=1)
        paused_on = benefit_to
    kind = "none" if who.insutype != "310" else "pool_only" if who.pool_only else "with_account"
    return Relation(
        person.psn_no, f"{person.psn_no}01", story.region, who.insutype, who.psn_type, status,
        _REASONS.get(who.state, ""), emp_no, kind, who.civil_servant, who.flexible, start, paused_on,
        benefit_from, benefit_to, who.paid_months,
    )
