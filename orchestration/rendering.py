"""Renders the SQL of models without dbt: in milliseconds, and with tables of one's own in the place of some.

What belongs here: the few names a template needs, and which tables a model reads. What does not: running SQL.
dbt builds the warehouse; this is for asking what the same models would make of other inputs, and for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

DBT_FOLDER = Path(__file__).resolve().parents[1] / "dbt_project"

#: Name of a model or seed -> how it is written in SQL.
Relation = Callable[[str], str]


def _adapter() -> Any:
    """Return what stands in for dbt's adapter: it picks DuckDB's version of a macro, else the default one."""
    import jinja2

    @jinja2.pass_context
    def dispatch(context: jinja2.runtime.Context, name: str) -> Any:
        found = context.get(f"duckdb__{name}") or context.get(f"default__{name}")
        if found is None:
            raise KeyError(f"default__{name}")
        return found

    return SimpleNamespace(dispatch=dispatch)


def relation(name: str) -> str:
    """Return the schema and name of a model or seed. Raises KeyError if there is none of that name."""
    for path in (DBT_FOLDER / "models").rglob(f"{name}.sql"):
        return f"{path.relative_to(DBT_FOLDER / 'models').parts[0]}.{name}"
    if next((DBT_FOLDER / "seeds").rglob(f"{name}.csv"), None) is not None:
        return f"reference.{name}"
    raise KeyError(name)


def render(template: str, ref: Relation = relation) -> str:
    """Render a template that may call the project's macros, `ref`, `source` and `config`."""
    environment, macros = _project()
    given = {"ref": ref}
    # macros that call `ref` get the one of this rendering
    return environment.from_string(template, vars(macros.make_module(given))).render(given).strip()


def model_sql(name: str, ref: Relation = relation) -> str:
    """Return the SQL of a model, as dbt would compile it for DuckDB. Raises KeyError if there is none."""
    path = next((DBT_FOLDER / "models").rglob(f"{name}.sql"), None)
    if path is None:
        raise KeyError(name)
    return render(path.read_text(encoding="utf-8"), ref)


@cache
def parents(name: str) -> frozenset[str]:
    """Return the models and seeds that a model refers to; a seed, or a table of a source, has none."""
    found: set[str] = set()

    def noted(parent: str) -> str:
        found.add(parent)
        return parent

    try:
        model_sql(name, noted)
    except KeyError:
        return frozenset()
    return frozenset(found)


def between(starts: Iterable[str], end: str) -> list[str]:
    """Return the models that lie on a way from one of `starts` to `end`, both included, parents first."""
    firsts = frozenset(starts)
    ordered: list[str] = []
    depends: dict[str, bool] = {}

    def visit(name: str) -> bool:
        if name not in depends:
            # every parent is visited, so that the order is right
            rests = [visit(parent) for parent in sorted(parents(name))]
            depends[name] = name in firsts or any(rests)
            if depends[name]:
                ordered.append(name)
        return depends[name]

    visit(end)
    return ordered


@cache
def _project() -> tuple[jinja2.Environment, jinja2.Template]:
    """Return the environment of a template and the project's macros, compiled once."""
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.globals.update(
        adapter=_adapter(),
        source=lambda schema, table: f"{schema}.{table}",
        config=lambda **_: "",
    )
    # macros see one another only within one template
    macros = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((DBT_FOLDER / "macros").rglob("*.sql"))
        if path.name != "generate_schema_name.sql"
    )
    return environment, environment.from_string(macros)
