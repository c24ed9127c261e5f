-- What was found in the returns, warnings included, for the body, its reviewer and the data-quality page.
select
    problems.receipt_id,
    problems.problem_number,
    receipts.sender_code,
    receipts.form_kind,
    receipts.period_code,
    receipts.outcome,
    problems.severity,
    problems.rule_code,
    problems.sheet,
    problems.sheet_row,
    problems.column_name,
    problems.found,
    problems.expected,
    problems.remedy,
    problems.message
from {{ ref('stg_problems') }} as problems
inner join {{ ref('stg_receipts') }} as receipts
    on problems.receipt_id = receipts.receipt_id
