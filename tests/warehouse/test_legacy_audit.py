"""What is said beside the printed shares of the 2019/20 audit, on its acknowledgement as it is printed."""

from __future__ import annotations

from datetime import date

from tests.warehouse.rendering import build, database, table, typed_seed


def test_a_base_error_is_named_also_where_the_base_changes() -> None:
    """30 + 30 + 40, then 33 + 67 + 40 and 35 + 65 + 33: shares of all cases, then of suitable ones beside all."""
    con = database()
    for name in ("bodies", "areas", "severe_rules"):
        typed_seed(con, name)
    text, whole = "varchar", "integer"
    printed = [("2019-20-H1", 30, 30, 40), ("2019-20-Q3", 33, 67, 40), ("2019-20-Q4", 35, 65, 33)]
    firsts = dict(
        zip((row[0] for row in printed), (date(2019, 4, 1), date(2019, 10, 1), date(2020, 1, 1)), strict=True)
    )
    table(con, "stg_periods", {"period_code": text, "first_day": "date", "last_day": "date"},
          [(code, first, first) for code, first in firsts.items()])  # fmt: skip
    key = {
        "body_code": text,
        "pfa_code": text,
        "question_id": text,
        "period_code": text,
        "sampling_frame": text,
    }
    place = ("E23000028-police", "E23000028", "q1_acknowledgement")
    table(
        con,
        "int_legacy_answers",
        key
        | {"met_percent": whole, "not_met_percent": whole, "other_percent": whole, "other_outcome": text}
        | dict.fromkeys(("receipt_id", "metric_id", "question", "printed_in", "printed_met"), text)
        | dict.fromkeys(("printed_not_met", "printed_other", "sample_basis", "base_rule"), text)
        | dict.fromkeys(
            ("entitlement_number", "sample_size", "stated_case_count", "stated_base_count"), whole
        )
        | {"has_unknown_answer": "boolean"},
        [
            (*place, code, "finalised_cases", *shares, "not_suitable", *[None] * 14)
            for code, *shares in printed
        ],
    )
    table(
        con, "int_legacy_cases",
        key | {"base_kind": text} | dict.fromkeys(("met_cases", "not_met_cases", "other_cases"), whole),
        [(*place, "2019-20-H1", "finalised_cases", "all_cases", 9, 9, 12),
         (*place, "2019-20-Q3", "finalised_cases", "suitable_cases", 6, 12, 12),
         (*place, "2019-20-Q4", "finalised_cases", "suitable_cases", 7, 13, 10)],
    )  # fmt: skip
    build(con, "local_area_legacy_audit")
    found = con.execute(
        "select is_base_changed, warning like '%change base%',"
        " warning from marts.local_area_legacy_audit order by case_count, period_code"
    ).fetchall()
    assert found[0] == (False, None, None)
    changed, says_change, warning = found[1]
    assert (changed, says_change) == (True, True) and warning.endswith("they add up to 140%")
    assert not found[2][1] and found[2][2].endswith("they add up to 133%")
