"""Contracts against a finished warehouse file: every promise becomes one outcome with its measured value.

This module is the only one that knows soda. It takes a DuckDB file, or an open connection, and a folder of
contracts and answers with outcomes; what to do about a failure (block, warn, show) is decided by whoever
called.

Nothing counts as passed by accident. A contract that is not valid, names an unknown key, names a table that
is not there, or has a check that came back unevaluated or not at all, is a failure with severity `error`.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import logging
import math
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

# Soda reads this when it is first imported, so it is set here and not in a caller.
os.environ["SODA_CORE_TELEMETRY_ENABLED"] = "false"
os.environ.setdefault("DO_NOT_TRACK", "1")

import duckdb

Severity = Literal["error", "warn"]

DATA_SOURCE = "warehouse"
SAMPLE_ROWS = 5
CONTRACT_CHECK = "contract"

# Soda ignores keys it does not know, and its JSON schema leaves the column open.
_COLUMN_KEYS = {"name", "description", "data_type", "character_maximum_length", "optional", "checks"}
_SELF_NAMING_CHECKS = {"failed_rows", "metric"}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Outcome:
    """One check of one contract on one table.

    `check` is stable between runs: `row_count`, `duplicate.key`, `case_count.missing`,
    `failed_rows.rate_within_bounds`; the check `contract` stands for the contract as a whole and appears only
    when the contract could not be used. `severity` is what a failure means (or would mean, when passed):
    `error` blocks what follows, `warn` is for a named role to read. `measured` is in the unit of `threshold`:
    rows, or a percentage of rows (0 to 100).
    """

    contract: str
    dataset: str
    check: str
    column: str | None
    passed: bool
    severity: Severity
    measured: float | int | None
    threshold: str
    detail: str
    title: str = ""


@dataclass(frozen=True)
class _Check:
    identity: str
    kind: str
    column: str | None
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class _Contract:
    name: str
    path: Path
    text: str
    body: Mapping[str, Any]
    unreadable: str = ""

    @property
    def dataset(self) -> str:
        """Schema and table, `marts.local_area_compliance`; as written when it cannot be read."""
        parts = str(self.body.get("dataset", "")).split("/")
        return ".".join(parts[1:]) if len(parts) == 3 else "/".join(parts)


def verify(db_path: Path, contracts_dir: Path) -> list[Outcome]:
    """Checks every contract of `contracts_dir` (`*.yml`) on the DuckDB file, opened read-only.

    Returns outcomes in the order of the contracts' names and, within one, of its file. Raises
    FileNotFoundError when the database is missing and ValueError when the folder holds no contract; every
    other fault is a failed outcome.
    """
    if not db_path.is_file():
        raise FileNotFoundError(f"No warehouse file at {db_path}; build the warehouse first.")
    con = duckdb.connect(str(db_path), read_only=True)
    try:
        return verify_connection(con, contracts_dir)
    finally:
        con.close()


def verify_connection(
    con: duckdb.DuckDBPyConnection, contracts_dir: Path, *, only: Collection[str] | None = None
) -> list[Outcome]:
    """As `verify`, on an open connection; of the contracts only those named, if any are."""
    contracts = [
        _read_contract(path) for path in _contract_paths(contracts_dir) if only is None or path.stem in only
    ]
    by_contract: dict[str, list[Outcome]] = {}
    usable: list[_Contract] = []
    for contract in contracts:
        fault = _fault_before_checking(con, contract)
        if fault is None:
            usable.append(contract)
        else:
            by_contract[contract.name] = [fault]
    for contract, result, error in _run_soda(con, usable):
        by_contract[contract.name] = _outcomes(con, contract, result, error)
    return [outcome for contract in contracts for outcome in by_contract[contract.name]]


def contract_datasets(contracts_dir: Path) -> dict[str, str]:
    """Which table each contract speaks of: {"local_area_compliance": "marts.local_area_compliance", ...}.

    Neither validates nor loads soda, so it is cheap enough to define checks from before any has run.
    """
    return {path.stem: _read_contract(path).dataset for path in _contract_paths(contracts_dir)}


def outcomes_to_json(outcomes: Sequence[Outcome], build_id: str) -> str:
    """The outcomes of one build as JSON text: fixed order, no run times, the same for the same inputs."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    document = {
        "build_id": build_id,
        "checks": len(outcomes),
        "passed": len(outcomes) - len(failed),
        "warned": sum(outcome.severity == "warn" for outcome in failed),
        "failed": sum(outcome.severity == "error" for outcome in failed),
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def write_outcomes(outcomes: Sequence[Outcome], checks_dir: Path, build_id: str) -> Path:
    """Writes `<checks_dir>/<build_id>.json`, whole or not at all, and returns its path.

    The file can be read by its owner only: the failing rows it shows hold exact figures.
    """
    path = checks_dir / f"{build_id}.json"
    content = outcomes_to_json(outcomes, build_id).encode("utf-8")
    if path.is_file() and path.read_bytes() == content:
        return path
    checks_dir.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    return path


