"""What a proposed table of rules would have changed: CSV files and a page for those who decide on it.

Flagged means recommended to the Board; a flag is a recommendation of statistics and decides nothing. Exact
figures stand here, so the folder is the owner's alone and every file is marked.

What belongs here: counting what is new and what is dropped, and putting it into files and words. What does
not: recomputing it (orchestration/simulation.py hands over a Simulation).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reports import labels
from reports.chance import Chance, chance_of
from reports.files import csv_bytes, publish_folder
from reports.page import rendered

FILES = ("expected.csv", "flags.csv", "rules.csv", "simulation.html", "summary.csv")
#: Rows of one list on the page; flags.csv holds all of them.
ROWS_ON_PAGE = 400

#: What holds for every simulation, in words.
ASSUMPTIONS = (
    "Every quarter of the build is judged twice: by the rules that applied to it, and by the proposal,"
    " whatever dates the proposal gives. The proposal begins with the first quarter.",
    "Both rest on the figures as they are known today, revisions included. So \u201cthen\u201d is what the"
    " rules say of today's figures; what was recorded at the time stands in the register and is not changed.",
    "Closing decisions stand in both as they were made. Under other rules the Board might have decided"
    " otherwise, and senders might have acted otherwise.",
    "Flagged means recommended to the Board: severe and persistent, reopened, severe while a case is open,"
    " or no complete return in two consecutive quarters. The last does not depend on thresholds; it counts"
    " in both.",
)
#: What the expected false flags rest on, in words.
EXPECTED_ASSUMPTIONS = (
    "Invented national histories of six quarters, in which areas differ as areas ordinarily do, every case is"
    " reported, every return is in and no case is closed. No area lies lastingly below the threshold T of the"
    " rules that are put to it: so every flag in them is false by those rules' own measure.",
    "Areas lastingly differ with a standard deviation of 0.075 on the arcsine scale (about 6 points at a"
    " level of 80%) and move by a further 0.015 from quarter to quarter. \u201cHeavy tails\u201d has more"
    " areas far out: with it the number is larger, and which of the two is nearer to the truth is not known"
    " before real returns are in.",
    "Only S1 and S2 are simulated. What S3 and S4 add is not in these numbers, nor what non-submission adds.",
    "The histories of both tables of rules are drawn from the same seed. They are few: a mean may be off by a"
    " tenth or so, a small one by more. docs/methods.md has the long tables.",
)

_MEASURES = {
    "recommended": "Recommended to the Board",
    "severe": "Severe in the quarter (state MET)",
    "indicator_met": "Indicator met on at least one figure of the right",
}
_CHANGES = {(True, True): "both", (False, True): "new", (True, False): "dropped", (False, False): "none"}


@dataclass(frozen=True)
class Simulation:
    """All that a simulation found.

    results: one mapping a body, area, right and quarter, with state, result, is_recommended and
    indicators_met under both rules (`_then`, `_now`). indicators: those met under one of both. s2_tests:
    quarter -> the S2 tests under both, as reports.chance takes them. expected_*: one mapping a supposition.
    rules: one mapping a parameter.
    """

    name: str
    table_hash: str
    version_in_force: int
    proposed_version: int
    is_whole: bool
    rules: Sequence[Mapping[str, Any]]
    results: Sequence[Mapping[str, Any]]
    indicators: Sequence[Mapping[str, Any]]
    s2_tests: Mapping[str, tuple[Sequence[tuple[Any, ...]], Sequence[tuple[Any, ...]]]]
    expected_then: Sequence[Mapping[str, Any]]
    expected_now: Sequence[Mapping[str, Any]]
    histories: int
    notes: Sequence[str]

    @property
    def quarters(self) -> list[str]:
        """The quarters that were judged, in order."""
        return list(dict.fromkeys(row["period_code"] for row in self.results))

    @property
    def changed_rules(self) -> list[Mapping[str, Any]]:
        """Parameters and thresholds whose value is another one."""
        return [line for line in self.rules if line["is_changed"]]


@dataclass(frozen=True)
class Tally:
    """How many are flagged under the one, the other and both."""

    measure: str
    breakdown: str
    code: str
    name: str
    then: int
    now: int
    both: int
    new: int
    dropped: int


@dataclass(frozen=True)
class QuarterChance:
    """What chance alone explains of the S2 tests of a quarter, under both; None where there was no test."""

    period_code: str
    then: Chance | None
    now: Chance | None


@dataclass(frozen=True)
class Expectation:
    """One number of the invented histories under both."""

    setting: str
    measure: str
    name: str
    then: float
    now: float


def tallies(simulation: Simulation) -> list[Tally]:
    """Count flags and severe states in all, by quarter, right and kind of body; and indicators."""
    found: list[Tally] = []
    for measure, judge in (("recommended", _is_recommended), ("severe", _is_severe)):
        for breakdown, key, name in _BREAKDOWNS:
            found += _tallied(measure, breakdown, simulation.results, key, name, judge)
    found += _tallied(
        "indicator_met",
        "indicator",
        simulation.indicators,
        lambda row: row["indicator"],
        lambda row: labels.INDICATORS.get(row["indicator"], row["indicator"]),
        lambda row: (bool(row["is_met_then"]), bool(row["is_met_now"])),
    )
    return found


def _is_recommended(row: Mapping[str, Any]) -> tuple[bool, bool]:
    return bool(row["is_recommended_then"]), bool(row["is_recommended_now"])


def _is_severe(row: Mapping[str, Any]) -> tuple[bool, bool]:
    return row["state_then"] == "MET", row["state_now"] == "MET"


_Text = Callable[[Mapping[str, Any]], str]
_BREAKDOWNS: tuple[tuple[str, Callable[[Mapping[str, Any]], Any], _Text], ...] = (
    ("all", lambda row: "", lambda row: "All"),
    ("quarter", lambda row: row["period_code"], lambda row: str(row["period_code"])),
    (
        "right",
        lambda row: row["right_number"],
        lambda row: f"Right {row['right_number']}: {row['right_title']}",
    ),
    (
        "body_kind",
        lambda row: row["body_kind"],
        lambda row: labels.BODY_KINDS.get(row["body_kind"], row["body_kind"]),
    ),
)


def _tallied(
    measure: str,
    breakdown: str,
    rows: Iterable[Mapping[str, Any]],
    key: Callable[[Mapping[str, Any]], Any],
    name: _Text,
    judge: Callable[[Mapping[str, Any]], tuple[bool, bool]],
) -> list[Tally]:
    counts: dict[Any, dict[str, int]] = {}
    names: dict[Any, str] = {}
    for row in rows:
        code = key(row)
        names[code] = name(row)
        counted = counts.setdefault(code, dict.fromkeys(_CHANGES.values(), 0))
        counted[_CHANGES[judge(row)]] += 1
    return [
        Tally(
            measure,
            breakdown,
            str(code),
            names[code],
            then=counts[code]["both"] + counts[code]["dropped"],
            now=counts[code]["both"] + counts[code]["new"],
            both=counts[code]["both"],
            new=counts[code]["new"],
            dropped=counts[code]["dropped"],
        )
        for code in sorted(counts, key=_place)
    ]


def _place(code: Any) -> tuple[int, Any]:
    """Where a code stands in a table: kinds of body as everywhere, all others by themselves."""
    kinds = list(labels.BODY_KINDS)
    return (kinds.index(code), "") if code in kinds else (len(kinds), code)


def chances(simulation: Simulation) -> list[QuarterChance]:
    """What chance explains of the comparisons with like areas, quarter by quarter."""
    return [
        QuarterChance(period_code, chance_of(then), chance_of(now))
        for period_code, (then, now) in simulation.s2_tests.items()
    ]


def expectations(simulation: Simulation) -> list[Expectation]:
    """The expected false flags under both, one number a line."""
    found = []
    for then, now in zip(simulation.expected_then, simulation.expected_now, strict=True):
        lines = [
            ("tests_met", "Tests of S1 and S2 met in one quarter", then["tests_met"], now["tests_met"]),
            (
                "tests_met_twice",
                "Tests of S1 and S2 met in a quarter and the one before",
                then["tests_met_twice"],
                now["tests_met_twice"],
            ),
        ]
        lines += [
            (f"recommended_quarter_{number}", f"Recommendations in quarter {number} of a history", one, other)
            for number, (one, other) in enumerate(
                zip(then["recommended"], now["recommended"], strict=True), 1
            )
        ]
        quarters = len(then["recommended"])
        lines += [
            (
                "rights",
                f"Rights of a body and area recommended at least once within {quarters} quarters",
                then["rights"],
                now["rights"],
            ),
            (
                "areas",
                f"Areas with at least one recommendation within {quarters} quarters",
                then["areas"],
                now["areas"],
            ),
        ]
        found += [Expectation(then["setting"], *line) for line in lines]
    return found


def changes(simulation: Simulation, change: str) -> list[Mapping[str, Any]]:
    """The rows whose recommendation is new, or dropped."""
    return [row for row in simulation.results if _CHANGES[_is_recommended(row)] == change]


def documents(simulation: Simulation) -> dict[str, bytes]:
    """Every file by its name. The same simulation gives the same bytes."""
    return {
        "flags.csv": csv_bytes(*_flags_table(simulation)),
        "summary.csv": csv_bytes(*_summary_table(simulation)),
        "expected.csv": csv_bytes(*_expected_table(simulation)),
        "rules.csv": csv_bytes(*_rules_table(simulation)),
        "simulation.html": _page(simulation).encode("utf-8"),
    }


def write_simulation(simulation: Simulation, out_dir: Path) -> bool:
    """Make `out_dir` hold the files of the simulation, all or none; tells whether anything changed.

    Raises ValueError, and touches nothing, if the folder holds anything else.
    """
    if out_dir.exists() and not out_dir.is_dir():
        raise ValueError(f"{out_dir} is a file; name a folder.")
    others = sorted(path.name for path in out_dir.glob("*") if path.name not in FILES)
    if others:
        raise ValueError(
            f"{out_dir} holds something else ({others[0]}); name a folder for the simulation alone."
        )
    return publish_folder(out_dir, documents(simulation))


def summary_json(simulation: Simulation) -> str:
    """The summary as JSON, for a program."""
    document = {
        "marking": labels.MARKING,
        "name": simulation.name,
        "table_hash": simulation.table_hash,
        "version_in_force": simulation.version_in_force,
        "proposed_version": simulation.proposed_version,
        "quarters": simulation.quarters,
        "changed_rules": [
            {name: line[name] for name in ("parameter", "metric_id", "value_then", "value_now", "origin")}
            for line in simulation.changed_rules
        ],
        "summary": [asdict(tally) for tally in tallies(simulation)],
        "chance": [asdict(chance) for chance in chances(simulation)],
        "expected_false_flags": [asdict(line) for line in expectations(simulation)],
        "histories": simulation.histories,
        "notes": list(simulation.notes),
        "assumptions": [*ASSUMPTIONS, *EXPECTED_ASSUMPTIONS],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def value_text(value: float | str | None) -> str:
    """One value of a rule as people write it."""
    if value is None:
        return "not set"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def number_text(number: float | None, decimals: int = 1) -> str:
    """A mean or an expected number; nothing for None."""
    return "" if number is None else f"{number:,.{decimals}f}"


def rule_name(line: Mapping[str, Any]) -> str:
    """A parameter, or the threshold of which metric, in words."""
    if not line["metric_id"]:
        return str(line["parameter"])
    return f"T of {line['definition'] or line['metric_id']}"


_RESULT_COLUMNS = (
    "period_code",
    "body_kind",
    "pfa_code",
    "area_name",
    "right_number",
    "right_title",
    "is_recommended_then",
    "is_recommended_now",
    "result_then",
    "result_now",
    "state_then",
    "state_now",
    "indicators_met_then",
    "indicators_met_now",
    "rule_version_then",
)


def _flags_table(simulation: Simulation) -> tuple[list[str], list[list[object]]]:
    header = ["change", *_RESULT_COLUMNS, "rule_version_now", "marking"]
    rows: list[list[object]] = [
        [
            _CHANGES[_is_recommended(row)],
            *(row[name] for name in _RESULT_COLUMNS),
            simulation.proposed_version,
            labels.MARKING,
        ]
        for row in simulation.results
    ]
    return header, rows


def _summary_table(simulation: Simulation) -> tuple[list[str], list[list[object]]]:
    counts = ("then", "now", "both", "new", "dropped")
    header = ["measure", "breakdown", "code", "name", *(f"{name}_count" for name in counts), "marking"]
    rows: list[list[object]] = [
        [
            tally.measure,
            tally.breakdown,
            tally.code,
            tally.name,
            *(getattr(tally, name) for name in counts),
            labels.MARKING,
        ]
        for tally in tallies(simulation)
    ]
    return header, rows


def _expected_table(simulation: Simulation) -> tuple[list[str], list[list[object]]]:
    header = ["source", "setting", "measure", "period_code", "then", "now", "marking"]
    rows: list[list[object]] = []
    for quarter in chances(simulation):
        for name in ("tests", "flagged", "by_chance", "false_at_most"):
            values = (
                None if chance is None else getattr(chance, name) for chance in (quarter.then, quarter.now)
            )
            rounded = [round(value, 6) if isinstance(value, float) else value for value in values]
            rows.append(["p_values", "", f"s2_{name}", quarter.period_code, *rounded, labels.MARKING])
    rows += [
        ["histories", line.setting, line.measure, "", line.then, line.now, labels.MARKING]
        for line in expectations(simulation)
    ]
    return header, rows


def _rules_table(simulation: Simulation) -> tuple[list[str], list[list[object]]]:
    """The rules as used, under the column names of the sheet `rules`: the file can be given as FILE again."""
    header = [
        "rule_version",
        "parameter",
        "metric_id",
        "number_value",
        "text_value",
        "basis",
        "origin",
        "value_in_force",
        "is_changed",
    ]
    rows: list[list[object]] = [
        [
            simulation.proposed_version,
            line["parameter"],
            line["metric_id"],
            _number(line["number_value"]),
            line["text_value"],
            line["basis"],
            line["origin"],
            None if line["value_then"] is None else value_text(line["value_then"]),
            line["is_changed"],
        ]
        for line in simulation.rules
        if line["origin"] != "left out"
    ]
    return header, rows


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and value == int(value) else value


def _page(simulation: Simulation) -> str:
    found = tallies(simulation)
    by_name = {
        (measure, breakdown): [
            tally for tally in found if (tally.measure, tally.breakdown) == (measure, breakdown)
        ]
        for measure in _MEASURES
        for breakdown in ("all", "quarter", "right", "body_kind", "indicator")
    }
    quarters = simulation.quarters
    lists = [
        {
            "id": change,
            "title": title,
            "meaning": meaning,
            "rows": [_line(row) for row in changes(simulation, change)],
        }
        for change, title, meaning in (
            (
                "new",
                "New under the proposal",
                "Not recommended by the rules that applied, and now recommended.",
            ),
            ("dropped", "Dropped by the proposal", "Recommended by the rules that applied, and no longer."),
        )
    ]
    return rendered(
        "simulation.html.j2",
        marking=labels.MARKING,
        recommendation_rule=labels.RECOMMENDATION_RULE,
        simulation=simulation,
        span=f"{quarters[0]} to {quarters[-1]}" if quarters else "no quarter",
        measures=_MEASURES,
        tallies=by_name,
        lists=lists,
        rows_on_page=ROWS_ON_PAGE,
        chances=chances(simulation),
        expectations=paired_expectations(simulation),
        assumptions=ASSUMPTIONS,
        expected_assumptions=EXPECTED_ASSUMPTIONS,
        value_text=value_text,
        number_text=number_text,
        rule_name=rule_name,
    )


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row of a list on the page, in words."""
    return {
        "body_name": labels.body_name(row["body_kind"], row["area_name"]),
        "right_number": row["right_number"],
        "right_title": row["right_title"],
        "period_code": row["period_code"],
        "then": _result(row["result_then"]),
        "now": _result(row["result_now"]),
        "indicators_then": row["indicators_met_then"] or "none",
        "indicators_now": row["indicators_met_now"] or "none",
    }


def _result(code: str) -> str:
    label = labels.RESULTS.get(code)
    return label.name if label else code


def paired_expectations(simulation: Simulation) -> list[tuple[str, list[Expectation]]]:
    """Lines of the expected false flags: what is counted -> one expectation a supposition."""
    found: dict[str, list[Expectation]] = {}
    for line in expectations(simulation):
        found.setdefault(line.name, []).append(line)
    return list(found.items())
