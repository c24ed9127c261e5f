"""The annual report: what people decide about it, and the same document as HTML, PDF and ODT.

Belongs here: the configuration, whether the report is laid, and which files come of it. Does not belong here:
its words and figures (reports/pages/documents/annual_report.md reads `published.*`), what the forums did
(reports/forum_activity.py), how a page becomes a PDF or an ODT (reports/documents).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from reports.engine.queries import neutral
from reports.engine.rows import Rows
from reports.files import publish_folder
from reports.forum_activity import forum_activity
from reports.labels import MARKING
from reports.published import LOCKED

CONFIGURATION = Path(__file__).with_name("annual_report.yml")
PAGES = Path(__file__).parent / "pages" / "documents"
#: Name of the documents in the folder of a draft, and of the folder of the public copies.
NAME, PUBLIC_FOLDER = "annual-report", "annual-report"
NOTHING_TO_REPORT = (
    "No quarter of {} is published, so there is nothing to report; publish its releases, or change"
    " from_quarter."
)
DRAFT = f"{MARKING}: draft, not laid before Parliament"

_QUARTER = re.compile(r"(20\d{2})-(\d{2})-Q([1-4])\Z")
_MONTHS = ("April to June", "July to September", "October to December", "January to March")
_LANGUAGE_TAGS: Mapping[str, str] = {"en": "en-GB", "cy": "cy"}
_KEYS = (
    "from_quarter", "laid_on", "paper_number", "languages", "title", "foreword", "areas_of_focus",
    "good_practice",
)  # fmt: skip


class AnnualReportError(ValueError):
    """The configuration does not hold together, or the report may not be made; says what to do."""


@dataclass(frozen=True)
class Quarter:
    """One quarter of the financial year."""

    period_code: str
    label: str
    first_day: dt.date
    last_day: dt.date

    @classmethod
    def of(cls, period_code: str) -> Quarter:
        """Read a code such as 2025-26-Q1. Raises AnnualReportError."""
        match = _QUARTER.match(period_code)
        if match is None or (int(match[1]) + 1) % 100 != int(match[2]):
            raise AnnualReportError(f"{period_code!r} is no quarter; write it like 2025-26-Q1.")
        year, number = int(match[1]), int(match[3])
        first_month = 3 * number + 1
        first = dt.date(year, first_month, 1) if number < 4 else dt.date(year + 1, 1, 1)
        following = dt.date(first.year + (first.month == 10), (first.month + 2) % 12 + 1, 1)
        label = f"{_MONTHS[number - 1]} {first.year} ({year}/{match[2]} Q{number})"
        return cls(period_code, label, first, following - dt.timedelta(days=1))

    def next(self) -> Quarter:
        """The quarter after this one."""
        day = self.last_day + dt.timedelta(days=1)
        start = day.year if day.month >= 4 else day.year - 1
        return Quarter.of(f"{start}-{(start + 1) % 100:02d}-Q{(day.month - 4) % 12 // 3 + 1}")


@dataclass(frozen=True)
class FocusArea:
    """What the ministers ask bodies to attend to."""

    title: str
    text: str


@dataclass(frozen=True)
class PracticeChoice:
    """An entry of an insight return that its reviewer agreed to see published."""

    receipt_id: str
    insight_id: str
    agreed_on: dt.date


@dataclass(frozen=True)
class AnnualReport:
    """What people decided about the report: the months, the day it is laid, words of its own."""

    quarters: tuple[Quarter, Quarter, Quarter, Quarter]
    laid_on: dt.date | None
    paper_number: str | None
    languages: tuple[str, ...]
    title: Mapping[str, str]
    foreword: Mapping[str, str]
    areas_of_focus: tuple[FocusArea, ...] = ()
    good_practice: tuple[PracticeChoice, ...] = ()

    @property
    def first_day(self) -> dt.date:
        """The first day of the twelve months."""
        return self.quarters[0].first_day

    @property
    def last_day(self) -> dt.date:
        """The last day of the twelve months."""
        return self.quarters[-1].last_day

    @property
    def months(self) -> str:
        """The twelve months in words."""
        return f"{self.first_day:%B %Y} to {self.last_day:%B %Y}"

    @property
    def folder(self) -> str:
        """First and last quarter, as in 2025-26-Q1_2025-26-Q4."""
        return f"{self.quarters[0].period_code}_{self.quarters[-1].period_code}"

    @property
    def years(self) -> str:
        """What the public files are called after: the financial year, or first and last quarter."""
        first = self.quarters[0].period_code
        return first[:7] if first.endswith("Q1") else self.folder.replace("_", "-to-")

    def is_laid(self, today: dt.date) -> bool:
        """Whether the day on which the report is laid is set and has come."""
        return self.laid_on is not None and self.laid_on <= today


def read_annual_report(path: Path = CONFIGURATION) -> AnnualReport:
    """Read the configuration. Raises AnnualReportError, naming the file and the key."""
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise AnnualReportError(f"{path.name} is not valid YAML: {' '.join(str(error).split())}.") from error
    try:
        return annual_report_of(values)
    except AnnualReportError as error:
        raise AnnualReportError(f"{path.name}: {error}") from error


def annual_report_of(values: Any) -> AnnualReport:
    """The configuration from its parsed keys. Raises AnnualReportError, naming the key."""
    if not isinstance(values, dict):
        raise AnnualReportError(f"expected the keys {', '.join(_KEYS)}.")
    unknown = sorted(set(map(str, values)) - set(_KEYS))
    if unknown:
        raise AnnualReportError(f"there is no key {unknown[0]!r}; the keys are {', '.join(_KEYS)}.")
    first = Quarter.of(_text(values, "from_quarter"))
    second = first.next()
    third = second.next()
    quarters = (first, second, third, third.next())
    laid_on = _day(values.get("laid_on"), "laid_on")
    if laid_on is not None and laid_on <= quarters[-1].last_day:
        raise AnnualReportError(
            f"laid_on: {laid_on:%-d %B %Y} is before the end of the months covered,"
            f" {quarters[-1].last_day:%-d %B %Y}."
        )
    languages = values.get("languages")
    if not isinstance(languages, list) or not languages or len(set(map(str, languages))) < len(languages):
        raise AnnualReportError("languages: give a list such as [en], each once.")
    for language in languages:
        if language not in _LANGUAGE_TAGS:
            raise AnnualReportError(f"languages: {language!r} is none of {', '.join(_LANGUAGE_TAGS)}.")
        if not page_of(language).is_file():
            raise AnnualReportError(
                f"languages: there is no page for {language!r} yet; write {page_of(language).name} beside"
                " annual_report.md, or leave the language out."
            )
    title = {language: _text(_texts(values, "title"), language, "title: ") for language in languages}
    forewords = _texts(values, "foreword")
    foreword = {language: str(forewords.get(language) or "").strip() for language in languages}
    paper_number = str(values.get("paper_number") or "").strip() or None
    if laid_on is not None:
        if paper_number is None:
            raise AnnualReportError("paper_number: a report that is laid has one; blank laid_on until then.")
        empty = [language for language in languages if not foreword[language]]
        if empty:
            raise AnnualReportError(f"foreword: a report that is laid has one; write it in {empty[0]}.")
    return AnnualReport(
        quarters=quarters,
        laid_on=laid_on,
        paper_number=paper_number,
        languages=tuple(languages),
        title=title,
        foreword=foreword,
        areas_of_focus=tuple(
            FocusArea(_text(entry, "title", at), _text(entry, "text", at))
            for at, entry in _entries(values, "areas_of_focus")
        ),
        good_practice=tuple(
            PracticeChoice(_text(entry, "receipt_id", at), _text(entry, "insight_id", at), _agreed(entry, at))
            for at, entry in _entries(values, "good_practice")
        ),
    )


def _entries(values: Mapping[str, Any], key: str) -> list[tuple[str, Mapping[str, Any]]]:
    listed = values.get(key) or []
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise AnnualReportError(f"{key}: give a list of entries, or [] for none.")
    return [(f"{key}, entry {number}, ", entry) for number, entry in enumerate(listed, 1)]


def _texts(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    given = values.get(key) or {}
    if not isinstance(given, dict):
        raise AnnualReportError(f"{key}: give one text for each language, as `en: ...`.")
    return given


def _text(values: Mapping[str, Any], key: str, where: str = "") -> str:
    text = str(values.get(key) or "").strip()
    if not text:
        raise AnnualReportError(f"{where}{key}: is missing.")
    return text


def _day(value: Any, where: str) -> dt.date | None:
    if value is not None and type(value) is not dt.date:
        raise AnnualReportError(f"{where}: expected a day such as 2026-11-20, found {value!r}.")
    return value


def _agreed(entry: Mapping[str, Any], at: str) -> dt.date:
    day = _day(entry.get("agreed_on"), f"{at}agreed_on")
    if day is None:
        raise AnnualReportError(
            f"{at}agreed_on: is missing: the day the reviewing body agreed to publication."
        )
    return day


def page_of(language: str) -> Path:
    """The page that a language's report is made of."""
    return PAGES / ("annual_report.md" if language == "en" else f"annual_report.{language}.md")


