"""Small return files, made from the form and the reference data, to be spoilt by a test in one place."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ingest.form import FORMS_DIR, Form, Forms, load_forms
from ingest.period import Period
from ingest.reference import Reference

SENDER = "yjs-barnsley"
AREA = "E23000011"
LEGACY_SENDER = "E23000028-lpb"
IN_TIME = datetime(2025, 7, 15, 10, 0, tzinfo=UTC)

# What a youth offending team is asked, read off the seed metric_bodies by hand.
PROPORTION = "r11_s04_yot_progress"
COUNT = "r09_s05_rj_engaged_n"


def with_half_years(folder: Path) -> Forms:
    """The project's forms, and a third version of the quarterly one that asks for half-years from April 2027."""
    target = folder / "forms"
    shutil.copytree(FORMS_DIR, target)
    second = target / "quarterly_v2.yml"
    text = second.read_text()
    second.write_text(text.replace("valid_to: ", "valid_to: 2027-03-31", 1))
    third = text.replace("version: 2", "version: 3", 1).replace(
        "valid_from: 2026-07-01", "valid_from: 2027-04-01"
    )
    (target / "quarterly_v3.yml").write_text(third.replace("frequency: quarter", "frequency: half"))
    return load_forms(target)


class ReturnFile:
    """A return as rows of dicts, one list a sheet; written as a zip of CSVs or a workbook."""

    def __init__(self, form: Form, cover: dict[str, Any]) -> None:
        self.form = form
        self.cover = cover
        self.sheets: dict[str, list[dict[str, Any]]] = {sheet.name: [] for sheet in form.tables}
        self.headers = {sheet.name: list(sheet.column_names) for sheet in form.tables}

    def __getitem__(self, sheet: str) -> list[dict[str, Any]]:
        return self.sheets[sheet]

    def row(self, sheet: str, **where: Any) -> dict[str, Any]:
        """The first row of a sheet with these values."""
        return next(
            row for row in self.sheets[sheet] if all(row.get(key) == value for key, value in where.items())
        )

    def tables(self) -> dict[str, list[list[Any]]]:
        """Every sheet as rows, the header first."""
        tables: dict[str, list[list[Any]]] = {"cover": [["field", "value"], *map(list, self.cover.items())]}
        for name, rows in self.sheets.items():
            header = self.headers[name]
            tables[name] = [header, *([row.get(column, "") for column in header] for row in rows)]
        return tables

    def zip(self, path: Path) -> Path:
        return write_zip(path, {name: rows for name, rows in self.tables().items()})

    def xlsx(self, path: Path) -> Path:
        return write_xlsx(path, self.tables())

    def ods(self, path: Path) -> Path:
        return write_ods(path, self.tables())


