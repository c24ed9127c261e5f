"""A draft: the public tables of a build, audited until they are safe, written, with what stands behind them.

Belongs here: what a draft is made from, and in which order. Does not: approving and publishing (promoting),
the terminal.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.dbt import ensure_manifest, read_json
from orchestration.releasing import ReleaseError
from orchestration.releasing.promoting import (
    AUDIT,
    AUDIT_PAGE,
    BEHIND,
    EARLIER_CELLS,
    LEDGER,
    RELATIONS,
    SOURCES,
    SUPPRESSIONS,
    TRUTH,
    Releases,
    faults_of_record,
    not_as_built,
    sums_of,
)
from orchestration.releasing.tables import CELLS, Earlier, EarlierCells, PublicTables, models_like
from orchestration.releasing.tables import RELATIONS as RELATION_MODELS
from orchestration.rendering import relation
from quality.disclosure.audit import Audit, audit
from quality.disclosure.knowledge import Relation, relations_of
from quality.disclosure.ledger import LedgerRow, ledger_bytes, ledger_of, read_ledger
from quality.disclosure.mend import (
    Mended,
    Suppression,
    audit_until_safe,
    levels_of,
    read_suppressions,
    suppressions_bytes,
)
from quality.disclosure.report import audit_document, html_bytes
from quality.disclosure.report import json_bytes as report_bytes
from quality.disclosure.rules import Rules, criteria_of
from reports.files import publish_folder
from reports.release import tables as table_files
from reports.release.changes import changes_between, first_version, published_rows
from reports.release.checksums import CHECKSUMS
from reports.release.draft import draft_files
from reports.release.encoding import json_bytes, sha256
from reports.release.exposures import exposed_tables
from reports.release.journal import AUDITED, BUILT, PUBLISHED, VersionState, current_of
from reports.release.publication import Publication
from reports.release.read import read_publication
from reports.release.versions import Planned

if TYPE_CHECKING:
    import duckdb

    from quality.disclosure.model import Criteria

#: Libraries whose version may change the bytes of a file.
WRITING_PACKAGES = ("duckdb", "pyarrow", "XlsxWriter", "odfpy", "jinja2")
WORKERS = 2
#: Levels of a cell: its rate as a band only, its base only, nothing.
BAND, BASE, NOTHING = 1, 2, 3
#: Why a cell is withheld that an earlier version of its quarter's release withheld, whatever it is now.
STAYS = "withheld in an earlier version"

Told = Callable[[str], None]


def silent(sentence: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Before:
    """Everything that is public before a release, or is to be: it is known to whoever tries to undo it.

    `order` names the releases as they were, and will be, published; `ledgers` gives the hash of each one's
    ledger, `relations` the first of them that each definition held in. `suppressions` and `earlier_cells` are
    of what was published only.
    """

    order: tuple[str, ...]
    ledger: tuple[LedgerRow, ...]
    ledgers: Mapping[str, str]
    truth: tuple[Mapping[str, Any], ...]
    relations: Mapping[Relation, str]
    suppressions: tuple[Suppression, ...]
    earlier_cells: EarlierCells


@dataclass(frozen=True)
class Drafted:
    """A draft on the disk: how it stands, where it lies, and whether this call changed anything."""

    state: VersionState
    folder: Path
    record: Path
    rows: Mapping[str, int]
    rounds: int
    withheld: int
    changed: bool


def before(releases: Releases, period_code: str, issued_on: date) -> Before:
    """What is public before a release of that quarter and day: all publications, and drafts that come first.

    Raises ReleaseError if a record is missing, for then nobody knows what an audit should know.
    """
    states = releases.journal.states()
    published = sorted(
        (state for state in states.values() if state.was_published),
        key=lambda state: state.events[PUBLISHED].sequence,
    )
    coming = sorted(
        (
            state
            for state in states.values()
            if not state.was_published
            and state.period_code != period_code
            and state.detail(AUDITED, "passed")
            and releases.draft(state.period_code, state.version).is_dir()
            and (state.detail(BUILT, "issued_on"), state.period_code) < (issued_on.isoformat(), period_code)
        ),
        key=lambda state: (state.detail(BUILT, "issued_on"), state.period_code),
    )
    ledger: list[LedgerRow] = []
    truth: list[Mapping[str, Any]] = []
    relations: dict[Relation, str] = {}
    ledgers: dict[str, str] = {}
    for state in (*published, *coming):
        record = releases.record(state.period_code, state.version)
        ledgers[state.release_id] = sha256(_kept(record / LEDGER))
        if faults := faults_of_record(releases, state):
            raise ReleaseError(
                f"{faults[0]} is not the one that was written with {state.release_id}, and every audit after"
                f" it needs it; {_restored(releases, state)}"
            )
        ledger += read_ledger(record / LEDGER)
        truth += _read_truth(record)
        for found in relations_of(read_rows(record / RELATIONS)):
            relations.setdefault(found, state.release_id)
    withheld: set[Suppression] = set()
    earlier: dict[str, Earlier] = {}
    for state in published:
        record = releases.record(state.period_code, state.version)
        withheld.update(read_suppressions(record / SUPPRESSIONS))
        exact = _read_truth(record)
        earlier |= cells_of(exact)
        if state.period_code == period_code:
            withheld.update(stays_withheld(read_ledger(record / LEDGER), exact))
    order = tuple(state.release_id for state in (*published, *coming))
    return Before(order, tuple(ledger), ledgers, tuple(truth), relations, tuple(sorted(withheld)), earlier)


def stays_withheld(ledger: Sequence[LedgerRow], truth: Sequence[Mapping[str, Any]]) -> Iterator[Suppression]:
    """What a version did not give of its cells, as levels that hold for every later version of its quarter.

    `ledger` and `truth` are the version's own. A count has no cases met that could be withheld.
    """
    given: dict[str, set[str]] = {}
    for row in ledger:
        if row.cell_id is not None:
            given.setdefault(row.cell_id, set()).add(f"{row.measure} {row.form}")
    for cell in truth:
        said = given.get(cell["cell_id"], set())
        if "base rounded" not in said:
            level = NOTHING
        elif cell["met_count"] is None or "met rounded" in said:
            continue
        else:
            level = BAND if any("_band" in each for each in said) else BASE
        yield Suppression(cell["cell_id"], level, STAYS)


def with_earlier(
    rows: Sequence[Mapping[str, Any]], earlier: Mapping[Relation, str], release_id: str
) -> list[dict[str, Any]]:
    """Definitions of a draft's build, and those that held when an earlier release was made and differ.

    A revised figure may break a definition that held of the figures before it, and those are still known. The
    older one is named after its release. `earlier` gives the first release that each held in; one that is not
    among them is new since `release_id`.
    """
    own = relations_of(rows)
    said = set(own)
    all_of_them = [
        *(replace(found, since=None if found in earlier else release_id) for found in own),
        *(
            replace(found, relation_id=f"{found.relation_id} in {release}")
            for found, release in earlier.items()
            if found not in said
        ),
    ]
    return [
        {
            "relation_id": found.relation_id,
            "cell_id": cell_id,
            "measure": measure,
            "coefficient": coefficient,
            "kind": found.kind,
            "since": found.since,
        }
        for found in all_of_them
        for cell_id, measure, coefficient in found.terms
    ]


def build_draft(
    releases: Releases, planned: Planned, tables: PublicTables, build_id: str, told: Told = silent
) -> Drafted:
    """Make the draft of a planned version: audited until it is safe, written, noted in the journal.

    `tables` are of the build `build_id`. Other drafts of the quarter go. What is the same as before is left
    as it is, with its approval. Raises DisclosureError if no withholding makes it safe: then there is none.
    """
    known = before(releases, planned.period_code, planned.issued_on)
    release_id = f"{planned.period_code}/v{planned.version}"
    told(f"{release_id}: public tables")
    rules, criteria = rules_of(releases.project.seeds_folder)
    made = _Maker(releases, tables, planned, known, rules)
    truth = truth_of_release(made.con, planned.period_code)
    relations = relations_of_build(made.con)
    mended = audit_until_safe(
        made.ledger,
        [*known.truth, *({**row, "release_id": release_id} for row in truth)],
        with_earlier(relations, known.relations, release_id),
        criteria,
        rules=rules,
        candidate=release_id,
        suppressions=known.suppressions,
        order=(*known.order, release_id),
        workers=WORKERS,
        progress=lambda said: told(f"{release_id}: {said}"),
    )
    told(f"{release_id}: files")
    publication = made.publication_with_changes()
    files = draft_files(publication)
    own = [row for row in mended.ledger if row.release_id == release_id]
    record = {
        LEDGER: ledger_bytes(own),
        TRUTH: rows_bytes(truth, _TRUTH_TYPES),
        RELATIONS: rows_bytes(relations, _RELATION_TYPES),
        SUPPRESSIONS: suppressions_bytes(mended.suppressions),
        EARLIER_CELLS: rows_bytes(
            [
                dict(zip(_TRUTH_TYPES, (cell_id, *values), strict=True))
                for cell_id, values in sorted(known.earlier_cells.items())
            ],
            _TRUTH_TYPES,
        ),
        SOURCES: json_bytes(sources(releases, planned, build_id)),
        CHECKSUMS: files[CHECKSUMS],
        **audit_files(mended.audit, mended),
    }
    return _keep(releases, planned, publication, files, record, known, mended)


class _Maker:
    """Makes the tables of a draft with what the audit wants withheld, and reads their ledger."""

    def __init__(
        self,
        releases: Releases,
        tables: PublicTables,
        planned: Planned,
        known: Before,
        rules: Mapping[int, Rules],
    ) -> None:
        self.releases, self.tables, self.planned, self.known = releases, tables, planned, known
        self.rules = rules
        self.exposures = exposed_tables(read_json(ensure_manifest(releases.project.dbt_folder)))
        self.con = tables.put(levels_of(known.suppressions), known.earlier_cells)
        self.publication: Publication | None = None

    def ledger(self, suppressions: Sequence[Suppression]) -> list[LedgerRow]:
        """Everything published before, and the numbers of the draft's own Parquet files."""
        self.con = self.tables.put(levels_of(suppressions), self.known.earlier_cells)
        self.publication = read_publication(
            self.con,
            self.planned.period_code,
            self.exposures,
            version=str(self.planned.version),
            issued_on=self.planned.issued_on,
            previous=str(self.planned.previous) if self.planned.previous else None,
            reason=self.planned.reason,
        )
        with scratch_folder(self.releases) as folder:
            for name, content in table_files.write(self.publication, {}).items():
                (folder / name).write_bytes(content)
            own = ledger_of(
                folder, release_id=self.publication.release_id, rules=self.rules, earlier=self.known.ledger
            )
        return [*self.known.ledger, *own]

    def publication_with_changes(self) -> Publication:
        """The tables that passed, with what changed since the version that is public."""
        if self.publication is None:
            raise ReleaseError("No table was made, so there is nothing to release.")
        current = current_of(self.releases.journal.states().values(), self.planned.period_code)
        previous = str(self.planned.previous) if self.planned.previous else None
        changes = changes_of(
            self.releases, self.publication, current, previous=previous, reason=self.planned.reason
        )
        return replace(self.publication, changes=changes)


