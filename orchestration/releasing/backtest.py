"""A release made again from its receipts, in a data root of its own, and compared byte for byte.

Belongs here: what such a data root needs. Does not: how a build or a draft is made (the job, drafting). What
was withheld, and what had been published before, are facts of the record; the audit is not run again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.heads import Head, write_head
from orchestration.dbt import ensure_manifest, read_json
from orchestration.project import Project, clock_for
from orchestration.releasing import ReleaseError
from orchestration.releasing.drafting import Told, cells_of, changes_of, read_rows, silent
from orchestration.releasing.promoting import EARLIER_CELLS, SOURCES, SUPPRESSIONS, Releases
from orchestration.releasing.promoting import read_json as read_record
from orchestration.releasing.tables import public_tables
from orchestration.vocabulary import PROVISIONAL
from quality.disclosure.mend import levels_of, read_suppressions
from reports.release.draft import draft_files
from reports.release.encoding import sha256
from reports.release.exposures import exposed_tables
from reports.release.journal import current_of, states_of
from reports.release.public_folder import CHECKSUMS, read_sums, sha256_of
from reports.release.read import read_publication

if TYPE_CHECKING:
    from orchestration.warehouse import Build


def backtest(
    releases: Releases, period_code: str, version: str, folder: Path | None = None, told: Told = silent
) -> list[str]:
    """Make a version again from the receipts it was made from; return what differs, a sentence each.

    Everything is made in `folder`, which must not be there yet and stays, or in a temporary one. Raises
    ReleaseError if there is no such version, if a receipt or its content is not there any more, or if the
    receipts cannot be built.
    """
    state = releases.find(period_code, version)
    record = releases.record(period_code, state.version)
    made_from = read_record(record / SOURCES)
    with _scratch(folder) as root:
        told("taking the receipts of then")
        scratch = data_root_of_then(releases.project, made_from, root)
        build = _built(scratch, told)
        told("making the files again")
        with public_tables(build.path) as tables:
            earlier = cells_of(read_rows(record / EARLIER_CELLS))
            con = tables.put(levels_of(read_suppressions(record / SUPPRESSIONS)), earlier)
            publication = read_publication(
                con,
                period_code,
                exposed_tables(read_json(ensure_manifest(releases.project.dbt_folder))),
                version=str(state.version),
                issued_on=date.fromisoformat(made_from["issued_on"]),
                previous=made_from["previous"],
                reason=made_from["reason"],
            )
        then = states_of(releases.journal.read()[: made_from["journal_entries"]])
        changes = changes_of(
            releases,
            publication,
            current_of(then.values(), period_code),
            previous=made_from["previous"],
            reason=made_from["reason"],
        )
        files = draft_files(replace(publication, changes=changes))
        differing = differences(files, record)
        if differing:
            differing += _other_sources(scratch, made_from)
        return differing


def differences(files: Mapping[str, bytes], record: Path) -> list[str]:
    """Files that are not those of the record's checksums, the checksums themselves included."""
    expected = {**read_sums(record), CHECKSUMS: sha256_of(record / CHECKSUMS)}
    found = {name: sha256(content) for name, content in files.items()}
    told = []
    for name in sorted({*expected, *found}):
        if name not in found:
            told.append(f"{name}: was made then, and is not made now.")
        elif name not in expected:
            told.append(f"{name}: is made now, and was not made then.")
        elif found[name] != expected[name]:
            told.append(
                f"{name}: SHA-256 begins with {found[name][:16]} now, with {expected[name][:16]} then."
            )
    return told


def data_root_of_then(project: Project, made_from: Mapping[str, Any], root: Path) -> Project:
    """A data root with the first receipts and removals of a project and its archive, on the day of then.

    The archive is a tree of hard links, so that nothing done there takes a file away from the real one.
    Raises ReleaseError if the ledger is not the one of then, or if the archive is not on this machine.
    """
    if project.archive_url is not None:
        raise ReleaseError(
            f"The archive lies in {project.archive_url}; copy it to this machine and unset VCC_ARCHIVE to"
            " make a release again."
        )
    scratch = Project(data_root=root, clock=clock_for(made_from["made_on"]))
    scratch.root.create()
    for ours, theirs, count, last_hash in (
        (project.root.receipts, scratch.root.receipts, made_from["receipts"], made_from["last_receipt_hash"]),
        (project.root.removals, scratch.root.removals, made_from["removals"], made_from["last_removal_hash"]),
    ):
        if not count:
            continue
        lines = ours.read_bytes().split(b"\n")[:count]
        if len(lines) < count or f'"hash":"{last_hash}"'.encode() not in lines[-1]:
            raise ReleaseError(
                f"{ours} does not begin with the {count:,} lines that the release was made from;"
                " `vcc ledger verify` says what is wrong with it."
            )
        theirs.write_bytes(b"".join(line + b"\n" for line in lines))
        write_head(theirs, Head(count, last_hash))
    shutil.copytree(project.root.archive, scratch.root.archive, copy_function=_linked, dirs_exist_ok=True)
    return scratch


def _linked(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
    return target


def _built(scratch: Project, told: Told) -> Build:
    """Build the quarters of then, provisionally: nothing is recorded, nothing drafted."""
    import dagster as dg

    from orchestration.runs import run_quarters

    with dg.DagsterInstance.ephemeral() as instance:
        report = run_quarters(
            scratch, instance, scratch.due_quarters(), PROVISIONAL, lambda what, done, total: told(what)
        )
    build = scratch.warehouse.current()
    if not report.success or build is None:
        said = " ".join(report.failures) or "no build was served"
        raise ReleaseError(f"The receipts of then cannot be built in {scratch.data_root}: {said}")
    return build


def _other_sources(scratch: Project, made_from: Mapping[str, Any]) -> list[str]:
    """What is not as it was when the version was made, and may be why it comes out otherwise."""
    reasons = []
    if scratch.inputs_id() != made_from["inputs_id"]:
        reasons.append("(The models, contracts, seeds, raw files or the engine are not those of then.)")
    if scratch.output_code != made_from["code"]:
        reasons.append("(The code that writes releases is not that of then.)")
    for name, then in made_from["libraries"].items():
        if metadata.version(name) != then:
            reasons.append(f"({name} is {metadata.version(name)} now and was {then}.)")
    return reasons


@contextmanager
def _scratch(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        if folder.exists():
            raise ReleaseError(f"{folder} is there already; name a folder that is not.")
        yield folder.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="vcc-backtest-") as name:
        yield Path(name) / "data"
