"""Find a figure in a build, and the rows, returns and rules it was made from.

What belongs here: reading the build, and adding up rows once more, in plain Python. What does not: what was
typed (question.py), how it is told (tell.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration.tracing.found import Comparison, Found, Missing, Row, Value
from orchestration.tracing.known import Record, names_of, records, remarks_on, returns_of
from orchestration.tracing.legacy import trace_legacy
from orchestration.tracing.question import (
    DELIVERY,
    FEEDBACK,
    LEGACY,
    NATION,
    STATISTIC,
    Question,
    TraceError,
    has_table,
)

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Source:
    """Where figures of one kind of information are kept, and what is added up in them."""

    subject: str
    item_column: str
    breakdowns: str
    staging: Mapping[str, str]
    counts: tuple[str, ...] = ()
    mode_column: str | None = None
    frame_column: str | None = None

    @property
    def local_mart(self) -> str:
        """The mart of the areas."""
        return f"marts.local_area_{self.subject}"

    @property
    def national_mart(self) -> str:
        """The mart of the nation."""
        return f"marts.national_{self.subject}"

    @property
    def group_mart(self) -> str:
        """The mart of the larger geographies."""
        return f"marts.national_group_{self.subject}"


SOURCES: Mapping[str, Source] = {
    STATISTIC: Source(
        "compliance",
        "metric_id",
        "intermediate.int_metric_figures",
        {"own": "staging.stg_quarterly_metrics"},
        (
            "met_count",
            "not_met_count",
            "not_suitable_count",
            "declined_count",
            "unknown_count",
            "reported_count",
            "within_limit_count",
            "short_delay_count",
            "long_delay_count",
            "case_count",
        ),
        "collection_mode",
        "sampling_frame",
    ),
    FEEDBACK: Source(
        "feedback",
        "question_id",
        "intermediate.int_feedback_answers",
        {"own": "staging.stg_quarterly_feedback", "survey": "staging.stg_feedback_answers"},
        ("invited_count", "good_count", "valid_answer_count"),
        "survey_mode",
    ),
    DELIVERY: Source("delivery", "item_id", "", {"own": "staging.stg_quarterly_delivery"}),
}

#: What stands in a row beside its figures: the key, shown elsewhere.
_KEYS = {"receipt_id", "sheet_row", "body_code", "pfa_code", "is_total"}
_GRADES = ("areas_absent", "areas_drafted", "areas_in_use", "areas_reviewed")


def trace(con: duckdb.DuckDBPyConnection, question: Question, build_id: str) -> list[Found]:
    """Return each figure that answers the question: one a way of collecting.

    Raises TraceError if the build has none.
    """
    if question.information == LEGACY:
        return trace_legacy(con, question, build_id)
    source = SOURCES[question.information]
    local = _local_figures(con, source, question)
    figures = _figures(con, source, question, local)
    if not figures:
        raise TraceError(
            f"The build has no figure for {question.item_id} of {question.body_kind}, {question.place_name},"
            f" {question.period_code}{_narrowed(question)}."
        )
    names = names_of(con, question.body_kind)
    return [
        _found(con, source, question, build_id, mart, figure, _adding(source, question, local, figure), names)
        for mart, figure in figures
    ]


def _narrowed(question: Question) -> str:
    """Say to which cases and ways of collecting the question was narrowed."""
    told = f", {question.breakdown}" if question.breakdown else ""
    if question.mode or question.frame:
        told += f", collected as {question.mode or 'any mode'}, {question.frame or 'any frame'}"
    return told


# --- the figure --------------------------------------------------------------------------------------------


def _local_figures(con: duckdb.DuckDBPyConnection, source: Source, question: Question) -> list[Record]:
    """Return the areas' figures, one an area and way of collecting; of a breakdown those that came."""
    marks = ", ".join("?" * len(question.pfa_codes))
    keys: list[object] = [question.body_kind, question.item_id, question.period_code]
    where = f"body_kind = ? and {source.item_column} = ? and period_code = ?"
    if question.is_total:
        found = records(
            con,
            f"select * from {source.local_mart} where {where} and pfa_code in ({marks}) order by all",
            [*keys, *question.pfa_codes],
        )
    else:
        breakdown = [question.crime_type, question.characteristic, question.characteristic_value]
        found = records(
            con,
            f"select * from {source.breakdowns} where {where} and crime_type = ? and characteristic = ?"
            f" and characteristic_value = ? and pfa_code in ({marks}) order by all",
            [*keys, *breakdown, *question.pfa_codes],
        )
        for each in found:
            each["figure_status"] = "reported" if each.pop("is_complete") else "incomplete"
            if "good_answer_count" in each:
                each["good_count"] = each.pop("good_answer_count")
        found = [each for each in found if each.get("is_standing", True)]
    return [each for each in found if _is_asked(source, question, each)]