def changes_of(
    releases: Releases,
    publication: Publication,
    current: VersionState | None,
    *,
    previous: str | None,
    reason: str,
) -> dict[str, Any]:
    """The content of changes.json: against the version that is public, if there is one.

    Where the version before was withdrawn there is nothing public to compare with, and it says so.
    """
    tree = releases.public.current()
    if current is None or tree is None:
        told = first_version(reason)
        if previous is not None:
            told |= {"previous": previous, "is_first_version": False, "is_previous_withdrawn": True}
        return told
    old = published_rows(tree / "releases" / current.release_id, publication.tables)
    return changes_between(old, publication.tables, previous=str(current.version), reason=reason)


def audit_again(releases: Releases, state: VersionState, told: Told = silent) -> Audit:
    """Audit a draft as it lies there against everything that is public now, and note what came of it.

    Nothing is withheld by it: `vcc release build` does that. Raises ReleaseError if the draft or what stands
    behind it is not as it was built, or if a record is missing.
    """
    folder = releases.draft(state.period_code, state.version)
    record = releases.record(state.period_code, state.version)
    if refusals := not_as_built(releases, state):
        raise ReleaseError(f"{state.release_id} is not audited. {refusals[0]}")
    known = before(releases, state.period_code, date.fromisoformat(state.detail(BUILT, "issued_on")))
    rules, criteria = rules_of(releases.project.seeds_folder)
    release_id = state.release_id
    own = ledger_of(folder, release_id=release_id, rules=rules, earlier=known.ledger)
    truth = [{**row, "release_id": release_id} for row in read_rows(record / TRUTH)]
    found = audit(
        [*known.ledger, *own],
        [*known.truth, *truth],
        with_earlier(read_rows(record / RELATIONS), known.relations, release_id),
        criteria,
        rules=rules,
        candidate=release_id,
        order=(*known.order, release_id),
        workers=WORKERS,
        progress=told,
    )
    kept = {path.name: path.read_bytes() for path in record.iterdir() if path.is_file()}
    publish_folder(record, {**kept, LEDGER: ledger_bytes(own), **audit_files(found, None)})
    releases.note(
        _audited(releases, state.period_code, str(state.version), sums_of(folder), found.passes, known)
    )
    return found