def write_zip(path: Path, tables: Mapping[str, list[list[Any]]], encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\r\n").writerows(rows)
            # A fixed date: the same content must be the same bytes.
            archive.writestr(
                zipfile.ZipInfo(f"{name}.csv", (2025, 7, 1, 0, 0, 0)), text.getvalue().encode(encoding)
            )
    return path


def patched(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """Rewrite one part of a zip container."""
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    parts[part] = change(parts.get(part, b""))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def write_xlsx(path: Path, tables: Mapping[str, list[list[Any]]]) -> Path:
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    for name, rows in tables.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    if cell.startswith("="):
                        sheet.write_formula(number, place, cell, value=1)
                    elif cell:
                        sheet.write_string(number, place, cell)
                elif isinstance(cell, bool):
                    sheet.write_boolean(number, place, cell)
                elif isinstance(cell, date | datetime):
                    sheet.write_datetime(number, place, cell)
                else:
                    sheet.write_number(number, place, cell)
    book.close()
    return path


def write_ods(path: Path, tables: Mapping[str, list[list[Any]]]) -> Path:
    """The same by odfpy, which writes OpenDocument and is not what reads it."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    path.parent.mkdir(parents=True, exist_ok=True)
    document = OpenDocumentSpreadsheet()
    for name, rows in tables.items():
        table = Table(name=name)
        for row in rows:
            line = TableRow()
            for cell in row:
                if cell == "" or cell is None:
                    line.addElement(TableCell())
                    continue
                if isinstance(cell, bool):
                    made = TableCell(valuetype="boolean", booleanvalue="true" if cell else "false")
                elif isinstance(cell, date | datetime):
                    made = TableCell(valuetype="date", datevalue=cell.isoformat())
                elif isinstance(cell, str):
                    made = TableCell(valuetype="string")
                else:
                    made = TableCell(valuetype="float", value=str(cell))
                made.addElement(P(text=str(cell)))
                line.addElement(made)
            table.addElement(line)
        document.spreadsheet.addElement(table)
    document.save(str(path))
    return path


def quarterly(
    reference: Reference, forms: Forms, sender: str = SENDER, period: str = "2025-26-Q1", met: int = 30
) -> ReturnFile:
    """A complete quarterly return without any problem: one total row for all that the sender's bodies are asked."""
    view = reference.for_period(Period.parse(period))
    form = forms.for_date("quarterly", view.day)
    assert form is not None
    version = str(form.version)
    file = ReturnFile(
        form, {"kind": "quarterly", "form_version": version, "sender_code": sender, "period_code": period}
    )
    heads = {column.stored_as: column.name for column in form.sheet("metrics").columns}
    for body, area in view.served(sender, "quarterly"):
        kind = view.bodies[body].body_kind
        for metric in view.metrics_of(kind, "statistic"):
            row = metric_row(view.metrics[metric].unit, metric, body, area, met)
            file["metrics"].append({heads[name]: cell for name, cell in row.items()})
        for question in view.metrics_of(kind, "feedback"):
            file["feedback"].append(feedback_row(view.metrics[question].response_set, question, body, area))
        for item in view.metrics_of(kind, "delivery"):
            file["delivery"].append({"body_code": body, "item_id": item, "pfa_code": area, "grade": "2"})
    return file


TOTAL = {"crime_type": "ALL", "characteristic": "ALL", "characteristic_value": "ALL"}


def metric_row(unit: str, metric: str, body: str, area: str, met: int = 30) -> dict[str, Any]:
    figures = {
        "proportion": {"met": str(met), "not_met": "10"},
        "count": {"count": "12"},
        "counts_by_delay": {"within_limit": "5", "short_delay": "3", "long_delay": "1"},
    }[unit]
    return {
        "body_code": body, "metric_id": metric, "pfa_code": area, **TOTAL,
        "collection_mode": "census", "sampling_frame": "all_cases", **figures,
    }  # fmt: skip


def feedback_row(response_set: str, question: str, body: str, area: str) -> dict[str, Any]:
    answers = dict.fromkeys(("very_good", "good", "neither", "poor", "very_poor"), "4")
    if response_set != "five_point":
        answers = {"yes": "7", "no": "9"}
    return {
        "about_body_code": body, "question_id": question, "pfa_code": area, **TOTAL,
        "survey_mode": "online", "response_set": response_set, **answers,
    }  # fmt: skip


def breakdown(row: dict[str, Any], by: str, value: str, **figures: Any) -> dict[str, Any]:
    """A part of a total row: by crime_type, or by a characteristic."""
    part = dict(row)
    if by == "crime_type":
        part["crime_type"] = value
    else:
        part |= {"characteristic": by, "characteristic_value": value}
    return part | figures


def legacy_audit(reference: Reference, forms: Forms) -> ReturnFile:
    """Written acknowledgement over three periods, on one base throughout: no problem."""
    form = forms.get("legacy_audit", 1)
    assert form is not None
    cover = {
        "kind": "legacy_audit", "form_version": "1", "sender_code": LEGACY_SENDER, "period_code": "2019-20-FY",
    }  # fmt: skip
    file = ReturnFile(form, cover)
    for period, printed in {
        "2019-20-H1": ("30%", "30%", "40%"),
        "2019-20-Q3": ("20%", "40%", "40%"),
        "2019-20-Q4": ("33%", "33%", "33%"),
    }.items():
        for response, value in zip(("yes", "no", "not_suitable"), printed, strict=True):
            file["answers"].append(
                {
                    "period_code": period,
                    "body_code": "E23000028-police",
                    "pfa_code": "E23000028",
                    "question_id": "q1_acknowledgement",
                    "response_id": response,
                    "printed_value": value,
                    "sampling_frame": "finalised_cases",
                    "source": "appendix_a",
                }
            )
    return file
