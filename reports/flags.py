"""The flag register of one quarter for the Programme Board's secretariat: a CSV and a page to read.

Every flag is a recommendation made by the statistics; it decides nothing and is never called a notice. Exact
figures stand here, so both files are restricted: their folder is the owner's alone and the page is marked.

Reads `marts.oversight_persistence`, `oversight_indicators`, `oversight_exclusion_warnings`,
`local_area_compliance`, `local_area_feedback`, `local_area_delivery` and `quality_submissions`, with names
from the reference tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from reports import labels
from reports.chance import chance_of_quarter
from reports.files import csv_bytes, publish_folder
from reports.labels import Section
from reports.page import rendered

EARLIER_QUARTERS = 4
NO_ASSESSMENT = "No delivery assessment for this quarter"
NOT_COLLECTED_BY_DESIGN = "Not collected by design: no delivery item of this right is asked of this body"

_SECTIONS: tuple[tuple[Section, str, str], ...] = (
    (
        "recommended",
        "Recommended to the Board",
        "Severe and persistent, reopened, or no complete return in two consecutive quarters.",
    ),
    (
        "watch",
        "Watch",
        "Severe in this quarter without repeating the quarter before. Not recommended for escalation.",
    ),
    (
        "pending",
        "Waiting for an assessable quarter",
        "Severe when last assessed, or an open case, and not assessable now. Missing is not a pass.",
    ),
    (
        "improving",
        "Open cases that are improving",
        "Still open: one assessable quarter without a severe indicator is not enough to consider closing.",
    ),
    (
        "closing",
        "Eligible to close",
        "Enough assessable quarters without a severe indicator. Closing needs a recorded decision.",
    ),
)


@dataclass(frozen=True)
class IndicatorLine:
    """One test behind a flag: which indicator, on what, and its figures in words."""

    indicator: str
    item_id: str
    item_name: str
    figures: str
    like_areas: str
    is_met: bool

    @property
    def heading(self) -> str:
        """The indicator and what it was tested on, marked where it is only close enough to watch."""
        return f"{self.indicator}{'' if self.is_met else ' (watch)'} {self.item_name}"


@dataclass
class Flag:
    """One (body, area, right) of the quarter that somebody should look at."""

    row: Mapping[str, Any]
    body_name: str
    result: labels.ResultLabel
    lines: list[IndicatorLine] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    process: str = ""
    has_improvement_plan: bool | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """An address within the page that stays the same while the flag does."""
        return f"flag-{self.row['body_kind']}-{self.row['pfa_code']}-right-{self.row['right_number']}"

    @property
    def run(self) -> str:
        """How long it has lasted, in words; empty where nothing runs."""
        quarters = self.row["quarters_running"] or 0
        if not quarters:
            return ""
        plural = "" if quarters == 1 else "s"
        if self.row["state"] == "NOT_SUBMITTED" and self.row["result"] != "SEVERE_PENDING":
            return f"{quarters} quarter{plural} without a complete return"
        return f"{quarters} severe quarter{plural} in this run"

    @property
    def without_figures(self) -> str:
        """Why no indicator is listed, in words."""
        words = labels.STATES.get(self.row["state"], self.row["state"])
        if self.row["state"] == "NOT_SUBMITTED":
            words += f": {self.row['senders_received']} of {self.row['senders_expected']} returns are in"
        return f"{words}."

    @property
    def indicators_text(self) -> str:
        """Every indicator met or watched with its figures as one text, for the CSV."""
        return " | ".join(
            f"{line.heading} ({line.item_id}): {line.figures}"
            + (f"; {line.like_areas}" if line.like_areas else "")
            for line in self.lines
        )


@dataclass(frozen=True)
class FlagsSummary:
    """What was written: counts per section and per state, the two files, and whether anything changed."""

    period_code: str
    csv_path: Path
    html_path: Path
    sections: Mapping[str, int]
    results: Mapping[str, int]
    states: Mapping[str, int]
    changed: bool


def write_flags(con: duckdb.DuckDBPyConnection, period_code: str, out_dir: Path) -> FlagsSummary:
    """Writes `flags.csv` and `flags.html` of the quarter into `out_dir`, both or neither.

    `con` is open on a verified build, read-only; `out_dir` is the quarter's own folder and holds nothing else
    afterwards. The same rows give the same bytes, and unchanged files are not touched. Raises ValueError when
    the quarter has no persistence row.
    """
    rows = _dicts(
        con,
        "select * from marts.oversight_persistence where period_code = ?"
        " order by body_kind, pfa_code, right_number",
        [period_code],
    )
    if not rows:
        raise ValueError(
            f"No oversight result for {period_code}; build the warehouse for that quarter first."
        )
    flags = _flags(con, period_code, rows)
    sections = {
        section: [flag for flag in flags if flag.result.section == section] for section, _, _ in _SECTIONS
    }
    results = _counted(rows, "result", labels.RESULTS)
    states = _counted(rows, "state", labels.STATES)

    header, cells = _csv_table(period_code, flags)
    page = _page(con, period_code, rows, sections, results)
    changed = publish_folder(
        out_dir, {"flags.csv": csv_bytes(header, cells), "flags.html": page.encode("utf-8")}
    )
    return FlagsSummary(
        period_code=period_code,
        csv_path=out_dir / "flags.csv",
        html_path=out_dir / "flags.html",
        sections={section: len(found) for section, found in sections.items()},
        results=results,
        states=states,
        changed=changed,
    )


def _flags(con: duckdb.DuckDBPyConnection, period_code: str, rows: Sequence[Mapping[str, Any]]) -> list[Flag]:
    flags = []
    for row in rows:
        result = labels.RESULTS.get(row["result"])
        if result is None:
            raise ValueError(f"Result {row['result']!r} has no wording; add it to reports/labels.py.")
        if result.section != "none":
            flags.append(Flag(row, labels.body_name(row["body_kind"], row["area_name"]), result))
    if flags:
        lines = _indicator_lines(con, period_code)
        earlier = _earlier_states(con, rows[0]["quarter_index"])
        processes = _processes(con, period_code)
        notes = _data_notes(con, period_code)
        for flag in flags:
            body = (flag.row["body_kind"], flag.row["pfa_code"])
            right = (*body, flag.row["right_number"])
            flag.lines = lines.get(right, [])
            flag.earlier = earlier.get(right, [])
            flag.process, flag.has_improvement_plan = processes.get(right, (NOT_COLLECTED_BY_DESIGN, None))
            flag.notes = notes.get((*body, None), []) + notes.get(right, [])
    kinds = list(labels.BODY_KINDS)
    return sorted(
        flags,
        key=lambda flag: (
            list(labels.RESULTS).index(flag.row["result"]),
            not flag.row["is_s4_met"],  # an aggravating process is shown first
            -(flag.row["quarters_running"] or 0),
            kinds.index(flag.row["body_kind"]) if flag.row["body_kind"] in kinds else len(kinds),
            flag.row["area_name"],
            flag.row["pfa_code"],
            flag.row["right_number"],
        ),
    )


def _indicator_lines(
    con: duckdb.DuckDBPyConnection, period_code: str
) -> dict[tuple[Any, ...], list[IndicatorLine]]:
    """Indicators of the quarter by (body kind, area, right): those met from S1 to S4, then those watched."""
    tests = _dicts(
        con,
        "select * from marts.oversight_indicators where period_code = ? and (is_met or is_watch)"
        " order by body_kind, pfa_code, right_number, is_met desc, indicator, item_id, collection_mode,"
        " sampling_frame",
        [period_code],
    )
    peers = _like_area_rates(con, period_code)
    found: dict[tuple[Any, ...], list[IndicatorLine]] = defaultdict(list)
    for test in tests:
        beside = peers.get(
            (
                test["body_kind"],
                test["pfa_code"],
                test["item_id"],
                test["collection_mode"],
                test["sampling_frame"] if test["indicator"] != "S3" else "",
            )
        )
        figures, like_areas = _figures_in_words(test, beside)
        found[test["body_kind"], test["pfa_code"], test["right_number"]].append(
            IndicatorLine(
                indicator=test["indicator"],
                item_id=test["item_id"],
                item_name=test["item_definition"],
                figures=figures,
                like_areas=like_areas,
                is_met=bool(test["is_met"]),
            )
        )
    return dict(found)


def _process_in_words(test: Mapping[str, Any]) -> str:
    """Which leg of S4 is met: a low grade, held by how much of the area, or no plan where one is needed."""
    grade = test["grade"]
    if grade is None:
        return "no delivery assessment, and a severe indicator is met on the right"
    words = f"lowest grade {labels.GRADES.get(grade, grade)}"
    if not test["rate"]:
        return f"{words}, and no improvement plan where a severe indicator is met"
    if test["rate"] < 1:
        words += f", held by bodies with {labels.percent(test['rate'])} of the area's cases"
    return words


def _figures_in_words(test: Mapping[str, Any], beside: tuple[int, float] | None) -> tuple[str, str]:
    indicator = test["indicator"]
    if indicator == "S4":
        return _process_in_words(test), ""
    measured = f"{test['good_count']:,} of {test['base_count']:,}, {labels.percent(test['rate'])}"
    if indicator == "S2":
        figures = (
            f"{measured}; z {_signed(test['z_score'])}, flagged at {_signed(test['threshold'])} or below"
        )
        like_areas = (
            f"like areas point to {labels.percent(test['peer_target_rate'])} ({test['peer_count']} areas):"
            f" {_points(test['gap_to_peers'])}"
        )
        return figures, like_areas
    figures = (
        f"{measured}; upper bound {labels.percent(test['upper_bound'])} is below the threshold"
        f" {labels.percent(test['threshold'])}"
    )
    return figures, f"like areas {labels.percent(beside[1])} ({beside[0]} areas)" if beside else ""


def _like_area_rates(
    con: duckdb.DuckDBPyConnection, period_code: str
) -> dict[tuple[Any, ...], tuple[int, float]]:
    rows = con.execute(
        """
        select
            body_kind, pfa_code, metric_id, collection_mode, sampling_frame, like_area_count, like_areas_rate
        from marts.local_area_compliance
        where period_code = $period and like_areas_rate is not null
        union all
        select body_kind, pfa_code, question_id, survey_mode, '', like_area_count, like_areas_rate
        from marts.local_area_feedback
        where period_code = $period and like_areas_rate is not null
        """,
        {"period": period_code},
    ).fetchall()
    return {tuple(row[:5]): (row[5], row[6]) for row in rows}


def _earlier_states(con: duckdb.DuckDBPyConnection, quarter_index: int) -> dict[tuple[Any, ...], list[str]]:
    """The quarters before this one in words, the latest first."""
    rows = con.execute(
        """
        select body_kind, pfa_code, right_number, period_code, state
        from marts.oversight_persistence
        where quarter_index < ? and quarter_index >= ?
        order by body_kind, pfa_code, right_number, quarter_index desc
        """,
        [quarter_index, quarter_index - EARLIER_QUARTERS],
    ).fetchall()
    found: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for body_kind, pfa_code, right_number, period_code, state in rows:
        words = labels.STATES_SHORT.get(state, state)
        found[body_kind, pfa_code, right_number].append(f"{period_code}: {words}")
    return dict(found)


def _processes(
    con: duckdb.DuckDBPyConnection, period_code: str
) -> dict[tuple[Any, ...], tuple[str, bool | None]]:
    """What the delivery assessment says, by (body kind, area, right): in words, and whether a plan exists."""
    rows = con.execute(
        """
        select
            body_kind, pfa_code, right_number,
            min(lowest_grade) as lowest_grade,
            bool_and(has_improvement_plan) filter (lowest_grade is not null) as has_improvement_plan,
            min(next_step_due_on) as next_step_due_on
        from marts.local_area_delivery
        where period_code = ?
        group by body_kind, pfa_code, right_number
        """,
        [period_code],
    ).fetchall()
    found: dict[tuple[Any, ...], tuple[str, bool | None]] = {}
    for body_kind, pfa_code, right_number, grade, has_plan, due in rows:
        if grade is None:
            words = NO_ASSESSMENT
        else:
            words = f"Lowest grade {labels.GRADES.get(grade, grade)}"
            words += "; improvement plan in place" if has_plan else "; no improvement plan"
            words += f"; next step due {due.day} {due:%B %Y}" if due is not None else ""
        found[body_kind, pfa_code, right_number] = (words, has_plan)
    return found


def _data_notes(con: duckdb.DuckDBPyConnection, period_code: str) -> dict[tuple[Any, ...], list[str]]:
    """What to know before trusting the figures: by (body kind, area, right), right None for all rights."""
    notes: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    submissions = con.execute(
        """
        select distinct
            bodies.body_kind, sender_bodies.pfa_code, submissions.sender_name,
            submissions.submission_status, submissions.days_late, submissions.is_revised
        from marts.quality_submissions as submissions
        inner join staging.stg_periods as periods on submissions.period_code = periods.period_code
        inner join reference.sender_bodies as sender_bodies
            on submissions.sender_code = sender_bodies.sender_code
            and submissions.form_kind = sender_bodies.form_kind
            and (sender_bodies.valid_from is null or sender_bodies.valid_from <= periods.last_day)
            and (sender_bodies.valid_to is null or sender_bodies.valid_to >= periods.last_day)
        inner join reference.bodies as bodies on sender_bodies.body_code = bodies.body_code
        where
            submissions.period_code = ? and submissions.form_kind = 'quarterly'
            and (submissions.is_revised or submissions.submission_status <> 'on_time')
        order by bodies.body_kind, sender_bodies.pfa_code, submissions.sender_name
        """,
        [period_code],
    ).fetchall()
    for body_kind, pfa_code, sender, status, days_late, is_revised in submissions:
        words = []
        if status == "late":
            days = f" by {days_late} day{'' if days_late == 1 else 's'}" if days_late else ""
            words.append(f"late{days}")
        elif status != "on_time":
            words.append(labels.SUBMISSIONS.get(status, status))
        if is_revised:
            words.append("revised")
        notes[body_kind, pfa_code, None].append(f"Return of {sender}: {', '.join(words)}")

    incomplete = con.execute(
        """
        select body_kind, pfa_code, right_number, max(senders_received), max(senders_expected)
        from marts.local_area_compliance
        where period_code = ? and figure_status = 'incomplete'
        group by body_kind, pfa_code, right_number
        """,
        [period_code],
    ).fetchall()
    for body_kind, pfa_code, right_number, received, expected in incomplete:
        notes[body_kind, pfa_code, right_number].append(
            f"Incomplete: {received} of {expected} senders' returns are in"
        )
    names = _item_names(con)
    uncollected = con.execute(
        """
        select distinct body_kind, pfa_code, right_number, metric_id
        from marts.local_area_compliance
        where period_code = ? and figure_status = 'not_collected'
        order by all
        """,
        [period_code],
    ).fetchall()
    for body_kind, pfa_code, right_number, metric_id in uncollected:
        notes[body_kind, pfa_code, right_number].append(f"Not collected: {names.get(metric_id, metric_id)}")
    excluded = con.execute(
        """
        select body_kind, pfa_code, right_number, metric_id, exclusion_rate, peer_exclusion_rate
        from marts.oversight_exclusion_warnings
        where period_code = ?
        order by all
        """,
        [period_code],
    ).fetchall()
    for body_kind, pfa_code, right_number, metric_id, share, expected_share in excluded:
        notes[body_kind, pfa_code, right_number].append(
            f"Unusually many cases left out: {names.get(metric_id, metric_id)},"
            f" {labels.percent(share)} where like areas point to {labels.percent(expected_share)}"
        )
    return dict(notes)


def _item_names(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The latest definition of each metric, question and delivery item."""
    return dict(
        con.execute(
            "select metric_id, arg_max(definition, metric_version) from reference.metrics group by metric_id"
        ).fetchall()
    )