def _audited(
    releases: Releases, period_code: str, version: str, sums: str, passed: bool, known: Before
) -> Any:
    record = releases.record(period_code, version)
    return releases.entry(
        AUDITED,
        period_code,
        version,
        passed=passed,
        sums_sha256=sums,
        audit_sha256=sha256(_kept(record / AUDIT)),
        ledger_sha256=sha256(_kept(record / LEDGER)),
        knew=dict(known.ledgers),
    )


def _keep(
    releases: Releases,
    planned: Planned,
    publication: Publication,
    files: Mapping[str, bytes],
    record: Mapping[str, bytes],
    known: Before,
    mended: Mended,
) -> Drafted:
    """Put draft and record in place, then note them; what is the same as before is left as it is."""
    code, version = planned.period_code, str(planned.version)
    sums = sha256(files[CHECKSUMS])
    draft_folder, record_folder = releases.draft(code, version), releases.record(code, version)
    states = releases.journal.states()
    state = states.get((code, planned.version))
    if state is not None and state.was_published:
        raise ReleaseError(f"{state.release_id} was published and stays as it is.")
    for other in sorted(draft_folder.parent.glob("v*")):
        if other != draft_folder:
            shutil.rmtree(other)
    behind = {name: sha256(record[name]) for name in BEHIND}
    is_same = (
        state is not None
        and draft_folder.is_dir()
        and state.detail(BUILT, "sums_sha256") == sums
        and bool(state.detail(AUDITED, "passed"))
        and state.detail(AUDITED, "knew") == dict(known.ledgers)
        and state.detail(AUDITED, "ledger_sha256") == sha256(record[LEDGER])
        # sources may differ: another build that gives the same is no reason to approve the same again
        and {**(state.detail(BUILT, "record_sha256") or {}), SOURCES: behind[SOURCES]} == behind
        and not faults_of_record(releases, state)
        and all((record_folder / name).is_file() for name in record)
    )
    publish_folder(draft_folder, files, last=(CHECKSUMS,))
    if not is_same:
        publish_folder(record_folder, record, last=(CHECKSUMS,))
        shown = [row for table in publication.tables for row in published_as(table)]
        releases.note(
            releases.entry(
                BUILT,
                code,
                version,
                edition=planned.edition,
                change=planned.change,
                issued_on=planned.issued_on.isoformat(),
                previous=str(planned.previous) if planned.previous else None,
                reason=planned.reason,
                sums_sha256=sums,
                record_sha256=behind,
                cells=len(shown),
                cells_published=sum(word != "suppressed" for word in shown),
            ),
            _audited(releases, code, version, sums, mended.audit.passes, known),
        )
    return Drafted(
        releases.find(code, version),
        draft_folder,
        record_folder,
        {table.name: len(table.rows) for table in publication.tables},
        mended.rounds,
        len(mended.added),
        not is_same,
    )


