"""`vcc check` says what receiving the file would say, whatever the file is."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filled_templates import fill_in
from return_files import ReturnFile, patched, quarterly

from ingest.clock import FixedClock
from ingest.form import Forms, load_forms
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.receive import receive
from ingest.reference import Reference
from ingest.report import verdict_of
from ingest.template import write_template
from orchestration import cli

TODAY = "2026-10-20"
CLOCK = FixedClock(datetime(2026, 10, 20, 12, tzinfo=UTC))
Q1, Q2 = "2026-27-Q1", "2026-27-Q2"
SAMPLE = Path(__file__).parents[3] / "ingest" / "samples" / "essex_vcop_2019_20.xlsx"


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.load()


@pytest.fixture(scope="module")
def forms() -> Forms:
    return load_forms()


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = cli.main(
            ["--data-root", str(tmp_path / "data"), "--as-of", TODAY, "check", *map(str, arguments)]
        )
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def put(root: DataRoot, sender: str, name: str) -> Path:
    folder = root.inbox / sender
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def deliver_varied_files(root: DataRoot, reference: Reference, forms: Forms) -> None:
    """Fill the inbox with files of every outcome, kind and container."""

    def made(sender: str, period: str = Q2, met: int = 30) -> ReturnFile:
        return quarterly(reference, forms, sender, period, met)

    made("yjs-barnsley", met=900).zip(put(root, "yjs-barnsley", "jump.zip"))
    made("E23000028-police").xlsx(put(root, "E23000028-police", "the_same_again.xlsx"))
    made("E23000027-police").ods(put(root, "E23000027-police", "good.ods"))
    with_formula = made("BTP")
    with_formula["metrics"][0]["note"] = "=1+1"
    with_formula.xlsx(put(root, "BTP", "formula.xlsx"))
    faulty = made("cps-east-midlands")
    faulty["metrics"][0]["met"] = "12.5"
    faulty["metrics"][1]["collection_mode"] = "counted"
    faulty["metrics"].extend(dict(faulty["metrics"][2]) for _ in range(40))
    faulty["delivery"].clear()
    faulty.ods(put(root, "cps-east-midlands", "faulty.ods"))
    of_a_person = made("W15000001-police")
    of_a_person["metrics"][0]["note"] = "ask jo.bloggs@example.org"
    of_a_person.zip(put(root, "W15000001-police", "person.zip"))
    cut_short = made("MDP").xlsx(put(root, "MDP", "cut.xlsx"))
    cut_short.write_bytes(cut_short.read_bytes()[:3000])
    put(root, "E23000011-police", "text.xlsx").write_text("no workbook")
    put(root, "E23000012-police", "nothing.zip").write_bytes(b"")
    climbing = made("hmcts-wales").zip(put(root, "hmcts-wales", "climbing.zip"))
    with zipfile.ZipFile(climbing, "a") as archive:
        archive.writestr("../../x.csv", "a\n1\n")
    patched(
        made("E23000013-police").xlsx(put(root, "E23000013-police", "entity.xlsx")),
        "xl/workbook.xml",
        lambda xml: b'<!DOCTYPE a [<!ENTITY b "c">]>' + xml,
    )
    made("prob-wales").zip(put(root, "prob-north-east", "of_another.zip"))
    made("E23000014-police", Q1).zip(put(root, "E23000014-police", "late.zip"))
    made("E23000015-police", "2026-27-Q3").zip(put(root, "E23000015-police", "too_early.zip"))
    for sender, kind in (
        ("survey", "feedback"),
        ("E23000028-lpb", "insight"),
        ("E23000028-lpb", "context"),
        ("moj", "context"),
        ("programme-board", "decisions"),
        ("programme-board", "rules"),
        ("yjs-barnet", "quarterly"),
    ):
        path = put(root, sender, f"{kind}.xlsx")
        write_template(path, sender, Period.parse(Q2), reference, forms, kind=kind)
        fill_in(path)
    shutil.copy(SAMPLE, put(root, "E23000028-lpb", "legacy.xlsx"))


def test_check_and_the_pipeline_give_the_same_verdict(
    tmp_path: Path, reference: Reference, forms: Forms, check: Callable[..., tuple[int, str, str]]
) -> None:
    root = DataRoot(tmp_path / "data").create()
    for sender in ("yjs-barnsley", "E23000028-police"):
        quarterly(reference, forms, sender, Q1).zip(put(root, sender, "before.zip"))
    assert receive(root, reference, forms, CLOCK, settle_seconds=0).accepted == 2
    deliver_varied_files(root, reference, forms)

    said: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    for path in sorted(root.inbox.glob("*/*")):
        code, out, _ = check(path, "--sender", path.parent.name, "--format", "json")
        said[path.parent.name, path.name] = code, json.loads(out)
    receipts = receive(root, reference, forms, CLOCK, settle_seconds=0).receipts
    assert {(receipt.sender_code, receipt.file_name) for receipt in receipts} == set(said)
    for receipt in receipts:
        code, told = said[receipt.sender_code, receipt.file_name]
        kept = verdict_of(receipt)
        # A receipt names the folder's sender, a verdict the one on the cover.
        assert {**told, "sender_code": receipt.sender_code} == kept.to_dict(), receipt.file_name
        assert code == kept.exit_code, receipt.file_name

    outcomes = {name: told["outcome"] for (_, name), (_, told) in said.items()}
    assert set(outcomes.values()) == {"accepted", "accepted_with_warnings", "rejected", "quarantined"}
    assert {code for code, _ in said.values()} == {0, 1, 2}
    kinds = {told["kind"] for _, told in said.values()} - {None}
    assert kinds == set(forms.kinds)
    # The comparison with the return in the ledger is part of both.
    assert "FIGURES-018" in said["yjs-barnsley", "jump.zip"][1]["counts"]
    assert "FIGURES-024" in said["E23000028-police", "the_same_again.xlsx"][1]["counts"]


def test_checking_stores_nothing(
    tmp_path: Path, reference: Reference, forms: Forms, check: Callable[..., tuple[int, str, str]]
) -> None:
    path = quarterly(reference, forms, "yjs-barnsley", Q2).zip(tmp_path / "return.zip")
    assert check(path)[0] == 0
    assert not (tmp_path / "data").exists()


def test_the_report_goes_where_it_is_asked_for(
    tmp_path: Path, reference: Reference, forms: Forms, check: Callable[..., tuple[int, str, str]]
) -> None:
    file = quarterly(reference, forms, "yjs-barnsley", Q2)
    file["metrics"][0]["met"] = "12.5"
    path, page, copy = file.zip(tmp_path / "return.zip"), tmp_path / "report.html", tmp_path / "copy.xlsx"
    code, out, err = check(path, "--format", "html", "--output", page, "--annotate", copy)
    assert code == 1
    assert out == f"REJECTED: 1 error, 0 warnings.\nThe report is in {page}.\n"
    assert page.read_text().startswith("<!DOCTYPE html>") and copy.exists()
    assert str(copy) in err
    code, out, _ = check(path, "--format", "json", "--annotate", copy)
    assert json.loads(out)["outcome"] == "rejected", "nothing else stands on the standard output"


def test_the_checked_file_is_never_overwritten(
    tmp_path: Path, reference: Reference, forms: Forms, check: Callable[..., tuple[int, str, str]]
) -> None:
    path = quarterly(reference, forms, "yjs-barnsley", Q2).xlsx(tmp_path / "return.xlsx")
    before = path.read_bytes()
    for option in ("--output", "--annotate"):
        code, _, err = check(path, option, path)
        assert code == cli.UNUSABLE and "another name" in err
    assert path.read_bytes() == before


def test_a_file_that_gets_no_copy_is_told(tmp_path: Path, check: Callable[..., tuple[int, str, str]]) -> None:
    (tmp_path / "text.xlsx").write_text("no workbook")
    code, out, err = check(tmp_path / "text.xlsx", "--annotate", tmp_path / "copy.xlsx")
    assert code == 2 and out.startswith("REJECTED") and "cannot be annotated" in err
    assert not (tmp_path / "copy.xlsx").exists()


def test_an_unknown_sender_is_named(tmp_path: Path, check: Callable[..., tuple[int, str, str]]) -> None:
    (tmp_path / "return.zip").write_bytes(b"")
    code, out, err = check(tmp_path / "return.zip", "--sender", "yjs-barnslei")
    assert (code, out) == (cli.UNUSABLE, "") and "perhaps yjs-barnsley is meant" in err


def test_a_check_loads_nothing_that_its_answer_does_not_need(
    tmp_path: Path, reference: Reference, forms: Forms
) -> None:
    path = quarterly(reference, forms, "yjs-barnsley", Q2).xlsx(tmp_path / "return.xlsx")
    script = (
        "import sys; from orchestration.cli import main; main(sys.argv[1:]);"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    arguments = ["--data-root", str(tmp_path / "data"), "--as-of", TODAY, "check", str(path)]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    loaded = set(eval(done.stderr.splitlines()[-1]))
    heavy = {
        "dagster", "dbt", "duckdb", "fsspec", "jinja2", "numpy", "odf", "openpyxl", "pandas", "pyarrow", "s3fs",
        "xlsxwriter",
    }  # fmt: skip
    assert loaded.isdisjoint(heavy)


# --- templates ---------------------------------------------------------------------------------------------


@pytest.fixture
def template(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["--data-root", str(tmp_path / "data"), "--as-of", TODAY, "template", *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def test_a_template_is_written_here_and_replaced_only_when_asked(
    tmp_path: Path, template: Callable[..., tuple[int, str, str]]
) -> None:
    asked = ("--sender", "E23000028-police", "--period", Q2)
    code, out, _ = template(*asked)
    path = tmp_path / f"E23000028-police_quarterly_{Q2}.xlsx"
    assert code == 0 and path.exists() and path.name in out
    path.write_bytes(b"filled in by hand")
    code, _, err = template(*asked)
    assert code == cli.UNUSABLE and "--force" in err and path.read_bytes() == b"filled in by hand"
    assert template(*asked, "--force")[0] == 0 and zipfile.is_zipfile(io.BytesIO(path.read_bytes()))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sender", "E23000028-polize", "--period", Q2), "perhaps E23000028-police is meant"),
        (("--sender", "E23000028-lpb", "--period", Q2), "it sends context, insight"),
        (("--sender", "E23000028-police", "--period", "Q2"), "write it like 2025-26-Q1"),
        (("--sender", "E23000028-police", "--period", Q2, "--output", "x.ods"), "ends in .xlsx"),
    ],
)
def test_what_stands_in_the_way_is_one_line(
    tmp_path: Path, template: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = template(*arguments)
    assert (code, out) == (cli.UNUSABLE, "") and said in err and err.count("\n") == 1
    assert not list(tmp_path.glob("*.xlsx"))


def test_a_template_shows_the_return_that_the_ledger_has(
    tmp_path: Path, template: Callable[..., tuple[int, str, str]], reference: Reference, forms: Forms
) -> None:
    root = DataRoot(tmp_path / "data").create()
    quarterly(reference, forms, "yjs-barnsley", Q1, met=77).zip(put(root, "yjs-barnsley", "before.zip"))
    receive(root, reference, forms, CLOCK, settle_seconds=0)
    code, out, _ = template("--sender", "yjs-barnsley", "--period", Q2, "--output", "t.xlsx")
    assert code == 0 and f"The figures of {Q1} are shown beside." in out
    import openpyxl

    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert 77 in [cell.value for row in book["previous"].iter_rows() for cell in row]
