"""Who may import what, and who may open a warehouse file for writing. Read from the source, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("ingest", "quality", "reports", "orchestration")

#: Package -> top-level packages it must not import.
FORBIDDEN = {
    "ingest": {"quality", "reports", "orchestration", "dagster", "dagster_dbt", "dbt", "soda_core", "duckdb"},
    "quality": {"ingest", "reports", "orchestration", "dagster", "dagster_dbt", "dbt"},
    "reports": {"ingest", "quality", "orchestration", "dagster", "dagster_dbt", "dbt", "soda_core"},
    "orchestration": {"soda_core", "soda_duckdb", "tests"},
}
SODA_MODULE = Path("quality/verify.py")
SODA = {"soda_core", "soda_duckdb"}

#: Modules of orchestration that every command loads: they stay free of Dagster and the engines.
LIGHT = (
    "cli",
    "vocabulary",
    "project",
    "warehouse",
    "locking",
    "delivery",
    "outputs",
    "pending",
    "serving",
    "terminal",
    "register",
)
HEAVY = {"dagster", "dagster_dbt", "duckdb", "pyarrow", "pandas", "numpy", "dbt"}


def sources(package: Path) -> list[Path]:
    return sorted(path for path in package.rglob("*.py") if "__pycache__" not in path.parts)


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    """Names of the modules a file imports; those only for the type checker are left out if asked for."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_may_know(project_folder: Path, package: str) -> None:
    found = {
        f"{path.relative_to(project_folder)} imports {name}"
        for path in sources(project_folder / package)
        for name in roots(imports(path)) & FORBIDDEN[package]
        if not (path.relative_to(project_folder) == SODA_MODULE and name in SODA)
    }
    assert found == set()


def test_nothing_imports_orchestration_but_its_own_modules_and_tests(project_folder: Path) -> None:
    others = [
        path
        for path in sources(project_folder)
        if path.relative_to(project_folder).parts[0] not in ("orchestration", "tests", "benchmarks", ".venv")
    ]
    assert [str(path) for path in others if "orchestration" in roots(imports(path))] == []


def test_only_one_module_knows_soda(project_folder: Path) -> None:
    knowing = {
        path.relative_to(project_folder)
        for package in PACKAGES
        for path in sources(project_folder / package)
        if roots(imports(path)) & SODA
    }
    assert knowing == {SODA_MODULE}


@pytest.mark.parametrize("module", LIGHT)
def test_what_every_command_loads_stays_light(project_folder: Path, module: str) -> None:
    path = project_folder / "orchestration" / f"{module}.py"
    assert roots(imports(path, top_level_only=True)) & HEAVY == set()


def connections(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("duckdb.connect", "connect"):
            yield node


def is_read_only_or_in_memory(call: ast.Call) -> bool:
    settings = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    in_memory = not call.args and "database" not in settings
    return in_memory or settings.get("read_only") == "True"


def test_only_dbt_writes_into_a_warehouse_file(project_folder: Path) -> None:
    writing = [
        f"{path.relative_to(project_folder)}:{call.lineno} {ast.unparse(call)}"
        for package in PACKAGES
        for path in sources(project_folder / package)
        for call in connections(path)
        if not is_read_only_or_in_memory(call)
    ]
    assert writing == []


def test_only_copies_and_what_is_in_memory_are_attached_for_writing(project_folder: Path) -> None:
    attaching = [
        f"{path.relative_to(project_folder)}: {ast.unparse(node.args[0])}"
        for package in PACKAGES
        for path in sources(project_folder / package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("execute", "sql", "query")
        and node.args
        and "attach '" in ast.unparse(node.args[0]).lower().replace("{", "'")
    ]
    assert attaching == [
        "reports/published.py: f\"attach '{path}' as scratch\"",
        "orchestration/serving.py: f'attach {_literal(build.path)} as {source} (read_only)'",
        "orchestration/serving.py: f'attach {_literal(copy.database)} as copy'",
        "orchestration/simulation.py: \"attach ':memory:' as \" + target",
        "orchestration/simulation.py: f\"attach '{path}' as {BUILD} (read_only)\"",
    ]


def test_models_read_files_only_through_sources(project_folder: Path) -> None:
    reading = [
        path.name
        for path in (project_folder / "dbt_project" / "models").rglob("*.sql")
        if any(word in path.read_text().lower() for word in ("read_parquet", "read_csv", "'/", ".parquet"))
    ]
    assert reading == []
