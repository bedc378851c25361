"""What the law is asked about: a frozen case, gathered under the person's lock."""

from __future__ import annotations

from datetime import date

import msgspec


class PersonFacts(msgspec.Struct, frozen=True, gc=False):
    """The insured person as known on the day of service.

    Attributes:
        psn_type: class of person as stored (``1101``); rules read the first two digits.
        age: full years on the day of service.
        identities: special identities (table ``psn_idet_type``) valid on that day.
        civil_servant: whether the civil-servant supplement applies.
        account_kind: ``with_account``, ``pool_only`` or ``none``.
        paid_months: months of continuous payment.
    """

    psn_type: str
    age: int
    identities: tuple[str, ...] = ()
    civil_servant: bool = False
    account_kind: str = "none"
    paid_months: int = 0


class InstitutionFacts(msgspec.Struct, frozen=True, gc=False):
    """The institution that treats.

    Attributes:
        code: national institution code.
        kind: ``1`` hospital, ``2`` pharmacy.
        level: ``1``, ``2``, ``3`` for deductibles and ratios.
        traits: e.g. ``primary_care``, ``children``, ``essential_drugs``.
    """

    code: str
    kind: str
    level: str
    traits: tuple[str, ...] = ()


class LineGroup(msgspec.Struct, frozen=True, gc=False):
    """Fee lines that the rules treat alike, added up. All amounts in fen.

    ``group`` is empty for ordinary lines; issue-specific groups (negotiated drugs, implants) carry
    their own key, so that a rule can give them their own ratio.
    """

    amount: int
    own: int
    over: int
    first_pay: int
    in_scope: int
    group: str = ""


class Case(msgspec.Struct, frozen=True, gc=False):
    """One bill, complete in itself. Amounts in fen, ratios in ten-thousandths.

    Attributes:
        admdvs: the insured region, whose law decides.
        service_on: day of service; decides law, eligibility and benefit year.
        insutype: ``310`` or ``390``.
        med_type: visit class of the wire.
        disease_code: chronic disease, ``""`` if none.
        recognised: chronic diseases the person is recognised for on that day; some ceilings depend on
            having several. May be left empty: then only ``disease_code`` counts.
        counters: what the year already used, by counter code; absent means 0.
        account_balance: balance of the own account, 0 if there is none.
        use_account: whether the own account may be charged (``acct_used_flag`` 1).
    """

    admdvs: str
    service_on: date
    insutype: str
    med_type: str
    person: PersonFacts
    institution: InstitutionFacts
    lines: tuple[LineGroup, ...]
    disease_code: str = ""
    counters: dict[str, int] = {}
    account_balance: int = 0
    use_account: bool = False
    recognised: tuple[str, ...] = ()
