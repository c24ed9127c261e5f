"""From draft to public: every step is refused for its own reason, and nothing is public before its day."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingest.clock import FixedClock
from ingest.erasure import ErasureError
from orchestration.erased import drop_drafts_of_other_builds
from orchestration.project import Project
from orchestration.releasing import ReleaseError
from orchestration.releasing.comparing import compared
from orchestration.releasing.drafting import audit_again, before
from orchestration.releasing.promoting import (
    AUDIT,
    DROPPED,
    LEDGER,
    SCHEDULED,
    SOURCES,
    SUPPRESSIONS,
    TRUTH,
    VALIDATION,
    Releases,
    approve,
    due_at,
    listing,
    public_faults,
    publish,
    refusals_to_publish,
    settle,
    withdraw,
)
from reports.files import publish_folder
from reports.release.journal import APPROVED, AUDITED, BUILT, PUBLISHED, WITHDRAWN, JournalError
from reports.release.public_folder import CHECKSUMS, PublicFolderError
from reports.release.versions import Edition
from reports.site.feeds import site_record

Q1, Q2 = "2025-26-Q1", "2025-26-Q2"
ROLE = {"role": "head of statistics", "reason": "Figures agree with the local reviews."}
VALID = {"checksums": []}


def releases_at(root: Path, local_time: str) -> Releases:
    """The releases of a data root at a moment in England and Wales."""
    instant = datetime.fromisoformat(local_time).replace(tzinfo=ZoneInfo("Europe/London"))
    return Releases(Project(data_root=root, clock=FixedClock(instant)))


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put_draft(
    releases: Releases,
    period: str = Q1,
    version: str = "1.0.0",
    *,
    edition: int = 1,
    issued_on: str = "2025-09-18",
    text: str = "area,count\r\nE1,15\r\n",
    passed: bool = True,
    audited: bool = True,
    knew: dict[str, str] | None = None,
    change: str | None = None,
) -> Path:
    """A draft with its record, as the builder leaves them, without a build behind it."""
    files = {"figures.csv": text.encode()}
    files[CHECKSUMS] = f"{sha(files['figures.csv'])}  figures.csv\n".encode()
    record = {
        LEDGER: f"{period} {version} {text}".encode(),
        AUDIT: json.dumps({"passes": passed}).encode(),
        SOURCES: json.dumps({"build_id": "b1"}).encode(),
        TRUTH: b"exact values",
        SUPPRESSIONS: b"what was withheld",
        CHECKSUMS: files[CHECKSUMS],
    }
    releases.project.root.create()
    publish_folder(releases.draft(period, version), files)
    publish_folder(releases.record(period, version), record)
    sums = sha(files[CHECKSUMS])
    entries = [
        releases.entry(
            BUILT,
            period,
            version,
            edition=edition,
            issued_on=issued_on,
            reason="first publication",
            change=change,
            sums_sha256=sums,
            record_sha256={name: sha(record[name]) for name in (SOURCES, TRUTH, SUPPRESSIONS)},
            cells=10,
            cells_published=8,
        )
    ]
    if audited:
        entries.append(
            releases.entry(
                AUDITED,
                period,
                version,
                passed=passed,
                sums_sha256=sums,
                audit_sha256=sha(record[AUDIT]),
                ledger_sha256=sha(record[LEDGER]),
                knew=knew or {},
            )
        )
    releases.note(*entries)
    return releases.draft(period, version)


@pytest.fixture
def ready(tmp_path: Path) -> Releases:
    """An approved draft of a first version, on its day at the hour."""
    releases = releases_at(tmp_path / "data", "2025-09-18T09:30:00")
    put_draft(releases)
    approve(releases, Q1, None, **ROLE, outcomes=VALID)
    return releases


def ledger_hash(releases: Releases, period: str = Q1, version: str = "1.0.0") -> str:
    return sha((releases.record(period, version) / LEDGER).read_bytes())


# --- embargo


def test_nothing_of_a_draft_is_public_or_readable_by_others(tmp_path: Path) -> None:
    releases = releases_at(tmp_path / "data", "2025-09-18T09:30:00")
    put_draft(releases)
    settle(releases)
    root = releases.project.root
    assert not root.public.exists()
    assert not root.publications.exists()
    for folder in (root.drafts, root.records):
        for path in (folder, *folder.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert stat.S_IMODE(root.journal.stat().st_mode) == 0o600


# --- approving


def refused_approval(releases: Releases, outcomes: Any = VALID, **words: Any) -> str:
    with pytest.raises(ReleaseError) as refused:
        approve(releases, Q1, None, **{**ROLE, **words}, outcomes=outcomes)
    assert releases.find(Q1).state != APPROVED
    return str(refused.value)


@pytest.fixture
def drafts(tmp_path: Path) -> Releases:
    return releases_at(tmp_path / "data", "2025-09-18T09:30:00")


def test_an_approval_notes_role_reason_and_the_hashes_of_what_was_seen(drafts: Releases) -> None:
    folder = put_draft(drafts)
    sums = sha((folder / CHECKSUMS).read_bytes())
    state = approve(drafts, Q1, None, **ROLE, seen=sums[:16].upper(), outcomes=VALID)
    said = state.events[APPROVED].details
    assert (said["role"], said["reason"], said["sums_sha256"]) == (ROLE["role"], ROLE["reason"], sums)
    assert said["audit_sha256"] == state.detail(AUDITED, "audit_sha256")
    assert said["seen_sha256"] == sums[:16]


def test_a_draft_that_was_not_audited_or_failed_is_not_approved(drafts: Releases) -> None:
    put_draft(drafts, audited=False)
    assert "never audited; `vcc release audit 2025-26-Q1`" in refused_approval(drafts)
    put_draft(drafts, passed=False)
    assert "`vcc release build 2025-26-Q1` withholds more" in refused_approval(drafts)


def test_a_draft_that_is_not_as_it_was_built_is_not_approved(drafts: Releases) -> None:
    folder = put_draft(drafts)
    (folder / "figures.csv").write_text("area,count\r\nE1,17\r\n")
    assert "not as it was built" in refused_approval(drafts)
    put_draft(drafts)
    (folder / "exact.csv").write_text("17")
    assert "not named in SHA256SUMS" in refused_approval(drafts)


@pytest.mark.parametrize("name", [AUDIT, LEDGER])
def test_an_audit_that_was_changed_afterwards_does_not_count(drafts: Releases, name: str) -> None:
    put_draft(drafts)
    path = drafts.record(Q1, "1.0.0") / name
    path.write_bytes(path.read_bytes() + b" ")
    assert "is not the one that the audit wrote" in refused_approval(drafts)


@pytest.mark.parametrize("name", [TRUTH, SUPPRESSIONS])
def test_what_stands_behind_a_draft_is_what_was_built(ready: Releases, name: str) -> None:
    """Exact values and what was withheld decide what later versions may say: they are bound as the files are."""
    (ready.record(Q1, "1.0.0") / name).write_bytes(b"other")
    for step in (
        lambda: publish(ready, Q1),
        lambda: approve(ready, Q1, None, **ROLE, outcomes=VALID),
        lambda: audit_again(ready, ready.find(Q1)),
    ):
        with pytest.raises(ReleaseError, match=f"not as it was built .*{name}"):
            step()


def test_without_the_record_of_what_was_published_nothing_is_audited(ready: Releases) -> None:
    publish(ready, Q1)
    (ready.record(Q1, "1.0.0") / SUPPRESSIONS).write_bytes(b"nothing was withheld")
    with pytest.raises(ReleaseError, match=r"suppressions\.parquet is not the one .* from a backup"):
        before(ready, Q2, date(2025, 12, 18))


def test_a_fault_of_a_moment_is_not_kept(drafts: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration.releasing import validating

    put_draft(drafts)
    found: list[dict[str, list[str]]] = [{"checksums": ["a: no such file"]}, {"checksums": []}]
    monkeypatch.setattr(validating, "validators", lambda: {"checksums": None})
    monkeypatch.setattr(validating, "CONTRACTS", "checksums")
    monkeypatch.setattr(validating, "outcomes_of", lambda *_: found.pop(0))
    monkeypatch.setattr(validating, "exposed_names", lambda _: [])
    told = [validating.validated(drafts, drafts.find(Q1)) for _ in range(3)]
    assert told == [{"checksums": ["a: no such file"]}, {"checksums": []}, {"checksums": []}]
    found.append({"checksums": ["asked anew"]})
    assert validating.validated(drafts, drafts.find(Q1), anew=True) == {"checksums": ["asked anew"]}


def test_what_a_validator_finds_after_the_approval_counts(ready: Releases) -> None:
    document = {"sums_sha256": ready.find(Q1).detail(BUILT, "sums_sha256"), "outcomes": {"csvw": ["no"]}}
    (ready.record(Q1, "1.0.0") / VALIDATION).write_text(json.dumps(document))
    with pytest.raises(ReleaseError, match="Validator csvw finds 1 fault"):
        publish(ready, Q1)


def test_a_validators_fault_or_no_validator_is_a_reason(drafts: Releases) -> None:
    put_draft(drafts)
    assert "csvw finds 1 fault, the first: figures.csv" in refused_approval(
        drafts, {"checksums": [], "csvw": ["figures.csv: line 2"]}
    )
    assert "No validator" in refused_approval(drafts, {})


@pytest.mark.parametrize("seen", ["0" * 64, "abc"])
def test_an_approver_who_saw_something_else_does_not_approve(drafts: Releases, seen: str) -> None:
    put_draft(drafts)
    assert "of another draft" in refused_approval(drafts, seen=seen)


@pytest.mark.parametrize("role", ["", "Mr John Smith", "jane.doe@example.org"])
def test_a_role_is_not_a_person(drafts: Releases, role: str) -> None:
    put_draft(drafts)
    with pytest.raises(ErasureError):
        approve(drafts, Q1, None, role=role, reason="Why.", outcomes=VALID)
    assert drafts.find(Q1).state == AUDITED


# --- publishing


def refused(releases: Releases, period: str = Q1) -> str:
    before = releases.journal.read()
    with pytest.raises(ReleaseError) as error:
        publish(releases, period)
    assert releases.journal.read() == before
    return str(error.value)


def test_an_approved_draft_is_published_on_its_day_and_leaves_no_draft(ready: Releases) -> None:
    state = publish(ready, Q1)
    assert state.is_current
    public = ready.project.root.public / "releases"
    assert (public / Q1 / "v1.0.0" / "figures.csv").read_bytes() == b"area,count\r\nE1,15\r\n"
    assert json.loads((public / "latest.json").read_bytes())["current"] == {Q1: "1.0.0"}
    assert not ready.draft(Q1, "1.0.0").exists()
    assert (ready.record(Q1, "1.0.0") / LEDGER).is_file()
    assert public_faults(ready) == []


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2025-09-17T23:59:00", False),
        ("2025-09-18T09:29:59", False),
        ("2025-09-18T09:30:00", True),
        ("2025-09-20T00:01:00", True),
    ],
)
def test_the_embargo_ends_at_the_hour_in_england(ready: Releases, moment: str, is_open: bool) -> None:
    then = releases_at(ready.project.data_root, moment)
    assert (refusals_to_publish(then, then.find(Q1)) == []) is is_open
    if not is_open:
        assert "under embargo until 18 September 2025, 09:30" in refused(then)
        assert not then.project.root.public.exists()


@pytest.mark.parametrize(
    ("day", "moment"), [("2025-12-18", "2025-12-18T09:30+00:00"), ("2026-06-25", "2026-06-25T08:30+00:00")]
)
def test_the_hour_is_that_of_england_in_winter_and_in_summer(drafts: Releases, day: str, moment: str) -> None:
    put_draft(drafts, issued_on=day)
    assert due_at(drafts, drafts.find(Q1)) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("rows", "said"),
    [([], "no day for it any more"), (["2025-09-25"], "25 September 2025 for it now")],
)
def test_a_day_that_was_moved_is_not_the_one_in_the_files(
    drafts: Releases, monkeypatch: pytest.MonkeyPatch, rows: list[str], said: str
) -> None:
    put_draft(drafts, change="first")
    approve(drafts, Q1, None, **ROLE, outcomes=VALID)
    assert refusals_to_publish(drafts, drafts.find(Q1)) == []
    calendar = tuple(Edition(Q1, 1, date.fromisoformat(day), date(2025, 4, 1), "first") for day in rows)
    monkeypatch.setattr(Releases, "calendar", calendar)
    with pytest.raises(ReleaseError, match=said):
        publish(drafts, Q1)


def test_without_approval_nothing_is_published(drafts: Releases) -> None:
    put_draft(drafts)
    assert "Nobody has approved it" in refused(drafts)


def test_an_approval_of_other_bytes_does_not_count(ready: Releases) -> None:
    put_draft(ready, text="area,count\r\nE1,20\r\n")
    assert "Nobody has approved it" in refused(ready)


def test_a_draft_changed_after_its_approval_is_not_published(ready: Releases) -> None:
    (ready.draft(Q1, "1.0.0") / "figures.csv").write_text("area,count\r\nE1,17\r\n")
    assert "not as it was built" in refused(ready)
    assert not ready.project.root.public.exists()


def test_a_later_audit_asks_for_another_approval(ready: Releases) -> None:
    audited = ready.find(Q1).events[AUDITED]
    ready.note(replace(audited, details={**audited.details}))
    assert "Nobody has approved it" in refused(ready)


def test_an_audit_must_know_everything_that_is_out(ready: Releases) -> None:
    publish(ready, Q1)
    later = releases_at(ready.project.data_root, "2025-12-18T09:30:00")
    put_draft(later, Q2, issued_on="2025-12-18")
    approve(later, Q2, None, **ROLE, outcomes=VALID)
    assert "did not know 2025-26-Q1/v1.0.0" in refused(later, Q2)
    put_draft(later, Q2, issued_on="2025-12-18", knew={f"{Q1}/v1.0.0": "0" * 64})
    approve(later, Q2, None, **ROLE, outcomes=VALID)
    assert "`vcc release audit 2025-26-Q2`" in refused(later, Q2)
    put_draft(later, Q2, issued_on="2025-12-18", knew={f"{Q1}/v1.0.0": ledger_hash(later)})
    approve(later, Q2, None, **ROLE, outcomes=VALID)
    assert publish(later, Q2).is_current


def test_what_was_withdrawn_is_still_known(ready: Releases) -> None:
    publish(ready, Q1)
    withdraw(ready, Q1, None, role="head of statistics", reason="A column was wrong.")
    later = releases_at(ready.project.data_root, "2025-12-18T09:30:00")
    put_draft(later, Q2, issued_on="2025-12-18")
    approve(later, Q2, None, **ROLE, outcomes=VALID)
    assert "did not know 2025-26-Q1/v1.0.0" in refused(later, Q2)


def test_a_broken_journal_stops_everything(ready: Releases) -> None:
    path = ready.project.root.journal
    path.write_bytes(path.read_bytes().replace(b"head of statistics", b"head of statisticz"))
    for step in (
        lambda: publish(ready, Q1),
        lambda: approve(ready, Q1, None, **ROLE, outcomes=VALID),
        lambda: withdraw(ready, Q1, None, **ROLE),
        lambda: settle(ready),
        lambda: listing(ready),
    ):
        with pytest.raises(JournalError, match="was changed after it was written"):
            step()
    assert not ready.project.root.public.exists()


def test_publishing_again_changes_nothing(ready: Releases) -> None:
    publish(ready, Q1)
    before = ready.journal.read(), ready.project.root.public.readlink()
    publish(ready, Q1)
    assert (ready.journal.read(), ready.project.root.public.readlink()) == before


def second(releases: Releases, version: str = "1.1.0") -> Releases:
    later = releases_at(releases.project.data_root, "2026-09-17T10:00:00")
    put_draft(
        later,
        version=version,
        edition=2,
        issued_on="2026-09-17",
        text="area,count\r\nE1,30\r\n",
        knew={f"{Q1}/v1.0.0": ledger_hash(later)},
    )
    approve(later, Q1, None, **ROLE, outcomes=VALID)
    return later


def test_a_second_version_supersedes_the_first_in_one_step(ready: Releases) -> None:
    publish(ready, Q1)
    later = second(ready)
    publish(later, Q1)
    assert [(str(each.version), each.state) for each in later.journal.states().values()] == [
        ("1.0.0", "superseded"),
        ("1.1.0", "published"),
    ]
    told = json.loads((later.project.root.public / "releases" / "releases.json").read_bytes())["releases"]
    assert [(each["version"], each["superseded_by"]) for each in told] == [
        ("1.1.0", None),
        ("1.0.0", "1.1.0"),
    ]
    assert public_faults(later) == []


def test_a_version_before_one_that_is_out_is_not_published(ready: Releases) -> None:
    publish(ready, Q1)
    later = second(ready)
    publish(later, Q1)
    put_draft(
        later,
        version="1.0.1",
        issued_on="2026-09-17",
        knew={f"{Q1}/v{number}": ledger_hash(later, version=number) for number in ("1.0.0", "1.1.0")},
    )
    approve(later, Q1, "1.0.1", **ROLE, outcomes=VALID)
    with pytest.raises(ReleaseError, match=r"Version 1\.1\.0 was published already"):
        publish(later, Q1, "1.0.1")


def test_killed_between_journal_and_folder_the_next_command_ends_it(
    ready: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.releasing import promoting

    with monkeypatch.context() as patched:
        patched.setattr(promoting.PublicFolder, "show", lambda *_, **__: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            publish(ready, Q1)
    assert not ready.project.root.public.exists()
    assert next(line.state for line in listing(ready)) == PUBLISHED
    assert "is missing" in public_faults(ready)[0]
    assert publish(ready, Q1).is_current
    assert public_faults(ready) == []


def test_a_full_disk_leaves_the_old_folder_and_says_how_to_go_on(
    ready: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.releasing import promoting

    def full(*_: Any, **__: Any) -> bool:
        raise OSError(28, "No space left on device", "figures.csv")

    with monkeypatch.context() as patched:
        patched.setattr(promoting.PublicFolder, "show", full)
        with pytest.raises(ReleaseError, match=r"noted as published, but .* No space left .* ends what was"):
            publish(ready, Q1)
    assert publish(ready, Q1).is_current
    assert public_faults(ready) == []


def test_a_journal_that_is_lost_takes_nothing_away_from_the_public(ready: Releases) -> None:
    publish(ready, Q1)
    root = ready.project.root
    root.journal.unlink()
    root.journal_head.unlink()
    put_draft(ready, Q2, issued_on="2025-09-18")
    with pytest.raises(PublicFolderError, match=r"2025-26-Q1/v1\.0\.0 lie in the public folder"):
        approve(ready, Q2, None, **ROLE, outcomes=VALID)
    assert (root.public / "releases" / Q1 / "v1.0.0" / "figures.csv").is_file()


def test_the_newest_is_the_newest_that_is_there(ready: Releases) -> None:
    """A correction takes the place of the scheduled draft, whose number is higher."""
    publish(ready, Q1)
    knew = {f"{Q1}/v1.0.0": ledger_hash(ready)}
    put_draft(ready, version="1.1.0", knew=knew)
    shutil.rmtree(ready.draft(Q1, "1.1.0"))
    assert str(ready.find(Q1).version) == "1.0.0"
    put_draft(ready, version="1.0.1", knew=knew)
    approve(ready, Q1, None, **ROLE, outcomes=VALID)
    assert str(publish(ready, Q1).version) == "1.0.1"


def test_two_versions_are_compared_while_an_audit_runs(ready: Releases) -> None:
    """Whoever reads leaves the scratch folders of others alone."""
    publish(ready, Q1)
    put_draft(ready, version="1.1.0")
    scratch = ready.project.root.drafts / ".audit-running"
    scratch.mkdir()
    compared(ready, Q1)
    assert scratch.is_dir()


# --- withdrawing, listing


def test_what_is_not_as_it_was_published_can_be_withdrawn(ready: Releases) -> None:
    publish(ready, Q1)
    path = ready.project.root.public / "releases" / Q1 / "v1.0.0" / "figures.csv"
    path.chmod(0o644)
    path.write_text("exact: 17")
    assert withdraw(ready, Q1, None, **ROLE).state == WITHDRAWN
    assert list(ready.project.root.publications.rglob("figures.csv")) == []


def test_a_withdrawn_version_leaves_its_page_and_no_file_anywhere_public(ready: Releases) -> None:
    publish(ready, Q1)
    state = withdraw(ready, Q1, None, role="head of statistics", reason="A column was wrong.")
    assert state.state == WITHDRAWN
    root = ready.project.root
    assert [path.name for path in (root.public / "releases" / Q1 / "v1.0.0").iterdir()] == ["index.html"]
    assert list(root.publications.rglob("figures.csv")) == []
    assert public_faults(ready) == []
    with pytest.raises(ReleaseError, match="was withdrawn on"):
        withdraw(ready, Q1, "1.0.0", **ROLE)


def test_a_draft_cannot_be_withdrawn(ready: Releases) -> None:
    with pytest.raises(ReleaseError, match="never published"):
        withdraw(ready, Q1, None, **ROLE)


def test_the_list_has_every_version_and_the_days_ahead(ready: Releases) -> None:
    publish(ready, Q1)
    put_draft(ready, Q2, issued_on="2025-12-18")
    lines = {(line.period_code, line.version): line for line in listing(ready)}
    assert lines[Q1, "1.0.0"].state == PUBLISHED
    assert (lines[Q1, "1.0.0"].cells_published, lines[Q1, "1.0.0"].cells) == (8, 10)
    assert lines[Q2, "1.0.0"].state == AUDITED
    assert lines["2025-26-Q3", ""].state == SCHEDULED
    # announced on 1 April 2026 only
    assert (Q1, "") not in lines
    assert ("2025-26-Q4", "") not in lines


def test_drafts_of_another_build_go_and_what_was_published_stays(ready: Releases) -> None:
    publish(ready, Q1)
    put_draft(ready, Q2, issued_on="2025-12-18")
    dropped = drop_drafts_of_other_builds(ready.project, "b2")
    assert [path.parent.name for path in dropped] == [Q2, Q2]
    assert ready.record(Q1, "1.0.0").is_dir()
    assert {line.state for line in listing(ready) if line.period_code == Q2} == {DROPPED}
    assert drop_drafts_of_other_builds(ready.project, "b2") == []
    put_draft(ready, Q2, issued_on="2025-12-18")
    assert drop_drafts_of_other_builds(ready.project, "b1") == []


@pytest.mark.parametrize("version", ["2.0.0", None])
def test_a_version_that_is_not_there_says_what_there_is(drafts: Releases, version: str | None) -> None:
    with pytest.raises(ReleaseError, match="`vcc release list` shows those there are"):
        publish(drafts, Q1, version)


# --- the command


def vcc(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str, as_of: str = "2025-09-18") -> Any:
    """Exit code, standard output and standard error of `vcc release ...`."""
    from orchestration.cli import main

    code = main(["--data-root", str(root), "--as-of", as_of, "release", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def bare_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drafts of these tests are no figures that pages could be made of."""
    from orchestration.publishing import site

    monkeypatch.setattr(
        site,
        "site_files",
        lambda project, releases, versions, progress: {"site.json": site_record(releases, {})},
    )