def published_as(table: Any) -> Iterator[str]:
    """How each cell of a table is published, if the table says so; cells without a figure are left out."""
    if "published_as" in table.column_names:
        place = table.column_names.index("published_as")
        yield from (str(row[place]) for row in table.rows if row[place] is not None)


def sources(releases: Releases, planned: Planned, build_id: str) -> dict[str, Any]:
    """What a draft was made from: enough to make it again, and to say why it comes out otherwise."""
    from ingest.receipts import Ledger
    from ingest.removals import RemovalLog

    project = releases.project
    receipts = Ledger(project.root.receipts).read()
    removals = RemovalLog(project.root.removals).read()
    return {
        "release_id": f"{planned.period_code}/v{planned.version}",
        "edition": planned.edition,
        "change": planned.change,
        "issued_on": planned.issued_on.isoformat(),
        "reason": planned.reason,
        "previous": str(planned.previous) if planned.previous else None,
        "made_on": project.today.isoformat(),
        "build_id": build_id,
        "inputs_id": project.inputs_id(),
        "receipts": len(receipts),
        "last_receipt_hash": receipts[-1].hash if receipts else None,
        "removals": len(removals),
        "last_removal_hash": removals[-1].hash if removals else None,
        "journal_entries": len(releases.journal.read()),
        "code": project.output_code,
        "libraries": {name: metadata.version(name) for name in WRITING_PACKAGES},
    }


