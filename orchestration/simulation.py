"""What a proposed table of rules would have flagged in every past quarter, beside what the rules flag.

What belongs here: running the models' own SQL again, from the rules down to the results, on tables in memory
that stand beside the served build. What does not: the rules themselves (they live in the models), the file
they come in (ingest/rule_table.py), the pages (reports/simulation.py). Nothing is written into the warehouse.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.rule_table import THRESHOLD, RuleRow, RuleTable, completed
from orchestration.project import SettingError
from orchestration.rendering import between, model_sql, parents, relation
from orchestration.warehouse import WarehouseError

if TYPE_CHECKING:
    import duckdb

    from reports.simulation import Simulation

#: The models that hold the rules: what is proposed takes the place of all that they read.
RULE_MODELS = ("int_severe_rules", "int_severe_thresholds")
#: The results of every quarter, all recomputed from today's figures: the first of these models that there is.
RESULT_MODELS = ("int_persistence_shadow", "int_persistence")
#: Enough for means that do not depend on the draw by more than a tenth or so; half a second.
HISTORIES = 50
#: The catalog of the served build in the connection, and of both recomputations.
BUILD, THEN, NOW = "build", "rules_then", "rules_now"
_KEY = ("body_kind", "pfa_code", "right_number", "period_code")
_NOT_PARAMETERS = frozenset({"rule_version", "effective_from", "effective_to", "basis"})

Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Version:
    """A whole rule version, one row a parameter or threshold."""

    rule_version: int
    rows: tuple[RuleRow, ...]

    @property
    def table_hash(self) -> str:
        """What tells one table of rules from another, whatever its number, dates and basis."""
        values = [[*row.key, row.value] for row in sorted(self.rows, key=lambda row: row.key)]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameter -> value, with the number of the version, as a row of `severe_rules` has them."""
        values = {row.parameter: row.value for row in self.rows if row.parameter != THRESHOLD}
        return {"rule_version": self.rule_version, **values}

    @property
    def thresholds(self) -> dict[str, float]:
        """Metric or question -> T."""
        return {
            row.metric_id: row.number_value
            for row in self.rows
            if row.parameter == THRESHOLD and row.metric_id is not None and row.number_value is not None
        }


def results_model() -> str:
    """Return the name of the model that holds the recomputed results of every quarter."""
    for name in RESULT_MODELS:
        try:
            relation(name)
        except KeyError:
            continue
        return name
    raise KeyError(RESULT_MODELS[-1])


def recomputed_models() -> list[str]:
    """Return the models between the rules and the results, in the order in which they can be built."""
    return between(RULE_MODELS, results_model())


