-- Decisions that stand: those of the current returns, with the case that each one names where there is such a case.
select
    decisions.receipt_id,
    decisions.sheet_row,
    receipts.receipt_sequence,
    decisions.case_id,
    case_keys.body_kind,
    case_keys.pfa_code,
    case_keys.right_number,
    case_keys.first_period_code,
    case_keys.first_index,
    decisions.to_state,
    coalesce(states.is_closing, false) as is_closing,
    decisions.decided_by_role,
    decisions.decided_on,
    decisions.decision_reason,
    decisions.evidence_reference
from {{ ref('stg_decisions') }} as decisions
inner join {{ ref('int_current_receipts') }} as receipts
    on decisions.receipt_id = receipts.receipt_id
left join {{ ref('int_case_keys') }} as case_keys
    on decisions.case_id = case_keys.case_id
left join {{ ref('case_states') }} as states
    on
        decisions.to_state = states.state
        and {{ in_force('states', 'decisions.decided_on') }}
