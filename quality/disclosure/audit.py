"""The audit of one release: every attacker against everything published, and what came of it.

A release passes if no protected value of any cell that it touches is known too well to anybody. What it does
not touch was judged when its own release was audited; `everything=True` judges it again.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from quality.disclosure.attackers import (
    TOGETHER,
    Attacker,
    Cluster,
    attackers_on,
    cell_of,
    clusters_of,
    is_settled,
    problem_of,
    sizes,
)
from quality.disclosure.errors import DisclosureError
from quality.disclosure.knowledge import Knowledge, Relation, compile_knowledge, relations_of, truth_of
from quality.disclosure.ledger import LedgerRow, hash_of, ledger_bytes, release_order
from quality.disclosure.model import Criteria, Finding, Problem
from quality.disclosure.rules import Rules

Judge = Callable[..., list[Finding]]

#: Attacker and first variable of a cluster -> the cluster with all that is known of it, and what was found.
_Settled = dict[tuple[Attacker, str], tuple[Cluster, list[Finding]]]


@dataclass(frozen=True)
class Narrowest:
    """The protected value of a table that is known best: its name, who knows it, and from where to where.

    `is_at_least` says that the range was seen while asking about others, so that the true one is as wide or
    wider.
    """

    table_name: str
    name: str
    attacker: str
    low: float
    high: float
    values: int
    is_at_least: bool


@dataclass(frozen=True)
class ExposedCluster:
    """Cells that hang together, some of them known too well.

    `cells` are all its cells: first those that a published number or a definition ties to an exposed one,
    then the rest, the smallest base first in each. `has_exposed_base`: is a base among what is known too
    well? `totals` are the numbers that tie them, as (id to withhold, level, reason); `sources` what is known,
    in words.
    """

    exposed: tuple[str, ...]
    cells: tuple[str, ...]
    has_exposed_base: bool
    totals: tuple[tuple[str, int, str], ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What the audit of a release found. `seconds` is the only part that two runs do not share."""

    candidate: str
    releases: tuple[str, ...]
    findings: tuple[Finding, ...]
    exposed: tuple[str, ...]
    exposed_clusters: tuple[ExposedCluster, ...]
    narrowest: tuple[Narrowest, ...]
    by_attacker: Mapping[str, int]
    by_method: Mapping[str, int]
    clusters_by_size: Mapping[int, int]
    clusters_judged: int
    clusters_carried_over: int
    is_everything: bool
    relations_left_out: int
    relations_not_yet: int
    inferences_left_out: int
    numbers_by_table: Mapping[str, int]
    numbers_by_form: Mapping[str, int]
    criteria: Criteria
    rule_versions: tuple[int, ...]
    ledger_hash: str
    inputs_hash: str
    seconds: Mapping[str, float]

    @property
    def passes(self) -> bool:
        """Is nothing known too well?"""
        return not self.exposed

    @property
    def failures(self) -> tuple[Finding, ...]:
        """Findings that do not pass."""
        return tuple(finding for finding in self.findings if not finding.passes)


