"""What must hold of prescriptions and of what was dispensed on them."""

from __future__ import annotations

from yibao.usecases.verification.check import Check

PHARMACY_CHECKS = (
    Check("I2", "处方已取数量等于各机构取药之和，且不超过处方数量", """
        select l.hi_rxno || '/' || l.item_code from dispensing.prescription_line l
        where l.dispensed_e4 > l.allowed_e4 or l.dispensed_e4 <> coalesce((
            select sum(t.cash_e4 + greatest(t.settled_e4, t.issued_e4))
            from dispensing.takings(l.psn_no, array[l.hi_rxno]) t where t.item_code = l.item_code), 0)"""),
    Check("I2", "凭处方取走的药品都在账单明细里，撤销的购药已退回处方", """
        select d.mdtrt_id || '/' || d.feedetl_sn from dispensing.dispensed d
        left join encounters.encounter e on e.psn_no = d.psn_no and e.mdtrt_id = d.mdtrt_id
        left join encounters.fee_line f on f.psn_no = d.psn_no and f.mdtrt_id = d.mdtrt_id and f.feedetl_sn = d.feedetl_sn
        where f.psn_no is null or (f.item_code, f.rxno, f.quantity_e4) is distinct from (d.item_code, d.hi_rxno, d.quantity_e4)
           or (e.state = 'cancelled') <> (d.state = 'returned')"""),
)