def _contract_paths(contracts_dir: Path) -> list[Path]:
    paths = sorted(contracts_dir.glob("*.yml"))
    if not paths:
        raise ValueError(
            f"No contract (*.yml) in {contracts_dir}; a build without promises cannot be verified."
        )
    return paths


def _read_contract(path: Path) -> _Contract:
    from ruamel.yaml import YAML  # soda's own reader: what is validated is what soda will see
    from ruamel.yaml.error import YAMLError

    text = path.read_text(encoding="utf-8")
    try:
        body = YAML(typ="safe").load(text)
    except YAMLError as error:
        reason = " ".join(str(error).split())
        return _Contract(path.stem, path, text, {}, f"not readable as YAML: {reason[:300]}")
    if not isinstance(body, dict):
        return _Contract(path.stem, path, text, {}, "not a mapping with `dataset`, `columns` and `checks`")
    return _Contract(path.stem, path, text, body)


def _problems_in(contract: _Contract) -> list[str]:
    """What is wrong with a contract before any data is looked at; empty when nothing is."""
    if contract.unreadable:
        return [contract.unreadable]
    name, body = contract.name, contract.body
    import jsonschema
    from jsonschema.exceptions import best_match

    validator = jsonschema.Draft202012Validator(_contract_schema())
    problems = []
    for error in sorted(
        validator.iter_errors(body), key=lambda found: [str(part) for part in found.absolute_path]
    ):
        nearest = best_match([error]) or error
        where = "/".join(str(part) for part in nearest.absolute_path) or "top level"
        problems.append(f"{where}: {nearest.message[:200]}")
    if problems:
        return problems

    parts = str(body["dataset"]).split("/")
    if len(parts) != 3 or parts[0] != DATA_SOURCE or parts[2] != name:
        problems.append(
            f"dataset is {body['dataset']!r}; write {DATA_SOURCE}/<schema>/{name}, as the file is named"
        )
    for position, column in enumerate(body["columns"]):
        unknown = sorted(set(column) - _COLUMN_KEYS)
        if unknown:
            problems.append(f"columns/{position} ({column['name']}): unknown key {', '.join(unknown)}")
    seen: set[str] = set()
    for check in _declared_checks(body):
        if check.identity in seen:
            problems.append(f"check {check.identity} appears twice; give each a qualifier of its own")
        seen.add(check.identity)
        if check.kind in _SELF_NAMING_CHECKS and not {"qualifier", "name"} <= set(check.settings):
            problems.append(f"check {check.identity}: a {check.kind} check needs a qualifier and a name")
    if not seen:
        problems.append("no check: a contract without a check promises nothing")
    return problems


@functools.cache
def _contract_schema() -> Any:
    """The JSON schema of a contract as it ships with the installed soda."""
    spec = importlib.util.find_spec("soda_core")
    folder = Path(str(spec.origin if spec else "")).parent / "contracts"
    found = sorted(folder.glob("soda_data_contract_json_schema_*.json"))
    if not found:
        raise RuntimeError(
            f"The installed soda has no contract schema in {folder}; install the locked version."
        )
    return json.loads(found[-1].read_text(encoding="utf-8"))


def _declared_checks(body: Mapping[str, Any]) -> Iterator[_Check]:
    """Every check written in a contract, those of columns first."""
    for column in [*body.get("columns", []), {"name": None, "checks": body.get("checks", [])}]:
        name = column["name"]
        for check in column.get("checks", []):
            for kind, settings in check.items():
                qualifier = (settings or {}).get("qualifier")
                yield _Check(_identity(kind, qualifier, name), kind, name, settings or {})


def _identity(kind: str, qualifier: object, column: str | None) -> str:
    return ".".join(str(part) for part in (column, kind, qualifier) if part)


def _fault_before_checking(con: duckdb.DuckDBPyConnection, contract: _Contract) -> Outcome | None:
    problems = _problems_in(contract)
    if problems:
        return _contract_failure(contract, "The contract is not valid: " + "; ".join(problems) + ".")
    present = _table_columns(con, contract.dataset)
    if not present:
        return _contract_failure(
            contract, f"Table {contract.dataset} is not in this build; build it, or retire the contract."
        )
    named = [column["name"] for column in contract.body["columns"] if not column.get("optional")]
    for check in _declared_checks(contract.body):
        if check.kind == "duplicate":
            named.extend(check.settings.get("columns", []))
    absent = sorted(set(named) - set(present))
    if absent:
        return _contract_failure(
            contract, f"Table {contract.dataset} lacks {', '.join(absent)}, which the contract promises."
        )
    return None


