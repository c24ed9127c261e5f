"""Local packs: one for each area, for British Transport Police and for the Ministry of Defence Police.

Belongs here: which files a pack has, and building them side by side. Does not belong here: figures
(`local_facts`), words (`local_words`) and layout (`reports/pages/packs/local.md`).
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports import labels
from reports.documents.ods import OdsTable, ods_of
from reports.documents.pdf import pdf_of
from reports.files import publish_folder
from reports.narrative import Narrative, narratives
from reports.packs.local_facts import LEAST_AREAS, local_facts, open_warehouse
from reports.packs.local_words import LocalPack, local_pack
from reports.packs.provenance import Provenance
from reports.published import PublishedRelease, open_published

PAGE = Path(__file__).parents[1] / "pages" / "packs" / "local.md"
SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
#: Stands in the properties of a file where no day of publication is announced.
_NO_DAY = dt.date(2000, 1, 1)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class LocalPacksSummary:
    """What was written: the folder, the areas, its files and bytes, and whether anything changed."""

    period_code: str
    stage: str
    folder: Path
    area_codes: tuple[str, ...]
    file_count: int
    byte_count: int
    changed: bool


def build_local_packs(
    warehouse: Path,
    period_code: str,
    stage: str,
    provenance: Provenance,
    out: Path,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    published: Sequence[PublishedRelease] = (),
    seeds: Path = SEEDS,
) -> LocalPacksSummary:
    """Writes `<out>/<area code>.html`, `.pdf`, `.ods` and `-narrative.html` for every area, all or none.

    `warehouse` is the analysts' copy of a build, `out` the folder of this quarter and stage, which holds
    nothing else afterwards. The narrative is made from the release that `provenance` names, its draft
    or one of `published`, beside the earlier ones of `published`; without it a pack says when it comes, and
    no fragment is written. `workers` processes share the areas. The same inputs give the same bytes, and
    unchanged files are not touched. Raises ValueError for a quarter without figures, or where stage,
    quarter and provenance disagree; PageErrors for a fault of the page.
    """
    if (period_code, stage) != (provenance.period_code, provenance.stage):
        raise ValueError(
            f"The pack is for {period_code}, {stage}, but its provenance says {provenance.period_code},"
            f" {provenance.stage}; give both the same."
        )
    told = _narratives(provenance, published, seeds)
    parts = max(1, workers)
    jobs = [(warehouse, provenance, told, (part, parts)) for part in range(parts)]
    files: dict[str, bytes] = {}
    if parts == 1:
        files.update(_part(jobs[0], progress))
    else:
        # a fresh process each: a connection and a font cache do not survive a fork
        with ProcessPoolExecutor(parts, mp_context=multiprocessing.get_context("spawn")) as pool:
            for done, part in enumerate(pool.map(_part, jobs), 1):
                files.update(part)
                if progress is not None:
                    progress("local packs", done, parts)
    for code, narrative in told.items():
        if f"{code}.html" in files:
            files[f"{code}-narrative.html"] = narrative.html.encode("utf-8")
    changed = publish_folder(out, files)
    codes = tuple(sorted(name.removesuffix(".pdf") for name in files if name.endswith(".pdf")))
    size = sum(map(len, files.values()))
    return LocalPacksSummary(period_code, stage, out, codes, len(files), size, changed)


def _narratives(
    provenance: Provenance, published: Sequence[PublishedRelease], seeds: Path
) -> Mapping[str, Narrative]:
    known = [release for release in published if release.period_code <= provenance.period_code]
    if provenance.draft is not None and provenance.release_id is not None:
        known = [release for release in known if release.period_code < provenance.period_code]
        known.append(
            PublishedRelease(
                period_code=provenance.period_code,
                period_label=provenance.period_label,
                version=provenance.release_id.rpartition("/v")[2],
                issued_on=(provenance.publish_on or _NO_DAY).isoformat(),
                sums_sha256=str(provenance.sums_sha256),
                folder=provenance.draft,
            )
        )
    if not any(release.period_code == provenance.period_code for release in known):
        return {}
    with open_published(known, seeds) as connection:
        return narratives(connection, embargo=_embargo(provenance))


def _embargo(provenance: Provenance) -> str | None:
    if not provenance.is_embargoed:
        return None
    until = f"{provenance.publish_on:%-d %B %Y}, 9:30" if provenance.publish_on else "it is published"
    return f"Under embargo until {until}: do not publish or pass on before."


def _narrative_note(provenance: Provenance, has_narrative: bool) -> str:
    if has_narrative:
        fragment = "The file ending in -narrative.html holds it as a fragment for a website."
        return f"Made only from release {provenance.release_id}. {fragment}"
    when = f", which is announced for {provenance.publish_on:%-d %B %Y}" if provenance.publish_on else ""
    return f"It is made from the release of this quarter{when}, and comes with the final pack."


def _part(
    job: tuple[Path, Provenance, Mapping[str, Narrative], tuple[int, int]], progress: Progress | None = None
) -> dict[str, bytes]:
    """The files of one share of the areas."""
    from reports.engine.build import build_pages
    from reports.engine.pages import load_pages

    warehouse, provenance, told, share = job
    with open_warehouse(warehouse) as connection:
        facts = local_facts(connection, provenance.period_code)
        packs = {code: local_pack(facts, code, provenance) for code in facts.area_codes}
        pages = build_pages(
            load_pages(PAGE),
            connection,
            audience="restricted",
            parameters={"period_code": provenance.period_code},
            context={
                "packs": packs,
                "narratives": {
                    code: _paragraphs(told[code]) if code in told else () for code in facts.area_codes
                },
                "narrative_note": _narrative_note(provenance, bool(told)),
                "least_areas": LEAST_AREAS,
                "marking": labels.MARKING,
                "provenance": provenance,
                "dated": provenance.publish_on,
                "body_class": "local-pack",
            },
            output="document",
            share=share,
        )
    files = dict(pages)
    for done, (path, html) in enumerate(sorted(pages.items())):
        if progress is not None:
            progress("local packs", done, len(pages))
        code = path.removesuffix(".html")
        files[f"{code}.pdf"] = pdf_of(html.decode("utf-8"))
        files[f"{code}.ods"] = _workbook(packs[code], provenance)
    return files


def _paragraphs(narrative: Narrative) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {"words": words, "lines": tuple(line.removeprefix("- ") for line in lines)}
        for words, *lines in (paragraph.split("\n") for paragraph in narrative.paragraphs)
    )


_FIGURES = (
    ("body", "Body", "text"),
    ("right_number", "Right", "number"),
    ("measure", "Measure", "text"),
    ("item_id", "Code", "text"),
    ("good_count", "Met or answered well", "count"),
    ("base_count", "Of", "count"),
    ("rate", "Rate, %", "percent1"),
    ("rate_lower", "95% interval from, %", "percent1"),
    ("rate_upper", "95% interval to, %", "percent1"),
    ("like_areas_rate", "Like areas together, %", "percent1"),
    ("like_areas_gap", "More victims, to like areas", "count"),
    ("achievable_rate", "Achievable, %", "percent1"),
    ("achievable_gap", "More victims, to achievable", "count"),
    ("standard_rate", "Standard, %", "percent1"),
    ("standard_basis", "Basis of the standard", "text"),
    ("standard_gap", "Victims short of the standard", "count"),
    ("own_rate", "Own last four quarters, %", "percent1"),
    ("own_period_count", "Quarters held", "count"),
    ("high_compliance", "High compliance", "text"),
)
_SHEETS: Sequence[tuple[str, str, Sequence[tuple[str, str, str]]]] = (
    ("questions", "Questions for the meeting", (
        ("number", "Number", "count"), ("whom", "To", "text"), ("question", "Question", "text"),
        ("basis", "It rests on", "text"))),
    ("indicators", "Severe indicators met, and those to be watched", (
        ("body", "Body", "text"), ("right_number", "Right", "number"), ("measure", "Measure", "text"),
        ("indicator", "Indicator", "text"), ("status", "Status", "text"), ("figures", "Figures", "text"))),
    ("statistics", "Statistics beside like areas, the achievable benchmark and the standard", _FIGURES),
    ("feedback", "What victims said beside like areas and the achievable benchmark", _FIGURES),
    ("changes", "Changes beyond chance", (
        ("body", "Body", "text"), ("measure", "Measure", "text"), ("change", "Change", "text"),
        ("now", "Now", "text"), ("before", "Before", "text"))),
    ("rights", "Each right: statistics, feedback and delivery", (
        ("right", "Right", "text"), ("body", "Body", "text"), ("statistics", "Statistics", "text"),
        ("feedback", "What victims said", "text"), ("delivery", "How it is delivered", "text"))),
    ("all_disparities", "Groups of victims that fare worse than the rest, the surest first", (
        ("body", "Body", "text"), ("measure", "Measure", "text"), ("group", "Group", "text"),
        ("group_figures", "The group", "text"), ("rest_figures", "The rest", "text"),
        ("difference", "Difference in points (95% interval)", "text"), ("over", "Over", "text"),
        ("unknown_share", "Not known, %", "percent1"))),
    ("results", "What the statistics recommend for this quarter", (
        ("right", "Right", "text"), ("body", "Body", "text"), ("result", "Result", "text"),
        ("reason", "Why", "text"), ("recorded", "Recorded", "text"))),
    ("cases", "Open cases", (
        ("right", "Right", "text"), ("body", "Body", "text"), ("state", "State", "text"),
        ("waiting", "Needs attention", "text"), ("next_step", "Next step", "text"),
        ("notices", "Notices", "text"))),
    ("actions", "Actions that are not done", (
        ("insight_id", "Number", "text"), ("action", "Action", "text"), ("body", "Body", "text"),
        ("owner", "Owner", "text"), ("due_on", "Due", "date"), ("status", "State", "text"),
        ("first_reported", "Since", "text"))),
    ("practice", "Good practice of other areas, as reported", (
        ("area", "Area", "text"), ("body", "Body", "text"), ("right", "Right", "text"),
        ("text", "As reported", "text"), ("period", "Quarter", "text"))),
    ("context", "Context, which is not compliance information", (
        ("title", "Title", "text"), ("source", "Source", "text"), ("publisher", "Published by", "text"),
        ("right", "Right", "text"), ("summary", "Summary", "text"), ("measure", "Measure", "text"))),
    ("submissions", "Returns of this quarter", (
        ("sender", "Sender", "text"), ("form", "Return", "text"), ("due_on", "Due", "date"),
        ("status", "State", "text"), ("receipt", "Receipt", "text"), ("revised", "Revised", "text"))),
    ("problems", "Problems found in the returns", (
        ("sender", "Sender", "text"), ("status", "State", "text"), ("problem", "Problem", "text"),
        ("times", "Times", "count"), ("remedy", "Remedy", "text"))),
    ("exclusions", "More cases left out of the rate than in like areas", (
        ("body", "Body", "text"), ("measure", "Measure", "text"), ("figures", "Left out", "text"),
        ("like_areas", "Like areas point to", "text"), ("status", "State", "text"))),
    ("not_collected", "Due, and not collected", (
        ("body", "Body", "text"), ("measure", "Measure", "text"), ("reason", "Reason given", "text"))),
    ("review_template", "For the insight return: sheet review", (
        ("meeting_on", "meeting_on", "text"), ("pfa_code", "pfa_code", "text"),
        ("body_code", "body_code", "text"), ("is_represented", "is_represented", "text"),
        ("receipt_id", "receipt_id", "text"), ("note", "note", "text"))),
    ("insight_template", "For the insight return: sheet insight", (
        ("insight_id", "insight_id", "text"), ("insight_kind", "insight_kind", "text"),
        ("body", "Body", "text"), ("right_number", "right_number", "text"),
        ("hint", "What to write, or what was written", "text"), ("status", "status", "text"))),
)  # fmt: skip


def _workbook(pack: LocalPack, provenance: Provenance) -> bytes:
    return ods_of(
        f"{labels.MARKING}: Victims' Code local pack, {pack.area_name}",
        [OdsTable(name, title, pack.tables[name], columns) for name, title, columns in _SHEETS],
        lines=[
            f"{labels.MARKING}. Exact figures: do not publish.",
            "Management information, definitions provisional. What the statistics point to is a"
            " recommendation; it decides nothing and is not a notice.",
            f"Withheld: fewer than {LEAST_AREAS} areas are behind the figure.",
            *(f"{name}: {value}" for name, value in provenance.facts),
        ],
        dated=provenance.publish_on or _NO_DAY,
        subject=f"{provenance.period_label}, {provenance.stage_label}",
    )