def _csv_table(period_code: str, flags: Sequence[Flag]) -> tuple[list[str], list[list[object]]]:
    header = [
        "period_code",
        "section",
        "result",
        "result_name",
        "recommendation",
        "body_kind",
        "pfa_code",
        "body_name",
        "area_name",
        "right_number",
        "right_title",
        "state",
        "reason",
        "quarters_running",
        "indicators_met",
        "is_s4_met",
        "has_improvement_plan",
        "delivery",
        "earlier_quarters",
        "data_quality",
        "is_open_case",
        "case_id",
        "rule_version",
        "marking",
    ]
    rows: list[list[object]] = [
        [
            period_code,
            flag.result.section,
            flag.row["result"],
            flag.result.name,
            labels.RECOMMENDATION_RULE if flag.row["is_recommended"] else "Not recommended for escalation.",
            flag.row["body_kind"],
            flag.row["pfa_code"],
            flag.body_name,
            flag.row["area_name"],
            flag.row["right_number"],
            flag.row["right_title"],
            flag.row["state"],
            flag.row["reason"],
            flag.row["quarters_running"],
            flag.indicators_text,
            flag.row["is_s4_met"],
            flag.has_improvement_plan,
            flag.process,
            " | ".join(flag.earlier),
            " | ".join(flag.notes),
            flag.row["is_open_case"],
            flag.row["case_id"],
            flag.row["rule_version"],
            labels.MARKING,
        ]
        for flag in flags
    ]
    return header, rows


