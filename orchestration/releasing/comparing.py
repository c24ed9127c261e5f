"""Two versions of a quarter side by side, as their files are now.

Belongs here: which two, and where their files lie. Does not: what a change is (reports.release.changes).
"""

from __future__ import annotations

from typing import Any

from orchestration.dbt import ensure_manifest, read_json
from orchestration.releasing import ReleaseError
from orchestration.releasing.promoting import Releases
from orchestration.releasing.validating import folder_of
from reports.release.changes import changes_between, first_version, published_rows
from reports.release.exposures import exposed_tables
from reports.release.journal import BUILT, WITHDRAWN, VersionState


def with_files(releases: Releases, period_code: str | None = None) -> list[VersionState]:
    """The versions that have files, of a quarter or of all, in order."""
    return [
        state
        for state in releases.journal.states().values()
        if period_code in (None, state.period_code)
        and state.state != WITHDRAWN
        and (state.was_published or releases.draft(state.period_code, state.version).is_dir())
    ]


def newest(releases: Releases, period_code: str | None, version: str | None) -> VersionState:
    """The version asked for, else the newest of the quarter, else of all. Raises ReleaseError if none is."""
    if period_code is not None and version is not None:
        return releases.find(period_code, version)
    found = with_files(releases, period_code)
    if not found:
        raise ReleaseError(
            f"There is no draft and no publication{f' of {period_code}' if period_code else ''};"
            " `vcc run --all` makes drafts."
        )
    return found[-1]


def compared(
    releases: Releases, period_code: str, first: str | None = None, second: str | None = None
) -> dict[str, Any]:
    """What changed from the first version to the second: by default from the last but one to the last.

    Raises ReleaseError if a version is not there, or if its files are gone.
    """
    new = newest(releases, period_code, second)
    if first is not None:
        old: VersionState | None = releases.find(period_code, first)
    else:
        earlier = [each for each in with_files(releases, period_code) if each.version < new.version]
        old = earlier[-1] if earlier else None
    reason = str(new.detail(BUILT, "reason"))
    if old is None:
        return first_version(reason)
    tables = exposed_tables(read_json(ensure_manifest(releases.project.dbt_folder)))
    before = published_rows(folder_of(releases, old), tables)
    after = published_rows(folder_of(releases, new), tables)
    return changes_between(before, after, previous=str(old.version), reason=reason)