def recompute(
    con: duckdb.DuckDBPyConnection,
    target: str,
    version: Version | None = None,
    *,
    source: str = BUILD,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Build the models again in a new catalog `target` in memory, on the tables of `source`.

    With a version, that alone judges every quarter of the build; else the versions that are recorded do.
    Raises WarehouseError if the build has not the tables that the models read.
    """
    import duckdb

    models = recomputed_models()
    con.execute("attach ':memory:' as " + target)
    for schema in sorted({relation(name).partition(".")[0] for name in models}):
        con.execute(f"create schema {target}.{schema}")
    proposed = _put_in_place(con, target, version, source) if version is not None else {}
    for done, name in enumerate(models):
        told(done, len(models))
        stands_in = proposed if name in RULE_MODELS else {}

        def place(parent: str, stands_in: Mapping[str, str] = stands_in) -> str:
            catalog = target if parent in models else source
            return stands_in.get(parent) or f"{catalog}.{relation(parent)}"

        try:
            con.execute(f"create table {target}.{relation(name)} as {model_sql(name, place)}")
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise WarehouseError(
                f"The build that is served was made by other models than these ({name}: {error}); run"
                " `vcc run --all` to build it anew."
            ) from error
    told(len(models), len(models))


def _put_in_place(
    con: duckdb.DuckDBPyConnection, target: str, version: Version, source: str
) -> dict[str, str]:
    """Make what the rule models read hold one version only, as if it had arrived as a return long ago.

    Returns the name of each of these tables -> where it now stands.
    """
    con.execute(f"create schema {target}.proposed")
    places = {}
    for name in sorted(frozenset().union(*map(parents, RULE_MODELS))):
        places[name] = f"{target}.proposed.{name}"
        con.execute(f"create table {places[name]} as from {source}.{relation(name)} limit 0")
    first = con.execute(f"select min(last_day) from {source}.{relation('int_quarters')}").fetchone()
    con.executemany(
        f"insert into {places['int_agreed_rules']} (rule_version, effective_from, parameter, metric_id,"
        " number_value, text_value, basis) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                version.rule_version,
                first[0] if first else None,
                row.parameter,
                row.metric_id,
                row.number_value,
                row.text_value,
                row.basis,
            )
            for row in version.rows
        ],
    )
    return places


def version_in_force(con: duckdb.DuckDBPyConnection, catalog: str = THEN) -> Version:
    """Return the version that judges the latest quarter, from a catalog in which the models stand."""
    [rule] = _dicts(
        con,
        f"""
        select rules.*
        from {catalog}.{relation("int_severe_rules")} as rules
        inner join {catalog}.{relation("int_rules_by_quarter")} as quarters
            on rules.rule_version = quarters.rule_version
        order by quarters.quarter_index desc
        limit 1
        """,
    )
    thresholds = _dicts(
        con,
        f"select metric_id, threshold, basis from {catalog}.{relation('int_severe_thresholds')}"
        " where rule_version = ?",
        [rule["rule_version"]],
    )
    rows = [_row(name, rule[name], rule["basis"]) for name in rule if name not in _NOT_PARAMETERS]
    rows += [RuleRow(THRESHOLD, row["metric_id"], row["threshold"], None, row["basis"]) for row in thresholds]
    return Version(rule["rule_version"], tuple(sorted(rows, key=lambda row: row.key)))


def _row(parameter: str, value: object, basis: str) -> RuleRow:
    if isinstance(value, bool):
        return RuleRow(parameter, None, None, "true" if value else "false", basis)
    if isinstance(value, int | float):
        return RuleRow(parameter, None, float(value), None, basis)
    return RuleRow(parameter, None, None, None if value is None else str(value), basis)


def proposed_version(proposal: RuleTable, in_force: Version, peer_sets: Sequence[str]) -> Version:
    """Return the whole version that is simulated. Raises SettingError for one that could not be in force."""
    try:
        rows = completed(proposal, in_force.rows)
    except ValueError as error:
        raise SettingError(str(error)) from None
    number = proposal.rule_version if proposal.rule_version is not None else in_force.rule_version + 1
    version = Version(number, rows)
    peer_set = version.parameters["peer_set"]
    if peer_set not in peer_sets:
        raise SettingError(
            f"There are no like areas under the name of peer_set {peer_set!r}; choose one of"
            f" {', '.join(peer_sets)}, or add them to the reference table similar_areas first."
        )
    return version


def simulate(
    con: duckdb.DuckDBPyConnection,
    proposal: RuleTable,
    name: str,
    *,
    seeds: Path,
    source: str = BUILD,
    histories: int = HISTORIES,
    told: Told = lambda what, done, total: None,
) -> Simulation:
    """Return what changes if the proposal judges every quarter of the build that `con` has under `source`.

    `con` is open in memory, with the build attached for reading only. Raises SettingError for a proposal that
    cannot be in force, WarehouseError for a build that the models cannot be run on.
    """
    from reports.simulation import Simulation

    recompute(con, THEN, source=source, told=lambda *step: told("rules as they applied", *step))
    in_force = version_in_force(con)
    peer_sets = [
        row["peer_set"]
        for row in _dicts(
            con, f"select distinct peer_set from {source}.reference.similar_areas order by peer_set"
        )
    ]
    proposed = proposed_version(proposal, in_force, peer_sets)
    recompute(con, NOW, proposed, source=source, told=lambda *step: told("rules as proposed", *step))
    compared = _compared(con, source)
    expected = []
    for done, version in enumerate((in_force, proposed)):
        told("histories in which nothing is wrong", done * histories, 2 * histories)
        expected.append(_expected(version, histories, seeds))
    told("histories in which nothing is wrong", 2 * histories, 2 * histories)
    return Simulation(
        name=name,
        table_hash=proposed.table_hash,
        version_in_force=in_force.rule_version,
        proposed_version=proposed.rule_version,
        is_whole=proposal.is_whole,
        rules=_rule_lines(con, proposal, in_force, proposed, source),
        results=compared,
        indicators=_indicators(con),
        s2_tests=_s2_tests(con),
        expected_then=expected[0],
        expected_now=expected[1],
        histories=histories,
        notes=_notes(con, proposal, in_force, source),
    )


def _compared(con: duckdb.DuckDBPyConnection, source: str) -> list[dict[str, Any]]:
    """Return every body, area, right and quarter with its result under both."""
    results = relation(results_model())
    same_key = " and ".join(f"rules_then.{name} is not distinct from rules_now.{name}" for name in _KEY)
    rows = _dicts(
        con,
        f"""
        select
            rules_then.body_kind,
            rules_then.pfa_code,
            areas.area_name,
            rules_then.right_number,
            rights.right_title,
            rules_then.period_code,
            rules_then.quarter_index,
            rules_then.rule_version as rule_version_then,
            rules_then.state as state_then,
            rules_now.state as state_now,
            rules_then.result as result_then,
            rules_now.result as result_now,
            rules_then.is_recommended as is_recommended_then,
            rules_now.is_recommended as is_recommended_now,
            rules_then.indicators_met as indicators_met_then,
            rules_now.indicators_met as indicators_met_now
        from {THEN}.{results} as rules_then
        inner join {NOW}.{results} as rules_now
            on {same_key}
        left join (
            select pfa_code, arg_max(area_name, valid_from) as area_name
            from {source}.reference.areas
            group by pfa_code
        ) as areas
            on rules_then.pfa_code = areas.pfa_code
        left join (
            select right_number, arg_max(right_title, valid_from) as right_title
            from {source}.reference.rights
            group by right_number
        ) as rights
            on rules_then.right_number = rights.right_number
        order by
            rules_then.quarter_index, rules_then.body_kind, rules_then.pfa_code, rules_then.right_number
        """,
    )
    for catalog in (THEN, NOW):
        counted = con.execute(f"select count(*) from {catalog}.{results}").fetchone()
        if counted is None or counted[0] != len(rows):
            raise WarehouseError(
                "The results under both rule tables are not of the same bodies, areas, rights and quarters,"
                " which no rule decides; run `vcc run --all` to build anew."
            )
    return rows


def _indicators(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return every body, area, right, quarter and indicator that is met under one of both, on any item."""
    key = ", ".join(_KEY)
    met = " union all ".join(
        f"select {key}, indicator, {catalog == THEN} as is_then from {catalog}.{relation('int_indicators')}"
        " where is_met"
        for catalog in (THEN, NOW)
    )
    return _dicts(
        con,
        f"select {key}, indicator, bool_or(is_then) as is_met_then, bool_or(not is_then) as is_met_now"
        f" from ({met}) as met group by {key}, indicator order by {key}, indicator",
    )


def _s2_tests(
    con: duckdb.DuckDBPyConnection,
) -> dict[str, tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]]:
    """Return quarter -> its assessable S2 tests under both: limit, whether it is met, adjusted p-value."""
    found: dict[str, tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]] = {}
    for place, catalog in enumerate((THEN, NOW)):
        for period_code, *test in con.execute(
            f"select period_code, threshold, is_met, p_adjusted from {catalog}.{relation('int_indicators')}"
            " where indicator = 'S2' and is_assessable and p_value is not null"
            " order by period_code, p_adjusted, body_kind, pfa_code, item_id, collection_mode, sampling_frame"
        ).fetchall():
            found.setdefault(period_code, ([], []))[place].append(tuple(test))
    return {period_code: found[period_code] for period_code in sorted(found)}


