"""Which figure is meant: what was typed, matched with what the build knows.

What belongs here: codes and names, and the error that names what is near. What does not: the figure itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration.project import SettingError

if TYPE_CHECKING:
    import duckdb

STATISTIC, FEEDBACK, DELIVERY, LEGACY = "statistic", "feedback", "delivery", "legacy"
#: Where the figures of the 2019/20 audit stand, which has questions and periods of its own.
LEGACY_MART = "marts.local_area_legacy_audit"
NATION = "nation"
ALL = "ALL"
_NEAR = 5


class TraceError(SettingError):
    """What was asked for does not exist; the message names what is near."""


@dataclass(frozen=True)
class Asked:
    """What was typed: codes or names. One of area, group and is_national says where."""

    body: str
    metric: str
    period: str
    area: str | None = None
    group: str | None = None
    is_national: bool = False
    mode: str | None = None
    frame: str | None = None
    crime_type: str | None = None
    characteristic: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Question:
    """A figure that the build could have, in its own codes."""

    body_kind: str
    item_id: str
    period_code: str
    information: str
    definition: str
    place_kind: str
    place_code: str
    place_name: str
    pfa_codes: tuple[str, ...]
    mode: str | None = None
    frame: str | None = None
    crime_type: str = ALL
    characteristic: str = ALL
    characteristic_value: str = ALL

    @property
    def is_total(self) -> bool:
        """Whether all cases are meant, not those of an offence group or characteristic."""
        return self.crime_type == ALL and self.characteristic == ALL

    @property
    def breakdown(self) -> str:
        """The offence group or characteristic whose cases are meant, in words; nothing for all cases."""
        if self.is_total:
            return ""
        if self.crime_type != ALL:
            return f"offence group {self.crime_type}"
        return f"{self.characteristic} {self.characteristic_value}"

    @property
    def is_local(self) -> bool:
        """Whether one area is meant."""
        return self.place_kind == "area"


def ask(con: duckdb.DuckDBPyConnection, asked: Asked) -> Question:
    """Return the question in the build's codes. Raises TraceError for what it does not know."""
    body_kind = _chosen(
        "kind of body",
        asked.body,
        _pairs(con, "select body_kind, body_kind_name from reference.body_kinds order by sort_order"),
    )
    quarters = _pairs(
        con, "select period_code, period_label from intermediate.int_quarters order by quarter_index"
    )
    audited = _audited(con)
    period_code = _chosen("period", asked.period, {**quarters, **audited})
    if period_code in audited:
        return _ask_audit(con, asked, body_kind, period_code)
    item_id, information, definition = _item(con, asked.metric, body_kind, period_code)
    kind, code, name, areas = _place(con, asked, period_code)
    crime_type, characteristic, value = _breakdown(con, asked, information)
    if asked.frame and information != STATISTIC:
        raise TraceError(f"--frame is for statistics, and {item_id} is not one.")
    if asked.mode and information == DELIVERY:
        raise TraceError(f"--mode is for statistics and feedback, and {item_id} is neither.")
    return Question(
        body_kind,
        item_id,
        period_code,
        information,
        definition,
        kind,
        code,
        name,
        areas,
        asked.mode,
        asked.frame,
        crime_type,
        characteristic,
        value,
    )


