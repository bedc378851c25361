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
        rank: level of a civil servant (``cvlserv_lv``), ``""`` if none.
        enrolment_kind: grade or kind of enrolment where the region has several, ``""`` if it has one.
        continuous_years: full years of continuous enrolment.
        claim_free: whether no fund paid for the person in the year before.
    """

    psn_type: str
    age: int
    identities: tuple[str, ...] = ()
    civil_servant: bool = False
    account_kind: str = "none"
    paid_months: int = 0
    rank: str = ""
    enrolment_kind: str = ""
    continuous_years: int = 0
    claim_free: bool = False


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

    ``group`` is empty for ordinary lines; lines that a rule may treat by themselves (``special_drug``,
    ``negotiated``, ``rare_drug``, ``implant``) carry the name of their group.
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
        person: the insured person.
        institution: the institution that treats.
        lines: the fee lines, those treated alike added up.
        disease_code: chronic disease, ``""`` if none.
        recognised: chronic diseases the person is recognised for on that day; some ceilings depend on
            having several. May be left empty: then only ``disease_code`` counts.
        counters: what the year already used, by counter code; absent means 0.
        account_balance: balance of the own account, 0 if there is none.
        use_account: whether the own account may be charged (``acct_used_flag`` 1 or 2).
        family_balance: what the accounts of relatives who share may pay, within their limits; None where the bill
            does not ask for it (``acct_used_flag`` other than 2).
        admission: number of this stay within the year, from 1.
        remote: why the person is treated outside the region: ``registered`` (long-term), ``referred``,
            ``temporary``, ``own_choice``, ``unregistered``, ``emergency``; ``""`` at home.
        remote_place: ``in_province`` or ``outside``, ``""`` at home.
        referred_from: level (``1``..``3``) of the hospital that referred, ``""`` if none did.
        maternity: ``birth``, ``difficult``, ``caesarean``, ``miscarriage``, ``abortion``, ``prenatal``,
            ``iud``, ``sterilisation`` or ``reversal``; ``""`` if it is none of them.
        pregnancy_months: full months of the pregnancy.
        foetuses: number of children carried.
        provider: ``first``, ``second`` or ``other`` chosen provider, ``""`` where nobody chooses.
        cause: ``accident`` (nobody else is liable), ``third_party`` (somebody else is) or ``work_injury``;
            ``""`` for illness.
        maternity_filing: whether the pregnancy is registered: ``registered``, ``elsewhere`` (at another
            prenatal institution) or ``missing``; ``""`` where nobody asks.
        in_parts: whether the stay is settled in several parts: a deductible that each admission bears anew is then
            borne once by all of them.
        already: what another settlement of the same cost has paid, by head field of the wire
            (``hifp_pay``); the case continues from there, as a manual second claim does. The pool is
            not asked again where its own field is among them.
        inputs: named inputs of formulas, fen or whole numbers (``income``, ``wage``).
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
    family_balance: int | None = None
    recognised: tuple[str, ...] = ()
    admission: int = 1
    remote: str = ""
    remote_place: str = ""
    referred_from: str = ""
    maternity: str = ""
    pregnancy_months: int = 0
    foetuses: int = 1
    provider: str = ""
    cause: str = ""
    maternity_filing: str = ""
    in_parts: bool = False
    already: dict[str, int] = {}
    inputs: dict[str, int] = {}
