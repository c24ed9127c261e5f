"""`vcc release`: from a build to a publication, one step a command. Nothing is published by accident."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestration.commands import FAILED, OK, project_of, served_build
from orchestration.commands.site import renew_site
from orchestration.locking import run_lock
from orchestration.project import SettingError, sample_day
from orchestration.terminal import ProgressLine, table

if TYPE_CHECKING:
    from orchestration.project import Project
    from orchestration.releasing.promoting import Releases
    from reports.release.journal import VersionState

WAIT_SECONDS = 30.0
#: So many files of the site are named that are not as they were made.
MOST_FAULTS = 20


def run(options: argparse.Namespace) -> int:
    """Do one step of a release."""
    from ingest.erasure import ErasureError
    from orchestration.releasing.promoting import Releases

    project = project_of(options)
    try:
        return _ACTIONS[options.action](Releases(project), options)
    except ErasureError as error:  # role or reason that may not be kept
        raise SettingError(str(error)) from None


@contextmanager
def _alone(project: Project, action: str) -> Iterator[None]:
    project.root.create()
    with run_lock(
        project.data_root,
        f"vcc release {action}",
        wait_seconds=WAIT_SECONDS,
        on_wait=lambda said: print(said, file=sys.stderr),
    ):
        yield


def _build(releases: Releases, options: argparse.Namespace) -> int:
    from orchestration.releasing.drafting import build_draft
    from orchestration.releasing.promoting import settle
    from orchestration.releasing.tables import public_tables
    from orchestration.releasing.validating import validated
    from reports.release.versions import MAJOR, PATCH

    project = releases.project
    quarter = project.quarter(options.period)
    if not project.is_reviewed(quarter):
        raise SettingError(
            f"The joint local review of {quarter.code} may last through"
            f" {project.review_due_on(quarter):%-d %B %Y}; its release is drafted after it."
        )
    change = PATCH if options.patch else MAJOR if options.major else None
    build = served_build(project)
    with _alone(project, "build"):
        settle(releases)
        planned = releases.planned(quarter.code, change, options.reason)
        if planned is None:
            raise SettingError(
                f"{quarter.code} is published, and the calendar has no revision of it in the next fortnight."
                " For a correction add --patch, for another meaning or other columns --major, with --reason."
            )
        progress = ProgressLine(sys.stderr)
        try:
            with public_tables(build.path) as tables:
                drafted = build_draft(
                    releases, planned, tables, build.build_id, lambda said: progress(said, 0, 0)
                )
            outcomes = validated(releases, drafted.state, lambda said: progress(said, 0, 0))
        finally:
            progress.close()
    print(f"{drafted.state.release_id}: {'drafted' if drafted.changed else 'drafted already, unchanged'}.")
    print(table(("table", "rows"), sorted(drafted.rows.items())))
    print(
        f"The audit passed in round {drafted.rounds}; {drafted.withheld} figures withheld beyond the rules."
    )
    code = _told_outcomes(outcomes)
    print(f"Draft (under embargo): {drafted.folder}\nWhat stands behind it: {drafted.record}")
    if code == OK:
        print(_next_step(releases, drafted.state))
    return code


def _audit(releases: Releases, options: argparse.Namespace) -> int:
    from orchestration.releasing.drafting import audit_again
    from orchestration.releasing.promoting import AUDIT_PAGE, settle

    with _alone(releases.project, "audit"):
        settle(releases)
        state = releases.find_draft(options.period, options.version)
        progress = ProgressLine(sys.stderr)
        try:
            found = audit_again(releases, state, lambda said: progress(said, 0, 0))
        finally:
            progress.close()
    state = releases.find(state.period_code, str(state.version))
    page = releases.record(state.period_code, state.version) / AUDIT_PAGE
    if found.passes:
        print(
            f"{state.release_id} passes: of {len(found.findings):,} protected values none is known too well,"
            f" by anybody who has {len(found.releases)} releases. {page}"
        )
        print(_next_step(releases, state))
        return OK
    print(
        f"vcc: {state.release_id} gives {len(found.exposed):,} cells away, the first: {found.exposed[0]}."
        f" `vcc release build {state.period_code}` withholds more and audits again. {page}",
        file=sys.stderr,
    )
    return FAILED


def _approve(releases: Releases, options: argparse.Namespace) -> int:
    from ingest.erasure import check_words
    from orchestration.releasing.promoting import approve
    from orchestration.releasing.validating import validated

    with _alone(releases.project, "approve"):
        state = releases.find_draft(options.period, options.version)
        check_words(options.role, options.reason)
        progress = ProgressLine(sys.stderr)
        try:
            outcomes = validated(releases, state, lambda said: progress(said, 0, 0), anew=True)
        finally:
            progress.close()
        state = approve(
            releases,
            state.period_code,
            str(state.version),
            role=options.role,
            reason=options.reason,
            seen=options.sums,
            outcomes=outcomes,
        )
    print(f"{state.release_id} is approved: SHA-256 of SHA256SUMS {state.detail('approved', 'sums_sha256')}")
    print(_next_step(releases, state))
    return OK


def _publish(releases: Releases, options: argparse.Namespace) -> int:
    from orchestration.releasing.promoting import publish

    require_real_day(releases.project)
    with _alone(releases.project, "publish"):
        state = publish(releases, options.period, options.version)
        print(
            f"{state.release_id} is published: {releases.project.root.public / 'releases' / state.release_id}"
        )
        return renew_site(releases)


def require_real_day(project: Project) -> None:
    """Refuse to end an embargo on a day that was only said to be today, unless the data are a sample's."""
    from ingest.clock import SystemClock

    if project.clock.now() > SystemClock().now() and sample_day(project.data_root) is None:
        raise SettingError(
            f"{project.today:%-d %B %Y} has not come: outside a sample, --as-of and VCC_AS_OF end no embargo."
            " Publish with --as-of today."
        )


