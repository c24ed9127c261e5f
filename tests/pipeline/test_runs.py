"""What a run does a second time, after a revision, at the provisional stage, and when a promise is broken."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from ingest.clock import FixedClock
from ingest.receipts import Ledger
from orchestration.automation import build_automation
from orchestration.dbt import DbtCommand
from orchestration.delivery import Delivery, deliver
from orchestration.pending import reasons_to_run
from orchestration.project import Project
from orchestration.register import recorded_from
from tests.pipeline.pictures import differing_tables, files_of, rows, stamps_of
from tests.pipeline.scenario import Sample, copy_of, run_all

SENDER = "E23000010-police"
PERIOD, NEXT_PERIOD = "2026-27-Q1", "2026-27-Q2"
METRIC = "r02_s01_recorded_24h"


def forbid_dbt(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*arguments: object, **settings: object) -> None:
        raise AssertionError("dbt was called")

    monkeypatch.setattr(DbtCommand, "cli", called)


def test_a_run_with_nothing_new_calls_no_dbt_and_touches_no_file(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_dbt(monkeypatch)
    before = stamps_of(finished.data_root)
    report = run_all(finished)
    assert report.success, report.failures
    assert stamps_of(finished.data_root) == before


def test_neither_the_schedule_nor_the_inbox_asks_for_what_is_done(finished: Project) -> None:
    [[sensor], [schedule]] = build_automation(dg.job(name="quarter")(lambda: None), finished)
    with dg.instance_for_test() as instance:
        with dg.build_schedule_context(instance=instance) as at_six:
            assert "is done" in str(schedule(at_six))
        with dg.build_sensor_context(instance=instance) as at_any_time:
            assert "everything that was delivered is built" in str(sensor(at_any_time))


def test_a_final_build_during_the_local_review_records_nothing(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_review = datetime(2026, 12, 1, 12, tzinfo=UTC)
    project = Project(copy_of(finished, tmp_path / "data").data_root, FixedClock(in_review))
    for folder in (project.root.register, project.root.releases, project.root.checks / "outputs"):
        shutil.rmtree(folder)
    forbid_dbt(monkeypatch)
    report = run_all(project)
    assert not report.success
    assert any("review of 2026-27-Q2 may last through 9 December 2026" in said for said in report.failures)
    assert [path.name for path in project.root.register.glob("2*")] == []
    assert [path for path in project.root.releases.rglob("*") if path.is_file()] == []


def test_the_provisional_build_gives_local_figures_back_and_records_nothing(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copy_of(finished, tmp_path / "data")
    for folder in (
        project.root.register,
        project.root.releases,
        project.root.restricted,
        project.root.checks / "outputs",
    ):
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.name != "_empty.parquet":
                path.unlink()
    forbid_dbt(monkeypatch)
    report = run_all(project, stage="provisional")
    assert report.success, report.failures
    assert files_of(project.root.packs) == files_of(finished.root.packs) != {}
    assert sorted(files_of(project.root.register)) == EMPTY_REGISTER
    assert files_of(project.root.releases) == {}
    assert not project.root.flags.exists() or files_of(project.root.flags) == {}
    assert reasons_to_run(project, project.due_quarters(), "provisional") == []
    assert reasons_to_run(project, project.due_quarters(), "final") != []


@pytest.fixture(scope="module")
def revision_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the revised data root lies, and what an analyst read while it was made."""
    return tmp_path_factory.mktemp("revised")


@contextmanager
def an_analyst_reading(project: Project, folder: Path) -> Iterator[None]:
    """Read the serving copy in a loop from a second process for the time of the block."""
    stop = folder / "stop"
    program = Path(__file__).with_name("reader.py")
    arguments = [project.root.serving_current, stop, folder / "readings.jsonl"]
    with (folder / "reader.log").open("w") as log:
        reader = subprocess.Popen([sys.executable, program, *arguments], stdout=log, stderr=log)
    try:
        yield
    finally:
        stop.touch()
        (folder / "reader.code").write_text(str(reader.wait(timeout=60)))


@pytest.fixture(scope="module")
def revised(finished: Project, sample: Sample, revision_folder: Path) -> Project:
    """The data root after one return was sent again with one case of one metric moved from not met to met."""
    folder = revision_folder
    project = copy_of(finished, folder / "data")
    original = next(
        sample.returns / receipt.sender_code / receipt.file_name
        for receipt in Ledger(finished.root.receipts).read()
        if (receipt.sender_code, receipt.period_code) == (SENDER, PERIOD)
    )
    revision = folder / "revision.zip"
    revision.write_bytes(with_one_more_met(original.read_bytes()))
    arrival = datetime(2026, 11, 2, 9, tzinfo=UTC)
    deliver(project.root.inbox, [Delivery(revision, SENDER, revision.name, arrival)])
    with an_analyst_reading(project, folder):
        report = run_all(project)
    assert report.success, report.failures
    return project