def rules_of(seeds_folder: Path) -> tuple[dict[int, Rules], Criteria]:
    """Every version of the disclosure rules, and when a value is open enough by the latest one."""
    with (seeds_folder / "disclosure_rules.csv").open(newline="", encoding="utf-8") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: int(row["rule_version"]))
    if not rows:
        raise ReleaseError(f"{seeds_folder / 'disclosure_rules.csv'} holds no version of the rules; add one.")
    return {int(row["rule_version"]): Rules.of(row) for row in rows}, criteria_of(rows[-1])


def truth_of_release(con: duckdb.DuckDBPyConnection, period_code: str) -> list[dict[str, Any]]:
    """The exact counts behind every cell that a release carries, by cell_id."""
    parts = []
    for name in models_like(CELLS):
        columns = [row[0] for row in con.execute(f"describe {relation(name)}").fetchall()]
        whose = next((each for each in ("release_period_code", "period_code") if each in columns), None)
        where = (
            f"{whose} = $period"
            if whose
            else f"year_code in (select year_code from {relation('int_public_years')}"
            " where release_period_code = $period)"
        )
        parts.append(
            "select cell_id, cast(base_count as bigint) as base_count,"
            " cast(met_count as bigint) as met_count, is_revised"
            f" from {relation(name)} where {where} and base_count is not null"
        )
    rows = con.execute(f"{' union all '.join(parts)} order by cell_id", {"period": period_code}).fetchall()
    return [dict(zip(_TRUTH_TYPES, row, strict=True)) for row in rows]


def relations_of_build(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """What definitions say of the true counts, as every reader may know it."""
    columns = ", ".join(_RELATION_TYPES)
    names = models_like(RELATION_MODELS)
    if not names:
        return []
    union = " union all ".join(f"select {columns} from {relation(name)}" for name in names)
    rows = con.execute(f"select {columns} from ({union}) as relations order by {columns}").fetchall()
    return [dict(zip(_RELATION_TYPES, row, strict=True)) for row in rows]


_TRUTH_TYPES = {"cell_id": "string", "base_count": "int64", "met_count": "int64", "is_revised": "bool"}
_RELATION_TYPES = {
    "relation_id": "string",
    "cell_id": "string",
    "measure": "string",
    "coefficient": "int32",
    "kind": "string",
}


def rows_bytes(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> bytes:
    """Rows as Parquet that depends on its content only."""
    import pyarrow as pa

    from quality.disclosure.ledger import parquet_bytes

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in types.items()])
    return parquet_bytes(schema, {name: [row[name] for row in rows] for name in types})


def cells_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Earlier]:
    """Rows of exact values by cell_id, as the tables of a later release take them."""
    return {row["cell_id"]: (row["base_count"], row["met_count"], bool(row["is_revised"])) for row in rows}


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a table of a record. Raises ReleaseError if it is missing."""
    import pyarrow.parquet as pq

    _kept(path)
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _read_truth(record: Path) -> list[dict[str, Any]]:
    release_id = f"{record.parent.name}/{record.name}"
    return [{**row, "release_id": release_id} for row in read_rows(record / TRUTH)]


def _restored(releases: Releases, state: VersionState) -> str:
    if state.was_published:
        return f"restore {releases.project.root.records} from a backup. Until then nothing can be audited."
    return f"`vcc release build {state.period_code}` makes it anew."


def _kept(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ReleaseError(
            f"{path} is missing, so nobody can say what was published; restore it from a backup."
        ) from None


@contextmanager
def scratch_folder(releases: Releases) -> Iterator[Path]:
    """A folder of its owner's beside the drafts, gone at the end; what a killed run left goes first."""
    drafts = releases.project.root.drafts
    drafts.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in drafts.glob(".audit-*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=".audit-", dir=drafts) as name:
        yield Path(name)


def audit_files(found: Audit, mended: Mended | None) -> dict[str, bytes]:
    """The report of an audit: audit.json, which two runs share, and the page, which tells the time too."""
    document = (
        audit_document(found, mended.suppressions, mended.added, mended.rounds)
        if mended
        else audit_document(found)
    )
    shared = {name: value for name, value in document.items() if name != "seconds"}
    return {AUDIT: report_bytes(shared), AUDIT_PAGE: html_bytes(document)}