def _contract_failure(contract: _Contract, detail: str) -> Outcome:
    return Outcome(
        contract=contract.name,
        dataset=contract.dataset,
        check=CONTRACT_CHECK,
        column=None,
        passed=False,
        severity="error",
        measured=None,
        threshold="must be valid and match a table",
        detail=detail,
        title="The contract can be checked",
    )


def _table_columns(con: duckdb.DuckDBPyConnection, dataset: str) -> list[str]:
    schema, _, table = dataset.partition(".")
    rows = con.execute(
        "select column_name from information_schema.columns where table_schema = ? and table_name = ?"
        " order by ordinal_position",
        [schema, table],
    ).fetchall()
    return [row[0] for row in rows]


@contextmanager
def _errors_audible() -> Iterator[None]:
    """Soda learns of its own failures by listening to its log: a silenced logger would read as passed."""
    logger = logging.getLogger("soda")
    level, propagate, disabled, threshold = (
        logger.level,
        logger.propagate,
        logger.disabled,
        logging.root.manager.disable,
    )
    logger.setLevel(logging.ERROR)
    logger.propagate, logger.disabled = True, False
    logging.disable(logging.NOTSET)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled
        logging.disable(threshold)


def _run_soda(
    con: duckdb.DuckDBPyConnection, contracts: Sequence[_Contract]
) -> list[tuple[_Contract, Any | None, str | None]]:
    """One session for all contracts: (contract, soda's result or None, what went wrong or None)."""
    if not contracts:
        return []
    import soda_core  # noqa: F401  (must come before soda_duckdb)
    from soda_core.common.yaml import ContractYamlSource
    from soda_core.contracts.contract_verification import ContractVerificationSession
    from soda_duckdb.common.data_sources.duckdb_data_source import DuckDBDataSourceImpl

    sources = [ContractYamlSource.from_str(each.text, file_path=each.path.name) for each in contracts]
    with _errors_audible():
        try:
            session = ContractVerificationSession.execute(
                contract_yaml_sources=sources,
                data_source_impls=[DuckDBDataSourceImpl.from_existing_cursor(con, name=DATA_SOURCE)],
            )
        except (
            Exception
        ) as error:  # soda raises what it cannot attribute; it must still end as a failed check
            return [(each, None, _first_line(str(error))) for each in contracts]
    results = list(session.contract_verification_results)
    if len(results) != len(contracts):
        return [(each, None, "soda answered for fewer contracts than were asked") for each in contracts]
    return [
        (each, result, _first_line("; ".join(result.get_errors())) if result.has_errors else None)
        for each, result in zip(contracts, results, strict=True)
    ]


def _outcomes(
    con: duckdb.DuckDBPyConnection, contract: _Contract, result: Any | None, error: str | None
) -> list[Outcome]:
    by_identity: dict[str, Any] = {}
    for check_result in result.check_results if result is not None else []:
        check = check_result.check
        by_identity[_identity(check.type, check.qualifier, check.column_name)] = check_result
    outcomes = [
        _outcome(con, contract, check, by_identity.get(check.identity), error)
        for check in _declared_checks(contract.body)
    ]
    if error is not None and all(outcome.passed for outcome in outcomes):
        outcomes.insert(0, _contract_failure(contract, f"Verification reported an error: {error}"))
    return outcomes


def _outcome(
    con: duckdb.DuckDBPyConnection, contract: _Contract, check: _Check, result: Any | None, error: str | None
) -> Outcome:
    verdict = result.outcome.name if result is not None else "NOT_EVALUATED"
    passed = verdict == "PASSED"
    evaluated = verdict in {"PASSED", "FAILED", "WARN"}
    severity: Severity = "error"
    if result is not None and evaluated:
        only_warns = result.check.threshold is not None and result.check.threshold.level == "warn"
        severity = "warn" if verdict == "WARN" or (passed and only_warns) else "error"
    if passed:
        detail = ""
    elif evaluated:
        detail = _failing_rows(con, contract, check)
    else:
        detail = f"Not evaluated, which counts as failed: {error or 'soda gave no reason'}"
    return Outcome(
        contract=contract.name,
        dataset=contract.dataset,
        check=check.identity,
        column=check.column,
        passed=passed,
        severity=severity,
        measured=_number(result.threshold_value) if result is not None and evaluated else None,
        threshold=_threshold_text(result.check, check.settings) if result is not None else "",
        detail=detail,
        title=str(check.settings.get("name") or _default_title(check)),
    )


def _default_title(check: _Check) -> str:
    return {
        "missing": f"{check.column} is never missing",
        "invalid": f"{check.column} holds only valid values",
        "duplicate": f"No two rows share {', '.join(check.settings.get('columns', [str(check.column)]))}",
        "row_count": "The table has rows",
        "schema": "The columns are those promised",
    }.get(check.kind, check.kind)


