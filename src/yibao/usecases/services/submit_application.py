"""Take an application in: submit it, add papers, take it back."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.services.items import ServiceBook, service_book
from yibao.domains.services.model import (
    GIVEN,
    REGISTERED,
    RETURNED,
    SUBMITTED,
    SUSPENDED,
    UNDERTAKEN,
    WITHDRAWN,
    Application,
    Given,
    Paper,
    Step,
)
from yibao.domains.services.operations import add_application, add_step, end_pause, keep_papers
from yibao.domains.services.queries import find_employer, find_person
from yibao.domains.services.rules import missing, missing_faults, refuse_item
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.registers.asking import plan_name
from yibao.usecases.services.commands import (
    OnApplication,
    PaperGiven,
    SubmitApplication,
    SupplementApplication,
)
from yibao.usecases.services.desk import move, open_application
from yibao.usecases.services.effects import EFFECTS, refuse_body
from yibao.usecases.services.window_intake import PRE_ACCEPT, judge_intake, put_into_register, rule_of_intake
from yibao.usecases.trail import write_trail
from yibao.usecases.windows.pass_gate import Gate

_MOST_BYTES = 10_000_000  # of one paper: a scan, not a film


async def submit_application(
    tx: Connection, command: SubmitApplication, *, actor: Actor, now: datetime, ids: Ids, book: ServiceBook | None = None,
    gate: Gate | None = None,
) -> Application | Refusal:
    """Take in an application: the item must be offered to this applicant and channel, and its content must be readable.

    Papers may be missing: they are asked for once, when somebody looks at the application. While its business stands still,
    the window's rule says whether it is refused, or registered with a number: then everything the counter asks for must be
    there, for nobody comes twice; online it is stored undecided.
    """
    book = book or service_book()
    item = book.items.get(command.item_code)
    if item is None:
        return refuse("ITEM_UNKNOWN", "没有这个服务事项", field="item_code", received=command.item_code[:40],
                      remedy="请从事项清单中选择")
    refusal = (
        refuse_item(item, applicant_kind=command.applicant_kind, channel=command.channel, words=book.words)
        or _refuse_region(command, actor) or refuse_body(EFFECTS[item.effect], command.body)
        or await _refuse_applicant(tx, command)
    )
    papers = _papers(book.papers[item.code], command.materials) if refusal is None else refusal
    if isinstance(papers, Refusal):
        return papers
    judged = judge_intake(
        gate, admdvs=command.admdvs, item_code=item.code, body=command.body, channel=command.channel,
        applicant_kind=command.applicant_kind, division=command.division or actor.division, at=now,
    )
    if judged.refusal is not None:
        return judged.refusal
    if judged.intake and judged.intake != PRE_ACCEPT:
        lacking = missing(book.papers[item.code], papers, frozenset(command.traits))
        if lacking:
            return Refusal(missing_faults(lacking))
    application = Application(
        ids.new(now), command.admdvs, command.division or actor.division, item.code, command.applicant_kind,
        command.applicant_no, command.applicant_name.strip(), command.phone, command.channel, SUBMITTED,
        sorted(set(command.traits)), msgspec.json.encode(command.body).decode(), [], now, actor.login,
    )
    await add_application(tx, application)
    await keep_papers(tx, application, papers, now=now)
    await add_step(tx, application, Step("submit", SUBMITTED, now, actor.login, actor.channel, actor.division, 0, ""))
    await write_trail(tx, actor, verb="service_submit", object_id=application.application_id, admdvs=application.admdvs,
                      state=application, now=now, ids=ids, rule=item.code)
    if not judged.intake:
        return application
    plan = plan_name(gate, command.admdvs, now)
    number = await put_into_register(
        tx, application, papers, intake=judged.intake, plan=plan, actor=actor, now=now, ids=ids, rule=rule_of_intake(judged))
    if isinstance(number, Refusal):
        return number
    return await move(tx, application, what="register", state=REGISTERED, register_no=number, window_id=plan,
                      says=f"登记号{number}", actor=actor, now=now, ids=ids, book=book)


async def supplement_application(
    tx: Connection, command: SupplementApplication, *, actor: Actor, now: datetime, ids: Ids, book: ServiceBook | None = None
) -> Application | Refusal:
    """Add papers to an application that is not accepted yet; one that was sent back goes to the desk again."""
    book = book or service_book()
    application = await open_application(tx, command.application_id, deed="supplement", actor=actor)
    if isinstance(application, Refusal):
        return application
    papers = _papers(book.papers[application.item_code], command.materials)
    if isinstance(papers, Refusal):
        return papers
    await keep_papers(tx, application, papers, now=now)
    again = application.state == RETURNED
    # What was registered in a window keeps its place in the register.
    state = SUBMITTED if again and not application.register_no else "registered" if again else application.state
    return await move(tx, application, what="supplement", state=state, says="、".join(p.title for p in papers), actor=actor,
                      now=now, ids=ids, book=book)


async def withdraw_application(
    tx: Connection, command: OnApplication, *, actor: Actor, now: datetime, ids: Ids
) -> Application | Refusal:
    """Take an application back before it is decided."""
    application = await open_application(tx, command.application_id, deed="withdraw", actor=actor)
    if isinstance(application, Refusal):
        return application
    if application.state == SUSPENDED:
        await end_pause(tx, application, on=business_date(now))
    return await move(tx, application, what="withdraw", state=WITHDRAWN, closed_at=now, says=command.says, actor=actor,
                      now=now, ids=ids)


def _refuse_region(command: SubmitApplication, actor: Actor) -> Refusal | None:
    faults = []
    if command.admdvs not in actor.regions:
        faults.append(Fault("OTHER_REGION", "不能代其他统筹区收件", "admdvs", command.admdvs, "请到参保地申请"))
    if actor.division and not command.division.startswith(actor.division) and command.division:
        faults.append(Fault("OTHER_DIVISION", "收件机构不属于本经办机构", "division", command.division, "请核对经办机构区划"))
    if not command.applicant_name.strip():
        faults.append(Fault("APPLICANT_MISSING", "须填写申请人姓名或名称", "applicant_name", remedy="请补全"))
    return Refusal(tuple(faults)) if faults else None


async def _refuse_applicant(tx: Connection, command: SubmitApplication) -> Refusal | None:
    """Refuse a number that is nobody's here, a name that is another's, and content about somebody else."""
    if not command.applicant_no:
        return None
    found = (await find_employer(tx, command.applicant_no) if command.applicant_kind == "employer"
             else await find_person(tx, command.applicant_no))
    if found is None or found["admdvs"] != command.admdvs:
        return refuse("APPLICANT_UNKNOWN", "本统筹区没有这个申请人", field="applicant_no", received=command.applicant_no,
                      remedy="请核对编号")
    faults = []
    if found["name"] != command.applicant_name.strip() and command.applicant_kind != "heir":
        faults.append(Fault("APPLICANT_NAME", "申请人姓名（名称）与登记不符", "applicant_name",
                            remedy="请核对，或先办理信息变更"))
    about = command.body.get("psn_no") if command.applicant_kind in ("person", "heir") else command.body.get("emp_no")
    if about and about != command.applicant_no:
        faults.append(Fault("BODY_OF_ANOTHER", "申请内容不是申请人本人的业务", "body", str(about)[:40], "请由本人申请"))
    return Refusal(tuple(faults)) if faults else None


def _papers(asked: tuple[Paper, ...], given: list[PaperGiven]) -> list[Given] | Refusal:
    known, papers, faults = {p.material: p for p in asked}, [], []
    for n, one in enumerate(given):
        paper, place = known.get(one.material), f"materials[{n}]"
        if paper is None:
            faults.append(Fault("MATERIAL_NOT_ASKED", "该事项不需要这种材料", f"{place}.material", one.material[:40],
                                "请勿提交清单以外的材料"))
        elif one.undertaking and paper.rule != "substitute":
            faults.append(Fault("UNDERTAKING_NOT_ENOUGH", f"{paper.title}不能用承诺书代替", f"{place}.undertaking",
                                remedy="请提交原件"))
        elif not one.undertaking and not (one.content or one.file_name):
            faults.append(Fault("MATERIAL_EMPTY", f"{paper.title}没有内容", f"{place}.content", remedy="请上传文件"))
        elif len(one.content) > _MOST_BYTES:
            faults.append(Fault("MATERIAL_TOO_LARGE", f"{paper.title}文件过大", f"{place}.content",
                                f"{len(one.content)}字节", "每份材料不超过10MB"))
        else:
            papers.append(Given(paper.material, paper.title, UNDERTAKEN if one.undertaking else GIVEN, one.file_name,
                                one.content, sm3(one.content) if one.content else b""))
    return Refusal(tuple(faults)) if faults else papers