def _audited(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the periods of the 2019/20 audit, if the build has it."""
    if not has_table(con, *LEGACY_MART.split(".")):
        return {}
    return _pairs(
        con,
        "select distinct audit.period_code, periods.period_label"
        f" from {LEGACY_MART} as audit inner join staging.stg_periods as periods"
        " on audit.period_code = periods.period_code order by audit.period_code",
    )


def _ask_audit(con: duckdb.DuckDBPyConnection, asked: Asked, body_kind: str, period_code: str) -> Question:
    """Return the question about the 2019/20 audit, which asked its own questions, of areas only."""
    if not asked.area:
        raise TraceError("The 2019/20 audit is of areas: ask with --area.")
    if asked.crime_type or asked.characteristic or asked.value:
        raise TraceError("The 2019/20 audit looked at all cases of its sample: it has no breakdown.")
    areas = _areas(con, period_code, "staging.stg_periods")
    pfa_code = _chosen("police area", asked.area, areas)
    found = con.execute(
        f"select distinct question_id, metric_id, question from {LEGACY_MART}"
        " where body_kind = ? and period_code = ? and pfa_code = ? order by question_id",
        [body_kind, period_code, pfa_code],
    ).fetchall()
    meant = [(str(row[0]), str(row[2])) for row in found if asked.metric in (row[0], row[1])]
    if not meant:
        known = [str(name) for row in found for name in row[:2] if name is not None]
        near = ", ".join(_near(asked.metric, known) or known[:_NEAR])
        raise TraceError(
            f"The audit did not ask {asked.metric} of {body_kind}, {areas[pfa_code]}, for {period_code};"
            f" near it are: {near or 'none at all'}."
        )
    if len(meant) > 1:
        several = ", ".join(item_id for item_id, _ in meant)
        raise TraceError(f"Several questions of the audit go with {asked.metric}; say which: {several}.")
    [(item_id, definition)] = meant
    return Question(
        body_kind,
        item_id,
        period_code,
        LEGACY,
        definition,
        "area",
        pfa_code,
        areas[pfa_code],
        (pfa_code,),
        asked.mode,
        asked.frame,
    )


def _item(
    con: duckdb.DuckDBPyConnection, typed: str, body_kind: str, period_code: str
) -> tuple[str, str, str]:
    due = con.execute(
        "select metric_id, information, definition from intermediate.int_expected_items"
        " where body_kind = ? and period_code = ? order by metric_id",
        [body_kind, period_code],
    ).fetchall()
    by_id = {row[0]: row for row in due}
    if typed in by_id:
        item_id, information, definition = by_id[typed]
        return str(item_id), str(information), str(definition)
    catalogue = _pairs(con, "select distinct metric_id, definition from reference.metrics order by metric_id")
    if typed in catalogue:
        near = ", ".join(_near(typed, list(by_id)) or list(by_id)[:_NEAR])
        raise TraceError(
            f"{typed} was not asked of {body_kind} for {period_code}; near it are: {near or 'none at all'}."
        )
    raise TraceError(f"There is no metric, question or item {typed!r}{_meant(typed, list(catalogue))}")


def _place(
    con: duckdb.DuckDBPyConnection, asked: Asked, period_code: str
) -> tuple[str, str, str, tuple[str, ...]]:
    given = [bool(asked.area), bool(asked.group), asked.is_national]
    if sum(given) != 1:
        raise TraceError("Say where: one of --area, --group and --nation.")
    areas = _areas(con, period_code, "intermediate.int_quarters")
    if asked.area:
        code = _chosen("police area", asked.area, areas)
        return "area", code, areas[code], (code,)
    if asked.is_national:
        return NATION, NATION, "the nation", tuple(areas)
    return _group(con, asked.group or "", period_code)


def _areas(con: duckdb.DuckDBPyConnection, period_code: str, periods: str) -> dict[str, str]:
    """Return the areas in force on the last day of a period, which `periods` knows."""
    return _pairs(
        con,
        "select areas.pfa_code, areas.area_name from reference.areas as areas"
        f" inner join {periods} as periods on periods.period_code = ?"
        " and (areas.valid_from is null or areas.valid_from <= periods.last_day)"
        " and (areas.valid_to is null or areas.valid_to >= periods.last_day) order by areas.pfa_code",
        [period_code],
    )


def _group(
    con: duckdb.DuckDBPyConnection, typed: str, period_code: str
) -> tuple[str, str, str, tuple[str, ...]]:
    if not has_table(con, "intermediate", "int_area_groups"):
        raise TraceError("The served build knows no groups of areas; ask for --area or --nation.")
    rows = con.execute(
        "select group_kind, group_code, group_name, pfa_code from intermediate.int_area_groups"
        " where period_code = ? order by group_kind, group_code, pfa_code",
        [period_code],
    ).fetchall()
    kind, _, code = typed.rpartition(":")
    found = {
        (str(row[0]), str(row[1]), str(row[2]))
        for row in rows
        if row[0] == (kind or row[0]) and code.casefold() in (str(row[1]).casefold(), str(row[2]).casefold())
    }
    if not found:
        known = {str(row[place]) for row in rows for place in (1, 2)}
        raise TraceError(
            f"There is no group of areas {typed!r} in {period_code}{_meant(code, sorted(known))}"
        )
    if len(found) > 1:
        kinds = ", ".join(f"{each[0]}:{each[1]}" for each in sorted(found))
        raise TraceError(f"There are several groups {typed!r}; say which: {kinds}.")
    [(kind, code, name)] = found
    return kind, code, name, tuple(str(row[3]) for row in rows if (row[0], row[1]) == (kind, code))


def _breakdown(con: duckdb.DuckDBPyConnection, asked: Asked, information: str) -> tuple[str, str, str]:
    if not (asked.crime_type or asked.characteristic or asked.value):
        return ALL, ALL, ALL
    if information == DELIVERY:
        raise TraceError("A delivery item is assessed as a whole: it has no breakdown.")
    if asked.crime_type and (asked.characteristic or asked.value):
        raise TraceError("Breakdowns are by offence group or by characteristic, never by both.")
    if asked.crime_type:
        known = _pairs(
            con, "select distinct crime_type, crime_type_name from reference.crime_types order by 1"
        )
        return _chosen("offence group", asked.crime_type, known), ALL, ALL
    if not (asked.characteristic and asked.value):
        raise TraceError("A characteristic goes with a value: --characteristic and --value.")
    kinds = _pairs(
        con, "select distinct characteristic, characteristic from reference.characteristics order by 1"
    )
    characteristic = _chosen("characteristic", asked.characteristic, kinds)
    values = _pairs(
        con,
        "select distinct characteristic_value, label from reference.characteristics"
        " where characteristic = ? order by 1",
        [characteristic],
    )
    return ALL, characteristic, _chosen(f"value of {characteristic}", asked.value, values)


def has_table(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    """Whether the build has a table or view."""
    found = con.execute(
        "select count(*) from information_schema.tables where table_schema = ? and table_name = ?",
        [schema, name],
    ).fetchone()
    return bool(found and found[0])


def _pairs(con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()) -> dict[str, str]:
    """Return code -> name; of several names the last counts."""
    return {str(code): str(name) for code, name in con.execute(sql, list(parameters)).fetchall()}


def _chosen(what: str, typed: str, known: Mapping[str, str]) -> str:
    """Return the code that was typed, or whose name was. Raises TraceError if there is none."""
    wanted = typed.strip().casefold()
    for code, name in known.items():
        if wanted in (code.casefold(), name.casefold()):
            return code
    # where nothing is near, names are listed: codes of areas tell nobody anything
    raise TraceError(f"There is no {what} {typed!r}{_meant(typed, [*known.values(), *known])}")


def _meant(typed: str, known: Sequence[str]) -> str:
    near = _near(typed, known)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    listed = list(dict.fromkeys(known))
    more = ", ..." if len(listed) > _NEAR else ""
    return f"; there are {', '.join(listed[:_NEAR])}{more}" if listed else "."


def _near(typed: str, known: Sequence[str]) -> list[str]:
    folded = {name.casefold(): name for name in reversed(known)}
    wanted = typed.strip().casefold()
    close = difflib.get_close_matches(wanted, folded, _NEAR, 0.6)
    within = [name for name in folded if len(wanted) > 2 and wanted in name]
    return [folded[name] for name in dict.fromkeys([*within, *close])][:_NEAR]