def _is_asked(source: Source, question: Question, figure: Record) -> bool:
    return (question.mode in (None, figure.get(source.mode_column or ""))) and (
        question.frame in (None, figure.get(source.frame_column or ""))
    )


def _figures(
    con: duckdb.DuckDBPyConnection, source: Source, question: Question, local: list[Record]
) -> list[tuple[str, Record]]:
    """Return each figure with the mart it stands in."""
    if question.is_local:
        return [(source.local_mart if question.is_total else source.breakdowns, each) for each in local]
    keys: list[object] = [question.body_kind, question.item_id, question.period_code]
    where = f"body_kind = ? and {source.item_column} = ? and period_code = ?"
    mart = source.national_mart
    if question.place_kind != NATION:
        mart, where = source.group_mart, f"{where} and group_kind = ? and group_code = ?"
        keys += [question.place_kind, question.place_code]
    if question.is_total and has_table(con, *mart.split(".")):
        found = records(con, f"select * from {mart} where {where} order by all", keys)
        return [(mart, each) for each in found if _is_asked(source, question, each)]
    return [(f"{source.breakdowns or source.local_mart}, summed", each) for each in _summed(source, local)]


def _summed(source: Source, local: list[Record]) -> list[Record]:
    """Add up areas where no mart does: by way of collecting, those whose figures are complete."""
    ways = dict.fromkeys(_way(source, each) for each in local if each["figure_status"] == "reported")
    found = []
    for way in ways:
        areas = [each for each in local if each["figure_status"] == "reported" and _way(source, each) == way]
        record: Record = {
            column: areas[0][column]
            for column in (source.mode_column, source.frame_column, "collected_by")
            if column and column in areas[0]
        }
        record |= {column: _total(each[column] for each in areas) for column in source.counts}
        if not source.counts:
            record |= _areas_at_grades(each["lowest_grade"] for each in areas)
        found.append({**record, "areas_reporting": len(areas)})
    return found


def _way(source: Source, figure: Record) -> tuple[Any, ...]:
    return (
        figure.get(source.mode_column or ""),
        figure.get(source.frame_column or ""),
        figure.get("collected_by"),
    )


def _adding(source: Source, question: Question, local: list[Record], figure: Record) -> list[Record]:
    """Return the areas' figures that make up a figure: itself, or those that are complete."""
    if question.is_local:
        return [figure]
    return [
        each
        for each in local
        if each["figure_status"] == "reported" and _way(source, each) == _way(source, figure)
    ]


# --- the rows ----------------------------------------------------------------------------------------------