@dataclass(frozen=True)
class AnnualReportSummary:
    """What was made: where, as a draft or as laid, and the quarters that no published release covers."""

    folder: Path
    is_draft: bool
    missing_quarters: tuple[str, ...]
    file_sizes: Mapping[str, int]


def build_annual_report(
    published: duckdb.DuckDBPyConnection,
    warehouse: Path,
    configuration: AnnualReport,
    *,
    build_id: str,
    today: dt.date,
    meetings_recorded_from: dt.date,
    out: Path,
) -> AnnualReportSummary:
    """Write the report into `out`/<first quarter>_<last quarter>, as a draft until it is laid.

    `published` is a connection of `open_published`, `warehouse` a build or the analysts' copy, `build_id` its
    name. `meetings_recorded_from` is the first day for which the decisions return asks for meetings. `out`
    must lie outside the public folder. Raises AnnualReportError, or PageErrors of the page.
    """
    is_laid = configuration.is_laid(today)
    made = _documents(
        published, warehouse, configuration, build_id, meetings_recorded_from, is_draft=not is_laid
    )
    files = {f"{NAME}{ending}": content for ending, content in made.items()}
    folder = out / configuration.folder
    publish_folder(folder, files)
    return AnnualReportSummary(
        folder=folder,
        is_draft=not is_laid,
        missing_quarters=_missing(published, configuration),
        file_sizes={name: len(content) for name, content in files.items()},
    )