def _withdraw(releases: Releases, options: argparse.Namespace) -> int:
    from orchestration.releasing.promoting import withdraw

    with _alone(releases.project, "withdraw"):
        state = withdraw(releases, options.period, options.version, role=options.role, reason=options.reason)
        print(
            f"{state.release_id} is withdrawn: its files are gone, its page says why."
            " What was read of it before is still known, and every later audit counts it."
        )
        return renew_site(releases)


def _list(releases: Releases, options: argparse.Namespace) -> int:
    from orchestration.releasing.promoting import listing, public_faults, site_faults

    rows = []
    for line in listing(releases):
        share = f"{line.cells_published:,} of {line.cells:,}" if line.cells else ""
        rows.append(
            (line.period_code, line.version, line.state, line.day, line.published_on or "", share, line.note)
        )
    print(table(("period", "version", "state", "day", "published", "cells published", "note"), rows))
    faults = public_faults(releases)
    for fault in faults:
        print(f"vcc: the public folder is not what was published: {fault}", file=sys.stderr)
    if faults:
        print(
            "vcc: if a publication was interrupted, or vcc was renewed since, `vcc release publish` of it"
            " mends that; else restore"
            f" {releases.project.root.publications} from a backup.",
            file=sys.stderr,
        )
    of_site = site_faults(releases)
    for fault in of_site[:MOST_FAULTS]:
        print(f"vcc: the site is not as it was made: {fault}", file=sys.stderr)
    if of_site:
        more = f" ({len(of_site)} faults in all)" if len(of_site) > MOST_FAULTS else ""
        print(f"vcc: `vcc site build` makes it anew{more}.", file=sys.stderr)
    return FAILED if faults or of_site else OK


def _diff(releases: Releases, options: argparse.Namespace) -> int:
    import json

    from orchestration.releasing.comparing import compared
    from reports.release.changes import changes_csv, changes_text

    changes = compared(releases, options.period, options.first, options.second)
    if options.format == "json":
        print(json.dumps(changes, indent=2, ensure_ascii=False))
    elif options.format == "csv":
        sys.stdout.write(changes_csv(changes).decode("utf-8"))
    else:
        print(changes_text(changes))
    return OK


def _validate(releases: Releases, options: argparse.Namespace) -> int:
    from orchestration.releasing.comparing import newest
    from orchestration.releasing.validating import exposed_names, files_of, outcomes_of

    state = newest(releases, options.period, options.version)
    with _alone(releases.project, "validate"), files_of(releases, state) as folder:
        print(f"{state.release_id} ({state.state})")
        return _told_outcomes(outcomes_of(folder, exposed_names(releases)))


def _backtest(releases: Releases, options: argparse.Namespace) -> int:
    from orchestration.commands import LOG_NAME
    from orchestration.commands.run import apart
    from orchestration.project import dagster_home
    from orchestration.releasing.backtest import backtest

    with apart(dagster_home() / LOG_NAME) as terminal:
        progress = ProgressLine(terminal)
        try:
            differences = backtest(
                releases, options.period, options.version, options.folder, lambda said: progress(said, 0, 0)
            )
        finally:
            progress.close()
    for difference in differences:
        print(f"  {difference}")
    state = releases.find(options.period, options.version)
    if differences:
        print(f"vcc: {state.release_id} comes out otherwise in {len(differences)} points.", file=sys.stderr)
        return FAILED
    print(f"{state.release_id} comes out of its receipts byte for byte.")
    return OK


def _told_outcomes(outcomes: dict[str, list[str]]) -> int:
    """Print a line a validator and every fault; FAILED if there is one, or if there is no validator."""
    for name, faults in outcomes.items():
        print(f"  {name}: {'valid' if not faults else f'{len(faults)} faults'}")
        for fault in faults[:20]:
            print(f"    {fault}")
    return FAILED if not outcomes or any(outcomes.values()) else OK


def _next_step(releases: Releases, state: VersionState) -> str:
    from orchestration.releasing.promoting import due_at
    from reports.release.journal import APPROVED

    if state.state == APPROVED:
        return (
            f"Publish it from {due_at(releases, state):%-d %B %Y, %H:%M} (England and Wales):"
            f" vcc release publish {state.period_code}"
        )
    return (
        f"Look at it, then: vcc release approve {state.period_code} --role ROLE --reason TEXT"
        f" --sums {str(state.detail('built', 'sums_sha256'))[:16]}"
    )


_ACTIONS = {
    "build": _build,
    "audit": _audit,
    "approve": _approve,
    "publish": _publish,
    "withdraw": _withdraw,
    "list": _list,
    "diff": _diff,
    "validate": _validate,
    "backtest": _backtest,
}
