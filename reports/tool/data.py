"""The published figures as scripts that a page loads one place at a time, from a folder as well as over http.

A script calls a function of the tool with its rows; what the columns mean is in `ROW`, and codes, names and
measures are in the index. Only `published.*` is read, so a figure that is withheld is not there to be shown.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.components.text import neutral

if TYPE_CHECKING:
    import duckdb

#: Columns of a row of a place's script. `period`, `basis` and `form` are places in lists of the index;
#: `value` is the breakdown's value, or nothing; `areas` is [expected, published] of a group, or nothing.
ROW = (
    "period",
    "basis",
    "base",
    "met",
    "reported",
    "rate",
    "lower",
    "upper",
    "about",
    "band",
    "form",
    "status",
    "note",
    "value",
    "areas",
)
GROUP_KINDS = ("nation", "country", "region", "criminal_justice_board")
NATION = "nation"
#: Forces without a police area stand in the breakdowns under this code of a region, which is the nation's.
NATION_CODE = "K04000001"
PIN_LENGTH = 12

_LOCAL_STATISTICS = """
    select area_code as place, body_kind || '.' || metric_id as measure, period_code,
        concat_ws('|', collection_mode, sampling_frame) as basis, case_count as base, met_count as met,
        reported_count, rate_percent, rate_lower_percent, rate_upper_percent, rate_is_about, rate_band,
        published_as, obs_status, obs_note, null as breakdown, null as value, null as expected,
        null as published
    from local_compliance
"""
_LOCAL_FEEDBACK = """
    select area_code, body_kind || '.' || question_id, year_code, concat_ws('|', survey_mode, collected_by),
        valid_answer_count, good_count, null, rate_percent, rate_lower_percent, rate_upper_percent,
        rate_is_about, rate_band, published_as, obs_status, obs_note, null, null, null, null
    from local_feedback
"""
_GROUP_STATISTICS = f"""
    select group_kind || '-' || group_code, body_kind || '.' || metric_id, period_code,
        concat_ws('|', collection_mode, sampling_frame), case_count, met_count, reported_count, rate_percent,
        rate_lower_percent, rate_upper_percent, rate_is_about, null, published_as, obs_status, obs_note,
        null, null, areas_expected, areas_published
    from group_compliance where group_kind in {GROUP_KINDS}
"""
_GROUP_FEEDBACK = f"""
    select group_kind || '-' || group_code, body_kind || '.' || question_id, year_code,
        concat_ws('|', survey_mode, collected_by), valid_answer_count, good_count, null, rate_percent,
        rate_lower_percent, rate_upper_percent, rate_is_about, null, published_as, obs_status, obs_note,
        null, null, areas_expected, areas_published
    from group_feedback where group_kind in {GROUP_KINDS}
"""
_REGION_BREAKDOWNS = f"""
    select
        case when region_code = '{NATION_CODE}' then '{NATION}-' else 'region-' end || region_code as place,
        body_kind || '.' || item_id as measure, year_code as period_code,
        concat_ws('|', collection_mode, sampling_frame, collected_by) as basis, base_count, good_count, null,
        rate_percent, rate_lower_percent, rate_upper_percent, rate_is_about, rate_band, published_as,
        obs_status, obs_note, breakdown, breakdown_value as value, null, null
    from region_breakdowns
"""
_NATIONAL_BREAKDOWNS = f"""
    select '{NATION}-{NATION_CODE}', body_kind || '.' || item_id, year_code,
        concat_ws('|', collection_mode, sampling_frame, collected_by), base_count, good_count, null,
        rate_percent, rate_lower_percent, rate_upper_percent, rate_is_about, null, published_as, obs_status,
        obs_note, breakdown, breakdown_value, regions_expected, regions_published
    from national_breakdowns
"""
TOTALS = " union all ".join((_LOCAL_STATISTICS, _LOCAL_FEEDBACK, _GROUP_STATISTICS, _GROUP_FEEDBACK))
BREAKDOWNS = " union all ".join((_REGION_BREAKDOWNS, _NATIONAL_BREAKDOWNS))
ORDER = " order by place, measure, breakdown nulls first, period_code, value nulls first, basis"


def script(function: str, *values: object) -> bytes:
    """A script that calls one of the tool's functions; text in it cannot end the script or add to it."""
    text = ",".join(json.dumps(value, ensure_ascii=True, separators=(",", ":")) for value in neutral(values))
    return f"{function}({text.replace('<', chr(92) + 'u003c')});\n".encode()


