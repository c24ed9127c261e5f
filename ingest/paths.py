"""Where everything lies under one data root. No other module of the project spells out a folder name.

Belongs here: names and permissions of folders. Does not: reading or writing what lies in them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ARRIVALS = "arrivals.csv"
"""Name of the delivery journal in an inbox."""
HEADS = "heads"
"""Name of the folder of heads in a data root."""
EMPTY = "_empty.parquet"
"""Name of the zero-row table beside every set of Parquet files."""
OWNER_ONLY = 0o700
OWNER_AND_GROUP = 0o750
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")


@dataclass(frozen=True)
class DataRoot:
    """The folders of one data root. Nothing is created until create() is called.

    inbox_url and archive_url (s3://bucket/prefix) stand in for the folders `inbox` and `archive`, which then
    stay empty; whoever delivers, takes or keeps asks ingest.inbox.inbox_of and ingest.archive.archive_of.
    """

    path: Path
    inbox_url: str | None = None
    archive_url: str | None = None

    def __post_init__(self) -> None:
        """Hold an absolute path, so that a change of working directory moves nothing."""
        object.__setattr__(self, "path", Path(self.path).absolute())

    # --- inbox
    @property
    def inbox(self) -> Path:
        """As delivered: one folder per sender."""
        return self.path / "inbox"

    @property
    def arrivals(self) -> Path:
        """Delivery journal: sender_code, file_name, arrived_at (ISO 8601, UTC)."""
        return self.inbox / ARRIVALS

    @property
    def holding(self) -> Path:
        """Files that wait to be judged. Owner only."""
        return self.path / "holding"

    # --- archive
    @property
    def archive(self) -> Path:
        """Write-once originals, addressed by sha256."""
        return self.path / "archive"

    @property
    def archive_cache(self) -> Path:
        """Copies of archived files, where the archive is not on this machine. Owner only."""
        return self.path / "cache" / "archive"

    @property
    def quarantine(self) -> Path:
        """Files that may hold personal data or harm. Owner only."""
        return self.path / "quarantine"

    @property
    def ledger(self) -> Path:
        """Folder of the ledger."""
        return self.path / "ledger"

    @property
    def receipts(self) -> Path:
        """The ledger of receipts: JSON lines, append only, hash chained."""
        return self.ledger / "receipts.jsonl"

    @property
    def removals(self) -> Path:
        """The log of what was purged or erased: JSON lines, append only, hash chained."""
        return self.ledger / "removals.jsonl"

    @property
    def heads(self) -> Path:
        """How far the ledger and the log of removals reach, kept apart from both (ingest/heads.py)."""
        return self.path / HEADS

    # --- raw
    @property
    def raw(self) -> Path:
        """Typed Parquet."""
        return self.path / "raw"

    @property
    def raw_returns(self) -> Path:
        """Accepted returns parsed once, addressed by sha256."""
        return self.raw / "returns"

    def raw_return(self, sha256: str) -> Path:
        """Folder of one parsed return: one Parquet file a sheet."""
        return self.raw_returns / sha256[:2] / sha256

    def raw_sheet(self, kind: str, sheet: str) -> Path:
        """Folder of one sheet of one kind of return: one Parquet file a period, and a zero-row one."""
        return self.raw / kind / sheet

    @property
    def raw_receipts(self) -> Path:
        """Receipts as a table."""
        return self.raw / "receipts" / "receipts.parquet"

    @property
    def raw_problems(self) -> Path:
        """Problems of all receipts as a table."""
        return self.raw / "problems" / "problems.parquet"

    @property
    def raw_forms(self) -> Path:
        """The versions of every form as a table."""
        return self.raw / "forms" / "forms.parquet"

    @property
    def raw_periods(self) -> Path:
        """The calendar of periods as a table."""
        return self.raw / "periods" / "periods.parquet"

    @property
    def raw_working_days(self) -> Path:
        """The calendar of working days as a table."""
        return self.raw / "working_days" / "working_days.parquet"

    # --- register, warehouse, checks
    @property
    def register(self) -> Path:
        """Detections of each final build: one immutable Parquet file a period."""
        return self.path / "register"

    @property
    def warehouse(self) -> Path:
        """Everything of the warehouse."""
        return self.path / "warehouse"

    @property
    def builds(self) -> Path:
        """Verified warehouse files, one a build."""
        return self.warehouse / "builds"

    @property
    def current(self) -> Path:
        """Link to the build in use."""
        return self.warehouse / "current"

    @property
    def serving(self) -> Path:
        """The marts as analysts read them: copies of verified builds, never written again."""
        return self.warehouse / "serving"

    @property
    def serving_current(self) -> Path:
        """Link to the copy in use."""
        return self.serving / "current"

    @property
    def checks(self) -> Path:
        """Outcome of every contract check, one file a build."""
        return self.path / "checks"

    # --- releases and what is kept inside
    @property
    def releases(self) -> Path:
        """Open data releases."""
        return self.path / "releases"

    @property
    def drafts(self) -> Path:
        """Releases that are not published yet, under embargo. Owner only."""
        return self.releases / "drafts"

    @property
    def records(self) -> Path:
        """What stands behind each release: exact values, what was withheld, the audit. Owner only."""
        return self.releases / "records"

    @property
    def journal(self) -> Path:
        """What was done with each release: JSON lines, append only, hash chained."""
        return self.releases / "journal.jsonl"

    @property
    def journal_head(self) -> Path:
        """How far the journal of releases reaches, kept apart from it."""
        return self.heads / "journal.json"

    @property
    def annual_reports(self) -> Path:
        """Annual reports that were laid before Parliament, as they are public: never changed."""
        return self.releases / "annual_reports"

    @property
    def publications(self) -> Path:
        """Whole trees of everything that is public; only the one that `public` links to is read."""
        return self.path / "publications"

    @property
    def public(self) -> Path:
        """Link to the tree that is public now: the only folder that is for everybody."""
        return self.path / "public"

    @property
    def restricted(self) -> Path:
        """Exact figures, for the bodies and the boards. Owner only."""
        return self.path / "restricted"

    @property
    def flags(self) -> Path:
        """Flag registers for the Programme Board, one folder a period."""
        return self.restricted / "flags"

    @property
    def simulations(self) -> Path:
        """What proposed rules would have flagged, one folder a table of rules."""
        return self.restricted / "simulations"

    @property
    def packs(self) -> Path:
        """Local figures that go back to bodies and reviewers, one folder a period."""
        return self.restricted / "packs"

    @property
    def pages(self) -> Path:
        """The site as it will be once drafts are published, and the annual report until it is laid."""
        return self.restricted / "pages"

    @property
    def reports(self) -> Path:
        """Reports on the receipts that have problems, for the senders: one folder a sender, one a receipt."""
        return self.restricted / "receipts"

    def report(self, sender_code: str, receipt_id: str) -> Path:
        """Folder of the reports on one receipt. Raises ValueError for what may not name a folder."""
        for name in (sender_code, receipt_id):
            if not _FOLDER_NAME.match(name):
                raise ValueError(f"{name!r} may not name a folder.")
        return self.reports / sender_code / receipt_id

    @property
    def lock(self) -> Path:
        """File whose lock says that somebody is receiving."""
        return self.path / ".receive.lock"

    def create(self) -> DataRoot:
        """Create every folder that others write into.

        The private ones are always made readable by their owner only. The root, and the others, which hold
        exact figures as well, are created closed to everybody outside the owner's group; where they exist, or
        were opened to others on purpose, they stay as they are.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for folder in (
            self.path,
            self.inbox,
            self.archive,
            self.ledger,
            self.heads,
            self.raw,
            self.raw_returns,
            self.register,
            self.warehouse,
            self.builds,
            self.serving,
            self.checks,
            self.releases,
        ):
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                folder.chmod(OWNER_AND_GROUP)
        for folder in (self.holding, self.quarantine, self.drafts, self.records, self.restricted):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(OWNER_ONLY)
        return self
