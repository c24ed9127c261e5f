"""Where things are: this repository's folders and one data root, with the clock that dates what arrives.

What belongs here: paths and lazily loaded reference data, shared by every command and asset.
What does not: Dagster. A command that needs only a path must not pay for anything else.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.paths import DataRoot
from orchestration.outputs import OutputNotes
from orchestration.serving import Serving
from orchestration.warehouse import Warehouse, build_id_for, digest_files, inputs_id_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.clock import Clock
    from ingest.form import Forms
    from ingest.limits import Limits
    from ingest.period import Period
    from ingest.reference import Reference

PROJECT_FOLDER = Path(__file__).resolve().parents[1]

DATA_ROOT_VARIABLE = "VCC_DATA_ROOT"
AS_OF_VARIABLE = "VCC_AS_OF"
INBOX_VARIABLE = "VCC_INBOX"
ARCHIVE_VARIABLE = "VCC_ARCHIVE"
DAGSTER_HOME_VARIABLE = "VCC_DAGSTER_HOME"
TODAY = "today"

#: Folders of `reports` that pages and packs are made with, and no file of a release.
READING_FOLDERS = tuple(
    f"reports/{name}"
    for name in ("components", "documents", "engine", "packs", "pages", "site", "templates/layouts", "tool")
)


class SettingError(ValueError):
    """A setting of the environment or the command line cannot be used; the message says how to mend it."""


@dataclass(frozen=True)
class Project:
    """One data root, seen by the code of this repository."""

    data_root: Path
    clock: Clock
    folder: Path = field(default=PROJECT_FOLDER)
    #: Where the inbox and the archive are, if not in the data root: s3://bucket/prefix.
    inbox_url: str | None = None
    archive_url: str | None = None

    @property
    def dbt_folder(self) -> Path:
        """The dbt project."""
        return self.folder / "dbt_project"

    @property
    def seeds_folder(self) -> Path:
        """Reference data, the single source for Python and SQL alike."""
        return self.dbt_folder / "seeds"

    @property
    def manifest_path(self) -> Path:
        """What dbt knows of its project; made fresh by orchestration.dbt.ensure_manifest."""
        return self.dbt_folder / "target" / "manifest.json"

    @property
    def contracts_folder(self) -> Path:
        """What is promised about the marts, one file each."""
        return self.folder / "quality" / "contracts"

    @cached_property
    def root(self) -> DataRoot:
        """The folders of the data root."""
        return DataRoot(self.data_root, self.inbox_url, self.archive_url)

    @cached_property
    def limits(self) -> Limits:
        """How large a return may be. Raises SettingError for a setting VCC_LIMIT_... that is no limit."""
        from ingest.limits import Limits

        try:
            return Limits.from_environment(os.environ)
        except ValueError as error:
            raise SettingError(str(error)) from None

    @cached_property
    def reference(self) -> Reference:
        """Areas, bodies, senders and metrics, each with its dates."""
        from ingest.reference import Reference

        return Reference.load(self.seeds_folder)

    @cached_property
    def forms(self) -> Forms:
        """Every version of every form."""
        from ingest.form import load_forms

        return load_forms()

    @cached_property
    def warehouse(self) -> Warehouse:
        """The builds and the link to the one that is served."""
        return Warehouse(self.root)

    @cached_property
    def serving(self) -> Serving:
        """The copies for analysts and the link to the one they read."""
        return Serving(self.root)

    def build_id(self) -> str:
        """Name the build that the present raw files and models make, beside what is recorded."""
        from orchestration.register import recorded_from

        return build_id_for(self.inputs_id(), recorded_from(self.root.register))

    def inputs_id(self) -> str:
        """Name what a build is made from now, without the register."""
        return inputs_id_for(self.root, self.dbt_folder, self.contracts_folder)

    def checks_path(self, build_id: str) -> Path:
        """Where the outcome of every contract check of a build is kept."""
        return self.root.checks / f"{build_id}.json"

    def dbt_tests_path(self, build_id: str) -> Path:
        """Where the outcome of every dbt test of a build is kept."""
        return self.root.checks / f"{build_id}.dbt_tests.json"

    @cached_property
    def output_notes(self) -> OutputNotes:
        """Which build each output of a quarter was made from."""
        return OutputNotes(self.root.checks / "outputs")

    @cached_property
    def output_code(self) -> str:
        """One hash over the code that turns marts into files, so that a change of it remakes them.

        Every file there is, not only Python: templates, the publisher's facts, shapes and declarations too.
        What only pages are made with is left out: a word on a page must not draft every release anew.
        """
        code = self._code_in("reports", "quality/disclosure", "orchestration/releasing")
        pages = self._code_in(*READING_FOLDERS)
        return digest_files(sorted(code - pages), self.folder)[:16]

    @cached_property
    def reading_code(self) -> str:
        """One hash over the code that makes pages and packs, with the styles and scripts they use."""
        code = self._code_in("reports", "orchestration/publishing")
        return digest_files(sorted({*code, self.folder / "package-lock.json"}), self.folder)[:16]

    def _code_in(self, *folders: str) -> set[Path]:
        return {
            path
            for folder in folders
            for path in (self.folder / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
        }

    @property
    def today(self) -> date:
        """The day it is in England and Wales."""
        from ingest.clock import local_day

        return local_day(self.clock.now())

    def ended_quarters(self) -> list[Period]:
        """Every reporting period, from the first through the last one that has ended.

        A quarter each, unless the form in force asks for half-years or years.
        """
        from ingest.form import REPORTING_KIND

        start = self.reference.cycle_on(self.today).reporting_starts_on
        return self.forms.reporting_periods(REPORTING_KIND, start, self.today - timedelta(days=1))

    def due_quarters(self) -> list[Period]:
        """Every ended quarter whose returns were due before today: only those can be judged as missing."""
        return [quarter for quarter in self.ended_quarters() if self.returns_due_on(quarter) < self.today]

    def is_reviewed(self, period: Period) -> bool:
        """True once the last day of the joint local review has passed: only then may a build be final."""
        return self.review_due_on(period) < self.today

    def returns_due_on(self, period: Period) -> date:
        """Return the last day on which a return for the period is on time."""
        return self.reference.cycle_on(period.last_day).returns_due_on(period)

    def review_due_on(self, period: Period) -> date:
        """Return the last day of the joint local review of the period."""
        return self.reference.cycle_on(period.last_day).review_due_on(period)

    def quarter(self, code: str) -> Period:
        """Return the ended quarter of that code. Raises SettingError with the codes that can be asked for."""
        from ingest.period import Period

        try:
            period = Period.parse(code)
        except ValueError as error:
            raise SettingError(str(error)) from None
        quarters = self.ended_quarters()
        if period not in quarters:
            raise SettingError(
                f"{code} is not a quarter that can be run; choose one from "
                f"{quarters[0].code} through {quarters[-1].code}."
                if quarters
                else f"{code} cannot be run: no reporting quarter has ended yet."
            )
        return period


def open_project(data_root: Path | None = None, as_of: str | None = None) -> Project:
    """Open a data root: the argument, else VCC_DATA_ROOT, else `data` beside the code.

    `as_of`, else VCC_AS_OF, else the day of the sample that the data root holds, is taken as today; without
    any of them, or with the word `today`, the clock is the system's. VCC_INBOX and VCC_ARCHIVE say where the
    inbox and the archive are, if not in the data root. Raises SettingError for a setting that cannot be used.
    """
    chosen = data_root or Path(os.environ.get(DATA_ROOT_VARIABLE) or PROJECT_FOLDER / "data")
    folder = chosen.expanduser().resolve()
    clock = clock_for(as_of or os.environ.get(AS_OF_VARIABLE) or sample_day(folder))
    return Project(
        folder, clock, inbox_url=_url_set_in(INBOX_VARIABLE), archive_url=_url_set_in(ARCHIVE_VARIABLE)
    )


def _url_set_in(variable: str) -> str | None:
    """Return the URL that a variable of the environment holds, or None if it is empty or not set."""
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    from ingest.storage import checked_url

    try:
        return checked_url(variable, text)
    except ValueError as error:
        raise SettingError(str(error)) from None


def clock_for(as_of: str | None) -> Clock:
    """Return a clock that stands at noon (UTC) of the day, or the system's for no day or `today`."""
    from ingest.clock import FixedClock, SystemClock

    if not as_of or as_of == TODAY:
        return SystemClock()
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        raise SettingError(
            f"'{as_of}' is not a date; write it as 2026-12-10, or as the word today."
        ) from None
    return FixedClock(datetime.combine(day, time(12), tzinfo=UTC))


def sample_list(data_root: Path) -> Path:
    """Return the list of the sample's files; it is there if the data root holds the sample."""
    return data_root / "sample" / "list.json"


def sample_day(data_root: Path) -> str | None:
    """Return the day on which the sample is complete: it must read the same in any later year."""
    path = sample_list(data_root)
    return str(json.loads(path.read_bytes())["as_of"]) if path.is_file() else None


def dagster_home() -> Path:
    """Return the folder of Dagster's own instance: VCC_DAGSTER_HOME, else `.dagster` beside the code."""
    return Path(os.environ.get(DAGSTER_HOME_VARIABLE) or PROJECT_FOLDER / ".dagster").expanduser().resolve()


def codes(periods: Sequence[Period]) -> list[str]:
    """Return the periods' codes, in the order given."""
    return [period.code for period in periods]