def _rows(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    question: Question,
    adding: list[Record],
    names: Mapping[str, Mapping[str, str]],
) -> list[Row]:
    """Return the rows of the current returns that make up the areas' figures."""
    if not adding:
        return []
    ways = {
        (
            each.get("pfa_code", ""),
            each.get(source.mode_column or "") or "none",
            each.get(source.frame_column or "") or "none",
            each.get("collected_by") or "own",
        )
        for each in adding
    }
    polarity = records(
        con,
        "select polarity from intermediate.int_expected_items"
        " where body_kind = ? and metric_id = ? and period_code = ?",
        [question.body_kind, question.item_id, question.period_code],
    )[0]["polarity"]
    reported = records(
        con,
        _ROWS_SQL,
        {
            "body_kind": question.body_kind,
            "item_id": question.item_id,
            "period_code": question.period_code,
            "crime_type": question.crime_type,
            "characteristic": question.characteristic,
            "value": question.characteristic_value,
        },
    )
    chosen = [
        each
        for each in reported
        if (each["pfa_code"], each["collection_mode"], each["sampling_frame"], each["collected_by"]) in ways
    ]
    values = _values(con, source, chosen)
    return [
        Row(
            receipt_id=each["receipt_id"],
            sheet=each["sheet"],
            sheet_row=each["sheet_row"],
            body_code=each["body_code"],
            body_name=names["bodies"].get(each["body_code"], ""),
            pfa_code=each["pfa_code"],
            area_name=names["areas"].get(each["pfa_code"], ""),
            collected_by=each["collected_by"],
            counts=_counts(question, each, polarity),
            values=values[each["receipt_id"], each["sheet_row"]],
        )
        for each in chosen
    ]


_ROWS_SQL = """
with answering as (

    select
        'own' as collected_by,
        receipt_id,
        body_code,
        pfa_code
    from intermediate.int_expected_returns
    where body_kind = $body_kind and period_code = $period_code and receipt_id is not null
    union
    select
        'survey' as collected_by,
        receipts.receipt_id,
        bodies.body_code,
        body_areas.pfa_code
    from intermediate.int_current_receipts as receipts
    inner join intermediate.int_quarters as quarters
        on receipts.period_code = quarters.period_code
    inner join reference.bodies as bodies
        on
            bodies.body_kind = $body_kind
            and (bodies.valid_from is null or bodies.valid_from <= quarters.last_day)
            and (bodies.valid_to is null or bodies.valid_to >= quarters.last_day)
    inner join reference.body_areas as body_areas
        on
            bodies.body_code = body_areas.body_code
            and (body_areas.valid_from is null or body_areas.valid_from <= quarters.last_day)
            and (body_areas.valid_to is null or body_areas.valid_to >= quarters.last_day)
    where receipts.form_kind = 'feedback' and receipts.period_code = $period_code

)

select reported.*
from intermediate.int_reported_rows as reported
inner join answering
    on
        reported.collected_by = answering.collected_by
        and reported.receipt_id = answering.receipt_id
        and reported.body_code = answering.body_code
        and reported.pfa_code = answering.pfa_code
where
    reported.item_id = $item_id
    and reported.crime_type = $crime_type
    and reported.characteristic = $characteristic
    and reported.characteristic_value = $value
order by reported.pfa_code, reported.body_code, reported.receipt_id, reported.sheet_row
"""


def _counts(question: Question, row: Record, polarity: str) -> dict[str, Value]:
    """Return what one row brings, under the figure's names."""
    if question.information == DELIVERY:
        return {name: row[name] for name in ("grade", "has_improvement_plan", "next_step_due_on")}
    if question.information == FEEDBACK:
        good = row["positive_answer_count"]
        if polarity == "lower" and good is not None:
            good = row["valid_answer_count"] - good
        return {
            "invited_count": row["invited_count"],
            "good_count": good,
            "valid_answer_count": row["valid_answer_count"],
        }
    met, not_met = row["met_count"], row["not_met_count"]
    cases = None if met is None or not_met is None else met + not_met
    return {name: cases if name == "case_count" else row[name] for name in SOURCES[STATISTIC].counts}


def _values(
    con: duckdb.DuckDBPyConnection, source: Source, rows: Sequence[Record]
) -> dict[tuple[str, int], dict[str, Value]]:
    """Return what each row says, cell by cell, blank cells left out."""
    found = {}
    for collected_by, staging in source.staging.items():
        keys = [
            (each["receipt_id"], each["sheet_row"]) for each in rows if each["collected_by"] == collected_by
        ]
        if not keys:
            continue
        marks = ", ".join(["(?, ?)"] * len(keys))
        for record in records(
            con,
            f"select * from {staging} where (receipt_id, sheet_row) in ({marks})",
            [part for key in keys for part in key],
        ):
            found[record["receipt_id"], record["sheet_row"]] = {
                name: value for name, value in record.items() if value is not None and name not in _KEYS
            }
    return found


