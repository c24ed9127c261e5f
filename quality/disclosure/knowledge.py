"""From the ledger to what an attacker knows: a variable a true count, an inequality a published number.

A variable stands for one measure of one cell in one vintage: a revised cell is another count than the one
published before. Belongs here: what each form of the ledger says about those counts. Does not belong here:
who knows what of it (attackers.py) and what follows from it (solver.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from quality.disclosure.errors import DisclosureError
from quality.disclosure.ledger import LedgerRow, release_order
from quality.disclosure.model import Known, Pairs, Terms, Variable
from quality.disclosure.rules import Rules

MEASURES = ("base", "met", "unmet")
_NOTHING_NEW = {"percent", "interval", "sum_of_published", "derived", "withheld"}
#: Forms that several true counts have part in: the ones that tie cells together.
LINKING = {"rounded_sum", "peers", "change"}


@dataclass(frozen=True)
class Vintage:
    """The true counts behind a cell as a release published it; `met` is None where the metric is a count."""

    cell_id: str
    release_id: str
    base: int
    met: int | None

    @property
    def names(self) -> tuple[str, ...]:
        """Its variables: base, then met."""
        base = f"{self.cell_id}#base@{self.release_id}"
        return (base,) if self.met is None else (base, f"{self.cell_id}#met@{self.release_id}")

    def value(self, measure: str) -> int:
        """True value of base, met or unmet."""
        if measure == "base":
            return self.base
        if self.met is None:
            raise DisclosureError(f"{self.cell_id} is a count; nothing can be said of its {measure} cases.")
        return self.met if measure == "met" else self.base - self.met

    def terms(self, measure: str, coefficient: int = 1) -> Terms:
        """The measure as a sum of variables."""
        base, met = f"{self.cell_id}#base@{self.release_id}", f"{self.cell_id}#met@{self.release_id}"
        self.value(measure)
        if measure == "unmet":
            return (base, coefficient), (met, -coefficient)
        return ((base if measure == "base" else met, coefficient),)


@dataclass(frozen=True)
class Relation:
    """What definitions say of true counts: a sum of (cell, measure, coefficient) is zero, or at most zero.

    `since` is the release that it is news in, if any: cells of earlier releases are judged again with it.
    """

    relation_id: str
    terms: tuple[tuple[str, str, int], ...]
    kind: str
    since: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Fact:
    """Something known, with where it comes from.

    `row` is the row of the ledger, if any; `release_id` the release that said it; `is_superseded` is true of
    what a later version replaced or corrected, which only a holder of earlier releases has; `since` the
    release that a definition is news in.
    """

    what: Known | Pairs
    release_id: str | None
    row: LedgerRow | None = None
    is_superseded: bool = False
    since: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The variables it is about."""
        if isinstance(self.what, Pairs):
            return self.what.first, self.what.second
        return tuple(name for name, _ in self.what.terms)


@dataclass
class Knowledge:
    """Everything known about everything: variables with their vintage, and facts.

    `relations_left_out` are those that the true counts contradict, `relations_not_yet` those about cells of
    which nothing was released, `inferences_left_out` what the rules would tell if a release withheld no more
    than they ask.
    """

    variables: dict[str, Variable] = field(default_factory=dict)
    vintages: dict[str, list[Vintage]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    relations_left_out: int = 0
    relations_not_yet: int = 0
    inferences_left_out: int = 0

    def vintage_of(self) -> dict[str, Vintage]:
        """The vintage that each variable belongs to."""
        return {
            name: vintage
            for several in self.vintages.values()
            for vintage in several
            for measure in ("base", "met")
            if (name := f"{vintage.cell_id}#{measure}@{vintage.release_id}") in self.variables
        }


def relations_of(rows: Iterable[Mapping[str, Any]]) -> list[Relation]:
    """Relations from rows of (relation_id, cell_id, measure, coefficient, kind), and perhaps `since`."""
    terms: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    kinds: dict[str, str] = {}
    since: dict[str, str | None] = {}
    for row in rows:
        name, kind, measure = str(row["relation_id"]), str(row["kind"]), str(row["measure"])
        if kind not in ("zero", "at_most_zero") or kinds.setdefault(name, kind) != kind:
            raise DisclosureError(f"Relation {name} is of kind {kind!r}; each is `zero` or `at_most_zero`.")
        if measure not in MEASURES:
            raise DisclosureError(f"Relation {name} is about {measure!r}; a measure is base, met or unmet.")
        terms[name].append((str(row["cell_id"]), measure, int(row["coefficient"])))
        since[name] = row.get("since")
    return [
        Relation(name, tuple(sorted(parts)), kinds[name], since[name])
        for name, parts in sorted(terms.items())
    ]


def truth_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, tuple[int, int | None]]]:
    """True counts, cell -> release -> (base, met), of rows (cell_id, release_id, base_count, met_count)."""
    truth: dict[str, dict[str, tuple[int, int | None]]] = defaultdict(dict)
    for row in rows:
        if row["base_count"] is not None:
            met = None if row["met_count"] is None else int(row["met_count"])
            truth[str(row["cell_id"])][str(row["release_id"])] = (int(row["base_count"]), met)
    return dict(truth)


