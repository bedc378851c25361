"""``yibao``: every verb an operator needs, each with ``--json``."""

from __future__ import annotations

import typer

from yibao.entrypoints.cli import (
    account,
    backup,
    benefit,
    catalogue_search,
    certificate,
    claim,
    clearing,
    deadline,
    demo,
    doctor,
    dues,
    enrol,
    explain,
    filing,
    group,
    interface,
    key,
    load_catalogue,
    mapping,
    message,
    migrate,
    month,
    notice,
    party,
    payment,
    payout,
    policy,
    records,
    register,
    resettle,
    review,
    serve,
    service,
    transfer,
    verify,
    window,
    window_publish,
    window_rehearse,
    window_status,
)
from yibao.entrypoints.cli.output import EXIT_CODES
from yibao.entrypoints.cli.window_gate import name_verbs

app = typer.Typer(
    name="yibao", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help=f"医保平台命令行。{EXIT_CODES}。配置取自 YIBAO_* 环境变量。",
)

app.command("demo", help="启动演示环境：数据库、目录、演示人群、服务，并通过 HTTP 结算一笔门诊")(demo.demo)
app.command("serve", help="启动服务（YIBAO_DATABASE_URL 指定数据库，否则用内置数据库）")(serve.serve)
app.command("migrate", help="把数据库升级到本程序的结构，并登记政策文件")(migrate.migrate)
app.command("load-catalogue", help="导入医保目录：不带参数时导入全部内置目录")(load_catalogue.load_catalogue)
app.command("verify", help="在现有数据上逐条验证账目不变量、审计链和重算")(verify.verify)
app.command("explain", help="逐行逐步解释一笔结算，精确到条款")(explain.explain)
app.command("group", help="按公布的分组表给病例文件分组：MDC、ADRG、DRG 和理由")(group.group)
app.command("resettle", help="按现行政策重新结算一人一年受影响的结算：逆序撤销，按就诊先后重结")(resettle.resettle)
app.command("backup", help="备份数据库到归档目录（YIBAO_ARCHIVE 使服务随时归档）")(backup.back_up)
app.command("restore", help="从归档恢复内置数据库，到最后一笔已确认的提交")(backup.bring_back)
app.command("doctor", help="检查配置、数据库与数据，并说明如何修复")(doctor.doctor)
app.add_typer(policy.app, name="policy")
app.add_typer(message.app, name="message")
app.add_typer(catalogue_search.app, name="catalogue")
app.add_typer(mapping.app, name="mapping")
app.add_typer(filing.app, name="filing")
app.add_typer(clearing.app, name="clearing")
app.add_typer(enrol.app, name="enrol")
app.add_typer(dues.app, name="dues")
app.add_typer(account.app, name="account")
app.add_typer(payment.app, name="payment")
app.add_typer(party.app, name="party")
app.add_typer(payout.app, name="payout")
app.add_typer(review.app, name="review")
app.add_typer(records.app, name="records")
app.add_typer(service.app, name="service")
app.add_typer(transfer.app, name="transfer")
app.add_typer(certificate.app, name="certificate")
app.add_typer(claim.app, name="claim")
app.add_typer(interface.app, name="interface")
app.add_typer(key.app, name="key")
app.add_typer(benefit.app, name="benefit")
app.add_typer(month.app, name="month")
app.add_typer(notice.app, name="notice")
window.app.command("status", help="停机窗口的现状：轨道、台账、积压、失败率、来电")(window_status.status)
window.app.registered_commands.extend(window_publish.app.registered_commands)
window.app.command("rehearse", help="演练：另建一个世界，拨快时钟，把整个停机窗口过一遍，报告遗留")(window_rehearse.rehearse)
app.add_typer(window.app, name="window")
app.add_typer(register.app, name="register")
app.add_typer(deadline.app, name="deadline")


name_verbs(app)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
