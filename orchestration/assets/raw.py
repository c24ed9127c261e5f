"""raw: accepted returns as typed Parquet.

The sheets of quarterly returns are partitioned by quarter; what is not about one quarter (receipts, problems,
the calendar, the 2019/20 audit) is not. A run for one quarter still brings every quarter up to date, which
costs nothing where nothing is new: the warehouse must never lack a return that has been accepted.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration.assets.receiving import ORIGINALS, RECEIPTS
from orchestration.metadata import link, markdown_table
from orchestration.pending import RAW_NOTE, raw_source
from orchestration.periods import ONE_RUN, QUARTERS
from orchestration.project import Project, codes
from orchestration.resources import OneRunAtATime, Progress

if TYPE_CHECKING:
    from ingest.form import Form
    from ingest.period import Period

LEDGER_TABLES = {
    "receipts": "One row a receipt, accepted or not.",
    "problems": "One row a problem found in a return.",
    "forms": "One row a version of a form, with its dates and how often it is due.",
    "periods": "One row a period known to the warehouse, with its dates and deadlines.",
    "working_days": "One row a day, with the number of working days through it.",
}


def raw_key(table: str) -> dg.AssetKey:
    """Return the key of a raw table: <kind>_<sheet>, or one of the ledger's tables."""
    return dg.AssetKey(["raw", table])


def raw_specs(project: Project) -> list[dg.AssetSpec]:
    """Return one asset a sheet of every kind of form, and one a table of the ledger."""
    specs = [
        dg.AssetSpec(
            raw_key(table), deps=[RECEIPTS], group_name="raw", kinds={"parquet"}, description=description
        )
        for table, description in LEDGER_TABLES.items()
    ]
    seen = set()
    for form in project.forms:
        for sheet in form.sheets:
            table = f"{form.kind}_{sheet.name}"
            if table in seen:
                continue
            seen.add(table)
            specs.append(
                dg.AssetSpec(
                    raw_key(table),
                    deps=[ORIGINALS, RECEIPTS],
                    group_name="raw",
                    kinds={"parquet"},
                    partitions_def=QUARTERS if _is_by_run_period(form) else None,
                    description=f"Rows of the sheet '{sheet.name}' of accepted {form.kind} returns, as sent.",
                )
            )
    return specs


def _is_by_run_period(form: "Form") -> bool:
    """Say whether returns of a form are for periods that a run can be for: past ones, and no whole years."""
    return form.timing == "after" and form.frequency != "year"


def build_raw_assets(project: Project) -> dg.AssetsDefinition:
    """Return the step that compacts accepted returns, one Parquet file a kind, sheet and period."""

    @dg.multi_asset(name="compact", specs=raw_specs(project), backfill_policy=ONE_RUN, can_subset=True)
    def compact(
        context: dg.AssetExecutionContext,
        project: dg.ResourceParam[Project],
        progress: dg.ResourceParam[Progress],
        one_run_at_a_time: OneRunAtATime,
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Write what is new and leave what is not."""
        from ingest.raw import build_raw

        due = project.due_quarters()
        asked = [project.quarter(code) for code in context.partition_keys]
        periods = sorted({*due, *asked, *accepted_periods(project)})
        summary = build_raw(
            project.root,
            project.reference,
            project.forms,
            periods,
            through=due[-1] if due else periods[-1],
            progress=progress,
            limits=project.limits,
        )
        project.output_notes.note(RAW_NOTE, RAW_NOTE, raw_source(project))
        written = markdown_table(
            ("file", "bytes"),
            [(path.relative_to(project.root.raw), path.stat().st_size) for path in summary.written],
        )
        for spec in raw_specs(project):
            if spec.key not in context.selected_asset_keys:
                continue
            folder = raw_folder(project, spec.key.path[-1])
            common: dict[str, Any] = {
                "folder": link(folder),
                "files written": len(summary.written),
                "written": written,
            }
            if spec.partitions_def is None:
                yield dg.MaterializeResult(
                    asset_key=spec.key, metadata={**common, "dagster/row_count": parquet_rows(folder)}
                )
                continue
            for code in codes(asked):
                context.add_asset_metadata(
                    {"dagster/row_count": parquet_rows(folder, code)}, asset_key=spec.key, partition_key=code
                )
            yield dg.MaterializeResult(asset_key=spec.key, metadata=common)

    return compact


def accepted_periods(project: Project) -> "list[Period]":
    """Return every period for which a return has been accepted."""
    from ingest.period import Period
    from ingest.receipts import Ledger

    return sorted(
        {
            Period.parse(receipt.period_code)
            for receipt in Ledger(project.root.receipts).read()
            if receipt.period_code and receipt.is_accepted
        }
    )


def raw_folder(project: Project, table: str) -> Path:
    """Return the folder of a raw table."""
    if table in LEDGER_TABLES:
        return project.root.raw / table
    for form in project.forms:
        for sheet in form.sheets:
            if table == f"{form.kind}_{sheet.name}":
                return project.root.raw_sheet(form.kind, sheet.name)
    raise KeyError(f"No form has a sheet for the raw table {table}.")


def parquet_rows(folder: Path, period_code: str | None = None) -> int:
    """Return the rows of a raw table, of one period or of all, from the files' own counts."""
    import pyarrow.parquet as pq

    files: Sequence[Path] = sorted(folder.glob(f"{period_code or '*'}.parquet"))
    return sum(pq.read_metadata(file).num_rows for file in files)