def with_one_more_met(content: bytes) -> bytes:
    """The same return, with one more case met and one less not met in the total of one metric."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as sink:
        for name in source.namelist():
            text = source.read(name).decode("utf-8-sig")
            if name == "metrics.csv":
                lines = text.splitlines()
                separator = max(",;\t", key=lines[0].count)
                header = lines[0].split(separator)
                place = next(
                    number
                    for number, line in enumerate(lines)
                    if line.split(separator)[header.index("metric_id")] == METRIC
                )
                cells = lines[place].split(separator)
                for column, step in (("met", 1), ("not_met", -1)):
                    cells[header.index(column)] = str(int(cells[header.index(column)]) + step)
                lines[place] = separator.join(cells)
                text = "\r\n".join(lines) + "\r\n"
            sink.writestr(name, text)
    return target.getvalue()


#: One file without rows for each table of the register: what dbt reads before a quarter is recorded.
EMPTY_REGISTER = ["_empty.parquet", "quarters/_empty.parquet", "states/_empty.parquet"]


def test_a_reader_never_fails_while_the_pipeline_runs(
    finished: Project, revised: Project, revision_folder: Path
) -> None:
    assert (revision_folder / "reader.code").read_text() == "0", (revision_folder / "reader.log").read_text()
    lines = (revision_folder / "readings.jsonl").read_text(encoding="utf-8").splitlines()
    readings = [json.loads(line) for line in lines]
    assert len(readings) > 20
    assert all(in_duckdb == in_parquet for _, in_duckdb, in_parquet in readings)
    # the copy of before and the copy of after, and nothing in between
    before, after = (project.serving.current() for project in (finished, revised))
    assert before is not None and after is not None
    seen = {copy: tuple(figures) for copy, figures, _ in readings}
    assert {copy: tuple(figures) for copy, figures, _ in readings[::-1]} == seen
    assert set(seen) == {before.folder.name, after.folder.name}
    (rows, met, period), (rows_after, met_after, period_after) = (
        seen[c.folder.name] for c in (before, after)
    )
    assert (rows_after, met_after, period_after) == (rows, met + 1, period)


def test_a_revision_adds_one_original_and_one_receipt(finished: Project, revised: Project) -> None:
    before, after = files_of(finished.root.archive), files_of(revised.root.archive)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1
    old, new = Ledger(finished.root.receipts).read(), Ledger(revised.root.receipts).read()
    assert new[:-1] == old
    superseded = [
        receipt.receipt_id
        for receipt in old
        if (receipt.sender_code, receipt.period_code) == (SENDER, PERIOD)
    ]
    assert [new[-1].supersedes_receipt_id] == superseded


def test_a_revision_rewrites_the_raw_files_of_its_quarter_only(finished: Project, revised: Project) -> None:
    before, after = files_of(finished.root.raw), files_of(revised.root.raw)
    changed = {name for name in after if before.get(name) != after[name] and not name.startswith("returns/")}
    sheets = {f"quarterly/{sheet}/{PERIOD}.parquet" for sheet in ("cover", "metrics", "feedback", "delivery")}
    assert changed == {*sheets, "receipts/receipts.parquet", "problems/problems.parquet"}


def test_a_revision_changes_exactly_the_figures_that_rest_on_it(finished: Project, revised: Project) -> None:
    figure = (
        "select met_count, not_met_count, case_count, compliance_rate from marts.local_area_compliance"
        " where body_kind = 'police' and pfa_code = 'E23000010' and metric_id = ? and period_code = ?"
    )
    [(met, not_met, cases, rate)] = rows(finished, figure, [METRIC, PERIOD])
    assert rows(revised, figure, [METRIC, PERIOD]) == [
        (met + 1, not_met - 1, cases, pytest.approx((met + 1) / cases, abs=1e-9))  # type: ignore[operator]
    ]
    assert rate == pytest.approx(met / cases, abs=1e-9)  # type: ignore[operator]

    key = "body_kind, pfa_code, metric_id, period_code, collection_mode, sampling_frame"
    own = "met_count, not_met_count, not_suitable_count, declined_count, unknown_count, reported_count, figure_status"
    changed_own = changed_keys(finished, revised, "local_area_compliance", key, own)
    assert {row[:4] for row in changed_own} == {("police", "E23000010", METRIC, PERIOD)}

    beside = changed_keys(finished, revised, "local_area_compliance", key, "*")
    assert {(row[0], row[2]) for row in beside} == {("police", METRIC)}
    assert {row[3] for row in beside} == {PERIOD, NEXT_PERIOD}
    # In the next quarter only the area's own "quarter before" has changed.
    assert {row[1] for row in beside if row[3] == NEXT_PERIOD} == {"E23000010"}
    neighbours = rows(
        finished,
        "select distinct pfa_code from marts.local_area_compliance as areas where body_kind = 'police'"
        " and exists (select 1 from reference.similar_areas as peers"
        " where peers.pfa_code = areas.pfa_code and peers.peer_pfa_code = 'E23000010')",
    )
    others = {row[1] for row in beside if row[3] == PERIOD} - {"E23000010"}
    assert others == {area for (area,) in neighbours} | without_own_peers(finished)

    national = changed_keys(
        finished, revised, "national_compliance", "body_kind, metric_id, period_code", "*"
    )
    assert national == {("police", METRIC, PERIOD)}


def without_own_peers(project: Project) -> set[object]:
    """Areas too unlike any other to have like areas of their own: they are compared with all others."""
    found = rows(
        project,
        "select pfa_code from reference.areas where area_kind = 'police_area'"
        " and pfa_code not in (select pfa_code from reference.similar_areas)",
    )
    return {area for (area,) in found}


def changed_keys(one: Project, other: Project, table: str, key: str, columns: str) -> set[tuple[object, ...]]:
    """Keys of the rows that differ between two served builds in the columns given."""
    compared = f"select {key}, cast(row({'figures' if columns == '*' else columns}) as varchar) from marts.{table} as figures"
    return {row[:-1] for row in set(rows(one, compared)) ^ set(rows(other, compared))}


def test_a_revision_leaves_what_it_does_not_touch(finished: Project, revised: Project) -> None:
    changed = set(differing_tables(finished, revised))
    untouched = {
        f"marts.{table}"
        for table in (
            "local_area_feedback",
            "local_area_delivery",
            "local_area_legacy_audit",
            "national_feedback",
            "national_delivery",
        )
    }
    assert changed & untouched == set()
    assert not any(table.startswith("reference.") for table in changed)


def test_a_revision_never_changes_what_was_recorded(finished: Project, revised: Project) -> None:
    assert files_of(revised.root.register) == files_of(finished.root.register)
    quarters = [quarter.code for quarter in finished.due_quarters()]
    assert sorted(recorded_from(revised.root.register)) == quarters
    # the official results are those of the record, in the build that holds the revision as well
    results = (
        "select body_kind, pfa_code, right_number, period_code, state, result, is_recommended, is_open_case,"
        " case_id, indicators_met, rule_version from marts.oversight_persistence order by all"
    )
    assert rows(revised, results) == rows(finished, results)
    states = results.replace("marts.oversight_persistence", "staging.stg_recorded_states")
    assert rows(finished, states) == rows(finished, results)


def test_nothing_flips_without_a_revision(finished: Project) -> None:
    assert rows(finished, "select count(*) from marts.oversight_revision_flips") == [(0,)]
    [(cases, recorded)] = rows(
        finished, "select count(*), count(*) filter (where is_recorded) from marts.oversight_cases"
    )
    assert recorded == cases > 0


def test_a_broken_promise_leaves_everything_that_is_served_as_it_was(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copy_of(finished, tmp_path / "data")
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    for path in finished.contracts_folder.glob("*.yml"):
        (contracts / path.name).write_bytes(path.read_bytes())
    broken = contracts / "national_compliance.yml"
    broken.write_text(
        broken.read_text(encoding="utf-8")
        .replace("must_be_greater_than: 0", "must_be_greater_than: 1000000", 1)
        .replace("level: warn", "level: error", 1),
        encoding="utf-8",
    )
    kept = {name: files_of(project.data_root / name) for name in ("register", "releases", "restricted")}
    before = project.warehouse.current()
    with monkeypatch.context() as patch:
        patch.setattr(Project, "contracts_folder", property(lambda self: contracts))
        report = run_all(project)
    assert not report.success
    assert len(report.failures) == 1
    assert report.failures[0].startswith("Check 'contract' on marts.national_compliance: 1 of ")
    assert project.warehouse.current() == before
    assert {name: files_of(project.data_root / name) for name in kept} == kept
    outcomes = [json.loads(path.read_text()) for path in project.root.checks.glob("b*.json")]
    assert sorted(outcome["failed"] for outcome in outcomes if "failed" in outcome) == [0, 1]

    # With the promise as it was, the build that is served is the right one again: nothing is built.
    forbid_dbt(monkeypatch)
    assert reasons_to_run(project, project.due_quarters(), "final") == []
    assert run_all(project).success
