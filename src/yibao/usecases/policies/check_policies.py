"""Check policy files: every fault by file and line, with what to write instead. Nothing that runs is touched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from yibao.policy.law.loading import BadPolicy
from yibao.usecases.policies.checks_in_time import check_time
from yibao.usecases.policies.checks_of_rows import check_rows_together
from yibao.usecases.policies.checks_of_words import check_words
from yibao.usecases.policies.lawbook import read_lawbook
from yibao.usecases.policies.remarks import FAULT, Remark

_ORDER = ("fault", "warning", "hint")


class RegionCheck(msgspec.Struct, frozen=True):
    """What was found in the files of one region.

    Attributes:
        admdvs: the region.
        name: its Chinese name, ``""`` if the files do not load.
        version: digest of the files, ``""`` if they do not load.
        values: how many rows there are.
        remarks: faults first, then warnings, then hints; in the order of the files.
    """

    admdvs: str
    name: str
    version: str
    values: int
    remarks: tuple[Remark, ...]

    @property
    def loads(self) -> bool:
        """Say whether the files can be used."""
        return bool(self.version)

    def of(self, weight: str) -> tuple[Remark, ...]:
        """Return the remarks of one weight."""
        return tuple(remark for remark in self.remarks if remark.weight == weight)


def check_policies(files: Mapping[str, Mapping[str, str]], *, today: date) -> tuple[RegionCheck, ...]:
    """Check the policy files of several regions.

    Args:
        files: region code -> file name -> text.
        today: decides what has run out.
    """
    return tuple(check_region(admdvs, texts, today=today) for admdvs, texts in files.items())


def check_region(admdvs: str, texts: Mapping[str, str], *, today: date) -> RegionCheck:
    """Check one region's files: what the loader refuses; if it refuses nothing, what cannot be meant so."""
    try:
        book = read_lawbook(texts)
    except BadPolicy as error:
        refused = tuple(
            Remark("refused", FAULT, f.file, f.line, f.rule, f.field, f.message, f.proposal) for f in error.faults
        )
        return RegionCheck(admdvs, "", "", 0, refused)
    found = [*check_time(book, today), *check_rows_together(book), *check_words(book)]
    remarks = sorted(dict.fromkeys(found), key=lambda r: (_ORDER.index(r.weight), r.file, r.line))
    policy = book.policy
    return RegionCheck(admdvs, policy.name, policy.version, len(policy.rows), tuple(remarks))