def _expected(version: Version, histories: int, seeds: Path) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from quality.false_flags.expected import expected_false_flags

    return [
        asdict(each)
        for each in expected_false_flags(version.parameters, version.thresholds, histories, seeds=seeds)
    ]


def _rule_lines(
    con: duckdb.DuckDBPyConnection, proposal: RuleTable, in_force: Version, proposed: Version, source: str
) -> list[dict[str, Any]]:
    """Return every parameter and threshold of either version, with both values, and whence the new one."""
    names = {
        row["metric_id"]: row["definition"]
        for row in _dicts(
            con,
            "select metric_id, arg_max(definition, metric_version) as definition"
            f" from {source}.reference.metrics group by metric_id",
        )
    }
    before = {row.key: row for row in in_force.rows}
    after = {row.key: row for row in proposed.rows}
    given = {row.key for row in proposal.rows}
    lines = []
    for key in sorted({*before, *after}, key=lambda key: (key[0] == THRESHOLD, key)):
        then, now = before.get(key), after.get(key)
        lines.append(
            {
                "parameter": key[0],
                "metric_id": key[1] or None,
                "definition": names.get(key[1]),
                "value_then": then.value if then else None,
                "value_now": now.value if now else None,
                "number_value": now.number_value if now else None,
                "text_value": now.text_value if now else None,
                "basis": now.basis if now else None,
                "origin": "proposed" if key in given else "in force" if now else "left out",
                "is_changed": (then.value if then else None) != (now.value if now else None),
            }
        )
    return lines