# --- adding up ---------------------------------------------------------------------------------------------


def _compared(source: Source, question: Question, figure: Record, rows: Sequence[Row]) -> list[Comparison]:
    """Lay every quantity of the figure beside what the rows give."""
    given: dict[str, Value] = {}
    if source.counts:
        given = {name: _total(row.counts[name] for row in rows) for name in source.counts}
    elif question.is_local:
        given = _assessed(rows)
    else:
        by_area: dict[str, list[Row]] = {}
        for row in rows:
            by_area.setdefault(row.pfa_code, []).append(row)
        areas = [_assessed(area) for area in by_area.values()]
        given = _areas_at_grades(area["lowest_grade"] for area in areas)
        given["areas_with_plan"] = sum(area["has_improvement_plan"] for area in areas)
    return [Comparison(name, figure.get(name), value) for name, value in given.items() if name in figure]


def _assessed(rows: Sequence[Row]) -> dict[str, Any]:
    """Return what an area's rows say of a delivery item: lowest grade, and whether every body has a plan."""
    if not rows:
        return dict.fromkeys(("body_count", "lowest_grade", "has_improvement_plan", "next_step_due_on"))
    by_body: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_body.setdefault(row.body_code, []).append(row.counts)
    dates = [row.counts["next_step_due_on"] for row in rows if row.counts["next_step_due_on"] is not None]
    least: Callable[[Iterable[Any]], Any] = min
    return {
        "body_count": len(by_body),
        "lowest_grade": least(row.counts["grade"] for row in rows),
        "has_improvement_plan": all(
            any(each["has_improvement_plan"] for each in own) for own in by_body.values()
        ),
        "next_step_due_on": least(dates) if dates else None,
    }


def _areas_at_grades(grades: Iterable[Any]) -> dict[str, Any]:
    listed = list(grades)
    return {name: listed.count(grade) for grade, name in enumerate(_GRADES)}


def _total(counts: Iterable[Any]) -> int | None:
    """Add up counts as SQL does: what is blank adds nothing, and nothing but blanks is blank."""
    given = [count for count in counts if count is not None]
    return sum(given) if given else None


# --- what is known of them ---------------------------------------------------------------------------------


def _found(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    question: Question,
    build_id: str,
    mart: str,
    figure: Record,
    adding: list[Record],
    names: Mapping[str, Mapping[str, str]],
) -> Found:
    rows = _rows(con, source, question, adding, names)
    receipt_ids = list(dict.fromkeys(row.receipt_id for row in rows))
    return Found(
        question=question,
        build_id=build_id,
        mart=mart,
        figure=figure,
        comparisons=tuple(_compared(source, question, figure, rows)),
        rows=tuple(rows),
        returns=tuple(returns_of(con, receipt_ids)),
        warnings=tuple(remarks_on(con, receipt_ids, rows)),
        missing=tuple(_missing(con, source, question, rows, adding)),
        rules=_rules(con, question),
        tests=tuple(_tests(con, source, question, figure)),
        published=_published(con, source, question, figure),
    )


def _missing(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    question: Question,
    rows: Sequence[Row],
    adding: Sequence[Record],
) -> list[Missing]:
    """Return the senders that should have brought a row and did not."""
    marks = ", ".join("?" * len(question.pfa_codes))
    due = records(
        con,
        "select sender_code, body_code, pfa_code, receipt_id from intermediate.int_expected_returns"
        f" where body_kind = ? and period_code = ? and pfa_code in ({marks})"
        " order by pfa_code, body_code, sender_code",
        [question.body_kind, question.period_code, *question.pfa_codes],
    )
    reasons = _reasons(con, question)
    there = {(row.receipt_id, row.body_code, row.pfa_code) for row in rows}
    surveyed = {row.pfa_code for row in rows if row.collected_by == "survey"}
    counted = {each.get("pfa_code") for each in adding}
    found = []
    for each in due:
        place = (each["receipt_id"], each["body_code"], each["pfa_code"])
        if place in there or each["pfa_code"] in surveyed:
            continue
        if each["receipt_id"] is None:
            reason = "no return was accepted"
        elif place in reasons:
            reason = f"not collected: {reasons[place]}"
        elif each["pfa_code"] not in counted:
            reason = "the area's figure is not complete, or was collected in another way"
        else:
            reason = "the return has no such row"
        found.append(Missing(each["sender_code"], each["body_code"], each["pfa_code"], reason))
    return found