def public_files(
    published: duckdb.DuckDBPyConnection,
    warehouse: Path,
    configuration: AnnualReport,
    *,
    build_id: str,
    today: dt.date,
    meetings_recorded_from: dt.date,
) -> dict[str, bytes]:
    """The laid report without the marking: path in the public folder -> content.

    Raises AnnualReportError while the report is a draft.
    """
    require_laid(configuration, today)
    made = _documents(published, warehouse, configuration, build_id, meetings_recorded_from, is_draft=False)
    return {f"{PUBLIC_FOLDER}/{configuration.years}{ending}": content for ending, content in made.items()}


def require_laid(configuration: AnnualReport, today: dt.date) -> None:
    """Raise AnnualReportError while the report is a draft, with what to do."""
    if configuration.is_laid(today):
        return
    if configuration.laid_on:
        when = f"is to be laid on {configuration.laid_on:%-d %B %Y}"
    else:
        when = f"has no day yet (laid_on in {CONFIGURATION.name})"
    raise AnnualReportError(f"The annual report for {configuration.months} {when}; a draft is not published.")


def _missing(published: duckdb.DuckDBPyConnection, configuration: AnnualReport) -> tuple[str, ...]:
    there = {code for (code,) in published.execute("select period_code from releases").fetchall()}
    return tuple(q.period_code for q in configuration.quarters if q.period_code not in there)


def _documents(
    published: duckdb.DuckDBPyConnection,
    warehouse: Path,
    configuration: AnnualReport,
    build_id: str,
    recorded_from: dt.date,
    *,
    is_draft: bool,
) -> dict[str, bytes]:
    """`.html`, `.pdf` and `.odt` of each language; the second language and later ones as `.cy.html`."""
    from reports.documents.odt import odt_of
    from reports.documents.pdf import pdf_of

    dated = _dated(published, configuration, is_draft)
    made: dict[str, bytes] = {}
    pages = report_pages(
        published,
        warehouse,
        configuration,
        build_id=build_id,
        meetings_recorded_from=recorded_from,
        is_draft=is_draft,
    )
    for place, (language, html) in enumerate(pages.items()):
        title = neutral(configuration.title[language])
        ending = "" if place == 0 else f".{language}"
        made[f"{ending}.html"] = html.encode("utf-8")
        made[f"{ending}.pdf"] = pdf_of(html)
        made[f"{ending}.odt"] = odt_of(
            html,
            title=f"{DRAFT}: {title}" if is_draft else title,
            language=_LANGUAGE_TAGS[language],
            dated=dated,
            marking=DRAFT if is_draft else None,
            footer=_footer(configuration, is_draft),
        )
    return made


def _footer(configuration: AnnualReport, is_draft: bool) -> str:
    """Stands in a style sheet too, so it has no character that means something there."""
    return f"Annual report, {configuration.months}, {'draft' if is_draft else 'as laid'}"


def _dated(published: duckdb.DuckDBPyConnection, configuration: AnnualReport, is_draft: bool) -> dt.date:
    """The day in the properties of the files: the day it was laid, of a draft the newest release's."""
    if not is_draft and configuration.laid_on is not None:
        return configuration.laid_on
    found = published.execute("select max(issued_on) from releases").fetchone()
    assert found is not None
    day: dt.date = found[0]
    return day


