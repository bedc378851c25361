"""9001 sign-in, 9002 sign-out, 1901 dictionary."""

from __future__ import annotations

from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.registry import Done, Message, Output, Services, deed, query
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire
from yibao.kernel.refusal import Refusal
from yibao.usecases.session.sign_in_operator import sign_in_operator
from yibao.usecases.session.sign_out_operator import sign_out_operator


@deed("9001")
async def sign_in(message: Message, services: Services, tx: Connection) -> Done:
    """Sign an operator in and issue the sign-in number."""
    data = message.input["signIn"]
    signed = await sign_in_operator(
        tx, institution=message.institution, opter=data["opter_no"], mac=data.get("mac", ""), ip=data.get("ip", ""),
        sign_no=services.ids.new(message.received_at), now=message.received_at,
    )
    return Done({"signinoutb": {"sign_time": to_wire(signed.signed_in_at), "sign_no": signed.sign_no}})


@deed("9002")
async def sign_out(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Sign an operator out."""
    ended = await sign_out_operator(
        tx, institution=message.institution, sign_no=message.input["signOut"]["sign_no"], now=message.received_at
    )
    if isinstance(ended, Refusal):
        return ended
    return Done({"signoutoutb": {"sign_time": to_wire(ended)}})


@query("1901")
async def list_dictionary(message: Message, _services: Services) -> Output:
    """List the values of one dictionary; every name also in the other spelling that clients read."""
    loaded = interface.load()
    wanted = message.input["data"]["type"]
    table = next((name for name in loaded.code_tables if name.lower() == wanted.lower()), None)
    if table is None:
        message.warnings.append(f"data.type：本平台没有字典【{wanted}】，返回空表")
        return {"list": []}
    # Every row of the package's tables is valid; none is kept that is not.
    shown = loaded.code_tables[table] if message.input["data"].get("Vali_Flag", "1") == "1" else {}
    created, version = loaded.release["dictionary_date"], int(loaded.release["dictionary_version"])
    return {"list": [
        {
            "type": table, "label": label, "value": code, "sort": sort, "version": version,
            "parentValue": "", "parent_value": "", "valiFlag": "1", "vali_flag": "1",
            "createUser": "yibao", "create_user": "yibao", "createDate": created, "create_date": created,
        }
        for sort, (code, label) in enumerate(shown.items(), 1)
    ]}