def test_the_command_tells_the_next_step_and_refuses_with_a_code(
    drafts: Releases,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    bare_site: None,
) -> None:
    from orchestration.releasing import validating

    monkeypatch.setattr(validating, "outcomes_of", lambda *_: {"checksums": []})
    monkeypatch.setattr(validating, "exposed_names", lambda _: [])
    put_draft(drafts)
    root = drafts.project.data_root
    code, _, err = vcc(capsys, root, "publish", Q1)
    assert (code, "`vcc release approve 2025-26-Q1" in err) == (1, True)
    code, _, err = vcc(capsys, root, "approve", Q1, "--role", "Mr John Smith", "--reason", "Why.")
    assert (code, "personal data" in err) == (2, True)
    code, out, _ = vcc(capsys, root, "approve", Q1, "--role", ROLE["role"], "--reason", ROLE["reason"])
    assert (code, "vcc release publish 2025-26-Q1" in out) == (0, True)
    assert vcc(capsys, root, "publish", Q1, as_of="2025-09-17")[0] == 1
    assert vcc(capsys, root, "publish", Q1)[0] == 0
    code, out, err = vcc(capsys, root, "list")
    assert (code, err) == (0, "")
    assert "8 of 10" in out
    (root / "public" / "releases" / "exact.csv").write_text("17")
    code, _, err = vcc(capsys, root, "list")
    assert (code, "exact.csv was never approved" in err) == (1, True)
    assert vcc(capsys, root, "publish", "2025-26-Q1", "1.x")[0] == 2


def test_no_embargo_ends_on_a_day_that_was_only_said(
    drafts: Releases, capsys: pytest.CaptureFixture[str], bare_site: None
) -> None:
    root = drafts.project.data_root
    ahead = f"{datetime.now().date() + timedelta(days=2)}"
    put_draft(drafts, issued_on=ahead)
    approve(drafts, Q1, None, **ROLE, outcomes=VALID)
    code, _, err = vcc(capsys, root, "publish", Q1, as_of=ahead)
    assert (code, "end no embargo" in err) == (2, True)
    (root / "sample").mkdir()
    (root / "sample" / "list.json").write_text(json.dumps({"as_of": ahead, "files": []}))
    assert vcc(capsys, root, "publish", Q1, as_of=ahead)[0] == 0
