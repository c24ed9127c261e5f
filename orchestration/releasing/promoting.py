"""From draft to public: who may approve and publish what, and what the public folder shows.

Belongs here: the steps after a draft is audited, each refused for a reason that says what to do. Does not:
making a draft (drafting), the form of the public folder (reports.release.public_folder).

A step is noted in the journal first, and then done: a run that was killed in between is finished by `settle`,
which makes the public folder what the journal says. Every command that changes something begins with it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ingest.clock import LONDON, format_instant, local_day, parse_instant
from ingest.erasure import check_words
from ingest.period import Period
from orchestration.releasing import ReleaseError
from reports.release.journal import (
    APPROVED,
    AUDITED,
    BUILT,
    PUBLISHED,
    REFUSED,
    SUPERSEDED,
    WITHDRAWN,
    Entry,
    Journal,
    VersionState,
    current_of,
    published_of,
)
from reports.release.public_folder import (
    ASSETS,
    CHECKSUMS,
    CURRENT,
    PAGE,
    RELEASES,
    SITE,
    TREES_KEPT,
    PublicFolder,
    PublicFolderError,
    PublicVersion,
    away_page,
    faults_of_folder,
    sha256_of,
)
from reports.release.versions import (
    FIRST,
    MINOR,
    Edition,
    Planned,
    Version,
    next_version,
    read_calendar,
)

if TYPE_CHECKING:
    from orchestration.project import Project

LEDGER, AUDIT, AUDIT_PAGE = "ledger.parquet", "audit.json", "audit.html"
TRUTH, SUPPRESSIONS, EARLIER_CELLS = "truth.parquet", "suppressions.parquet", "earlier_cells.parquet"
RELATIONS = "relations.parquet"
SOURCES, VALIDATION = "sources.json", "validation.json"
#: What of a record is written with the draft, and never again.
BEHIND = (TRUTH, RELATIONS, SUPPRESSIONS, EARLIER_CELLS, SOURCES)
#: Shorter beginnings of a hash do not show that somebody has read it.
LEAST_OF_A_HASH = 8
#: State of a version of the journal whose draft has been deleted, and of a day of the calendar without one.
DROPPED, SCHEDULED = "draft deleted", "scheduled"


@dataclass(frozen=True)
class Releases:
    """The releases of one data root: their folders, their journal, their calendar."""

    project: Project

    @property
    def journal(self) -> Journal:
        """What was done with each release."""
        return Journal(self.project.root.journal, self.project.root.journal_head)

    @property
    def public(self) -> PublicFolder:
        """The public folder."""
        return PublicFolder(self.project.root.public, self.project.root.publications)

    @property
    def calendar(self) -> tuple[Edition, ...]:
        """The days on which releases are published."""
        return read_calendar(self.project.seeds_folder / "release_calendar.csv")

    def draft(self, period_code: str, version: Version | str) -> Path:
        """Folder of a draft. Owner only."""
        return self.project.root.drafts / period_code / f"v{version}"

    def record(self, period_code: str, version: Version | str) -> Path:
        """Folder of what stands behind a version. Owner only."""
        return self.project.root.records / period_code / f"v{version}"

    def planned(
        self, period_code: str, change: str | None = None, reason: str | None = None
    ) -> Planned | None:
        """The version to draft now, or None if the calendar has no day for one yet."""
        published = published_of(self.journal.states().values(), period_code)
        return next_version(
            period_code, published, self.calendar, self.project.today, change=change, reason=reason
        )

    def note(self, *entries: Entry) -> None:
        """Append entries to the journal, all at once."""
        self.journal.append(entries)

    def entry(self, event: str, period_code: str, version: Version | str, **details: Any) -> Entry:
        """An entry of this moment."""
        return Entry(event, period_code, str(version), format_instant(self.project.clock.now()), details)

    def find(self, period_code: str, version: str | None = None) -> VersionState:
        """A version of a quarter, or the newest that is there. Raises ReleaseError with those there are."""
        own = [each for each in self.journal.states().values() if each.period_code == period_code]
        if version is not None:
            wanted = Version.parse(version)
            own = [each for each in own if each.version == wanted]
        if not own:
            what = f"{period_code}/v{Version.parse(version)}" if version is not None else period_code
            raise ReleaseError(
                f"There is no version {what}. `vcc release list` shows those there are;"
                f" `vcc release build {period_code}` makes a draft."
            )
        is_there = [
            each for each in own if each.was_published or self.draft(each.period_code, each.version).is_dir()
        ]
        return (is_there or own)[-1]

    def find_draft(self, period_code: str, version: str | None = None) -> VersionState:
        """A version that is not public yet, with its folder. Raises ReleaseError if there is none."""
        state = self.find(period_code, version)
        if state.was_published:
            raise ReleaseError(
                f"{state.release_id} was published already and stays as it is. `vcc release build"
                f" {period_code} --patch --reason TEXT` makes a correction."
            )
        if not self.draft(period_code, state.version).is_dir():
            raise ReleaseError(
                f"The draft of {state.release_id} is not there any more; `vcc release build {period_code}`"
                " makes it anew."
            )
        return state


# --- what is public


def public_versions(states: Mapping[Any, VersionState]) -> list[PublicVersion]:
    """What the public is told: every version that was published once, as it stands now."""
    found = []
    for state in states.values():
        if not state.was_published:
            continue
        superseded, withdrawn = state.events.get(SUPERSEDED), state.events.get(WITHDRAWN)
        found.append(
            PublicVersion(
                period_code=state.period_code,
                period_label=Period.parse(state.period_code).label,
                version=str(state.version),
                status=state.state if state.state != PUBLISHED else CURRENT,
                issued_on=date.fromisoformat(state.detail(BUILT, "issued_on")),
                published_on=_day_of(state.events[PUBLISHED]),
                reason=state.detail(BUILT, "reason"),
                sums_sha256=state.detail(PUBLISHED, "sums_sha256"),
                superseded_by=superseded.details["by"] if superseded else None,
                superseded_on=_day_of(superseded) if superseded else None,
                withdrawn_on=_day_of(withdrawn) if withdrawn else None,
                withdrawn_reason=withdrawn.details["reason"] if withdrawn else None,
            )
        )
    return found


def settle(releases: Releases, site: Mapping[str, bytes] | None = None) -> bool:
    """Make the public folder what the journal says, and tell whether anything changed.

    Drafts that are public are deleted after it. `site` takes the place of the site that is there; one that
    shows what was withdrawn is taken away at once. Once anything was withdrawn, no older tree is kept, for it
    would hold what was withdrawn. Raises JournalError or PublicFolderError with the public folder as it was.
    """
    states = releases.journal.states()
    versions = public_versions(states)
    _require_known(releases, versions)
    if not versions:
        return False
    drafts = {
        state.release_id: releases.draft(state.period_code, state.version)
        for state in states.values()
        if state.was_published and releases.draft(state.period_code, state.version).is_dir()
    }
    is_withdrawn = any(version.withdrawn_on for version in versions)
    if site is None and is_withdrawn:
        site = _site_to_take_away(releases.public.current(), versions)
    changed = releases.public.show(versions, drafts, site=site, kept=1 if is_withdrawn else TREES_KEPT)
    for folder in drafts.values():
        shutil.rmtree(folder)
    return changed


def _site_to_take_away(tree: Path | None, versions: Sequence[PublicVersion]) -> dict[str, bytes] | None:
    """What stands in the place of a site that shows a withdrawn version, until it is made anew; else None.

    Styles and scripts hold no figure, and the pages of releases use them.
    """
    if tree is None or not (tree / PAGE).is_file():
        return None
    withdrawn = {version.release_id for version in versions if version.withdrawn_on}
    try:
        shown = {release["release_id"] for release in json.loads((tree / SITE).read_bytes())["releases"]}
    except (OSError, ValueError, KeyError, TypeError):
        # Nobody can say what it shows. What stands there already is left.
        shown = withdrawn if (tree / PAGE).read_bytes() != away_page() else set()
    if not shown & withdrawn:
        return None
    assets = (path for path in (tree / ASSETS).rglob("*") if path.is_file())
    return {
        PAGE: away_page(),
        **{path.relative_to(tree).as_posix(): path.read_bytes() for path in assets},
    }


def _require_known(releases: Releases, versions: Sequence[PublicVersion]) -> None:
    """Raise PublicFolderError if a version is public of which the journal knows nothing."""
    tree = releases.public.current()
    public = (
        {
            path.parent.relative_to(tree / RELEASES).as_posix()
            for path in (tree / RELEASES).glob(f"*/v*/{CHECKSUMS}")
        }
        if tree is not None
        else set()
    )
    unknown = sorted(public - {version.release_id for version in versions})
    if unknown:
        raise PublicFolderError(
            f"{', '.join(unknown)} lie in the public folder, and {releases.project.root.journal} does not"
            " know them. Restore the journal and `heads/` from a backup; if somebody put the files there,"
            " delete them. Until then nothing is published."
        )


def _settle_noted(releases: Releases, noted: str) -> None:
    try:
        settle(releases)
    except (OSError, PublicFolderError) as error:
        raise ReleaseError(
            f"{noted}, but the public folder is still as it was: {error} Mend that; then the next"
            " `vcc release publish`, of whatever version, ends what was begun."
        ) from error


def public_faults(releases: Releases) -> list[str]:
    """What of the public folder is not exactly what the journal says was approved and published."""
    return releases.public.faults(public_versions(releases.journal.states()))


def site_faults(releases: Releases) -> list[str]:
    """What of the public site is not as it was made: one sentence a file."""
    return releases.public.site_faults()


# --- approving and publishing


def approve(
    releases: Releases,
    period_code: str,
    version: str | None,
    *,
    role: str,
    reason: str,
    seen: str | None = None,
    outcomes: Mapping[str, Sequence[str]],
) -> VersionState:
    """Note an approval of exactly the bytes of a draft, and return how it stands.

    `seen` is the beginning of the hash of SHA256SUMS that the approver has read; `outcomes` is what every
    validator found in this draft. Raises ErasureError for a role or reason that may not be kept, ReleaseError
    if the draft may not be approved.
    """
    role, reason = check_words(role, reason)
    settle(releases)
    state = releases.find_draft(period_code, version)
    refusals = refusals_to_approve(releases, state, outcomes)
    sums = str(state.detail(BUILT, "sums_sha256"))
    if seen is not None and (len(seen) < LEAST_OF_A_HASH or not sums.startswith(seen.lower())):
        refusals.append(
            f"The approver has seen checksums that begin with {seen!r}, and these begin with {sums[:16]!r}:"
            " they are of another draft. Look at this one first."
        )
    if refusals:
        raise ReleaseError(f"{state.release_id} is not approved. {' '.join(refusals)}")
    releases.note(
        releases.entry(
            APPROVED,
            state.period_code,
            state.version,
            role=role,
            reason=reason,
            sums_sha256=sums,
            audit_sha256=state.detail(AUDITED, "audit_sha256"),
            seen_sha256=seen.lower() if seen else None,
            validators=sorted(outcomes),
        )
    )
    return releases.find(state.period_code, str(state.version))


def refusals_to_approve(
    releases: Releases, state: VersionState, outcomes: Mapping[str, Sequence[str]]
) -> list[str]:
    """Why a draft may not be approved, a sentence each, with what to do; empty if it may."""
    refusals = not_as_built(releases, state) or _not_audited(releases, state)
    if not outcomes:
        refusals.append("No validator has looked at it; `vcc release validate` runs them.")
    return refusals + _faults_told(outcomes)


def refusals_to_publish(releases: Releases, state: VersionState) -> list[str]:
    """Why a draft may not be published now, a sentence each, with what to do; empty if it may."""
    states = releases.journal.states()
    refusals = not_as_built(releases, state) or _not_audited(releases, state)
    build = f"`vcc release build {state.period_code}`"
    if state.state not in (REFUSED, BUILT):
        if state.detail(APPROVED, "sums_sha256") is None:
            refusals.append(
                f"Nobody has approved it. Once somebody has looked at it: `vcc release approve"
                f" {state.period_code} --role ROLE --reason TEXT`."
            )
        elif state.detail(APPROVED, "sums_sha256") != state.detail(BUILT, "sums_sha256") or state.detail(
            APPROVED, "audit_sha256"
        ) != state.detail(AUDITED, "audit_sha256"):
            refusals.append("What was approved are other bytes, or another audit; have it approved again.")
    refusals += _invalid_since(releases, state)
    published = published_of(states.values(), state.period_code)
    later = [each.version for each in published if each.version >= state.version]
    if later:
        refusals.append(f"Version {max(later)} was published already; {build} makes the one after it.")
    refusals += _not_known_to_audit(releases, state, states)
    refusals += _not_of_the_calendar(releases, state)
    due = due_at(releases, state)
    if releases.project.clock.now() < due:
        refusals.append(
            f"It is under embargo until {due:%-d %B %Y, %H:%M} (England and Wales); publish it then."
        )
    return refusals


def _not_of_the_calendar(releases: Releases, state: VersionState) -> list[str]:
    """The day of a scheduled version stands in its files: if it was moved since, they would say another."""
    if state.detail(BUILT, "change") not in (FIRST, MINOR):
        return []
    days = [
        each.publish_on
        for each in releases.calendar
        if each.period_code == state.period_code and each.edition == state.edition
    ]
    if state.detail(BUILT, "issued_on") in [day.isoformat() for day in days]:
        return []
    now = f"has {days[0]:%-d %B %Y} for it now" if days else "has no day for it any more"
    return [
        f"Its files are dated {state.detail(BUILT, 'issued_on')}, and the release calendar {now};"
        f" `vcc release build {state.period_code}` makes it anew."
    ]


def due_at(releases: Releases, state: VersionState) -> datetime:
    """The moment before which a version is not published: its day, at the time of day of the cycle rules."""
    day = date.fromisoformat(state.detail(BUILT, "issued_on"))
    at = time.fromisoformat(releases.project.reference.cycle_on(day).publish_at)
    return datetime.combine(day, at, tzinfo=ZoneInfo(LONDON))


def publish(releases: Releases, period_code: str, version: str | None = None) -> VersionState:
    """Publish an approved draft on its day, and return how it stands.

    Publishing again what is published already only makes sure that the public folder shows it. Raises
    ReleaseError with every reason against it, JournalError for a journal that is not as it was written.
    """
    settle(releases)
    state = releases.find(period_code, version)
    if state.is_current:
        return state
    state = releases.find_draft(period_code, version)
    refusals = refusals_to_publish(releases, state)
    if refusals:
        raise ReleaseError(f"{state.release_id} is not published. {' '.join(refusals)}")
    before = current_of(releases.journal.states().values(), state.period_code)
    entries = [
        releases.entry(
            PUBLISHED,
            state.period_code,
            state.version,
            sums_sha256=state.detail(BUILT, "sums_sha256"),
            ledger_sha256=state.detail(AUDITED, "ledger_sha256"),
        )
    ]
    if before is not None:
        entries.append(
            releases.entry(
                SUPERSEDED,
                before.period_code,
                before.version,
                by=str(state.version),
                reason=state.detail(BUILT, "reason"),
            )
        )
    releases.note(*entries)
    _settle_noted(releases, f"{state.release_id} is noted as published")
    return releases.find(state.period_code, str(state.version))


def withdraw(
    releases: Releases, period_code: str, version: str | None, *, role: str, reason: str
) -> VersionState:
    """Take the files of a published version away; its page says why. What is known of it stays known.

    Raises ReleaseError if it is not public, ErasureError for a role or reason that may not be kept.
    """
    role, reason = check_words(role, reason)
    # Not settled first: what has to go is often what is not as it should be.
    current = current_of(releases.journal.states().values(), period_code)
    state = releases.find(period_code, version) if version or current is None else current
    if not state.was_published:
        raise ReleaseError(f"{state.release_id} was never published, so there is nothing to withdraw.")
    if state.state == WITHDRAWN:
        raise ReleaseError(f"{state.release_id} was withdrawn on {_day_of(state.events[WITHDRAWN])} already.")
    releases.note(releases.entry(WITHDRAWN, state.period_code, state.version, role=role, reason=reason))
    _settle_noted(releases, f"{state.release_id} is noted as withdrawn")
    return releases.find(state.period_code, str(state.version))


def known_ledgers(states: Mapping[Any, VersionState]) -> dict[str, str]:
    """Release id -> hash of its ledger, for everything that was ever published, withdrawn versions too."""
    return {
        state.release_id: str(state.detail(PUBLISHED, "ledger_sha256"))
        for state in states.values()
        if state.was_published
    }


def not_as_built(releases: Releases, state: VersionState) -> list[str]:
    """Why the files of a draft, or what stands behind them, are not those that were built; else empty."""
    folder = releases.draft(state.period_code, state.version)
    faults = faults_of_folder(folder, state.detail(BUILT, "sums_sha256"))
    faults += [
        f"{path} is not the one that was built."
        for path in faults_of_record(releases, state)
        if path.name in BEHIND
    ]
    if not faults:
        return []
    return [
        f"The draft is not as it was built ({faults[0]}); `vcc release build {state.period_code}` makes it"
        " anew."
    ]


def faults_of_record(releases: Releases, state: VersionState) -> list[Path]:
    """Files of what stands behind a version that are missing, or not those that the journal names."""
    record = releases.record(state.period_code, state.version)
    expected = dict(state.detail(BUILT, "record_sha256") or {})
    for name, said in ((AUDIT, "audit_sha256"), (LEDGER, "ledger_sha256")):
        if AUDITED in state.events:
            expected[name] = state.detail(AUDITED, said)
    return [
        record / name
        for name, digest in sorted(expected.items())
        if not (record / name).is_file() or sha256_of(record / name) != digest
    ]


def _not_audited(releases: Releases, state: VersionState) -> list[str]:
    again = f"`vcc release audit {state.period_code}` audits it."
    if AUDITED not in state.events:
        return [f"It was never audited; {again}"]
    if state.detail(AUDITED, "sums_sha256") != state.detail(BUILT, "sums_sha256"):
        return [f"The audit was of other bytes; {again}"]
    if not state.detail(AUDITED, "passed"):
        return [
            "The audit found figures that give somebody away"
            f" ({releases.record(state.period_code, state.version) / AUDIT_PAGE});"
            f" `vcc release build {state.period_code}` withholds more and audits again."
        ]
    changed = [path for path in faults_of_record(releases, state) if path.name in (AUDIT, LEDGER)]
    return [f"{changed[0]} is not the one that the audit wrote; {again}"] if changed else []


def _invalid_since(releases: Releases, state: VersionState) -> list[str]:
    """Validators may have found something after the approval: they learn, and a run asks them again."""
    kept = releases.record(state.period_code, state.version) / VALIDATION
    document = read_json(kept) if kept.is_file() else {}
    if document.get("sums_sha256") != state.detail(BUILT, "sums_sha256"):
        return []
    return _faults_told(document["outcomes"])


def _faults_told(outcomes: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        f"Validator {name} finds {len(found)} fault{'' if len(found) == 1 else 's'}, the first: {found[0]}"
        for name, found in outcomes.items()
        if found
    ]


def _not_known_to_audit(
    releases: Releases, state: VersionState, states: Mapping[Any, VersionState]
) -> list[str]:
    """Everything published must have been in the audit: what is out together is what tells on somebody."""
    knew = dict(state.detail(AUDITED, "knew") or {})
    unknown = [release for release, digest in known_ledgers(states).items() if knew.get(release) != digest]
    if AUDITED not in state.events or not unknown:
        return []
    return [
        f"Its audit did not know {', '.join(unknown)}, published since; `vcc release audit"
        f" {state.period_code}` audits it with everything that is out."
    ]


def _day_of(entry: Entry) -> date:
    return local_day(parse_instant(entry.at))


# --- the list


@dataclass(frozen=True)
class Line:
    """One line of the list: a version, or a day of the calendar that has none yet."""

    period_code: str
    version: str
    state: str
    day: date
    published_on: date | None
    cells_published: int | None
    cells: int | None
    note: str = ""


def listing(releases: Releases) -> list[Line]:
    """Every version there ever was, and the next day of the calendar of each quarter that has one."""
    states = releases.journal.states()
    lines = []
    for state in states.values():
        has_draft = releases.draft(state.period_code, state.version).is_dir()
        is_gone = not state.was_published and not has_draft
        published = state.events.get(PUBLISHED)
        lines.append(
            Line(
                state.period_code,
                str(state.version),
                DROPPED if is_gone else state.state,
                date.fromisoformat(state.detail(BUILT, "issued_on")),
                _day_of(published) if published else None,
                state.detail(BUILT, "cells_published"),
                state.detail(BUILT, "cells"),
                _note(state),
            )
        )
    covered = {(each.period_code, each.edition) for each in states.values()}
    ahead: dict[str, Edition] = {}
    for edition in releases.calendar:
        if (
            edition.period_code,
            edition.edition,
        ) not in covered and edition.announced_on <= releases.project.today:
            ahead.setdefault(edition.period_code, edition)
    lines += [
        Line(each.period_code, "", SCHEDULED, each.publish_on, None, None, None, each.reason)
        for each in ahead.values()
    ]
    return sorted(lines, key=lambda line: (line.period_code, line.day, line.version))


def _note(state: VersionState) -> str:
    if state.state == WITHDRAWN:
        return str(state.events[WITHDRAWN].details["reason"])
    if state.state == SUPERSEDED:
        return f"by {state.events[SUPERSEDED].details['by']}"
    return str(state.detail(BUILT, "reason") or "")


def audit_lines(releases: Releases, state: VersionState) -> tuple[list[str], tuple[object, ...]]:
    """What is against a draft by its audit; and in one line draft, releases known, narrowest, withheld."""
    faults = not_as_built(releases, state) or _not_audited(releases, state)
    path = releases.record(state.period_code, state.version) / AUDIT
    document = read_json(path) if path.is_file() else {}
    narrowest = min((each["values"] for each in document.get("narrowest", [])), default="")
    withheld = sum(bool(each.get("is_new", True)) for each in document.get("withheld", []))
    return faults, (state.release_id, len(document.get("releases", [])), narrowest, withheld)


def read_json(path: Path) -> dict[str, Any]:
    """A document of a record. Raises ReleaseError if it is missing or damaged."""
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError) as error:
        raise ReleaseError(
            f"{path} cannot be read ({type(error).__name__}); build the draft again."
        ) from None
    return document


def sums_of(folder: Path) -> str:
    """The hash of a folder's SHA256SUMS, which stands for all its files."""
    return sha256_of(folder / CHECKSUMS)
