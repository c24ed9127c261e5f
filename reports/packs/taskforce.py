"""The Taskforce pack: two pages for ministers, and the draft letters of notices that both have agreed.

Belongs here: making the files of the pack. Does not belong here: what it says (`reports/pages/packs/
taskforce.md`), and published notices (`reports.notices`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from reports import labels
from reports.documents.pdf import pdf_of
from reports.engine.build import Progress
from reports.engine.queries import QueryRunner, composed
from reports.files import publish_folder
from reports.notices import Letter, day, file_name, letter_html, plain
from reports.packs.board import (
    PackSummary,
    check_stage,
    context_of,
    pack_files,
    page_named,
    parameters_of,
)
from reports.packs.local_facts import open_warehouse
from reports.packs.provenance import Provenance

#: Rows of a table on the two pages; what is more stands in the annex.
PAGE_ROWS = 4
#: Two pages: decisions and drafts, then closures and plans; the annex begins on the third.
TASKFORCE_STYLE = """
@media print {
  #closures, #annex { break-before: page; border-top: 0; }
  table { width: 100%; }
  h1 { margin-top: 1mm; }
  .provenance { margin-top: 4mm; font-size: 7.5pt; break-inside: avoid; }
  .provenance h2 { font-size: 9pt; margin: 0; }
  .provenance dl div { padding: .2mm 0; border: 0; }
  .provenance dt { min-width: 11rem; }
  .marking-end { display: none; }
}
"""


def build_taskforce_pack(
    warehouse: Path,
    period_code: str,
    provenance: Provenance,
    out: Path,
    *,
    progress: Progress | None = None,
) -> PackSummary:
    """Write `ministerial-taskforce.html`, `.pdf` and `.ods`, and `drafts/<notice>-draft.pdf`, into `out`.

    The PDF has two pages; a table longer than PAGE_ROWS goes on in an annex. A draft letter is there for each
    notice that is recorded and not published, whose case stands at "notice agreed": never for a flag.
    `out` holds nothing else afterwards. Raises PackError as `build_board_pack` does.
    """
    check_stage(period_code, provenance)
    with open_warehouse(warehouse) as connection:
        page = page_named("taskforce.md")
        parameters = parameters_of(period_code, page_rows=PAGE_ROWS)
        context = context_of(provenance, "Ministerial Taskforce pack")
        runner = QueryRunner(connection)
        files = pack_files(
            page, runner, connection, parameters, context, provenance, TASKFORCE_STYLE, progress
        )
        files |= {
            f"drafts/{file_name(letter.notice_id)}-draft.pdf": pdf_of(letter_html(letter))
            for letter in draft_letters(connection)
        }
        counts = runner.rows(page, composed(page, "counts"), parameters)[0]
    changed = publish_folder(out, files)
    decisions = int(counts["decision_count"].value) + int(counts["closable_count"].value)
    return PackSummary(period_code, out, tuple(sorted(files)), decisions, changed)


def draft_letters(connection: duckdb.DuckDBPyConnection) -> list[Letter]:
    """A letter for each recorded notice that is not published and on which both ministers agreed."""
    cursor = connection.execute(
        """
        select notices.*, areas.force_name
        from marts.oversight_notices as notices
        inner join marts.oversight_cases as cases on notices.case_id = cases.case_id
        left join (select * from reference.areas where valid_to is null) as areas
            on notices.pfa_code = areas.pfa_code
        where cases.case_state = 'notice_agreed' and notices.published_on is null
        order by notices.notice_id, notices.body_kind, notices.pfa_code, notices.right_number
        """
    )
    names = [column[0] for column in cursor.description or []]
    by_id: dict[str, list[dict[str, Any]]] = {}
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        by_id.setdefault(row["notice_id"], []).append(row)
    return [_draft(notice_id, rows) for notice_id, rows in by_id.items()]


def _draft(notice_id: str, rows: list[dict[str, Any]]) -> Letter:
    first = rows[0]
    copies = ""
    if first["copied_to"]:
        force = first["force_name"] or labels.BODY_KINDS.get(first["body_kind"], first["body_kind"])
        copies = f"The chief officer of {force}"
    return Letter(
        notice_id=notice_id,
        addressee=plain(first["recipient_name"] or first["recipient_code"]),
        copied_to=plain(copies),
        subjects=tuple(
            plain(
                f"{labels.body_name(row['body_kind'], row['area_name'] or row['pfa_code'])}:"
                f" right {row['right_number']}, {row['right_title'] or ''}"
            )
            for row in rows
        ),
        summary=plain(first["summary"]),
        findings=(),
        request=plain(first["request"]),
        facts=(
            ("Victims' Commissioner consulted", day(first["vc_consulted_on"])),
            ("Agreed by the Secretary of State", day(first["sos_agreed_on"])),
            ("Agreed by the Attorney General", day(first["ag_agreed_on"])),
            ("Published", "not published"),
            ("Plan due", day(first["plan_due_on"]) if first["plan_due_on"] else "none asked for"),
            ("Update due", day(first["update_due_on"]) if first["update_due_on"] else "none asked for"),
        ),
        marking=labels.MARKING,
        is_draft=True,
    )