def _reasons(con: duckdb.DuckDBPyConnection, question: Question) -> dict[tuple[str, str, str], str]:
    if question.information != STATISTIC:
        return {}
    return {
        (row[0], row[1], row[2]): row[3]
        for row in con.execute(
            "select receipt_id, body_code, pfa_code, not_collected_reason from staging.stg_quarterly_metrics"
            " where metric_id = ? and not_collected_reason is not null",
            [question.item_id],
        ).fetchall()
    }


def _rules(con: duckdb.DuckDBPyConnection, question: Question) -> Record:
    """Return the version of the rules that judged the quarter, with what it says of the item."""
    found = records(
        con,
        "select rules.rule_version, versions.basis, versions.effective_from, rules.n_min,"
        " rules.persistence_scope, rules.interval_z, rules.change_z, rules.peer_set,"
        " rules.s4_grade_max, thresholds.threshold"
        " from intermediate.int_rules_by_quarter as rules"
        " inner join intermediate.int_severe_rules as versions on rules.rule_version = versions.rule_version"
        " left join intermediate.int_severe_thresholds as thresholds"
        " on rules.rule_version = thresholds.rule_version and thresholds.metric_id = ?"
        " where rules.period_code = ?",
        [question.item_id, question.period_code],
    )
    return found[0] if found else {}


def _tests(
    con: duckdb.DuckDBPyConnection, source: Source, question: Question, figure: Record
) -> list[Record]:
    """Return the tests of a severe indicator that an area's total went through."""
    if not (question.is_local and question.is_total):
        return []
    found = records(
        con,
        "select * from marts.oversight_indicators where body_kind = ? and pfa_code = ? and item_id = ?"
        " and period_code = ? order by all",
        [question.body_kind, question.place_code, question.item_id, question.period_code],
    )
    mode = figure.get(source.mode_column or "")
    wanted = (
        "indicator",
        "is_assessable",
        "is_met",
        "is_watch",
        "not_assessable_reason",
        "rate",
        "threshold",
        "upper_bound",
        "z_score",
        "gap_to_peers",
        "peer_count",
        "rule_version",
    )
    return [
        {name: each[name] for name in wanted if name in each}
        for each in found
        if mode is None or each["collection_mode"] == mode
    ]


def _published(
    con: duckdb.DuckDBPyConnection, source: Source, question: Question, figure: Record
) -> Record | None:
    """Return the cell of the open data, if the figure has one."""
    if question.information != STATISTIC or not question.is_total:
        return None
    where = (
        "body_kind = ? and metric_id = ? and period_code = ? and collection_mode = ? and sampling_frame = ?"
    )
    keys: list[object] = [question.body_kind, question.item_id, question.period_code]
    keys += [figure.get(source.mode_column or ""), figure.get(source.frame_column or "")]
    if question.is_local:
        mart, where = "open_data_local_compliance", f"{where} and area_code = ?"
        keys.append(question.body_kind.upper() if question.place_code == "NAT" else question.place_code)
    else:
        mart, where = "open_data_group_compliance", f"{where} and group_kind = ?"
        keys.append(question.place_kind)
        if question.place_kind != NATION:
            where += " and group_code = ?"
            keys.append(question.place_code)
    found = records(con, f"select * from marts.{mart} where {where}", keys)
    wanted = (
        "case_count",
        "met_count",
        "reported_count",
        "rate_percent",
        "rate_is_about",
        "rate_band",
        "published_as",
        "obs_status",
        "disclosure_rule_version",
    )
    return {"mart": f"marts.{mart}", **{n: found[0][n] for n in wanted if n in found[0]}} if found else None
