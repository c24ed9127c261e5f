"""Templates filled in as a person at a spreadsheet would."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from ingest.form import HELPER_SHEETS

# What a person writes into an entry cell, by the header above it.
ENTRIES: dict[str, Any] = {
    "collection_mode": "census", "sampling_frame": "all_cases", "cases_from": date(2025, 4, 1),
    "met": 30, "not_met": 10, "count": 12, "events": 12, "within_limit": 5, "short_delay": 3, "long_delay": 1,
    "survey_mode": "online", "very_good": 4, "good": 4, "neither": 4, "poor": 4, "very_poor": 4,
    "yes": 7, "no": 9, "grade": 2, "meeting_on": date(2026, 10, 8), "is_represented": "yes",
}  # fmt: skip

RULE = {
    "rule_version": 1, "effective_from": date(2026, 10, 1), "basis": "prescribed", "agreed_on": date(2026, 9, 1),
}  # fmt: skip
WORDS = {"s2_divide_tail": "false", "s4_counts": "aggravates", "persistence_scope": "same_indicator",
         "peer_set": "size_and_density_2021"}  # fmt: skip
NUMBERS = {
    "n_min": 10, "s1_z": 1.644854, "s2_z_flag": -3.09, "s2_z_watch": -1.96, "s2_gap_min": 0.05, "s2_peers_min": 4,
    "s2_areas_min": 5, "s2_winsor_low": 0.1, "s2_winsor_high": 0.9, "s2_tail": 0.001, "s4_grade_max": 1, "met_min": 1,
    "bridge_quarters": 1, "reopen_quarters": 4, "close_quarters": 2, "yjs_share_min": 0.8, "yjs_s4_share_min": 0.25,
    "high_z": 3.09, "high_n_min": 100, "interval_z": 1.959964, "change_z": 1.959964,
}  # fmt: skip

# Rows of the tables that a template leaves blank, by their sheet.
ROWS: dict[str, list[dict[str, Any]]] = {
    "decisions": [{
        # Essex police, right 3, severe from 2025-26-Q2 on: printf 'police|E23000028|3|2025-26-Q2' | md5sum
        "case_id": "8723f6504f34b644", "to_state": "data_check", "decided_by_role": "secretariat",
        "decided_on": date(2026, 9, 1), "reason": "The body is asked to check its figures.",
    }],
    "rules": [
        *({**RULE, "parameter": name, "text_value": word} for name, word in WORDS.items()),
        *({**RULE, "parameter": name, "number_value": number} for name, number in NUMBERS.items()),
    ],
    "context": [{
        "context_id": "C1", "source": "support_services", "publisher": "Office of the commissioner",
        "pfa_code": "E23000028", "title": "Local support service", "summary": "Commissioned to 2028.",
    }],
}  # fmt: skip


def fill_in(path: Path) -> Path:
    """Write into every entry cell of the rows that are filled in, as a person at a spreadsheet would; into a
    table that has none the rows above, or a reason on the cover.
    """
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        if sheet.title in (*HELPER_SHEETS, "cover"):
            continue
        assert sheet.protection.sheet
        headers = {cell.column: cell.value for cell in sheet[1]}
        for number, given in enumerate(ROWS.get(sheet.title, ()), 2):
            for column, name in headers.items():
                if name in given:
                    sheet.cell(number, column).value = given[name]
        for row in sheet.iter_rows(min_row=2):
            if row[0].value is None and row[1].value is None:
                continue  # a blank row beneath
            for cell in row:
                if not cell.protection.locked and headers[cell.column] in ENTRIES and cell.value is None:
                    if cell.fill.fgColor.rgb == "FFD5D8DC":
                        continue  # grey: does not apply
                    cell.value = ENTRIES[headers[cell.column]]
    for row in book["cover"].iter_rows(min_row=2):
        if row[0].value in ("nil_notices_reason", "nil_meetings_reason", "nil_insight_reason"):
            row[1].value = "There was none in the quarter."
    book.save(path)
    return path
