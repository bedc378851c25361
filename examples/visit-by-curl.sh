#!/usr/bin/env bash
# 用 curl 走完一笔门诊：挂号 → 就诊信息 → 费用明细 → 预结算 → 结算。演示环境须在运行（make demo）。
# The same visit as the demo settles, with nothing but curl: needs a running `make demo`.
set -euo pipefail
# 医院、医生、患者和账单：取自演示写下的清单
eval "$(python3 - <<'EOF'
import json, os, shlex
demo = json.load(open(os.environ.get("YIBAO_HOME", ".yibao") + "/demo.json", encoding="utf-8"))
p = demo["first_visit"]
h = next(x for x in demo["institutions"] if x["fixmedins_code"] == p["fixmedins_code"])
doctor = h["doctors"][0]
caty = next(d["caty"] for d in h["departments"] if d["dept_code"] == doctor["dept_code"])
lines = [{"feedetl_sn": str(n), "mdtrt_id": "MDTRT", "psn_no": p["psn_no"], "chrg_bchno": "BATCH", "rx_circ_flag": "0",
          "fee_ocur_time": "NOW", "med_list_codg": x["med_list_codg"], "medins_list_codg": x["medins_list_codg"],
          "det_item_fee_sumamt": x["det_item_fee_sumamt"], "cnt": x["cnt"], "pric": x["pric"],
          "bilg_dept_codg": doctor["dept_code"], "bilg_dept_name": doctor["dept_name"],
          "bilg_dr_codg": doctor["dr_codg"], "bilg_dr_name": doctor["dr_name"], "hosp_appr_flag": "0"}
         for n, x in enumerate(p["visit"]["lines"], 1)]
for name, value in {
    "URL": demo["base_url"] + demo["endpoint"], "HOSPITAL": h["fixmedins_code"], "HOSPITAL_NAME": h["fixmedins_name"],
    "ADMVS": h["admdvs"], "OPTER": h["opter"], "OPTER_NAME": h["opter_name"], "PSN": p["psn_no"], "CERT": p["certno"],
    "INSUPLC": p["insuplc_admdvs"], "TOTAL": p["expected"]["medfee_sumamt"], "DIAG": p["visit"]["diag_code"],
    "DIAG_NAME": p["visit"]["diag_name"], "DR": doctor["dr_codg"], "DR_NAME": doctor["dr_name"],
    "DEPT": doctor["dept_code"], "DEPT_NAME": doctor["dept_name"], "CATY": caty,
    "LINES": json.dumps(lines, ensure_ascii=False)}.items():
    print(f"{name}={shlex.quote(str(value))}")
EOF
)"
export TZ=Asia/Shanghai
NOW=$(date '+%F %T'); BATCH=MZ$(date +%Y%m%d%H%M%S)$RANDOM

ask() {  # 交易号、input：发一条报文，打印答复
  curl -sS "$URL" -H 'Content-Type: application/json' -d '{"infno":"'$1'","msgid":"'$HOSPITAL$(date +%Y%m%d%H%M%S%4N)'",
    "mdtrtarea_admvs":"'$ADMVS'","insuplc_admdvs":"'$INSUPLC'","recer_sys_code":"YIBAO","infver":"V1.0","opter_type":"1",
    "opter":"'$OPTER'","opter_name":"'$OPTER_NAME'","inf_time":"'"$NOW"'","fixmedins_code":"'$HOSPITAL'",
    "fixmedins_name":"'$HOSPITAL_NAME'","input":'"$2"'}'
}
field() { grep -o "\"$1\":\"\?[^,\"}]*" | sed -n '1{s/.*:"\?//;p}'; }  # 从答复中取一个字段

# 2201 挂号 → 2203 就诊信息 → 2204 费用明细 → 2206 预结算 → 2207 结算
MDTRT=$(ask 2201 '{"data":{"psn_no":"'$PSN'","insutype":"310","begntime":"'"$NOW"'","mdtrt_cert_type":"02","mdtrt_cert_no":"'$CERT'",
  "ipt_otp_no":"'$BATCH'","atddr_no":"'$DR'","dr_name":"'$DR_NAME'","dept_code":"'$DEPT'","dept_name":"'$DEPT_NAME'","caty":"'$CATY'"}}' | field mdtrt_id)
ask 2203 '{"mdtrtinfo":{"mdtrt_id":"'$MDTRT'","psn_no":"'$PSN'","med_type":"11","begntime":"'"$NOW"'","main_cond_dscr":"'$DIAG_NAME'"},
  "diseinfo":[{"diag_type":"1","diag_srt_no":1,"diag_code":"'$DIAG'","diag_name":"'$DIAG_NAME'","diag_dept":"'$DEPT_NAME'",
  "dise_dor_no":"'$DR'","dise_dor_name":"'$DR_NAME'","diag_time":"'"$NOW"'","vali_flag":"1"}]}'; echo
LINES=${LINES//MDTRT/$MDTRT}; LINES=${LINES//BATCH/$BATCH}; LINES=${LINES//NOW/$NOW}
ask 2204 '{"feedetail":'"$LINES"'}'; echo
BILL='"psn_no":"'$PSN'","mdtrt_cert_type":"02","mdtrt_cert_no":"'$CERT'","med_type":"11","medfee_sumamt":'$TOTAL',
  "psn_setlway":"01","mdtrt_id":"'$MDTRT'","chrg_bchno":"'$BATCH'","insutype":"310","acct_used_flag":"1"'
TRIAL=$(ask 2206 '{"data":{'"$BILL"'}}'); echo "$TRIAL"
for name in fulamt_ownpay_amt overlmt_selfpay preselfpay_amt inscp_scp_amt; do
  BILL="$BILL,\"$name\":$(echo "$TRIAL" | field $name)"
done
ask 2207 '{"data":{'"$BILL"',"invono":""}}'; echo