def compile_knowledge(
    ledger: Sequence[LedgerRow],
    truth: Mapping[str, Mapping[str, tuple[int, int | None]]],
    relations: Sequence[Relation],
    rules: Mapping[int, Rules],
    *,
    order: Sequence[str] | None = None,
) -> Knowledge:
    """Everything that the ledger and the relations say about the true counts.

    `order` lists the releases as they were published (by period and version, if it is not given). A relation
    that the true counts contradict, because small revisions are not shown, is left out and counted. Raises
    DisclosureError where a published number is not what the true count would give, or has no true count.
    """
    return _Compiler(ledger, truth, relations, rules, order).compiled()


class _Compiler:
    def __init__(
        self,
        ledger: Sequence[LedgerRow],
        truth: Mapping[str, Mapping[str, tuple[int, int | None]]],
        relations: Sequence[Relation],
        rules: Mapping[int, Rules],
        order: Sequence[str] | None,
    ) -> None:
        self.rules = rules
        self.relations = relations
        releases = {row.release_id for row in ledger} | {
            release for vintages in truth.values() for release in vintages
        }
        order = sorted(releases, key=release_order) if order is None else order
        self.place = {release: number for number, release in enumerate(order)}
        if unknown := releases - set(order):
            raise DisclosureError(f"The order of the releases does not name {', '.join(sorted(unknown))}.")
        self.ledger = sorted(ledger, key=lambda row: (self.place[row.release_id], row.identity))
        self.found = Knowledge(vintages={cell: self._vintages(cell, truth[cell]) for cell in truth})
        self.wrong: list[str] = []
        self.bases: dict[str, list[LedgerRow]] = defaultdict(list)
        for row in self.ledger:
            if row.cell_id is not None and row.measure == "base" and row.form in ("rounded", "suppressed"):
                self.bases[row.cell_id].append(row)

    def _vintages(self, cell: str, by_release: Mapping[str, tuple[int, int | None]]) -> list[Vintage]:
        """The distinct states of a cell, each under the first release that showed it."""
        states: list[Vintage] = []
        for release in sorted(by_release, key=lambda release: self.place[release]):
            base, met = by_release[release]
            if not states or (states[-1].base, states[-1].met) != (base, met):
                states.append(Vintage(cell, release, base, met))
        return states

    def compiled(self) -> Knowledge:
        """Rows, then what ties vintages, then relations."""
        for row, vintage_place, is_superseded in self._rows_by_vintage():
            self._add_row(row, vintage_place, is_superseded)
        self._add_revisions()
        for relation in self.relations:
            self._add_relation(relation)
        if self.wrong:
            more = f"; and {len(self.wrong) - 5} more" if len(self.wrong) > 5 else ""
            raise DisclosureError(
                "Published numbers are not what the true counts give, so nothing can be proved of them: "
                f"{'; '.join(self.wrong[:5])}{more}. Look for a mart that does not apply the rules, "
                "or for true counts of another build."
            )
        return self.found

    # -- which row is about which vintage

    def _rows_by_vintage(self) -> Iterable[tuple[LedgerRow, int, bool]]:
        """Each row with the place of the release whose vintages it is about.

        A figure that a later version repeated has no row there, but holds for the later vintage too.
        """
        later: dict[tuple[str, str, str], list[LedgerRow]] = defaultdict(list)
        for row in self.ledger:
            later[row.identity].append(row)
        for rows in later.values():
            for number, row in enumerate(rows):
                if row.form in _NOTHING_NEW and row.cell_id is None:
                    continue
                start = self.place[row.release_id]
                end = self.place[rows[number + 1].release_id] if number + 1 < len(rows) else len(self.place)
                is_last = number + 1 == len(rows)
                yield row, start, not is_last
                if row.form == "change":
                    continue
                cells = (
                    [row.cell_id]
                    if row.cell_id
                    else sorted({member.partition("#")[0] for member in row.members})
                )
                for place in sorted(
                    {
                        self.place[vintage.release_id]
                        for cell in cells
                        for vintage in self.found.vintages.get(cell, [])
                        if start < self.place[vintage.release_id] < end
                    }
                ):
                    yield row, place, not is_last

    def _at(self, cell: str, place: int, row: LedgerRow | None) -> Vintage | None:
        """The vintage of a cell in force at a release."""
        found = None
        for vintage in self.found.vintages.get(cell, []):
            if self.place[vintage.release_id] <= place:
                found = vintage
        if found is None and row is not None:
            raise DisclosureError(
                f"{row.place}: there are no true counts of {cell}, so it cannot be audited."
            )
        return found

    def _is_last(self, vintage: Vintage) -> bool:
        return self.found.vintages[vintage.cell_id][-1] is vintage

    # -- what is added

    def _use(self, vintage: Vintage) -> None:
        """The variables of a vintage, and that no more cases can be met than there are."""
        base, met = (
            f"{vintage.cell_id}#base@{vintage.release_id}",
            f"{vintage.cell_id}#met@{vintage.release_id}",
        )
        if base in self.found.variables:
            return
        self.found.variables[base] = Variable(base, vintage.base)
        if vintage.met is not None:
            self.found.variables[met] = Variable(met, vintage.met)
            self.found.facts.append(
                Fact(
                    Known(((met, 1), (base, -1)), None, 0, f"{vintage.cell_id}: cases met are cases"),
                    None,
                    is_superseded=not self._is_last(vintage),
                )
            )

    def _know(
        self,
        terms: Iterable[tuple[str, int]],
        lower: float | None,
        upper: float | None,
        row: LedgerRow,
        vintages: Sequence[Vintage],
        is_superseded: bool,
        *,
        is_inferred: bool = False,
    ) -> bool:
        """Adds one inequality if the truth satisfies it; tells whether it did."""
        for vintage in vintages:
            self._use(vintage)
        summed = _merged(terms)
        value = sum(self.found.variables[name].true_value * coefficient for name, coefficient in summed)
        if (lower is not None and value < lower) or (upper is not None and value > upper):
            if is_inferred:
                self.found.inferences_left_out += 1
            elif row.form != "suppressed":
                self.wrong.append(
                    f"{row.place} ({row.form} {row.text if row.value is None else f'{row.value:g}'})"
                )
            return False
        superseded = is_superseded or not all(self._is_last(vintage) for vintage in vintages)
        self.found.facts.append(Fact(Known(summed, lower, upper, row.place), row.release_id, row, superseded))
        return True

    def _add_row(self, row: LedgerRow, place: int, is_superseded: bool) -> None:
        if row.form in _NOTHING_NEW:
            if row.cell_id is not None:
                self._use_if_there(row.cell_id, place)
            return
        if row.form in ("rounded_sum", "peers"):
            self._add_sum(row, place, is_superseded)
            return
        if row.cell_id is None or row.measure is None:
            raise DisclosureError(f"{row.place}: form {row.form} needs a cell and a measure.")
        vintage = self._at(row.cell_id, place, row)
        assert vintage is not None
        if row.form == "change":
            self._add_change(row, vintage, is_superseded)
        elif row.form in ("rounded", "suppressed"):
            self._use(vintage)
            self._know(vintage.terms(row.measure), row.lower, row.upper, row, [vintage], is_superseded)
            if row.form == "rounded" and row.measure == "met":
                self._both_sides(row, vintage, is_superseded)
        elif row.form in ("open_band_high", "open_band_low", "closed_band", "below", "at_least"):
            self._add_band(row, vintage, is_superseded)
        elif row.form == "percent_of_counts":
            self._add_percent(row, vintage, is_superseded)
        elif row.form == "interval_of_counts":
            self._add_interval(row, vintage, is_superseded)
        else:
            raise DisclosureError(f"{row.place}: the audit knows no form {row.form!r}.")

    def _use_if_there(self, cell: str, place: int) -> None:
        vintage = self._at(cell, place, None)
        if vintage is not None:
            self._use(vintage)

    def _add_sum(self, row: LedgerRow, place: int, is_superseded: bool) -> None:
        terms: list[tuple[str, int]] = []
        vintages = []
        for member in row.members:
            cell, _, measure = member.partition("#")
            if not self.found.vintages.get(cell):
                continue  # no figure was sent for it: it adds nothing to the sum
            vintage = self._at(cell, place, row)
            assert vintage is not None
            vintages.append(vintage)
            terms.extend(vintage.terms(measure))
        if not terms:
            raise DisclosureError(f"{row.place}: a sum without members; the ledger must say what it adds up.")
        self._know(terms, row.lower, row.upper, row, vintages, is_superseded)

    def _add_change(self, row: LedgerRow, vintage: Vintage, is_superseded: bool) -> None:
        several = self.found.vintages[vintage.cell_id]
        number = several.index(vintage)
        if number == 0:
            if row.lower or row.upper:
                self.wrong.append(f"{row.place} (change without an earlier version)")
            return
        assert row.measure is not None
        before = several[number - 1]
        self._use(before)
        self._use(vintage)
        # the figures of the earlier version are no longer needed to know it: an outsider reads the change
        terms = _merged([*vintage.terms(row.measure), *before.terms(row.measure, -1)])
        value = vintage.value(row.measure) - before.value(row.measure)
        if row.lower is not None and row.upper is not None and not row.lower <= value <= row.upper:
            self.wrong.append(f"{row.place} (change {row.value})")
            return
        self.found.facts.append(
            Fact(Known(terms, row.lower, row.upper, row.place), row.release_id, row, is_superseded)
        )

    def _both_sides(self, row: LedgerRow, vintage: Vintage, is_superseded: bool) -> None:
        """A printed number of cases met says that neither side is small (rule 3)."""
        rules = self._rules(row)
        for measure in ("met", "unmet"):
            self._know(
                vintage.terms(measure),
                rules.suppress_max + 1,
                None,
                row,
                [vintage],
                is_superseded,
                is_inferred=True,
            )

    def _add_band(self, row: LedgerRow, vintage: Vintage, is_superseded: bool) -> None:
        """A rate in a range, from true counts; and what the rules tell of a cell that gets such a band."""
        self._use(vintage)
        base = vintage.terms("base")[0][0]
        met = vintage.terms("met")[0][0]
        for limit, is_lower in ((row.lower, True), (row.upper, False)):
            if limit is None:
                continue
            scale = _scale(limit)
            part, whole = 100 * scale, round(limit * scale)
            if is_lower:
                self._know([(met, part), (base, -whole)], 0, None, row, [vintage], is_superseded)
            else:
                # "up to" takes its limit in, "under" and the next band do not
                most = 0 if row.form == "open_band_low" else -1
                self._know([(met, part), (base, -whole)], None, most, row, [vintage], is_superseded)
        rules = self._rules(row)
        if row.form in ("below", "at_least"):
            # rule 8: said of a large enough base only
            self._know(
                [(base, 1)], rules.flag_base_min, None, row, [vintage], is_superseded, is_inferred=True
            )
            return
        rounded = self._rounded_base(row)
        inferences: list[tuple[list[tuple[str, int]], float | None, float | None]] = []
        if row.form == "open_band_high":
            inferences = self._open_high(rules, base, met, rounded)
            if not self._holds(inferences) and row.text == "80% and over":
                # closed, by a release that gives no more than a band of this cell
                inferences = self._closed(rules, base, met, rounded)
        elif row.form == "open_band_low":
            most = max(rules.suppress_max, rules.rounding_base + rules.above)
            inferences = [([(met, 1)], None, most)]
        else:
            inferences = self._closed(rules, base, met, rounded)
        for terms, lower, upper in inferences:
            self._know(terms, lower, upper, row, [vintage], is_superseded, is_inferred=True)

    def _holds(self, inferences: Iterable[tuple[list[tuple[str, int]], float | None, float | None]]) -> bool:
        return all(
            (lower is None or value >= lower) and (upper is None or value <= upper)
            for terms, lower, upper in inferences
            for value in [sum(self.found.variables[name].true_value * number for name, number in terms)]
        )

    @staticmethod
    def _open_high(
        rules: Rules, base: str, met: str, rounded: int | None
    ) -> list[tuple[list[tuple[str, int]], float | None, float | None]]:
        """Unmet cases are at most `suppress_max`, or the rounded counts stand one step apart.

        The second is unmet <= (n - rounded n) + step + reach. Of the two together a line says what a sum can
        say.
        """
        step, reach = rules.rounding_base, rules.below
        most = max(rules.suppress_max, step + reach + rules.above)
        unmet = [(base, 1), (met, -1)]
        inferences: list[tuple[list[tuple[str, int]], float | None, float | None]] = [(unmet, None, most)]
        if rounded is not None and step > 1:
            at_low, at_high = max(rules.suppress_max, step), most
            # (step - 1) * unmet <= (step - 1) * at_low + (at_high - at_low) * (n - rounded + reach)
            rise, run = at_high - at_low, step - 1
            inferences.append(
                ([(base, run - rise), (met, -run)], None, run * at_low + rise * (reach - rounded))
            )
        return inferences

    @staticmethod
    def _closed(
        rules: Rules, base: str, met: str, rounded: int | None
    ) -> list[tuple[list[tuple[str, int]], float | None, float | None]]:
        """Neither side is small, and the rounded counts stand more than one step apart."""
        least = rules.suppress_max + 1
        inferences: list[tuple[list[tuple[str, int]], float | None, float | None]] = [
            ([(met, 1)], max(least, 2 * rules.rounding_base - rules.below), None),
            ([(base, 1), (met, -1)], least, None),
        ]
        if rounded is not None:
            inferences.append(([(met, 1)], None, rounded - 2 * rules.rounding_base + rules.above))
        return inferences

    def _add_percent(self, row: LedgerRow, vintage: Vintage, is_superseded: bool) -> None:
        """A percentage of true counts, printed to so many decimals."""
        if row.lower is None or row.upper is None:
            raise DisclosureError(f"{row.place}: a percentage of true counts needs its limits.")
        base, met = vintage.terms("base")[0][0], vintage.terms("met")[0][0]
        for limit, lower, upper in ((row.lower, 0, None), (row.upper, None, 0)):
            scale = _scale(limit)
            terms = [(met, 100 * scale), (base, -round(limit * scale))]
            self._know(terms, lower, upper, row, [vintage], is_superseded)

    def _add_interval(self, row: LedgerRow, vintage: Vintage, is_superseded: bool) -> None:
        """A limit of an interval that only true counts give: the pairs of counts that print exactly it."""
        self._use(vintage)
        rules = self._rules(row)
        side, _, places = (row.text or "").partition(":")
        decimals = int(places or 0)
        least, most = self._base_range(row, vintage)
        assert row.value is not None
        pairs = tuple(
            (met, base)
            for base in range(max(least, 1), most + 1)
            for met in range(base + 1)
            if _prints(rules.wilson(met, base, side), row.value, decimals, side)
        )
        if (vintage.met, vintage.base) not in pairs:
            self.wrong.append(f"{row.place} ({side} limit {row.value:g}, by no formula the audit knows)")
            return
        self.found.facts.append(
            Fact(
                Pairs(vintage.terms("met")[0][0], vintage.terms("base")[0][0], pairs, row.place),
                row.release_id,
                row,
                is_superseded or not self._is_last(vintage),
            )
        )

    def _base_range(self, row: LedgerRow, vintage: Vintage) -> tuple[int, int]:
        """What else is known of the base; without anything, a generous range around the truth."""
        known = self._base_row(row)
        if known is not None and known.lower is not None and known.upper is not None:
            lower, upper = int(known.lower), int(known.upper)
            if lower <= vintage.base <= upper:
                return lower, upper
        return 0, max(100, 2 * vintage.base)

    def _base_row(self, row: LedgerRow) -> LedgerRow | None:
        """The published base of the row's cell in force at its release."""
        found = None
        for base in self.bases.get(row.cell_id or "", []):
            if self.place[base.release_id] <= self.place[row.release_id]:
                found = base
        return found

    def _rounded_base(self, row: LedgerRow) -> int | None:
        base = self._base_row(row)
        if base is None or base.form != "rounded" or base.value is None:
            return None
        value = int(base.value)
        return None if value % self._rules(row).rounding_base else value

    def _rules(self, row: LedgerRow) -> Rules:
        version = max(self.rules) if row.rule_version is None else row.rule_version
        if version not in self.rules:
            raise DisclosureError(f"{row.place}: version {version} of the disclosure rules was not given.")
        return self.rules[version]

    def _add_revisions(self) -> None:
        """Who holds both versions of a cell knows a small change, or is taken to."""
        small = max(rules.suppress_max for rules in self.rules.values())
        for cell, several in self.found.vintages.items():
            for before, after in pairwise(several):
                for measure in ("base", "met"):
                    if measure == "met" and (before.met is None or after.met is None):
                        continue
                    change = after.value(measure) - before.value(measure)
                    if abs(change) > small:
                        continue
                    self._use(before)
                    self._use(after)
                    self.found.facts.append(
                        Fact(
                            Known(
                                (*after.terms(measure), *before.terms(measure, -1)),
                                change,
                                change,
                                f"change of {cell}#{measure} from {before.release_id} to {after.release_id}",
                            ),
                            after.release_id,
                            is_superseded=True,
                        )
                    )

    def _add_relation(self, relation: Relation) -> None:
        """A definition, for each set of vintages that stood side by side."""
        cells = [cell for cell, _, _ in relation.terms]
        if not all(self.found.vintages.get(cell) for cell in cells):
            self.found.relations_not_yet += 1
            return
        starts = {self.place[vintage.release_id] for cell in cells for vintage in self.found.vintages[cell]}
        first = max(self.place[self.found.vintages[cell][0].release_id] for cell in cells)
        for place in sorted(start for start in starts if start >= first):
            vintages = [self._at(cell, place, None) for cell in cells]
            terms: list[tuple[str, int]] = []
            value = 0
            for vintage, (_, measure, coefficient) in zip(vintages, relation.terms, strict=True):
                assert vintage is not None
                terms.extend(vintage.terms(measure, coefficient))
                value += coefficient * vintage.value(measure)
            if value > 0 or (relation.kind == "zero" and value):
                self.found.relations_left_out += 1
                continue
            present = [vintage for vintage in vintages if vintage is not None]
            for vintage in present:
                self._use(vintage)
            self.found.facts.append(
                Fact(
                    Known(
                        _merged(terms),
                        0 if relation.kind == "zero" else None,
                        0,
                        f"relation {relation.relation_id}",
                    ),
                    None,
                    is_superseded=not all(self._is_last(vintage) for vintage in present),
                    since=relation.since,
                )
            )


def _merged(terms: Iterable[tuple[str, int]]) -> Terms:
    """Each variable once, none with coefficient 0."""
    sums: dict[str, int] = {}
    for name, coefficient in terms:
        sums[name] = sums.get(name, 0) + coefficient
    return tuple((name, coefficient) for name, coefficient in sums.items() if coefficient)


def _scale(limit: float) -> int:
    """The power of ten that makes a limit a whole number."""
    scale = 1
    while round(limit * scale, 6) != round(limit * scale) and scale < 10**7:
        scale *= 10
    return scale


def _prints(limit: float, value: float, decimals: int, side: str) -> bool:
    """Does a limit in percent print as `value`: rounded, or rounded outwards?"""
    unit = 10**decimals
    shown = {round(limit, decimals)}
    scaled = round(limit * unit, 6)
    shown.add((-int(-scaled // 1) if side == "upper" else int(scaled // 1)) / unit)
    return any(abs(figure - value) < 1e-9 for figure in shown)