def _notes(con: duckdb.DuckDBPyConnection, proposal: RuleTable, in_force: Version, source: str) -> list[str]:
    """Return what a reader of this one simulation should know, in words."""
    notes = []
    versions = _dicts(
        con,
        "select rule_version, arg_min(period_code, quarter_index) as first_code,"
        " arg_max(period_code, quarter_index) as last_code"
        f" from {THEN}.{relation('int_rules_by_quarter')} group by rule_version order by rule_version",
    )
    applied = "; ".join(
        f"version {row['rule_version']} for {row['first_code']} to {row['last_code']}" for row in versions
    )
    notes.append(f"Then: the rules as they applied, {applied}.")
    if proposal.is_whole:
        notes.append(
            "The file is a return: the version is whole, and a threshold that it leaves out is not set."
        )
    else:
        notes.append(
            f"The file gives {len(proposal.rows)} of the values; all others are taken from version"
            f" {in_force.rule_version}, the one in force for the latest quarter of the build."
        )
    if proposal.other_versions:
        told = ", ".join(map(str, proposal.other_versions))
        notes.append(f"The file also holds version {told}; version {proposal.rule_version} is simulated.")
    differing = _differing_from_build(con, source)
    if differing:
        notes.append(
            f"{differing:,} results of the build that is served differ from those that today's models give"
            " under the same rules: the build is older than the code. `vcc run --all` builds it anew."
        )
    return notes


def _differing_from_build(con: duckdb.DuckDBPyConnection, source: str) -> int:
    """Return how many results under the rules as they applied are not those of the build itself."""
    results = relation(results_model())
    schema, _, table = results.partition(".")
    is_there = con.execute(
        "select count(*) from duckdb_tables() where database_name = ? and schema_name = ? and table_name = ?",
        [source, schema, table],
    ).fetchone()
    if is_there is None or not is_there[0]:
        return 0
    columns = ", ".join((*_KEY, "state", "result", "is_recommended", "indicators_met"))
    counted = con.execute(
        f"select count(*) from (select {columns} from {THEN}.{results} except select {columns} from"
        f" {source}.{results}) as differing"
    ).fetchone()
    return int(counted[0]) if counted else 0


def _dicts(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()
) -> list[dict[str, Any]]:
    cursor = con.execute(sql, list(parameters))
    names = [item[0] for item in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@contextlib.contextmanager
def beside(build: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection in memory with a warehouse file attached for reading only; close it at the end.

    It adds up as dbt's own does: on one thread, so that the same tables give the same rows.
    """
    import duckdb

    if not build.is_file():
        raise WarehouseError(f"There is no warehouse at {build}; run `vcc run --all` first.")
    settings: dict[str, Any] = {
        "threads": 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(config=settings) as con:
        path = str(build).replace("'", "''")
        con.execute(f"attach '{path}' as {BUILD} (read_only)")
        yield con
