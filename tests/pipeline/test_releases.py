"""The sample's drafts, published on a copy: what is public is what was approved, to the last figure."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestration.pending import RELEASE_OUTPUT, reasons_to_run
from orchestration.project import Project, codes
from orchestration.releasing import ReleaseError
from orchestration.releasing.backtest import backtest
from orchestration.releasing.promoting import AUDIT, SOURCES, Releases, approve, listing, publish, read_json
from orchestration.releasing.validating import validated
from orchestration.releasing.walking import walk
from reports.release.journal import AUDITED, PUBLISHED
from tests.pipeline.pictures import files_of
from tests.pipeline.scenario import copy_of

ROLE = {"role": "head of statistics", "reason": "Figures agree with the local reviews."}


def test_every_quarter_is_drafted_audited_and_under_embargo(finished: Project) -> None:
    releases = Releases(finished)
    drafted = [line for line in listing(releases) if line.version]
    assert [(line.period_code, line.version) for line in drafted] == [
        (code, "1.0.0") for code in codes(finished.due_quarters())
    ]
    assert {line.state for line in drafted} == {AUDITED}
    assert not finished.root.public.exists()
    assert not finished.root.publications.exists()
    for folder in (finished.root.drafts, finished.root.records):
        for path in (folder, *folder.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_no_cell_is_exposed_and_each_audit_knew_the_drafts_before(finished: Project) -> None:
    releases = Releases(finished)
    known: list[str] = []
    for state in releases.journal.states().values():
        found = read_json(releases.record(state.period_code, state.version) / AUDIT)
        assert (found["passes"], found["exposed"]) == (True, [])
        assert found["releases"] == [*known, state.release_id]
        known.append(state.release_id)


def test_a_record_says_what_it_was_made_from(finished: Project) -> None:
    from ingest.receipts import Ledger

    sources = read_json(Releases(finished).record("2025-26-Q1", "1.0.0") / SOURCES)
    build = finished.warehouse.current()
    assert build is not None
    assert (sources["build_id"], sources["inputs_id"]) == (build.build_id, finished.inputs_id())
    assert sources["last_receipt_hash"] == Ledger(finished.root.receipts).read()[-1].hash


@pytest.fixture(scope="module")
def published(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """A copy of the finished data root with its first two quarters published."""
    releases = Releases(copy_of(finished, tmp_path_factory.mktemp("published") / "data"))
    for code in codes(releases.project.due_quarters())[:2]:
        outcomes = validated(releases, releases.find(code))
        assert not any(outcomes.values()), outcomes
        approve(releases, code, None, **ROLE, outcomes=outcomes)
        publish(releases, code)
    return releases


def test_every_public_figure_was_approved(published: Releases) -> None:
    assert walk(published) == []
    tree = published.project.root.public
    assert len(list(tree.rglob("local_compliance.csv"))) == 2
    latest = json.loads((tree / "releases" / "latest.json").read_bytes())
    assert latest["latest"]["period_code"] == codes(published.project.due_quarters())[1]


@contextmanager
def _other_bytes(releases: Releases, path: Path, change: Callable[[bytes], bytes]) -> Iterator[None]:
    """Another file in a public file's place, for a while."""
    kept = path.rename(releases.project.data_root / "aside")
    path.write_bytes(change(kept.read_bytes()))
    path.chmod(0o444)
    try:
        yield
    finally:
        kept.rename(path)


def _planted_in_csv(content: bytes) -> bytes:
    """The file with one figure changed by one."""
    lines = list(csv.reader(content.decode().splitlines()))
    column = lines[0].index("case_count")
    place = next(number for number, line in enumerate(lines) if number and line[column])
    lines[place][column] = str(int(lines[place][column]) + 1)
    return b"".join(",".join(line).encode() + b"\r\n" for line in lines)


def _planted_in_parquet(content: bytes) -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    values = table.column("case_count").to_pylist()
    place = next(number for number, value in enumerate(values) if value)
    values[place] += 5
    column = table.column_names.index("case_count")
    stream = io.BytesIO()
    pq.write_table(table.set_column(column, "case_count", pa.array(values, pa.int64())), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "plant", "said"),
    [
        ("local_compliance.csv", _planted_in_csv, "does not say what local_compliance.parquet says"),
        ("local_compliance.parquet", _planted_in_parquet, "was never approved"),
        ("README.txt", lambda content: content + b"17 victims in Essex\r\n", "is not the file that"),
        ("index.html", lambda content: content + b"<p>17</p>", "is not the page that belongs there"),
    ],
)
def test_a_figure_planted_in_public_is_found(
    published: Releases, name: str, plant: Callable[[bytes], bytes], said: str
) -> None:
    tree = published.project.root.public.resolve()
    with _other_bytes(published, tree / "releases" / "2025-26-Q1" / "v1.0.0" / name, plant):
        faults = walk(published)
    assert any(said in fault for fault in faults), faults[:3]
    assert walk(published) == []


def test_a_file_planted_in_public_is_found(published: Releases) -> None:
    planted = published.project.root.public.resolve() / "releases" / "2025-26-Q1" / "exact.csv"
    planted.write_text("area,count\r\nE1,17\r\n")
    try:
        assert any("exact.csv was never approved" in fault for fault in walk(published))
    finally:
        planted.unlink()


def test_an_unpublished_quarter_is_nowhere_public(published: Releases) -> None:
    open_ = codes(published.project.due_quarters())[2:]
    for path in published.project.root.publications.rglob("*"):
        assert not any(code in str(path) for code in open_), path
        if path.suffix in (".csv", ".json", ".txt"):
            own = path.relative_to(published.project.root.publications).parts
            if len(own) > 3:
                assert not any(f"{code}," in path.read_text(encoding="utf-8") for code in open_), path


def test_a_quarter_whose_day_has_not_come_stays_under_embargo(published: Releases) -> None:
    code = codes(published.project.due_quarters())[-1]
    with pytest.raises(ReleaseError, match="under embargo until 17 December 2026, 09:30"):
        publish(published, code)


def test_a_published_quarter_is_drafted_anew_only_for_its_revision(published: Releases) -> None:
    project = published.project
    first, third = project.due_quarters()[0], project.due_quarters()[2]
    assert published.find(first.code).state == PUBLISHED
    # all quarters of 2025-26 are revised on 17 September 2026, which is past on the sample's day
    [reason] = reasons_to_run(project, [first], "final")
    assert RELEASE_OUTPUT in reason
    assert reasons_to_run(project, [third], "final") == []


def test_a_release_comes_out_of_its_receipts_byte_for_byte(finished: Project, tmp_path: Path) -> None:
    releases = Releases(finished)
    before = files_of(finished.data_root)
    folder = tmp_path / "again"
    assert backtest(releases, "2025-26-Q1", "1.0.0", folder) == []
    assert (folder / "warehouse" / "current").is_symlink()
    assert files_of(finished.data_root) == before
