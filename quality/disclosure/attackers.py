"""Who attacks, and with what: an outsider, the holder of all earlier releases, and an insider of each body.

Belongs here: which facts an attacker has, and which components are worth asking about. Does not belong here:
what the facts are (knowledge.py) and what follows from them (solver.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from quality.disclosure.knowledge import Fact, Knowledge, Vintage
from quality.disclosure.model import Criteria, Known, Pairs, Problem, Protected, ProtectedRate, Variable

OUTSIDER = "outsider"
HOLDER = "holder of all earlier releases"
INSIDER = "insider"


@dataclass(frozen=True)
class Cluster:
    """Counts that hang together, so that one may tell of another: variables, facts and cell vintages."""

    variables: tuple[str, ...]
    facts: tuple[Fact, ...]
    vintages: tuple[Vintage, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """Its cells, each once."""
        return tuple(sorted({vintage.cell_id for vintage in self.vintages}))

    @property
    def bodies(self) -> tuple[str, ...]:
        """The bodies whose cells are in it."""
        return tuple(sorted({body for cell in self.cells if (body := body_of(cell)) is not None}))

    def is_touched_by(self, release_id: str) -> bool:
        """Does the release say anything about it, or is a definition of it news?"""
        return any(release_id in (fact.release_id, fact.since) for fact in self.facts) or any(
            vintage.release_id == release_id for vintage in self.vintages
        )

    @property
    def has_history(self) -> bool:
        """Do earlier versions say something that the present ones do not?"""
        return any(fact.is_superseded for fact in self.facts)


def body_of(cell_id: str) -> str | None:
    """The body a cell is of, as body kind and area code: `police E23000001`.

    None for a cell of a region: nobody owns it, and a body knows only its own part of it.
    """
    parts = cell_id.split("|")
    return None if parts[0] == "breakdown" else " ".join(parts[1:3])


def clusters_of(knowledge: Knowledge) -> list[Cluster]:
    """The connected parts of everything that is known, in the order of their first variable."""
    above = {name: name for name in knowledge.variables}

    def root(name: str) -> str:
        while above[name] != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    def join(names: Sequence[str]) -> None:
        for name in names[1:]:
            above[root(name)] = root(names[0])

    vintage_of = knowledge.vintage_of()
    by_vintage: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, vintage in vintage_of.items():
        by_vintage[vintage.cell_id, vintage.release_id].append(name)
    for names in by_vintage.values():
        join(names)
    for fact in knowledge.facts:
        join(fact.names)
    variables: dict[str, list[str]] = defaultdict(list)
    for name in knowledge.variables:
        variables[root(name)].append(name)
    facts: dict[str, list[Fact]] = defaultdict(list)
    for fact in knowledge.facts:
        facts[root(fact.names[0])].append(fact)
    found = []
    for key, names in variables.items():
        vintages = {
            (vintage_of[name].cell_id, vintage_of[name].release_id): vintage_of[name] for name in names
        }
        found.append(Cluster(tuple(names), tuple(facts[key]), tuple(vintages.values())))
    return found


def problems(
    knowledge: Knowledge, clusters: Sequence[Cluster], criteria: Criteria
) -> Iterator[tuple[Problem, list[Cluster]]]:
    """What each attacker is asked, with the clusters it is about. Attackers that know no more are left out.

    The outsider has what is in force. The holder of all earlier releases differs only where a version
    replaced another, an insider only where several bodies' cells hang together: he has all releases and his
    own true counts.
    """
    if clusters:
        yield _problem(OUTSIDER, knowledge, clusters, criteria, has_earlier=False), list(clusters)
    if with_history := [cluster for cluster in clusters if cluster.has_history]:
        yield _problem(HOLDER, knowledge, with_history, criteria, has_earlier=True), with_history
    shared: dict[str, list[Cluster]] = defaultdict(list)
    for cluster in clusters:
        bodies = cluster.bodies
        if len(bodies) > 1:
            for body in bodies:
                shared[body].append(cluster)
    for body, some in sorted(shared.items()):
        problem = _problem(f"{INSIDER}: {body}", knowledge, some, criteria, has_earlier=True, insider=body)
        yield problem, some


def _problem(
    attacker: str,
    knowledge: Knowledge,
    clusters: Iterable[Cluster],
    criteria: Criteria,
    *,
    has_earlier: bool,
    insider: str | None = None,
) -> Problem:
    variables: list[Variable] = []
    known: list[Known] = []
    pairs: list[Pairs] = []
    protected: list[Protected] = []
    rates: list[ProtectedRate] = []
    for cluster in clusters:
        facts = [fact for fact in cluster.facts if has_earlier or not fact.is_superseded]
        used = {name for fact in facts for name in fact.names}
        vintages = [
            vintage
            for vintage in cluster.vintages
            if has_earlier or knowledge.vintages[vintage.cell_id][-1] is vintage
        ]
        used.update(name for vintage in vintages for name, _ in vintage.terms("base"))
        used.update(
            name for vintage in vintages if vintage.met is not None for name, _ in vintage.terms("met")
        )
        if not has_earlier:
            # definitions hold of every version that an outsider has heard of
            facts += [
                fact
                for fact in cluster.facts
                if fact.is_superseded and fact.release_id is None and used.issuperset(fact.names)
            ]
        own = {
            name
            for vintage in cluster.vintages
            if insider is not None and body_of(vintage.cell_id) == insider
            for measure in ("base", "met")
            if measure == "base" or vintage.met is not None
            for name, _ in vintage.terms(measure)
        }
        for name in cluster.variables:
            if name in used:
                variable = knowledge.variables[name]
                if name in own:
                    variable = replace(variable, lower=variable.true_value, upper=variable.true_value)
                variables.append(variable)
        for fact in facts:
            if isinstance(fact.what, Known):
                known.append(fact.what)
            elif isinstance(fact.what, Pairs):
                pairs.append(fact.what)
        for vintage in vintages:
            if insider is not None and body_of(vintage.cell_id) == insider:
                continue
            protected.extend(_protected(vintage))
            if vintage.met is not None and 0 < vintage.base < criteria.rate_base:
                rates.append(
                    ProtectedRate(
                        name_of(vintage, "rate"),
                        vintage.terms("met"),
                        vintage.terms("base"),
                        vintage.met,
                        vintage.base,
                    )
                )
    return Problem(attacker, tuple(variables), tuple(known), tuple(pairs), tuple(protected), tuple(rates))


def _protected(vintage: Vintage) -> Iterator[Protected]:
    """Told, not told and all of them; of a count only the count."""
    for measure in ("base",) if vintage.met is None else ("base", "met", "unmet"):
        yield Protected(name_of(vintage, measure), vintage.terms(measure), vintage.value(measure))


def name_of(vintage: Vintage, measure: str) -> str:
    """The name of a protected value: cell, measure, and the release that published it first."""
    return f"{vintage.cell_id}#{measure}@{vintage.release_id}"


def cell_of(name: str) -> str:
    """The cell that a protected value is of."""
    return name.partition("#")[0]


def sizes(clusters: Iterable[Cluster]) -> dict[int, int]:
    """Number of clusters by number of cells."""
    return dict(sorted(Counter(len(cluster.cells) for cluster in clusters).items()))
