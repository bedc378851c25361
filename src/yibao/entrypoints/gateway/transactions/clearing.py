"""3203 and 3204: an institution asks for a period's money, and takes the request back."""

from __future__ import annotations

from yibao.entrypoints.gateway.registry import Done, Message, Services, deed
from yibao.infra.database import Connection
from yibao.kernel.money import yuan_to_fen
from yibao.kernel.refusal import Refusal
from yibao.usecases.clearing.claim_settlements import ClaimCommand, claim_settlements
from yibao.usecases.clearing.withdraw_claim import withdraw_claim


@deed("3203")
async def apply_for_clearing(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Claim a period; ``med_sumfee`` is what lies in the scope of the law, ``psntime`` settlements less refunds."""
    data = message.input["data"]
    command = ClaimCommand(
        clr_type=data["clr_type"], clr_way=data.get("clr_way", ""), month=data["setlym"], first=data["begndate"],
        last=data["enddate"], visits=int(data["psntime"]), medfee_fen=yuan_to_fen(data["medfee_sumamt"]),
        recognised_fen=yuan_to_fen(data["med_sumfee"]), fund_fen=yuan_to_fen(data["fund_appy_sum"]),
        cash_fen=yuan_to_fen(data["cash_payamt"]), account_fen=yuan_to_fen(data["acct_pay"]),
    )
    claim = await claim_settlements(
        tx, institution=message.institution, command=command, operator=_operator(message), shelf=services.policies,
        claim_id=services.ids.new(message.received_at), now=message.received_at,
    )
    return claim if isinstance(claim, Refusal) else Done({"result": {"clr_appy_evt_id": claim.claim_id}})


@deed("3204")
async def withdraw_application(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Withdraw a claim that nobody has reviewed yet."""
    claim = await withdraw_claim(
        tx, claim_id=message.input["data"]["clr_appy_evt_id"], fixmedins_code=message.institution.fixmedins_code,
        operator=_operator(message), now=message.received_at,
    )
    return claim if isinstance(claim, Refusal) else Done(None)


def _operator(message: Message) -> str:
    return message.envelope["opter_name"] or message.envelope["opter"] or message.institution.fixmedins_code
