"""Who attacks, and with what: an outsider, the holder of all earlier releases, and an insider of each body.

Before them come all together, each of whom knows everything but the counts asked about: what stays open to
them stays open to everybody, for whoever knows less finds no fewer values possible. Most of a release is
settled so, at a fraction of the work of hundreds of insiders; only the rest is asked of each of them.

Belongs here: which facts an attacker has, and which components are worth asking about. Does not belong here:
what the facts are (knowledge.py) and what follows from them (solver.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from quality.disclosure.knowledge import Fact, Knowledge, Vintage
from quality.disclosure.model import Criteria, Known, Pairs, Problem, Protected, ProtectedRate, Variable

OUTSIDER = "outsider"
HOLDER = "holder of all earlier releases"
INSIDER = "insider"


@dataclass(frozen=True)
class Attacker:
    """Somebody who tries: with or without superseded versions, and the body whose true counts he knows.

    `is_everybody`: knows the true counts of all bodies but the one asked about, and of regions when asked
    about a body; whose counts these are is `body_of`.
    """

    name: str
    has_earlier: bool = True
    body: str | None = None
    is_everybody: bool = False


TOGETHER = Attacker("everybody else together", is_everybody=True)


@dataclass(frozen=True)
class Cluster:
    """Counts that hang together, so that one may tell of another: variables, facts and cell vintages."""

    variables: tuple[str, ...]
    facts: tuple[Fact, ...]
    vintages: tuple[Vintage, ...]

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """Its cells, each once."""
        return tuple(sorted({vintage.cell_id for vintage in self.vintages}))

    @cached_property
    def bodies(self) -> tuple[str, ...]:
        """The bodies whose cells are in it."""
        return tuple(sorted({body for cell in self.cells if (body := body_of(cell)) is not None}))

    def is_touched_by(self, release_id: str) -> bool:
        """Does the release say anything about it, or is a definition of it news?"""
        return any(release_id in (fact.release_id, fact.since) for fact in self.facts) or any(
            vintage.release_id == release_id for vintage in self.vintages
        )

    @property
    def is_shared(self) -> bool:
        """Do cells of several bodies hang together?"""
        return len(self.bodies) > 1

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


def attackers_on(clusters: Sequence[Cluster]) -> Iterator[tuple[Attacker, list[Cluster]]]:
    """Who attacks what. Attackers that know no more of a cluster than the outsider are left out.

    The outsider has what is in force. The holder of all earlier releases differs only where a version
    replaced another, an insider only where several bodies' cells hang together: he has all releases and his
    own true counts.
    """
    if clusters:
        yield Attacker(OUTSIDER, has_earlier=False), list(clusters)
    if with_history := [cluster for cluster in clusters if cluster.has_history]:
        yield Attacker(HOLDER), with_history
    shared: dict[str, list[Cluster]] = defaultdict(list)
    for cluster in clusters:
        if cluster.is_shared:
            for body in cluster.bodies:
                shared[body].append(cluster)
    for body, some in sorted(shared.items()):
        yield Attacker(f"{INSIDER}: {body}", body=body), some


def problem_of(
    attacker: Attacker,
    knowledge: Knowledge,
    clusters: Iterable[Cluster],
    criteria: Criteria,
    settled: Collection[str] = (),
) -> Problem:
    """What the attacker knows of the clusters, and is asked: all but his own cells and what is `settled`."""
    variables: list[Variable] = []
    known: list[Known] = []
    pairs: list[Pairs] = []
    protected: list[Protected] = []
    rates: list[ProtectedRate] = []
    for cluster in clusters:
        facts = [fact for fact in cluster.facts if attacker.has_earlier or not fact.is_superseded]
        used = {name for fact in facts for name in fact.names}
        vintages = [
            vintage
            for vintage in cluster.vintages
            if attacker.has_earlier or knowledge.vintages[vintage.cell_id][-1] is vintage
        ]
        used.update(name for vintage in vintages for name in vintage.names)
        if not attacker.has_earlier:
            # definitions hold of every version that an outsider has heard of
            facts += [
                fact
                for fact in cluster.facts
                if fact.is_superseded and fact.release_id is None and used.issuperset(fact.names)
            ]
        own = {
            name
            for vintage in cluster.vintages
            if attacker.body is not None and body_of(vintage.cell_id) == attacker.body
            for name in vintage.names
        }
        for name in cluster.variables:
            if name in used:
                variable = knowledge.variables[name]
                if name in own:
                    variable = replace(variable, lower=variable.true_value, upper=variable.true_value)
                variables.append(variable)
        for fact in facts:
            if isinstance(fact.what, Pairs):
                pairs.append(fact.what)
            elif attacker.is_everybody:
                known.extend(_by_owner(fact.what, knowledge))
            else:
                known.append(fact.what)
        for vintage in vintages:
            if attacker.body is not None and body_of(vintage.cell_id) == attacker.body:
                continue
            protected.extend(value for value in _protected(vintage) if value.name not in settled)
            if has_rate(vintage, criteria) and name_of(vintage, "rate") not in settled:
                assert vintage.met is not None
                rates.append(
                    ProtectedRate(
                        name_of(vintage, "rate"),
                        vintage.terms("met"),
                        vintage.terms("base"),
                        vintage.met,
                        vintage.base,
                    )
                )
    return Problem(
        attacker.name, tuple(variables), tuple(known), tuple(pairs), tuple(protected), tuple(rates)
    )


def _by_owner(known: Known, knowledge: Knowledge) -> Iterator[Known]:
    """What a fact tells of each body's counts to whoever knows the counts of all others in it."""
    owned: dict[str | None, list[tuple[str, int]]] = defaultdict(list)
    for name, coefficient in known.terms:
        owned[body_of(cell_of(name))].append((name, coefficient))
    if len(owned) < 2:
        yield known
        return
    value = sum(knowledge.variables[name].true_value * coefficient for name, coefficient in known.terms)
    for terms in owned.values():
        others = value - sum(
            knowledge.variables[name].true_value * coefficient for name, coefficient in terms
        )
        yield Known(
            tuple(terms),
            None if known.lower is None else known.lower - others,
            None if known.upper is None else known.upper - others,
            known.source,
        )


def has_rate(vintage: Vintage, criteria: Criteria) -> bool:
    """Is its rate on so few cases that it is protected?"""
    return vintage.met is not None and 0 < vintage.base < criteria.rate_base


def is_settled(cluster: Cluster, settled: Collection[str], criteria: Criteria) -> bool:
    """Is every protected value of the cluster settled?"""
    return all(
        all(value.name in settled for value in _protected(vintage))
        and (not has_rate(vintage, criteria) or name_of(vintage, "rate") in settled)
        for vintage in cluster.vintages
    )


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