def report_pages(
    published: duckdb.DuckDBPyConnection,
    warehouse: Path,
    configuration: AnnualReport,
    *,
    build_id: str,
    meetings_recorded_from: dt.date,
    is_draft: bool,
) -> dict[str, str]:
    """The report in each language as one self-contained page of HTML.

    Raises AnnualReportError where none of the four quarters is published, PageErrors for a fault of the page.
    """
    from reports.engine.build import build_pages
    from reports.engine.pages import load_pages

    recorded_from = meetings_recorded_from
    releases = published.execute(
        "select period_code, version, issued_on, sums_sha256 from releases order by period_code"
    ).fetchall()
    covered = {quarter.period_code for quarter in configuration.quarters}
    if not any(code in covered for code, *_ in releases):
        raise AnnualReportError(NOTHING_TO_REPORT.format(configuration.months))
    facts = [
        (f"Release {code}", f"version {version}, published {issued:%-d %B %Y}, SHA256SUMS {sums}")
        for code, version, issued, sums in releases
        if code in covered
    ]
    connection = duckdb.connect(str(warehouse), read_only=True, config=LOCKED)
    try:
        connection.execute("set lock_configuration = true")
        labels = _period_labels(configuration)
        activity = forum_activity(
            connection,
            configuration.first_day,
            configuration.last_day,
            recorded_from=recorded_from,
            period_labels=labels,
        )
        practice = _practice(connection, configuration.good_practice)
    finally:
        connection.close()
    parameters: dict[str, Any] = {"first_day": configuration.first_day, "last_day": configuration.last_day}
    for number, quarter in enumerate(configuration.quarters, 1):
        parameters |= {f"quarter_{number}": quarter.period_code, f"quarter_{number}_label": quarter.label}
    facts += [("Build of the case register", build_id), ("State", "draft" if is_draft else "as laid")]
    made: dict[str, str] = {}
    for language in configuration.languages:
        title = neutral(configuration.title[language])
        context = {
            "report": {
                "title": title,
                "months": configuration.months,
                "first_day": f"{configuration.first_day:%-d %B %Y}",
                "last_day": f"{configuration.last_day:%-d %B %Y}",
                "paper_number": neutral(configuration.paper_number or ""),
                "laid_on": f"{configuration.laid_on:%-d %B %Y}" if configuration.laid_on else "",
                "is_draft": is_draft,
                "foreword": _paragraphs(configuration.foreword[language]),
                "focus": [
                    {"title": neutral(area.title), "text": _paragraphs(area.text)}
                    for area in configuration.areas_of_focus
                ],
                "meetings_from": f"{recorded_from:%-d %B %Y}",
                "is_meetings_part": configuration.first_day < recorded_from <= configuration.last_day,
                "is_meetings_none": recorded_from > configuration.last_day,
            },
            "activity": activity,
            "practice": practice,
            "marking": DRAFT if is_draft else None,
            "provenance": {"facts": facts},
            "dated": _dated(published, configuration, is_draft).isoformat(),
            "footer": _footer(configuration, is_draft),
            "lang": _LANGUAGE_TAGS[language],
        }
        (content,) = build_pages(
            load_pages(page_of(language)),
            published,
            audience="public",
            parameters=parameters,
            context=context,
            output="document",
        ).values()
        made[language] = content.decode("utf-8")
    return made


def _paragraphs(text: str) -> list[str]:
    return [neutral(" ".join(part.split())) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _period_labels(configuration: AnnualReport) -> dict[str, str]:
    """Labels of the quarters that a meeting of these months can have reviewed: two years back at most."""
    year = configuration.quarters[0].first_day.year - 3
    quarter = Quarter.of(f"{year}-{(year + 1) % 100:02d}-Q1")
    labels = {}
    while quarter.first_day <= configuration.last_day:
        labels[quarter.period_code] = quarter.label.split(" (")[0]
        quarter = quarter.next()
    return labels


def _practice(warehouse: duckdb.DuckDBPyConnection, chosen: Sequence[PracticeChoice]) -> Rows:
    """The chosen entries in the order they were chosen. Raises AnnualReportError for one not there."""
    columns = ("right_number", "area_name", "sender_name", "insight_text")
    rows = []
    for choice in chosen:
        found = warehouse.execute(
            f"select {', '.join(columns)} from marts.insight_entries"
            " where receipt_id = ? and insight_id = ? and insight_kind = 'best_practice'",
            [choice.receipt_id, choice.insight_id],
        ).fetchall()
        if len(found) != 1:
            raise AnnualReportError(
                f"good_practice: {choice.insight_id} of {choice.receipt_id} is no good practice of a return"
                " that stands; look it up in marts.insight_entries, or take it out."
            )
        rows.append([neutral(value) for value in found[0]])
    return Rows("practice", columns, rows)