def _page(
    con: duckdb.DuckDBPyConnection,
    period_code: str,
    rows: Sequence[Mapping[str, Any]],
    sections: Mapping[Section, Sequence[Flag]],
    results: Mapping[str, int],
) -> str:
    label = con.execute(
        "select period_label from staging.stg_periods where period_code = ?", [period_code]
    ).fetchone()
    return rendered(
        "flags.html.j2",
        period_code=period_code,
        period_label=label[0] if label else period_code,
        marking=labels.MARKING,
        recommendation_rule=labels.RECOMMENDATION_RULE,
        sections=[
            {"id": section, "title": title, "meaning": meaning, "flags": sections[section]}
            for section, title, meaning in _SECTIONS
        ],
        states=labels.STATES,
        state_table=_state_table(rows),
        results=[(labels.RESULTS[code], count) for code, count in results.items()],
        indicators=labels.INDICATORS,
        rules=_rules(con, rows),
        chance=_chance(con, period_code),
    )


def _state_table(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[int], int]]:
    """Counts of states per kind of body: (name, one count per state in the order of the labels, total)."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        counts[row["body_kind"]][row["state"]] += 1
    kinds = [kind for kind in labels.BODY_KINDS if kind in counts]
    kinds += sorted(set(counts) - set(kinds))
    table = []
    for kind in kinds:
        by_state = [counts[kind][state] for state in labels.STATES]
        table.append((labels.BODY_KINDS.get(kind, kind), by_state, sum(by_state)))
    totals = [sum(line[1][position] for line in table) for position in range(len(labels.STATES))]
    return [*table, ("All", totals, sum(totals))]


def _rules(con: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rule tables the quarter was judged by, one for each version met in its rows."""
    versions = sorted({row["rule_version"] for row in rows if row["rule_version"] is not None})
    rules = _dicts(con, "select * from intermediate.int_severe_rules", [])
    found = {rule["rule_version"]: rule for rule in rules}
    return [{"version": version, "rule": found.get(version)} for version in versions]


def _chance(con: duckdb.DuckDBPyConnection, period_code: str) -> dict[str, Any] | None:
    """How many S2 flags chance alone explains, as the page says it."""
    chance = chance_of_quarter(con, period_code)
    if chance is None:
        return None
    at_most = chance.false_at_most
    return {
        "tests": chance.tests,
        "flagged": chance.flagged,
        "by_chance": f"{chance.by_chance:.1f}",
        "false_at_most": f"{at_most:.2f}" if at_most is not None else None,
    }


def _counted(rows: Sequence[Mapping[str, Any]], column: str, order: Mapping[str, object]) -> dict[str, int]:
    counts = dict.fromkeys(order, 0)
    for row in rows:
        counts[row[column]] = counts.get(row[column], 0) + 1
    return counts


def _signed(number: float | None) -> str:
    return "not known" if number is None else f"{number:+.2f}".replace("-", "\N{MINUS SIGN}")


def _points(gap: float | None) -> str:
    if gap is None:
        return "gap not known"
    return f"{abs(100 * gap):.1f} points {'below' if gap >= 0 else 'above'} that"


def _dicts(con: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
    cursor = con.execute(sql, parameters)
    names = [item[0] for item in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