def data_scripts(connection: duckdb.DuckDBPyConnection, index: Mapping[str, Any]) -> dict[str, bytes]:
    """File name -> script of every place, and of every place's breakdowns (`<place>.breakdowns.js`)."""
    periods = {code: number for number, (code, _) in enumerate(index["periods"])}
    bases = {code: number for number, (code, _) in enumerate(index["bases"])}
    forms = {code: number for number, (code, _) in enumerate(index["forms"])}
    known = {place["id"] for place in index["places"]}
    broken_down = {place["id"] for place in index["places"] if place["breakdowns"] == place["id"]}
    files: dict[str, bytes] = {}
    for query, ending in ((TOTALS, ""), (BREAKDOWNS, ".breakdowns")):
        found: dict[str, dict[str, list[list[object]]]] = defaultdict(lambda: defaultdict(list))
        for row in connection.execute(query + ORDER).fetchall():
            place, measure, period, basis, *figures, about, band, form, status, note = row[:15]
            breakdown, value, expected, published = row[15:]
            key = measure if breakdown is None else f"{measure}|{breakdown}"
            cell: list[object] = [
                periods[period],
                bases[basis],
                *(plain(figure) for figure in figures),
                1 if about else None,
                band,
                None if form is None else forms[form],
                status,
                note,
                value,
                None if expected is None else [expected, published],
            ]
            while cell[-1] is None:
                cell.pop()
            found[place][key].append(cell)
        for place in sorted(broken_down if ending else known):
            files[f"{place}{ending}.js"] = script("vccData", place + ending, index["pin"], found[place])
    return files


def plain(number: Any) -> int | float | None:
    """A figure as JSON has it: whole where it is whole."""
    if number is None:
        return None
    return int(number) if float(number).is_integer() else float(number)


