"""Stands in for dbt's `adapter` while sqlfluff renders: a dispatched macro becomes a call of its name."""

from __future__ import annotations

from collections.abc import Callable


def dispatch(name: str) -> Callable[..., str]:
    """Return a renderer that writes `name(first argument)`, enough for the grammar to be linted."""

    def render(*arguments: object) -> str:
        return f"{name}({', '.join(str(argument) for argument in arguments[:1])})"

    return render
