from __future__ import annotations

import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import openpyxl.xml
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font
from return_files import COUNT, IN_TIME, PROPORTION, SENDER, ReturnFile, write_zip

from ingest.acceptance import Context, Verdict, judge
from ingest.form import Forms
from ingest.period import Period
from ingest.reference import Reference
from ingest.report import annotate, annotated
from ingest.report.annotated import NotAnnotated
from ingest.spreadsheet_text import inert, inert_title
from ingest.template import write_template

Judged = Callable[..., Verdict]


def comments(path: Path) -> dict[tuple[str, str], str]:
    book = openpyxl.load_workbook(path)
    return {
        (sheet.title, cell.coordinate): cell.comment.text
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment is not None
    }


def codes(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines() if " error: " in line or " warning: " in line]


@pytest.fixture
def spoilt(good: ReturnFile) -> ReturnFile:
    """A return with a problem of every sort of place."""
    good.row("metrics", metric_id=PROPORTION)["met"] = "12.5"
    good.row("metrics", metric_id=COUNT)["collection_mode"] = ""
    good["metrics"].append(dict(good["metrics"][0]))
    good.headers["feedback"].remove("invited")
    good["delivery"].pop()
    good.cover["sender_code"] = "yjs-barnet"
    return good


@pytest.mark.parametrize("made", ["xlsx", "zip", "ods"])
def test_comments_stand_on_the_offending_cells(
    spoilt: ReturnFile, judged: Judged, tmp_path: Path, made: str
) -> None:
    path: Path = getattr(spoilt, made)(tmp_path / f"return.{made}")
    out = tmp_path / "annotated.xlsx"
    annotate(path, judged(path, SENDER), out)
    found = {place: codes(text) for place, text in comments(out).items()}
    header = {name: openpyxl.utils.get_column_letter(place) for place, name in enumerate(
        spoilt.headers["metrics"], 1)}  # fmt: skip
    rows = [row["metric_id"] for row in spoilt["metrics"]]
    assert found["metrics", f"{header['met']}{rows.index(PROPORTION) + 2}"] == ["FIGURES-002"]
    assert found["metrics", f"{header['collection_mode']}{rows.index(COUNT) + 2}"] == ["SHAPE-006"]
    # A repeated key is told at its first column, a missing column and a missing row at the header.
    assert "SHAPE-005" in found["metrics", f"A{len(rows) + 1}"]
    assert found["feedback", "A1"] == ["SHAPE-002"]
    assert "FIGURES-008" in found["delivery", "B1"]
    # The cover names the sender on its fourth line.
    assert "IDENTITY-004" in found["cover", "B4"]


