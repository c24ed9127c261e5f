"""`vcc simulate`: what a proposed table of rules would have flagged in every quarter. Nothing is recorded."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.commands import OK, UNUSABLE, project_of, served_build
from orchestration.project import SettingError
from orchestration.terminal import ProgressLine, table

if TYPE_CHECKING:
    from ingest.rule_table import RuleTable
    from orchestration.project import Project
    from reports.simulation import Simulation

#: New and dropped flags that are listed on the terminal; the files hold all.
LINES_SHOWN = 20


def run(options: argparse.Namespace) -> int:
    """Simulate, write the files, print what was asked for; 1 or 2, and the report, if the file is refused."""
    from ingest.rule_table import RuleTableRefused
    from orchestration.simulation import beside, simulate
    from reports.simulation import documents, summary_json, write_simulation

    project = project_of(options)
    try:
        proposal = _proposal(project, options.rules)
    except RuleTableRefused as refused:
        print(refused.verdict.to_text(), end="")
        return refused.verdict.exit_code or UNUSABLE
    # The standard output is what was asked for, and nothing else.
    with contextlib.redirect_stdout(sys.stderr):
        build = served_build(project)
    progress = ProgressLine(sys.stderr)
    try:
        with beside(build.path) as connection:
            simulation = simulate(
                connection, proposal, _shown_name(options.rules), seeds=project.seeds_folder, told=progress
            )
    finally:
        progress.close()
    folder = options.output or project.root.simulations / f"{_stem(options.rules)}-{simulation.table_hash}"
    try:
        write_simulation(simulation, folder)
    except ValueError as error:
        raise SettingError(str(error)) from None
    if options.format == "json":
        print(summary_json(simulation), end="")
    elif options.format in ("csv", "html"):
        name = "flags.csv" if options.format == "csv" else "simulation.html"
        sys.stdout.write(documents(simulation)[name].decode("utf-8"))
    else:
        print(_text(simulation))
    print(f"\nThe files are in {folder}.", file=sys.stdout if options.format == "text" else sys.stderr)
    return OK


def _proposal(project: Project, path: Path) -> RuleTable:
    from ingest.rule_table import RuleTableRefused, read_rule_table

    if not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    try:
        return read_rule_table(
            path, project.reference, project.forms, project.clock, limits=project.limits, root=project.root
        )
    except RuleTableRefused:
        raise
    except ValueError as error:
        raise SettingError(str(error)) from None


def _shown_name(path: Path) -> str:
    from ingest.acceptance.judge import shown_file_name

    return shown_file_name(path.name)


def _stem(path: Path) -> str:
    """Return the file's name as it may be part of a folder's."""
    words = re.findall(r"[A-Za-z0-9_]+", _shown_name(path).rpartition(".")[0])
    return "-".join(words)[:40] or "rules"


def _text(simulation: Simulation) -> str:
    """Return what a person reads in the terminal."""
    from reports import labels
    from reports.simulation import (
        chances,
        changes,
        number_text,
        paired_expectations,
        rule_name,
        tallies,
        value_text,
    )

    quarters = simulation.quarters
    parts = [
        f"{labels.MARKING}. A simulation over {quarters[0]} to {quarters[-1]}; nothing is recorded."
        if quarters
        else "No quarter to simulate.",
        "\n".join(simulation.notes),
    ]
    rows: list[tuple[object, ...]]
    header: tuple[str, ...]
    if simulation.changed_rules:
        rows = [
            (
                rule_name(line),
                line["metric_id"],
                value_text(line["value_then"]),
                value_text(line["value_now"]),
            )
            for line in simulation.changed_rules
        ]
        parts.append("What the proposal changes\n" + table(("rule", "metric", "in force", "proposed"), rows))
    else:
        parts.append("The proposal changes nothing: every value is the one in force.")
    counts = ("then", "now", "both", "new", "dropped")
    found = tallies(simulation)
    titles = (
        ("recommended", "quarter", "Recommended to the Board, by quarter"),
        ("recommended", "right", "by right"),
        ("recommended", "body_kind", "by body"),
        ("severe", "quarter", "Severe in the quarter, by quarter"),
        ("indicator_met", "indicator", "Rights in which an indicator is met, all quarters"),
    )
    for measure, breakdown, title in titles:
        rows = [
            (
                tally.name if breakdown != "indicator" else f"{tally.code} {tally.name}",
                *_counts(tally, counts),
            )
            for tally in found
            if (tally.measure, tally.breakdown) == (measure, breakdown)
        ]
        total = next((each for each in found if (each.measure, each.breakdown) == (measure, "all")), None)
        if total is not None and breakdown == "quarter":
            rows.append((total.name, *_counts(total, counts)))
        parts.append(f"{title}\n" + table(("", *counts), rows))
    for change in ("new", "dropped"):
        parts.append(_changes_text(change, changes(simulation, change)))
    rows = [
        (
            quarter.period_code,
            *(chance.flagged if chance else 0 for chance in (quarter.then, quarter.now)),
            *(number_text(chance.by_chance if chance else None, 2) for chance in (quarter.then, quarter.now)),
        )
        for quarter in chances(simulation)
    ]
    header = ("quarter", "met then", "met now", "by chance then", "by chance now")
    parts.append(
        "Comparisons with like areas (S2), and how many chance alone would mark\n" + table(header, rows)
    )
    paired = paired_expectations(simulation)
    header = ("", *(f"{line.setting}, {when}" for line in paired[0][1] for when in ("then", "now")))
    rows = [
        (name, *(number_text(number) for line in lines for number in (line.then, line.now)))
        for name, lines in paired
    ]
    parts.append(
        f"Expected false flags in the nation: means of {simulation.histories} invented histories in which"
        " no area is truly bad (S1 and S2 only)\n" + table(header, rows)
    )
    return "\n\n".join(parts)


def _counts(tally: object, names: tuple[str, ...]) -> list[object]:
    return [getattr(tally, name) for name in names]


def _changes_text(change: str, rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return f"{change.capitalize()}: none."
    shown = [
        (
            row["period_code"],
            row["body_kind"],
            row["area_name"],
            row["right_number"],
            row["result_then"],
            row["result_now"],
        )
        for row in rows[:LINES_SHOWN]
    ]
    text = f"{change.capitalize()}\n" + table(("quarter", "body", "area", "right", "then", "now"), shown)
    left = len(rows) - len(shown)
    return text + (f"\nand {left:,} more, in flags.csv" if left else "")
