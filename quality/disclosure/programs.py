"""A system as a linear and as an integer program, in HiGHS: one model each, asked again and again.

Belongs here: everything that knows highspy. What it answers is a suggestion: a table counts only after
`tables.Checker` has found it good in whole numbers, and a bound is used only against a release, never for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import highspy
import numpy as np
import numpy.typing as npt

from quality.disclosure.components import Form, System
from quality.disclosure.tables import Checker, Table

State = Literal["best", "none", "open", "unknown"]
Vector = npt.NDArray[np.float64]

#: How far the value of a relaxation may be off, relative to its size.
_SLACK = 1e-6

_INFINITY = highspy.kHighsInf


@dataclass(frozen=True)
class Reply:
    """What a program answered.

    `state`: `best` (optimal), `none` (no table), `open` (no limit), `unknown` (time is up, or what HiGHS
    called a table is none). `bound` is the optimal value. `table` is a verified table, optimal or not.
    """

    state: State
    bound: float
    table: Table | None


class Program:
    """The relaxation and the integer program of one system with tightened limits."""

    def __init__(self, system: System, cap: int, seconds: float) -> None:
        """`cap` stands in the integer program for limits that are open; one solve may take `seconds`."""
        self._size = len(system.lower)
        self._checker = Checker(system)
        self._seconds = seconds
        lower = list(system.lower)
        upper: list[float] = [_INFINITY if high is None else high for high in system.upper]
        rows = [([index for index, _ in row.terms], [value for _, value in row.terms]) for row in system.rows]
        least = [-_INFINITY if row.lower is None else float(row.lower) for row in system.rows]
        most = [_INFINITY if row.upper is None else float(row.upper) for row in system.rows]
        for choice in system.choices:
            # one binary an allowed pair; exactly one of them, and it gives both values
            first = len(lower)
            marks = list(range(first, first + len(choice.allowed)))
            lower += [0] * len(marks)
            upper += [1] * len(marks)
            rows.append((marks, [1] * len(marks)))
            least.append(1)
            most.append(1)
            for place, values in (
                (choice.first, [pair[0] for pair in choice.allowed]),
                (choice.second, [pair[1] for pair in choice.allowed]),
            ):
                rows.append(([*marks, place], [*values, -1]))
                least.append(0)
                most.append(0)
        self._lower = np.array(lower, dtype=np.float64)
        self._upper = np.array(upper, dtype=np.float64)
        self._columns = np.arange(len(lower), dtype=np.int32)
        self._relaxed = _model(rows, least, most, self._lower, self._upper)
        self._whole = _model(
            rows, least, most, self._lower, np.where(np.isinf(self._upper), cap, self._upper)
        )
        self._whole.changeColsIntegrality(
            len(lower),
            self._columns,
            np.full(len(lower), 1, dtype=np.uint8),  # 1: integer
        )
        self._cap = float(cap)

    def relaxed(
        self,
        cost: Vector,
        *,
        box: tuple[Vector, Vector] | None = None,
        row: tuple[Form, float, float] | None = None,
    ) -> Reply:
        """Minimise `cost` over the relaxation; the table is its vertex, where that happens to be whole.

        `box`: limits of the variables for this time. `row`: one more row for this time (form, lower, upper).
        """
        return self._ask(self._relaxed, cost, box, row, False)

    def whole(
        self,
        cost: Vector,
        *,
        box: tuple[Vector, Vector] | None = None,
        row: tuple[Form, float, float] | None = None,
        gap: float = 0.0,
        seconds: float | None = None,
    ) -> Reply:
        """Minimise a whole-numbered `cost` over whole tables, or come within the relative `gap` of that."""
        self._whole.setOptionValue("mip_rel_gap", gap)
        self._whole.setOptionValue("time_limit", seconds or self._seconds)
        reply = self._ask(self._whole, cost, box, row, True)
        if reply.state == "best" and reply.table is None:
            # within its tolerances, but no table: ask for tighter ones
            for name in ("mip_feasibility_tolerance", "primal_feasibility_tolerance"):
                self._whole.setOptionValue(name, 1e-9)
            reply = self._ask(self._whole, cost, box, row, True)
            self._whole.setOptionValue("mip_feasibility_tolerance", 1e-6)
            self._whole.setOptionValue("primal_feasibility_tolerance", 1e-7)
            if reply.state == "best" and reply.table is None:
                return Reply("unknown", reply.bound, None)
        return reply

    def _ask(
        self,
        model: highspy.Highs,
        cost: Vector,
        box: tuple[Vector, Vector] | None,
        row: tuple[Form, float, float] | None,
        is_whole: bool,
    ) -> Reply:
        full = np.zeros(len(self._columns))
        full[: self._size] = cost
        model.changeColsCost(len(full), self._columns, full)
        own = np.where(np.isinf(self._upper), self._cap, self._upper) if is_whole else self._upper
        if box is not None:
            low, high = self._lower.copy(), own.copy()
            low[: self._size] = np.maximum(low[: self._size], box[0])
            high[: self._size] = np.minimum(high[: self._size], box[1])
            model.changeColsBounds(len(full), self._columns, low, high)
        if row is not None:
            form, least, most = row
            model.addRow(
                least - form.constant,
                most - form.constant,
                len(form.terms),
                np.array([place for place, _ in form.terms], dtype=np.int32),
                np.array([value for _, value in form.terms], dtype=np.float64),
            )
        model.run()
        status = model.getModelStatus()
        found = model.getInfo().primal_solution_status == 2  # 2: a feasible point
        table, value = None, 0.0
        if found:
            point = np.array(model.getSolution().col_value[: self._size])
            value = float(model.getInfo().objective_function_value)
            rounded = np.rint(point).astype(np.int64)
            if (is_whole or np.abs(point - rounded).max(initial=0) < _SLACK) and self._checker.satisfied(
                rounded[None, :]
            )[0]:
                table = rounded
        if row is not None:
            model.deleteRows(1, np.array([model.getNumRow() - 1], dtype=np.int32))
        if box is not None:
            model.changeColsBounds(len(full), self._columns, self._lower, own)
        kind = highspy.HighsModelStatus
        if status == kind.kOptimal:
            return Reply("best", value, table)
        if status == kind.kInfeasible:
            return Reply("none", 0.0, None)
        if status in (kind.kUnbounded, kind.kUnboundedOrInfeasible):
            return Reply("open", 0.0, table)
        return Reply("unknown", 0.0, table)


def inwards(value: float, is_least: bool) -> int:
    """The whole limit that a relaxation's limit implies, allowing for its tolerance."""
    slack = _SLACK * max(1.0, abs(value))
    return int(np.ceil(value - slack)) if is_least else int(np.floor(value + slack))


def _model(
    rows: list[tuple[list[int], list[int]]],
    least: list[float],
    most: list[float],
    lower: Vector,
    upper: Vector,
) -> highspy.Highs:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(lower), len(rows)
    lp.col_cost_ = np.zeros(len(lower))
    lp.col_lower_, lp.col_upper_ = lower, upper
    lp.row_lower_, lp.row_upper_ = np.array(least), np.array(most)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = len(lower), len(rows)
    lp.a_matrix_.start_ = np.cumsum([0] + [len(places) for places, _ in rows])
    lp.a_matrix_.index_ = np.array([place for places, _ in rows for place in places], dtype=np.int32)
    lp.a_matrix_.value_ = np.array([value for _, values in rows for value in values], dtype=np.float64)
    model = highspy.Highs()
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("parallel", "off"),
        ("random_seed", 1),
        # the objective is a whole number: nothing lies between
        ("mip_abs_gap", 0.5),
    ):
        model.setOptionValue(name, value)
    if model.passModel(lp) == highspy.HighsStatus.kError:
        raise RuntimeError(f"HiGHS refused a model of {len(lower)} variables and {len(rows)} rows")
    return model