def test_the_report_stands_in_front_and_leads_to_the_cells(
    spoilt: ReturnFile, judged: Judged, tmp_path: Path
) -> None:
    path = spoilt.xlsx(tmp_path / "return.xlsx")
    verdict = judged(path, SENDER)
    annotate(path, verdict, tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["report", "cover", "metrics", "feedback", "delivery"]
    page = book["report"]
    told = [str(row[0].value) for row in page.iter_rows() if row[0].value]
    assert told[0] == f"Rejected: {verdict.count('error'):,} errors, {verdict.count('warning')} warnings"
    assert all(any(line.startswith(code) for line in told) for code in verdict.counts)
    links = {cell.hyperlink.location for row in page.iter_rows() for cell in row if cell.hyperlink}
    assert links.issubset({f"'{sheet}'!{cell}" for sheet, cell in comments(tmp_path / "out.xlsx")})
    assert not any(cell.hyperlink.target for row in page.iter_rows() for cell in row if cell.hyperlink)


@pytest.mark.parametrize("made", ["xlsx", "zip", "ods"])
def test_an_annotated_copy_that_is_sent_is_judged_like_the_original(
    spoilt: ReturnFile, judged: Judged, tmp_path: Path, made: str
) -> None:
    spoilt["metrics"][0]["note"] = "- less than before, see =1+1"
    spoilt["metrics"][1]["note"] = "=1+1" if made == "zip" else "@home"
    path: Path = getattr(spoilt, made)(tmp_path / f"return.{made}")
    first = judged(path, SENDER)
    annotate(path, first, tmp_path / "annotated.xlsx")
    again = judged(tmp_path / "annotated.xlsx", SENDER)
    assert (again.problems, again.counts, again.rows_read) == (first.problems, first.counts, first.rows_read)


def by_libreoffice(path: Path, suffix: str) -> Path:
    """Save a workbook in another format."""
    folder = path.parent / f"as_{suffix}"
    profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", suffix, "--outdir", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder / f"{path.stem}.{suffix}"


def test_a_spreadsheet_of_libreoffice_is_annotated_as_it_is(
    judged: Judged, tmp_path: Path, reference: Reference, forms: Forms
) -> None:
    path = tmp_path / "return.xlsx"
    write_template(path, SENDER, Period.parse("2025-26-Q1"), reference, forms)
    book = openpyxl.load_workbook(path)
    book["metrics"]["K2"], book["metrics"]["K3"] = 12.5, 7
    book["metrics"]["U3"] = "=1+1"
    book["feedback"]["G3"] = "by pigeon"
    book.save(path)
    # Runs of blank cells and rows are written there as one element, and have to be cut up again.
    own = by_libreoffice(path, "ods")
    first = judged(own, SENDER)
    out = tmp_path / "annotated.ods"
    annotate(own, first, out)
    annotate(path, judged(path, SENDER), tmp_path / "annotated.xlsx")
    opened = by_libreoffice(out, "xlsx")
    found = {place: codes(text) for place, text in comments(opened).items()}
    assert found["metrics", "K2"] == ["FIGURES-002"] and found["feedback", "G3"] == ["SHAPE-004"]
    expected = {place: codes(text) for place, text in comments(tmp_path / "annotated.xlsx").items()}
    # Only LibreOffice has worked the formula out and stored its value.
    assert expected.pop(("metrics", "U3")) == ["FILE-023"]
    assert found == expected

    again = judged(out, SENDER)
    without_formula = {code: count for code, count in first.counts.items() if code != "FILE-014"}
    assert again.counts == without_formula and len(without_formula) < len(first.counts)
    saved = openpyxl.load_workbook(opened)
    assert saved.sheetnames[:2] == ["report", "guidance"] and saved["metrics"]["U3"].value == 2
    assert saved["metrics"].protection.sheet and saved["metrics"].data_validations.count > 10
    assert str(saved["report"]["A1"].value).startswith("Rejected: ")
    links = [cell.hyperlink.location for row in saved["report"].iter_rows() for cell in row if cell.hyperlink]
    assert "metrics!K2" in [link.replace("$", "").replace("'", "") for link in links]


def test_a_copy_that_was_mended_is_accepted(good: ReturnFile, judged: Judged, tmp_path: Path) -> None:
    good.row("metrics", metric_id=PROPORTION)["met"] = 12.5
    path, out = good.xlsx(tmp_path / "return.xlsx"), tmp_path / "out.xlsx"
    annotate(path, judged(path, SENDER), out)
    book = openpyxl.load_workbook(out)
    [place] = comments(out)
    book[place[0]][place[1]].value = 12
    book.save(out)
    assert judged(out, SENDER).outcome == "accepted"


def test_at_most_twenty_comments_a_rule(good: ReturnFile, judged: Judged, tmp_path: Path) -> None:
    row = good.row("metrics", metric_id=PROPORTION)
    good["metrics"].extend(dict(row, crime_type="VAP", met=f"{number}.5") for number in range(300))
    path = good.xlsx(tmp_path / "return.xlsx")
    verdict = judged(path, SENDER)
    assert verdict.counts["FIGURES-002"] == 300
    annotate(path, verdict, tmp_path / "out.xlsx")
    told = [code for text in comments(tmp_path / "out.xlsx").values() for code in codes(text)]
    assert told.count("FIGURES-002") == 20
    page = openpyxl.load_workbook(tmp_path / "out.xlsx")["report"]
    assert any(str(row[0].value).startswith("And 280 more.") for row in page.iter_rows())


def test_the_bodys_own_styles_comments_and_drop_downs_stay(
    judged: Judged, tmp_path: Path, reference: Reference, forms: Forms
) -> None:
    path = tmp_path / "return.xlsx"
    write_template(path, SENDER, Period.parse("2025-26-Q1"), reference, forms)
    book = openpyxl.load_workbook(path)
    book["metrics"]["A2"].font = Font(bold=True)
    book["feedback"]["G2"].comment = Comment("from our system", "data team")
    book.save(path)
    annotate(path, judged(path, SENDER), tmp_path / "out.xlsx")
    copy = openpyxl.load_workbook(tmp_path / "out.xlsx")
    metrics = copy["metrics"]
    assert metrics["A2"].font.bold and metrics.column_dimensions["A"].width > 20
    comment = copy["feedback"]["G2"].comment.text
    assert comment.startswith("from our system") and "SHAPE-006" in comment
    assert any(rule.type == "list" for rule in metrics.data_validations.dataValidation)
    assert metrics.protection.sheet


def test_nothing_that_is_written_runs(good: ReturnFile, judged: Judged, tmp_path: Path) -> None:
    # A formula of a workbook stands as its value, and the text of a CSV stays a text.
    dde = "=cmd|'/C calc'!A0"
    for made, note in (("xlsx", "=1+1"), ("zip", dde)):
        good["metrics"][0]["note"] = note
        path: Path = getattr(good, made)(tmp_path / f"return.{made}")
        annotate(path, judged(path, SENDER), tmp_path / f"{made}.xlsx")
        with zipfile.ZipFile(tmp_path / f"{made}.xlsx") as archive:
            names = archive.namelist()
            sheets = [archive.read(name) for name in names if name.startswith("xl/worksheets/sheet")]
            assert len(sheets) == 5 and not any(b"<f>" in xml or b"<f " in xml for xml in sheets)
            assert not [name for name in names if "externalLink" in name]
    book = openpyxl.load_workbook(tmp_path / "zip.xlsx")
    [kept] = [cell for row in book["metrics"].iter_rows() for cell in row if cell.value == dde]
    # Marked as typed with an apostrophe, so that editing the cell does not make it a formula either.
    assert kept.data_type == "s" and kept.quotePrefix


def test_odd_titles_of_csv_files_become_titles_that_a_workbook_may_have(
    good: ReturnFile, reference: Reference, forms: Forms, tmp_path: Path
) -> None:
    tables = good.tables() | {"=HYPERLINK(1)": [["a"], ["b"]], "x" * 40: [["a"], ["b"]], "x" * 31: [["a"]]}
    path = write_zip(tmp_path / "return.zip", tables)
    verdict = judge(path, Context(reference, forms, IN_TIME, SENDER)).verdict
    assert verdict.counts == {"SHAPE-012": 3}
    annotate(path, verdict, tmp_path / "out.xlsx")
    titles = openpyxl.load_workbook(tmp_path / "out.xlsx").sheetnames
    assert titles[5:] == ["_=HYPERLINK(1)", "x" * 31, "x" * 29 + "_2"]


@pytest.mark.parametrize("kind", ["with a person", "unreadable"])
def test_no_copy_is_made_of_a_file_that_is_kept_apart_or_unreadable(
    good: ReturnFile, judged: Judged, tmp_path: Path, kind: str
) -> None:
    good["metrics"][0]["note"] = "ask jo.bloggs@example.org"
    path = good.xlsx(tmp_path / "return.xlsx")
    if kind == "unreadable":
        path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(NotAnnotated, match="cannot be annotated"):
        annotate(path, judged(path, SENDER), tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()


def test_a_very_large_file_gets_no_copy(
    good: ReturnFile, judged: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = good.zip(tmp_path / "return.zip")
    monkeypatch.setattr(annotated, "MAX_CELLS", 50)
    with pytest.raises(NotAnnotated, match="more than 50 cells"):
        annotate(path, judged(path, SENDER), tmp_path / "out.xlsx")


def test_a_copy_is_named_as_the_workbook_it_is(good: ReturnFile, judged: Judged, tmp_path: Path) -> None:
    path = good.zip(tmp_path / "return.zip")
    with pytest.raises(NotAnnotated, match=r"ends in \.xlsx"):
        annotate(path, judged(path, SENDER), tmp_path / "out.zip")


def test_reading_a_workbook_back_expands_no_entity() -> None:
    # openpyxl reads through defusedxml wherever that is installed.
    assert openpyxl.xml.DEFUSEDXML and not openpyxl.xml.LXML


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", "\uff0b1", "\u00a0=1"]
)
def test_what_a_spreadsheet_would_run_is_made_inert(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "met", "10% -5", "a=b", "'=1", "1-2", "(-1)"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_a_text_that_no_cell_can_hold_is_cut_and_cleaned() -> None:
    assert inert("a\x00b\x1f\ud800") == "a\ufffdb\ufffd\ufffd"
    assert len(inert("=" * 40_000)) == len(inert("a" * 40_000)) == 32_767
    assert inert_title("[a]:b*?/\\", set()) == "_a__b____"
    assert inert_title("", {"_"}) == "__2"
    assert inert_title("Metrics", {"metrics"}) == "Metrics_2"


def test_a_long_return_is_annotated_in_seconds(good: ReturnFile, judged: Judged, tmp_path: Path) -> None:
    row = dict(good.row("metrics", metric_id=PROPORTION), crime_type="VAP", met="1.5")
    good["metrics"].extend([row] * 5_000)
    path = good.xlsx(tmp_path / "return.xlsx")
    verdict = judged(path, SENDER)
    start = time.process_time()
    annotate(path, verdict, tmp_path / "out.xlsx")
    assert time.process_time() - start < 10