def tool_index(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """All that the form needs: places, measures, periods, names of codes, and which releases these are."""
    releases = connection.execute(
        "select period_code || '/v' || version, period_label, sums_sha256 from releases order by period_code"
    ).fetchall()
    digest = hashlib.sha256("".join(f"{name} {sums}\n" for name, _, sums in releases).encode()).hexdigest()
    names = _names(connection)
    return {
        "pin": f"{releases[-1][0]}~{digest[:PIN_LENGTH]}",
        "release": {"id": releases[-1][0], "period": releases[-1][1], "sums": releases[-1][2]},
        "releases": [name for name, _, _ in releases],
        "row": ROW,
        "periods": _periods(connection),
        "bases": _bases(connection, names),
        "forms": [
            [code, names["published_as", code]] for code in ("value", "about", "band", "base", "suppressed")
        ],
        "bodies": [[code, name] for (column, code), name in names.items() if column == "body_kind"],
        "rights": connection.execute(
            "select distinct right_number, right_title from metric_catalogue"
            " where right_title is not null order by right_number"
        ).fetchall(),
        "measures": _measures(connection),
        "breakdowns": _breakdowns(connection, names),
        "places": _places(connection),
    }


def _names(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    rows = connection.execute('select "column", code, code_name from codes order by "column", sort_order')
    return {(column, code): name for column, code, name in rows.fetchall()}


def _periods(connection: duckdb.DuckDBPyConnection) -> Sequence[tuple[str, str]]:
    return connection.execute(
        "select code, max(label) from ("
        " select period_code as code, period_label as label from local_compliance"
        " union all select period_code, period_label from group_compliance"
        " union all select year_code, year_label from local_feedback"
        " union all select year_code, year_label from group_feedback"
        " union all select year_code, year_label from region_breakdowns"
        " union all select year_code, year_label from national_breakdowns"
        ") group by code order by code"
    ).fetchall()


def _bases(
    connection: duckdb.DuckDBPyConnection, names: Mapping[tuple[str, str], str]
) -> list[tuple[str, str]]:
    """How figures were collected, as code and in words; nothing in words where every case was looked at."""
    codes = [
        code
        for (code,) in connection.execute(
            f"select basis from ({TOTALS}) union select basis from ({BREAKDOWNS}) order by basis"
        ).fetchall()
    ]
    usual = {
        ("census", "all_cases"),
        ("census", "all_cases", "own"),
        ("none", "none"),
        ("none", "none", "none"),
    }

    def words(code: str) -> str:
        parts = tuple(code.split("|"))
        if parts[:2] in usual:
            return ""
        told = [
            next(
                (
                    names[column, part]
                    for column in ("collection_mode", "sampling_frame", "collected_by")
                    if (column, part) in names
                ),
                part,
            )
            for part in parts
        ]
        return ", ".join(text.lower() if number else text for number, text in enumerate(told))

    return [(code, words(code)) for code in codes]


def _measures(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """What may be chosen, by right and body; `percent` is false for a plain count."""
    rows = connection.execute(
        """
        select measure, any_value(right_number), any_value(kind), any_value(body_kind), max(definition),
            bool_or(unit <> 'count')
        from (
            select body_kind || '.' || metric_id as measure, right_number, 'statistic' as kind, body_kind,
                metric_definition as definition, unit from local_compliance
            union all
            select body_kind || '.' || question_id, right_number, 'feedback', body_kind, item_definition,
                'proportion' from local_feedback
        )
        group by measure order by 2, measure
        """
    ).fetchall()
    offered: dict[str, list[str]] = defaultdict(list)
    for measure, breakdown in connection.execute(
        f"select distinct measure, breakdown from ({BREAKDOWNS})"
        " where obs_status is null or obs_status = 'c' order by 1, 2"
    ).fetchall():
        offered[measure].append(breakdown)
    return [
        {
            "id": measure,
            "right": right,
            "kind": kind,
            "body": body,
            "text": text,
            "percent": percent,
            "breakdowns": offered[measure],
        }
        for measure, right, kind, body, text, percent in rows
    ]


def _breakdowns(
    connection: duckdb.DuckDBPyConnection, names: Mapping[tuple[str, str], str]
) -> list[dict[str, Any]]:
    values: dict[str, list[list[str]]] = defaultdict(list)
    for breakdown, value, label in connection.execute(
        "select breakdown, breakdown_value, breakdown_label from breakdowns order by breakdown, sort_order"
    ).fetchall():
        values[breakdown].append([value, label])
    return [
        {"id": code, "name": name, "values": values[code]}
        for (column, code), name in names.items()
        if column == "breakdown" and code in values
    ]


def _places(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Areas by region with their like areas, nearest in population first, then groups of several areas."""
    population = dict(connection.execute("select area_code, population from places").fetchall())
    like: dict[str, list[str]] = defaultdict(list)
    newest = "period_code = (select period_code from current)"
    for code, area in connection.execute(
        "select group_code, area_code from area_groups"
        f" where group_kind = 'like_areas' and {newest} order by all"
    ).fetchall():
        like[code].append(area)
    areas = connection.execute(
        "select area_code, area_name, region_code, region_name from areas"
        " order by region_code = ?, region_name, area_name",
        [NATION_CODE],
    ).fetchall()
    regions = connection.execute("select distinct region_code, region_name from areas").fetchall()
    region_of = {name: code for code, name in regions}
    found: list[dict[str, Any]] = [
        {
            "id": code,
            "code": code,
            "kind": "area",
            "name": name,
            "region": region,
            "breakdowns": _region_place(region_code or region_of.get(region)),
            "like": nearest(code, like[code], population),
        }
        for code, name, region_code, region in areas
    ]
    groups = connection.execute(
        f"""
        select group_kind, group_code, max(group_name), count(*) from area_groups
        where group_kind in {GROUP_KINDS} and {newest} group by group_kind, group_code
        having group_kind <> 'criminal_justice_board' or count(*) > 1
        order by list_position({list(GROUP_KINDS)}, group_kind), 3
        """
    ).fetchall()
    for kind, code, name, areas_in_it in groups:
        place = f"{kind}-{code}"
        found.append(
            {
                "id": place,
                "code": code,
                "kind": kind,
                "name": name,
                "areas": areas_in_it,
                "breakdowns": place if kind in (NATION, "region") else None,
            }
        )
    return found


def _region_place(code: str | None) -> str:
    return f"region-{code}" if code and code != NATION_CODE else f"{NATION}-{NATION_CODE}"


def nearest(code: str, others: Iterable[str], population: Mapping[str, int | None]) -> list[str]:
    """The other areas, nearest in population (as a ratio) first; those of unknown population last."""
    own = population.get(code)

    def distance(other: str) -> tuple[float, str]:
        size = population.get(other)
        return (abs(math.log(size / own)) if size and own else math.inf, other)

    return sorted((other for other in others if other != code), key=distance)