def _threshold_text(check: Any, settings: Mapping[str, Any]) -> str:
    """The thresholds in words: `must be 0`, `must be less than or equal to 10 percent (warn)`."""
    unit = " percent" if (settings.get("threshold") or {}).get("metric") == "percent" else ""
    texts = []
    for threshold in (check.threshold, check.warn_threshold):
        if threshold is None:
            continue
        parts = [
            f"must be {words}{_plain(value)}{unit}"
            for words, value in (
                ("", threshold.must_be),
                ("other than ", threshold.must_not_be),
                ("greater than ", threshold.must_be_greater_than),
                ("greater than or equal to ", threshold.must_be_greater_than_or_equal),
                ("less than ", threshold.must_be_less_than),
                ("less than or equal to ", threshold.must_be_less_than_or_equal),
            )
            if value is not None
        ]
        texts.append(" and ".join(parts) + (" (warn)" if threshold.level == "warn" else ""))
    return "; ".join(texts)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: object) -> float | int | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    number = float(value)  # type: ignore[arg-type]  # Decimal or float
    if not math.isfinite(number):
        return None
    # Percentages are quotients: nine places are the same on every machine.
    return round(number, 9)


def _failing_rows(con: duckdb.DuckDBPyConnection, contract: _Contract, check: _Check) -> str:
    """Up to five failing rows, chosen by the table's own order so that they are the same every time."""
    sql = _failing_rows_sql(con, contract, check)
    if sql is None:
        return ""
    try:
        cursor = con.execute(sql)
        names = [item[0] for item in cursor.description or []]
        rows = cursor.fetchall()
    except duckdb.Error as error:
        return f"Failing rows could not be shown: {_first_line(str(error))}"
    shown = [
        "; ".join(f"{name}={_cell(value)}" for name, value in zip(names, row, strict=True)) for row in rows
    ]
    return "For example: " + " | ".join(shown) if shown else ""


def _failing_rows_sql(con: duckdb.DuckDBPyConnection, contract: _Contract, check: _Check) -> str | None:
    """Our own SELECT of rows that fail a check (soda counts them but does not show them); None where rows
    say nothing (row counts, schema, a single measured number)."""
    settings = check.settings
    ending = f"order by all limit {SAMPLE_ROWS}"
    if check.kind == "failed_rows" and settings.get("query"):
        return f"select * from ({str(settings['query']).strip().rstrip(';')}) as failing {ending}"
    schema, _, table = contract.dataset.partition(".")
    source = f"{_quoted(schema)}.{_quoted(table)}"
    narrowed = f"({settings['filter']}) and " if settings.get("filter") else ""
    if check.kind == "duplicate":
        names = ", ".join(_quoted(name) for name in settings.get("columns", [check.column]))
        return (
            f"select {names}, count(*) as row_count from {source} where {narrowed}true"
            f" group by {names} having count(*) > 1 {ending}"
        )
    shown = _key_columns(contract.body) + ([check.column] if check.column else [])
    condition: str | None = None
    if check.kind == "missing":
        condition = f"{_quoted(str(check.column))} is null"
    elif check.kind == "invalid":
        condition = _invalid_condition(str(check.column), settings)
    elif check.kind == "failed_rows":
        condition = str(settings["expression"])
        mentioned = set(_IDENTIFIER.findall(condition))
        shown += [name for name in _table_columns(con, contract.dataset) if name in mentioned]
    if condition is None:
        return None
    names = ", ".join(_quoted(name) for name in dict.fromkeys(shown)) or "*"
    return f"select {names} from {source} where {narrowed}({condition}) {ending}"


def _key_columns(body: Mapping[str, Any]) -> list[str]:
    for check in _declared_checks(body):
        if check.identity == "duplicate.key":
            return list(check.settings["columns"])
    return []


def _invalid_condition(column: str, settings: Mapping[str, Any]) -> str | None:
    name = _quoted(column)
    parts = []
    if "valid_values" in settings:
        parts.append(f"{name} not in ({', '.join(_literal(value) for value in settings['valid_values'])})")
    if "invalid_values" in settings:
        parts.append(f"{name} in ({', '.join(_literal(value) for value in settings['invalid_values'])})")
    if "valid_min" in settings:
        parts.append(f"{name} < {_literal(settings['valid_min'])}")
    if "valid_max" in settings:
        parts.append(f"{name} > {_literal(settings['valid_max'])}")
    if "valid_format" in settings:
        parts.append(f"not regexp_matches({name}, {_literal(settings['valid_format']['regex'])})")
    return " or ".join(parts) or None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: object) -> str:
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def _cell(value: object) -> str:
    if value is None:
        return "(empty)"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _first_line(text: str) -> str:
    joined = " ".join(text.split())
    return joined if len(joined) <= 400 else joined[:397] + "..."