def audit(
    ledger: Sequence[LedgerRow],
    truth: Iterable[Mapping[str, Any]],
    relations: Iterable[Mapping[str, Any]],
    criteria: Criteria,
    *,
    rules: Mapping[int, Rules],
    candidate: str,
    order: Sequence[str] | None = None,
    everything: bool = False,
    judge: Judge | None = None,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Audit:
    """Try to undo the release `candidate` with everything in the ledger.

    `ledger` holds all releases published before and the candidate; `truth` has rows of (cell_id, release_id,
    base_count, met_count) for each cell that a release carries; `relations` rows of (relation_id, cell_id,
    measure, coefficient, kind). `order` lists the releases as they were or will be published. Raises
    DisclosureError where the numbers contradict the true counts or cannot be understood.
    """
    return Auditor(criteria, rules, candidate, order, everything, judge, workers, progress).audit(
        ledger, list(truth), list(relations)
    )


class Auditor:
    """Settings of an audit, and what an earlier round of mending has already settled."""

    def __init__(
        self,
        criteria: Criteria,
        rules: Mapping[int, Rules],
        candidate: str,
        order: Sequence[str] | None,
        everything: bool,
        judge: Judge | None,
        workers: int,
        progress: Callable[[str], None] | None,
    ) -> None:
        """Take what stays the same from round to round; `candidate` is the release that is asked about."""
        self.criteria = criteria
        self.rules = rules
        self.candidate = candidate
        self.order = order
        self.everything = everything
        self.judge = judge
        self.workers = workers
        self.progress = progress or (lambda message: None)
        #: what the solver has answered so far: attackers and rounds mostly ask the same again
        self.memo: dict[Any, Any] = {}
        self.told = time.perf_counter()
        self.settled: _Settled = {}
        #: relations and hash of the inputs, which are the same in every round
        self.inputs: tuple[object, object, list[Relation], str] | None = None

    def audit(
        self, ledger: Sequence[LedgerRow], truth: list[Mapping[str, Any]], relations: list[Mapping[str, Any]]
    ) -> Audit:
        """Audit one ledger; clusters that are as an earlier round judged them keep their findings."""
        start = time.perf_counter()
        releases = tuple(self.order or sorted({row.release_id for row in ledger}, key=release_order))
        if self.candidate not in releases or not ledger:
            raise DisclosureError(
                f"The ledger holds no number of {self.candidate}, so there is nothing to audit."
            )
        if self.inputs is None or self.inputs[0] is not truth or self.inputs[1] is not relations:
            inputs_hash = self._inputs_hash(truth, relations, releases)
            self.inputs = truth, relations, relations_of(relations), inputs_hash
        related, inputs_hash = self.inputs[2:]
        knowledge = compile_knowledge(ledger, truth_of(truth), related, self.rules, order=self.order)
        clusters = clusters_of(knowledge)
        asked = [cluster for cluster in clusters if self.everything or cluster.is_touched_by(self.candidate)]
        compiled = time.perf_counter()
        findings = self._attacked(knowledge, asked)
        judged = time.perf_counter()
        failed = {finding.name for finding in findings if not finding.passes}
        exposed = {cell_of(name) for name in failed}
        tables = _tables(ledger)
        return Audit(
            candidate=self.candidate,
            releases=releases,
            findings=tuple(findings),
            exposed=tuple(sorted(exposed)),
            exposed_clusters=tuple(
                self._exposed(cluster, failed, related)
                for cluster in asked
                if exposed.intersection(cluster.cells)
            ),
            narrowest=_narrowest(findings, tables),
            by_attacker=dict(sorted(Counter(finding.attacker for finding in findings).items())),
            by_method=dict(sorted(Counter(finding.method for finding in findings).items())),
            clusters_by_size=sizes(asked),
            clusters_judged=len(asked),
            clusters_carried_over=len(clusters) - len(asked),
            is_everything=self.everything,
            relations_left_out=knowledge.relations_left_out,
            relations_not_yet=knowledge.relations_not_yet,
            inferences_left_out=knowledge.inferences_left_out,
            numbers_by_table=_counted(row.table_name for row in ledger if row.release_id == self.candidate),
            numbers_by_form=_counted(row.form for row in ledger if row.release_id == self.candidate),
            criteria=self.criteria,
            rule_versions=tuple(sorted(self.rules)),
            ledger_hash=hash_of(ledger_bytes(ledger)),
            inputs_hash=inputs_hash,
            seconds={
                "compiling": compiled - start,
                "judging": judged - compiled,
                "in all": time.perf_counter() - start,
            },
        )

    def _attacked(self, knowledge: Knowledge, asked: Sequence[Cluster]) -> list[Finding]:
        """Findings of all attackers; what stays open to all of them together is not asked of each."""
        settled: _Settled = {}
        findings: list[Finding] = []
        if shared := [cluster for cluster in asked if cluster.is_shared]:
            found = self._judged(TOGETHER, knowledge, shared, (), settled)
            findings += [finding for finding in found if finding.passes]
        is_open = {finding.name for finding in findings}
        left = [cluster for cluster in asked if not is_settled(cluster, is_open, self.criteria)]
        for attacker, about in attackers_on(left):
            findings += self._judged(attacker, knowledge, about, is_open, settled)
        self.settled = settled
        return findings

    def _judged(
        self,
        attacker: Attacker,
        knowledge: Knowledge,
        about: Sequence[Cluster],
        is_open: Collection[str],
        settled: _Settled,
    ) -> list[Finding]:
        """Findings on clusters; those that an earlier round left as they are are not solved again."""
        before = {
            cluster.variables[0]: known[1]
            for cluster in about
            if (known := self.settled.get((attacker, cluster.variables[0]))) and known[0] == cluster
        }
        fresh = [cluster for cluster in about if cluster.variables[0] not in before]
        # two vintages of a cell can stand in two clusters
        by_vintage: dict[tuple[str, str], list[Finding]] = defaultdict(list)
        if fresh:
            problem = problem_of(attacker, knowledge, fresh, self.criteria, is_open)
            for finding in self._solve(problem):
                by_vintage[cell_of(finding.name), finding.name.rpartition("@")[2]].append(finding)
        everything: list[Finding] = []
        for cluster in about:
            here = before.get(cluster.variables[0])
            if here is None:
                here = [
                    finding
                    for vintage in cluster.vintages
                    for finding in by_vintage.get((vintage.cell_id, vintage.release_id), [])
                ]
            settled[attacker, cluster.variables[0]] = cluster, here
            everything += here
        return everything

    def _solve(self, problem: Problem) -> list[Finding]:
        if not problem.protected and not problem.rates:
            return []
        self.progress(f"{problem.attacker}: {len(problem.protected):,} counts, {len(problem.rates):,} rates")
        judge = self.judge
        if judge is None:
            from quality.disclosure import solver

            judge = solver.judge
        found = judge(
            problem,
            self.criteria,
            memo=self.memo,
            workers=self.workers,
            progress=partial(self._tell, problem.attacker),
        )
        asked = {value.name for value in problem.protected} | {rate.name for rate in problem.rates}
        missing = asked - {item.name for item in found}
        if missing:
            raise DisclosureError(
                f"The solver has not answered for {len(missing)} protected values of the {problem.attacker}, "
                f"{min(missing)} among them: what is not judged does not pass."
            )
        return list(found)

    def _tell(self, attacker: str, done: int, total: int) -> None:
        """Passes on how far the solver is, every twenty seconds at most."""
        now = time.perf_counter()
        if now - self.told >= 20:
            self.told = now
            self.progress(f"{attacker}: {done:,} of {total:,} parts")

    def _exposed(self, cluster: Cluster, failed: set[str], relations: Sequence[Relation]) -> ExposedCluster:
        members = set(cluster.cells)
        exposed = {cell_of(name) for name in failed} & members
        latest = {vintage.cell_id: vintage for vintage in cluster.vintages}
        tied: set[str] = set()
        for fact in cluster.facts:
            together = {cell_of(name) for name in fact.names}
            if together & exposed:
                tied |= together
        cells = sorted(latest, key=lambda cell: (cell not in tied, latest[cell].base, cell))
        totals = {
            (
                fact.row.cell_id or f"{fact.row.table_name}|{fact.row.row_key}",
                3,
                f"ties {len(fact.row.members)} cells",
            )
            for fact in cluster.facts
            if fact.row is not None
            and fact.row.form in ("rounded_sum", "peers", "change")
            and fact.row.release_id == self.candidate
        }
        for relation in relations:
            if relation.kind == "zero" and members.issuperset(cell for cell, _, _ in relation.terms):
                totals.update(_total_cells(relation))
        return ExposedCluster(
            exposed=tuple(sorted(exposed)),
            cells=tuple(cells),
            has_exposed_base=any("#base@" in name and cell_of(name) in members for name in failed),
            totals=tuple(sorted(totals)),
            sources=tuple(
                sorted({fact.row.place if fact.row else fact.what.source for fact in cluster.facts})
            ),
        )

    def _inputs_hash(
        self, truth: list[Mapping[str, Any]], relations: list[Mapping[str, Any]], releases: Sequence[str]
    ) -> str:
        facts = {
            "truth": sorted(
                [str(row["cell_id"]), str(row["release_id"]), str(row["base_count"]), str(row["met_count"])]
                for row in truth
            ),
            "relations": sorted(
                [str(row[name]) for name in ("relation_id", "cell_id", "measure", "coefficient", "kind")]
                for row in relations
            ),
            "rules": [asdict(rules) for _, rules in sorted(self.rules.items())],
            "criteria": asdict(self.criteria),
            "candidate": self.candidate,
            "releases": list(releases),
        }
        return hash_of(json.dumps(facts, sort_keys=True).encode("utf-8"))


def _total_cells(relation: Relation) -> list[tuple[str, int, str]]:
    """The total of parts that add up: the one cell on its side of the equation, against two or more."""
    for sign in (1, -1):
        side = [(cell, measure) for cell, measure, number in relation.terms if number * sign > 0]
        if len(side) == 1 and len(relation.terms) > 2:
            cell, measure = side[0]
            reason = f"total of {len(relation.terms) - 1} cells"
            # the base of a cell is there until nothing of it is
            return [(cell, 3 if measure == "base" else 2, reason)]
    return []


def _tables(ledger: Iterable[LedgerRow]) -> dict[str, str]:
    tables: dict[str, str] = {}
    for row in ledger:
        if row.cell_id is not None and row.measure in ("base", "met"):
            tables.setdefault(row.cell_id, row.table_name)
    return tables


def _narrowest(findings: Iterable[Finding], tables: Mapping[str, str]) -> tuple[Narrowest, ...]:
    """Of each table the count that is known best."""
    best: dict[str, Narrowest] = {}
    for finding in findings:
        if "#rate@" in finding.name:
            continue
        table = tables.get(cell_of(finding.name), "not published")
        found = Narrowest(
            table,
            finding.name,
            finding.attacker,
            finding.low,
            finding.high,
            finding.values,
            finding.method == "witness",
        )
        known = best.get(table)
        if known is None or _width(found) < _width(known):
            best[table] = found
    return tuple(best[table] for table in sorted(best))


def _width(found: Narrowest) -> tuple[int, float, bool, str, str]:
    return found.values, found.high - found.low, found.is_at_least, found.name, found.attacker


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))
