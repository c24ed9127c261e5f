"""The words of a local pack, made from its figures: what stands out, what to ask, what to fill in.

Belongs here: sentences and the rows of the tables that a page lays out. Does not belong here: SQL
(`local_facts`) and layout (`reports/pages/packs/local.md`). Nothing here is a score or a rank over rights.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from reports import labels
from reports.components.text import plain
from reports.engine.rows import Rows
from reports.packs.local_facts import LEAST_AREAS, Fact, LocalFacts
from reports.packs.provenance import Provenance

#: What a page prints in a cell where the figure cannot be given, and the words of the note under it.
NOT_SET, WITHHELD, NONE = "not set", "withheld", "none"
LOWER_IS_BETTER = ", lower is better"
BY_DESIGN = "Not collected by design"

_SAMPLES: Mapping[str, str] = {
    "random_sample": " (random sample)",
    "purposive_sample": " (chosen sample)",
}

MOST_QUESTIONS = 10
MOST_DISPARITIES = 8
MOST_PRACTICE = 8
MOST_GAPS = 4
MOST_CHANGES = 6
#: Of all comparisons at 95%, the share that comes out lower by chance alone, and the share either way.
CHANCE_LOWER, CHANCE_EITHER = 0.025, 0.05

_SHORT_KINDS: Mapping[str, str] = {
    "police": "Police",
    "cps": "CPS",
    "courts": "Courts",
    "prisons": "Prisons",
    "probation": "Probation",
    "yjs": "Youth offending teams",
    "btp": "BTP",
    "mdp": "MDP",
}
_BREAKDOWNS: Mapping[str, str] = {
    "crime_type": "offence",
    "age": "age",
    "age_child_adult": "child or adult",
    "disability": "disability",
    "ethnicity": "ethnicity",
    "gender_reassignment": "gender reassignment",
    "marriage_and_civil_partnership": "marriage and civil partnership",
    "pregnancy_and_maternity": "pregnancy and maternity",
    "religion_or_belief": "religion or belief",
    "sex": "sex",
    "sexual_orientation": "sexual orientation",
}
_CONTEXT_SOURCES: Mapping[str, str] = {
    "inspectorate": "Inspectorate",
    "victims_commissioner": "Victims' Commissioner",
    "ombudsman": "Ombudsman",
    "support_services": "Commissioned support",
}
_INSIGHT_KINDS: Mapping[str, str] = {
    "high": "High compliance",
    "low": "Low compliance",
    "best_practice": "Good practice",
    "dip_sample": "Dip sample",
    "escalate": "Asked to be escalated",
}
_ACTION_STATES: Mapping[str, str] = {
    "open": "open",
    "in_progress": "in progress",
    "done": "done",
    "withdrawn": "withdrawn",
}
_FORM_KINDS: Mapping[str, str] = {
    "quarterly": "Quarterly return",
    "feedback": "Feedback return",
    "insight": "Insight return",
}


@dataclass(frozen=True)
class Question:
    """One question for the meeting: whom it is put to, and the figure that it rests on."""

    whom: str
    text: str
    basis: str


@dataclass(frozen=True)
class RightView:
    """One right: `rows` have a body's statistics, feedback and delivery side by side, item by item."""

    number: int
    title: str
    rows: Rows


@dataclass(frozen=True)
class LocalPack:
    """Everything that the page and the workbook of one area show."""

    code: str
    area_name: str
    reviewer: str
    is_national_force: bool
    like_areas: tuple[str, ...]
    compare: tuple[str, ...]
    good: tuple[str, ...]
    changed: tuple[str, ...]
    data: tuple[str, ...]
    questions: tuple[Question, ...]
    rights: tuple[RightView, ...]
    chance_note: str
    changes_note: str
    tables: Mapping[str, Rows]


def local_pack(facts: LocalFacts, area_code: str, provenance: Provenance) -> LocalPack:
    """The pack of one area in words and tables. `area_code` is one of `facts.area_codes`."""
    return _Maker(facts, area_code, provenance).pack()


def of(good: int | None, base: int | None, rate: float | None = None) -> str:
    """Counts and their rate in words: 9,110 of 10,660 (85.5%)."""
    if good is None or base is None:
        return "no figure"
    share = good / base if rate is None and base else rate
    return f"{good:,} of {base:,}" + (f" ({labels.percent(share)})" if share is not None else "")


def day(value: dt.date | None) -> str:
    """A day in words: 9 December 2026; nothing for None."""
    return "" if value is None else f"{value.day} {value:%B %Y}"


def _short(body_kind: str) -> str:
    return _SHORT_KINDS.get(body_kind, body_kind)


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _sample(fact: Fact) -> str:
    """Says that a figure is of a sample; nothing for all cases, nor for answers to questions."""
    if fact["information"] == "feedback":
        return ""
    return {"random_sample": " in the sample", "purposive_sample": " in the chosen sample"}.get(
        fact["collection_mode"], ""
    )


def _is_lower_better(fact: Fact) -> bool:
    return bool(fact["polarity"] == "lower")


def _is_process(fact: Fact) -> bool:
    """Is it about how a right is delivered? That alone makes nothing severe."""
    return bool(fact["indicator"] == "S4")


def _short_of_like_areas(fact: Fact) -> float:
    """How far the whole 95% interval is on the worse side of the like areas' rate, or less than nought."""
    like = float(fact["like_areas_rate"])
    if _is_lower_better(fact):
        return float(fact["rate_lower"]) - like
    return like - float(fact["rate_upper"])


def _kind_of_measure(fact: Fact) -> str:
    """What a reader has to know of a measure besides its name: feedback, or that lower is better."""
    said = ["feedback"] if fact["information"] == "feedback" else []
    said += ["lower is better"] if _is_lower_better(fact) else []
    return f" ({', '.join(said)})" if said else ""


class _Maker:
    def __init__(self, facts: LocalFacts, area_code: str, provenance: Provenance) -> None:
        self.facts, self.code, self.provenance = facts, area_code, provenance
        first = facts.of("rights", area_code)[0]
        self.is_national = first["body_kind"] in labels.NATIONAL_FORCES
        self.area_name = plain(
            labels.BODY_KINDS[first["body_kind"]] if self.is_national else first["area_name"]
        )
        self.benchmarks = self._of("benchmarks")
        self.statistics = [fact for fact in self.benchmarks if fact["information"] == "statistic"]
        self.answers = [fact for fact in self.benchmarks if fact["information"] == "feedback"]
        self.indicators = self._of("indicators")
        self.high = [fact for fact in self.statistics if fact["is_high_compliance"]]
        self.actions = self._of("actions")
        self.practice = self._practice()
        self.disparities = self._of("disparities")
        self.missing = [
            fact
            for fact in self._of("submissions")
            if fact["form_kind"] != "insight" and fact["submission_status"] in ("not_submitted", "rejected")
        ]
        self.rights = tuple(self._rights())
        self.review_due_on = next(
            (fact["due_on"] for fact in self._of("submissions") if fact["form_kind"] == "insight"), None
        )

    def _of(self, subject: str) -> list[Fact]:
        return self.facts.of(subject, self.code)

    def pack(self) -> LocalPack:
        return LocalPack(
            code=self.code,
            area_name=self.area_name,
            reviewer=plain(next((fact["sender_name"] for fact in self._of("reviewers")), "the reviewer")),
            is_national_force=self.is_national,
            like_areas=tuple(plain(fact["area_name"]) for fact in self._of("like_areas")),
            compare=tuple(self._compare()),
            good=tuple(self._good()),
            changed=tuple(self._changed()),
            data=tuple(self._data()),
            questions=tuple(self._questions()[:MOST_QUESTIONS]),
            rights=self.rights,
            chance_note=self._chance_note(),
            changes_note=self._changes_note(),
            tables=self._tables(),
        )

    # --- the first page

    def _compare(self) -> Iterable[str]:
        severe = [fact for fact in self.indicators if fact["is_met"]]
        watch = [fact for fact in self.indicators if not fact["is_met"]]
        recommended = [fact for fact in self._of("results") if fact["is_recommended"]]
        if self.is_national:
            yield (
                "National forces have no like areas, so nothing here compares this force with another. Its"
                " figures stand beside the Code's own standard and its own last four quarters."
            )
        else:
            tested = [fact for fact in self.statistics if fact["z_score"] is not None]
            yield (
                f"{_counted(len(tested), 'statistic')} could be tested against like areas:"
                f" {len(self.high)} stand{'s' if len(self.high) == 1 else ''} out as high compliance,"
                f" {sum(fact['indicator'] == 'S2' for fact in severe)} as significantly worse, and"
                f" {sum(fact['indicator'] == 'S2' for fact in watch)} are to be watched. The"
                " others do not differ by more than the rules allow for chance."
            )
        for body_kind, found in _by_body(recommended):
            yield (
                f"Recommended to the Programme Board, not decided: {_short(body_kind)}, {_rights(found)}"
                f" ({labels.RESULTS[found[0]['result']].name.lower()})."
            )
        for fact in self.high[:3]:
            yield (
                f"High: {_short(fact['body_kind'])}, {_lower_first(fact['definition'])}:"
                f" {of(fact['good_count'], fact['base_count'], fact['good_rate'])}{self._beside(fact)}."
            )
        for fact in sorted(severe, key=_is_process)[:4]:
            yield f"{'Process lacking' if _is_process(fact) else 'Low'}: {self._indicator(fact)}."
        for fact in watch[: max(0, 3 - len(severe))]:
            yield f"Watch: {self._indicator(fact)}."

    def _beside(self, fact: Fact) -> str:
        if fact["like_areas_rate"] is None:
            return ""
        return f"; like areas together {labels.percent(fact['like_areas_rate'])}"

    def _indicator(self, fact: Fact) -> str:
        """An indicator met or watched, with its figures, in words."""
        start = f"{_short(fact['body_kind'])}, {_lower_first(plain(fact['item_definition']))}"
        if fact["indicator"] == "S4":
            grade = fact["grade"]
            if grade is None:
                return f"{start}: no delivery assessment came"
            return f"{start}: assessed as {labels.GRADES.get(grade, str(grade))}"
        figures = of(fact["good_count"], fact["base_count"], fact["rate"])
        if fact["indicator"] == "S2":
            return f"{start}: {figures}; like areas point to {labels.percent(fact['peer_target_rate'])}"
        return f"{start}: {figures}; threshold {labels.percent(fact['threshold'])}"

    def _gaps(self) -> list[Fact]:
        """Statistics with a gap to what the best areas reach, the largest in victims first."""
        return self._by_gap("own_gap" if self.is_national else "achievable_gap")

    def _standard_gaps(self) -> list[Fact]:
        return self._by_gap("standard_gap")

    def _by_gap(self, gap: str) -> list[Fact]:
        found = [fact for fact in self.statistics if fact[gap]]
        return sorted(found, key=lambda fact: (-fact[gap], fact["item_id"], fact["body_kind"]))

    def _good(self) -> Iterable[str]:
        if self.is_national:
            for fact in self._standard_gaps()[:MOST_GAPS]:
                yield (
                    f"{fact['definition']}: {of(fact['good_count'], fact['base_count'], fact['good_rate'])}."
                    f" {self._standard(fact)} is {labels.percent(fact['standard_rate'])}:"
                    f" {_counted(fact['standard_gap'], 'victim')} short of it{_sample(fact)}."
                )
            return
        for fact in self._gaps()[:MOST_GAPS]:
            like = fact["like_areas_gap"]
            yield (
                f"{_short(fact['body_kind'])}, {_lower_first(fact['definition'])}:"
                f" {of(fact['good_count'], fact['base_count'], fact['good_rate'])}. The best areas reach"
                f" {labels.percent(fact['achievable_rate'])}:"
                f" {_counted(fact['achievable_gap'], 'more victim')}"
                f"{_sample(fact)}" + (f", {like:,} of them to reach like areas" if like else "") + "."
            )

    def _standard(self, fact: Fact) -> str:
        return "The Code's standard" if fact["standard_basis"] == "code" else "The proposed standard"

    def _changed(self) -> Iterable[str]:
        changes = self._changes()
        if not changes:
            yield "No figure moved by more than chance explains, against the quarter before or a year ago."
        told = [one for one in changes if one[0]["base_count"] >= one[0]["least_base"]][:MOST_CHANGES]
        for fact, against in told:
            before = "year_ago" if against == "a year ago" else "previous"
            word = fact[f"change_from_{before}"]
            yield (
                f"{_short(fact['body_kind'])}, {_lower_first(fact['definition'])}"
                f"{_kind_of_measure(fact)}: {word} than {against},"
                f" {of(fact['good_count'], fact['base_count'], fact['good_rate'])}, was"
                f" {of(fact[f'{before}_good_count'], fact[f'{before}_base_count'], fact[f'{before}_rate'])}."
            )
        if rest := len(changes) - len(told):
            yield f"{rest} more {'is' if rest == 1 else 'are'} in the table of changes."

    def _changes(self) -> list[tuple[Fact, str]]:
        """Figures that moved beyond chance: statistics first, what got worse before what got better, against
        the quarter before or, where that shows no change, against a year ago."""
        found = []
        for fact in self.benchmarks:
            for column, against in (
                ("change_from_previous", "the quarter before"),
                ("change_from_year_ago", "a year ago"),
            ):
                if fact[column] in ("lower", "higher"):
                    found.append((fact, against, fact[column]))
                    break
        worse = {False: "lower", True: "higher"}
        found.sort(
            key=lambda one: (one[0]["information"] != "statistic", one[2] != worse[_is_lower_better(one[0])])
        )
        return [(fact, against) for fact, against, _ in found]

    def _data(self) -> Iterable[str]:
        due = [fact for fact in self._of("submissions") if fact["form_kind"] == "quarterly"]
        here = len(due) - sum(fact["form_kind"] == "quarterly" for fact in self.missing)
        were = "was" if here == 1 else "were"
        yield f"{here} of {_counted(len(due), 'quarterly return')} came and {were} accepted."
        for fact in self.missing:
            status = labels.SUBMISSIONS[fact["submission_status"]]
            yield f"{plain(fact['sender_name'])}: {status}. A missing figure is not a pass."
        if warnings := self._of("exclusions"):
            yield (
                f"{_counted(len(warnings), 'figure')} with more cases left out as not suitable, declined or"
                " unknown than like areas."
            )

    # --- questions

    def _questions(self) -> list[Question]:
        return [
            *self._questions_on_cases(),
            *self._questions_on_indicators(),
            *self._questions_on_returns(),
            *self._questions_on_changes(),
            *self._questions_on_actions(),
            *self._questions_on_gaps(),
            *self._questions_on_feedback(),
            *self._questions_on_groups(),
            *self._questions_on_what_is_not_collected(),
        ]

    def _questions_on_cases(self) -> Iterable[Question]:
        for body_kind, found in _by_body(self._of("cases")):
            first = found[0]
            is_one = len(found) == 1
            next_step = plain(first["next_step"] or "")
            yield Question(
                _short(body_kind),
                f"{_upper_first(_rights(found))} {'has an open case' if is_one else 'have open cases'}:"
                " what has been done since the last review, and what would show that it works?",
                f"Open since {day(first['detected_on'])}; {plain(first['state_name']).lower()};"
                f" {plain(first['needs_attention'] or 'nothing waits for a decision')}"
                + (f"; next: {next_step}, due {day(first['next_due_on'])}" if next_step else ""),
            )

    def _questions_on_indicators(self) -> Iterable[Question]:
        asked = {
            "S1": "Why did so few victims get this, and what will change it?",
            "S2": "Why are fewer victims reached than in like areas, and what do those do otherwise?",
            "S3": "Why do so few victims say that it was done well?",
            "S4": "When will this process be in use, and who sees to it?",
        }
        for fact in self.indicators[:4]:
            status = "" if fact["is_met"] else " (watch)"
            yield Question(
                _short(fact["body_kind"]),
                f"{plain(fact['item_definition'])}: {_lower_first(asked[fact['indicator']])}",
                f"{fact['indicator']}{status}: {self._indicator(fact)}",
            )
        for fact in self._of("exclusions")[:1]:
            yield Question(
                _short(fact["body_kind"]),
                f"{plain(fact['definition'] or fact['metric_id'])}: why are so many cases left out of the"
                " rate, and has anybody read a sample of them?",
                f"{of(fact['excluded_count'], fact['base_count'], fact['exclusion_rate'])} left out;"
                f" like areas point to {labels.percent(fact['peer_exclusion_rate'])}",
            )

    def _questions_on_returns(self) -> Iterable[Question]:
        for fact in self.missing[:3]:
            yield Question(
                plain(fact["sender_name"]),
                "What kept the return from being made, and when will it come?",
                f"{labels.SUBMISSIONS[fact['submission_status']].capitalize()}; due {day(fact['due_on'])}",
            )

    def _questions_on_changes(self) -> Iterable[Question]:
        falls = [
            (fact, against)
            for fact, against in self._changes()
            if fact["information"] == "statistic"
            and not _is_lower_better(fact)
            and fact["change_from_year_ago" if against == "a year ago" else "change_from_previous"] == "lower"
        ]
        for fact, against in falls[:2]:
            before = "year_ago" if against == "a year ago" else "previous"
            yield Question(
                _short(fact["body_kind"]),
                f"{plain(fact['definition'])}: what changed since {against}?",
                f"{of(fact['good_count'], fact['base_count'], fact['good_rate'])}, was"
                f" {of(fact[f'{before}_good_count'], fact[f'{before}_base_count'], fact[f'{before}_rate'])}:"
                " a fall beyond chance",
            )

    def _questions_on_actions(self) -> Iterable[Question]:
        for fact in self.actions:
            if fact["is_lost"]:
                yield Question(
                    _body(fact),
                    f"Action {plain(fact['insight_id'])} is no longer reported: was it done, or dropped?",
                    f"Last reported for {fact['last_reported_period_code']},"
                    f" due {day(fact['action_due_on'])}: {plain(fact['insight_text'])}",
                )
            elif fact["is_overdue"]:
                yield Question(
                    _body(fact),
                    f"Action {plain(fact['insight_id'])} is overdue: what stands in its way?",
                    f"Due {day(fact['action_due_on'])}, {_action_state(fact)}: {plain(fact['insight_text'])}",
                )

    def _questions_on_gaps(self) -> Iterable[Question]:
        if self.is_national:
            for fact in self._standard_gaps()[:2]:
                yield Question(
                    _short(fact["body_kind"]),
                    f"{plain(fact['definition'])}: which step loses the victims who were not reached?",
                    f"{of(fact['good_count'], fact['base_count'], fact['good_rate'])};"
                    f" {_counted(fact['standard_gap'], 'victim')} short of"
                    f" {labels.percent(fact['standard_rate'])}",
                )
            return
        for fact in self._gaps()[:2]:
            yield Question(
                _short(fact["body_kind"]),
                f"{plain(fact['definition'])}: what would it take to reach what the best areas reach?",
                f"{of(fact['good_count'], fact['base_count'], fact['good_rate'])}; achievable"
                f" {labels.percent(fact['achievable_rate'])},"
                f" {_counted(fact['achievable_gap'], 'more victim')}"
                f"{_sample(fact)}",
            )

    def _questions_on_feedback(self) -> Iterable[Question]:
        below = [
            fact
            for fact in self.answers
            if fact["like_areas_rate"] is not None
            and fact["rate_upper"] is not None
            and fact["base_count"] >= fact["least_base"]
            and _short_of_like_areas(fact) > 0
        ]
        below.sort(key=lambda fact: (-_short_of_like_areas(fact), fact["item_id"]))
        for fact in below[:2]:
            yield Question(
                _short(fact["body_kind"]),
                f"{plain(fact['definition'])}: what do victims say is missing?",
                f"{of(fact['good_count'], fact['base_count'], fact['good_rate'])}"
                f"{LOWER_IS_BETTER if _is_lower_better(fact) else ' answered well'}; like areas"
                f" together {labels.percent(fact['like_areas_rate'])}",
            )

    def _questions_on_groups(self) -> Iterable[Question]:
        for fact in self.disparities[:1]:
            yield Question(
                _short(fact["body_kind"]),
                f"{plain(fact['definition'])}: why is it"
                f" {'higher' if _is_lower_better(fact) else 'lower'} for {_group(fact)}, and what would"
                " a sample of files show?",
                f"{of(fact['group_good_count'], fact['group_base_count'], fact['group_rate'])} against"
                f" {of(fact['rest_good_count'], fact['rest_base_count'], fact['rest_rate'])} of the rest",
            )

    def _questions_on_what_is_not_collected(self) -> Iterable[Question]:
        for fact in self._not_collected()[:2]:
            yield Question(
                _short(fact["body_kind"]),
                f"{plain(fact['definition'])}: when will it be counted?",
                f"Not collected: {plain(fact['not_collected_reason'] or 'no reason given')}",
            )

    def _not_collected(self) -> list[Fact]:
        return [fact for fact in self._of("items") if fact["figure_status"] == "not_collected"]

    # --- each right

    def _rights(self) -> Iterable[RightView]:
        items: dict[tuple[Any, ...], list[Fact]] = {}
        for fact in self._of("items"):
            items.setdefault((fact["right_number"], fact["body_kind"], fact["information"]), []).append(fact)
        by_right: dict[int, list[dict[str, Any]]] = {}
        for fact in self._of("rights"):
            kinds = ("statistic", "feedback", "delivery")
            if all(fact[f"{kind}_status"] == "not_collected_by_design" for kind in kinds):
                continue
            lines = [
                self._partner(
                    fact[f"{kind}_status"], items.get((fact["right_number"], fact["body_kind"], kind), [])
                )
                for kind in kinds
            ]
            by_right.setdefault(fact["right_number"], []).extend(
                {
                    "body": _short(fact["body_kind"]),
                    "statistics": statistic,
                    "feedback": answer,
                    "delivery": delivery,
                }
                for statistic, answer, delivery in zip_longest(*lines, fillvalue="")
            )
        for number in sorted(by_right):
            title = plain(self.facts.right_titles[number])
            yield RightView(number, title, _rows(f"right_{number}", by_right[number]))

    def _partner(self, status: str, items: Sequence[Fact]) -> tuple[str, ...]:
        if status == "not_collected_by_design":
            return (BY_DESIGN,)
        if not items:
            return (labels.FIGURE_STATUSES.get(status, status.replace("_", " ").capitalize()),)
        return tuple(_item(fact) for fact in items)

    # --- groups of victims

    def _chance_note(self) -> str:
        tested = next(iter(self._of("tested_breakdowns")), None)
        if tested is None:
            return "No group was large enough to be compared with the rest."
        by_chance = round(CHANCE_LOWER * tested["test_count"])
        return (
            f"{tested['test_count']:,} comparisons were made; {tested['worse_count']:,} came out worse."
            f" If no group truly differed, about {by_chance:,} would by chance alone. So a line below is a"
            " reason to read files, not a finding. The surest come first."
        )

    def _changes_note(self) -> str:
        columns = ("change_from_previous", "change_from_year_ago")
        tests = [fact[column] for fact in self.benchmarks for column in columns if fact[column]]
        moved = sum(word in ("lower", "higher") for word in tests)
        return (
            f"{len(tests):,} comparisons were made, with the quarter before and with a year ago;"
            f" {moved:,} came out higher or lower. If nothing had changed, about"
            f" {round(CHANCE_EITHER * len(tests)):,} would by chance alone."
        )

    # --- what others do

    def _practice(self) -> list[Fact]:
        like = {fact["peer_pfa_code"] for fact in self._of("like_areas")}
        weak = {fact["right_number"] for fact in self.indicators} | {
            fact["right_number"] for fact in self._gaps()[:MOST_GAPS]
        }
        latest = self.provenance.period_code
        others = [
            fact
            for fact in self.facts.practice
            if fact["area_code"] != self.code
            and (fact["period_code"] < latest or self.provenance.stage == "final")
        ]
        kinds = {fact["body_kind"] for fact in self._of("rights")}
        if self.is_national:
            kinds |= {"police"}
        others = [fact for fact in others if fact["body_kind"] is None or fact["body_kind"] in kinds]
        ordered = sorted(
            others,
            key=lambda fact: (fact["pfa_code"] not in like, fact["right_number"] not in weak),
        )
        return [{**fact, "is_like_area": fact["pfa_code"] in like} for fact in ordered[:MOST_PRACTICE]]

    # --- tables

    def _tables(self) -> Mapping[str, Rows]:
        made = {
            "statistics": [self._benchmark_row(fact) for fact in self.statistics],
            "feedback": [self._benchmark_row(fact) for fact in self.answers],
            "indicators": [
                {
                    "body": _short(fact["body_kind"]),
                    "right_number": fact["right_number"],
                    "measure": plain(fact["item_definition"]),
                    "indicator": f"{fact['indicator']} {labels.INDICATORS[fact['indicator']]}",
                    "status": "met" if fact["is_met"] else "watch: near the limit, not met",
                    "figures": _after(self._indicator(fact), plain(fact["item_definition"])),
                }
                for fact in self.indicators
            ],
            "chart_police": self._chart_rows(is_police=True),
            "chart_others": self._chart_rows(is_police=False),
            "high": [self._benchmark_row(fact) for fact in self.high],
            "changes": [self._change_row(fact, against) for fact, against in self._changes()],
            "disparities": [_disparity_row(fact) for fact in self.disparities[:MOST_DISPARITIES]],
            "all_disparities": [_disparity_row(fact) for fact in self.disparities],
            "submissions": [
                {
                    "sender": plain(fact["sender_name"]),
                    "form": _FORM_KINDS.get(fact["form_kind"], fact["form_kind"]),
                    "due_on": fact["due_on"],
                    "status": labels.SUBMISSIONS.get(fact["submission_status"], fact["submission_status"])
                    + (f" by {_counted(fact['days_late'], 'day')}" if fact["days_late"] else ""),
                    "receipt": fact["current_receipt_id"] or NONE,
                    "revised": "yes" if fact["is_revised"] else "no",
                }
                for fact in self._of("submissions")
            ],
            "problems": _grouped_problems(self._of("problems")),
            "exclusions": [
                {
                    "body": _short(fact["body_kind"]),
                    "measure": plain(fact["definition"] or fact["metric_id"]),
                    "figures": of(fact["excluded_count"], fact["base_count"], fact["exclusion_rate"]),
                    "like_areas": labels.percent(fact["peer_exclusion_rate"]),
                    "status": "far above like areas" if fact["is_severe"] else "watch",
                }
                for fact in self._of("exclusions")
            ],
            "not_collected": [
                {
                    "body": _short(fact["body_kind"]),
                    "measure": plain(fact["definition"]),
                    "reason": plain(fact["not_collected_reason"] or "no reason given"),
                }
                for fact in self._not_collected()
            ],
            "results": [
                {
                    "body": _short(fact["body_kind"]),
                    "right": f"{fact['right_number']} {plain(fact['right_title'])}",
                    "result": labels.RESULTS[fact["result"]].name,
                    "reason": plain(fact["reason"] or ""),
                    "recorded": self._recorded(fact),
                }
                for fact in self._of("results")
            ],
            "cases": [
                {
                    "body": _short(fact["body_kind"]),
                    "right": f"{fact['right_number']} {plain(fact['right_title'])}",
                    "state": f"{plain(fact['state_name'])}, since {day(fact['state_since_on'])}",
                    "waiting": plain(fact["needs_attention"] or "nothing waits for a decision"),
                    "next_step": (
                        f"{plain(fact['next_step'])}, due {day(fact['next_due_on'])}"
                        + (" (overdue)" if fact["is_overdue"] else "")
                        if fact["next_step"]
                        else "none recorded"
                    ),
                    "notices": plain(fact["notice_ids"] or NONE),
                }
                for fact in self._of("cases")
            ],
            "actions": [
                {
                    "insight_id": plain(fact["insight_id"]),
                    "body": _body(fact),
                    "action": plain(fact["insight_text"]),
                    "owner": plain(fact["owner_role"] or "no owner named"),
                    "due_on": fact["action_due_on"],
                    "status": _action_state(fact),
                    "first_reported": fact["first_reported_period_code"],
                }
                for fact in self.actions
            ],
            "review": [
                {
                    "kind": _INSIGHT_KINDS.get(fact["insight_kind"], fact["insight_kind"]),
                    "body": _body(fact),
                    "right": fact["right_number"] or "several",
                    "text": plain(fact["insight_text"]),
                }
                # a review comes after the provisional stage, whenever that pack is built
                for fact in (self._of("review") if self.provenance.stage == "final" else ())
            ],
            "practice": [
                {
                    "area": plain(_where(fact)) + (" (like area)" if fact["is_like_area"] else ""),
                    "body": _body(fact),
                    "right": fact["right_number"] or "several",
                    "text": plain(fact["insight_text"]),
                    "period": fact["period_code"],
                }
                for fact in self.practice
            ],
            "context": [
                {
                    "source": _CONTEXT_SOURCES.get(fact["context_source"], fact["context_source"]),
                    "publisher": plain(fact["publisher"] or ""),
                    "title": plain(fact["title"] or ""),
                    "summary": plain(fact["summary"] or ""),
                    "measure": _context_measure(fact),
                    "right": fact["right_number"] or "several",
                }
                for fact in [*self._of("context"), *self.facts.of("context", "")]
            ],
            "review_template": [
                {
                    "meeting_on": "",
                    "pfa_code": fact["pfa_code"],
                    "body_code": fact["body_code"],
                    "body": plain(fact["body_name"]),
                    "is_represented": "",
                    "receipt_id": fact["current_receipt_id"] or "no accepted return",
                    "note": "",
                }
                for fact in self._of("bodies")
            ],
            "insight_template": self._insight_template(),
            "questions": [
                {"number": number, "whom": question.whom, "question": question.text, "basis": question.basis}
                for number, question in enumerate(self._questions()[:MOST_QUESTIONS], 1)
            ],
            "rights": [
                {
                    "right": f"{right.number} {right.title}",
                    **{name: row[name].value for name in ("body", "statistics", "feedback", "delivery")},
                }
                for right in self.rights
                for row in right.rows
            ],
        }
        return {name: _rows(name, facts) for name, facts in made.items()}

    def _recorded(self, fact: Fact) -> str:
        if self.provenance.stage == "provisional":
            return "not yet: recorded at the final stage if it stays so"
        key = (fact["body_kind"], fact["right_number"])
        registered = {(one["body_kind"], one["right_number"]) for one in self._of("register")}
        return "yes, in the register" if key in registered else "no"

    def _benchmark_row(self, fact: Fact) -> dict[str, Any]:
        def share(rate: float | None, otherwise: str) -> float | str:
            return otherwise if rate is None else float(rate)

        no_like = NONE if self.is_national else WITHHELD
        achievable = WITHHELD if fact["is_achievable_withheld"] else NOT_SET
        return {
            "body": _short(fact["body_kind"]),
            "right_number": fact["right_number"],
            "measure": plain(fact["definition"])
            + _SAMPLES.get(fact["collection_mode"] if fact["information"] == "statistic" else "", "")
            + (" (lower is better)" if _is_lower_better(fact) else ""),
            "item_id": fact["item_id"],
            "good_count": fact["good_count"],
            "base_count": fact["base_count"],
            "rate": share(fact["good_rate"], "no cases"),
            "rate_lower": share(fact["rate_lower"], NONE),
            "rate_upper": share(fact["rate_upper"], NONE),
            "interval": NONE
            if fact["rate_lower"] is None
            else f"{100 * fact['rate_lower']:.1f} to {100 * fact['rate_upper']:.1f}%",
            "like_areas_rate": share(fact["like_areas_rate"], no_like),
            "like_areas_gap": no_like if fact["like_areas_gap"] is None else fact["like_areas_gap"],
            "achievable_rate": share(fact["achievable_rate"], achievable),
            "achievable_gap": achievable if fact["achievable_gap"] is None else fact["achievable_gap"],
            "standard_rate": share(fact["standard_rate"], NOT_SET),
            "standard_gap": NOT_SET if fact["standard_gap"] is None else fact["standard_gap"],
            "standard_basis": fact["standard_basis"] or NOT_SET,
            "own_rate": share(fact["own_rate"], NONE),
            "own_period_count": fact["own_period_count"],
            "high_compliance": fact["high_compliance"],
        }

    def _chart_rows(self, *, is_police: bool) -> list[dict[str, Any]]:
        """Statistics with an interval as a chart takes them: a figure that is not there is None.

        A chart has each name once; what is counted in two ways, or named alike, says which it is.
        """
        police = {"police", *labels.NATIONAL_FORCES}
        rows: list[dict[str, Any]] = [
            {
                "measure": (
                    plain(fact["definition"])
                    if is_police
                    else f"{_short(fact['body_kind'])}: {_lower_first(plain(fact['definition']))}"
                )
                + _SAMPLES.get(fact["collection_mode"], ""),
                "told_apart": f" ({fact['item_id']}, {fact['sampling_frame'].replace('_', ' ')})",
                "rate": float(fact["good_rate"]),
                "rate_lower": float(fact["rate_lower"]),
                "rate_upper": float(fact["rate_upper"]),
                "like_areas_rate": None
                if fact["like_areas_rate"] is None
                else float(fact["like_areas_rate"]),
                "own_rate": None if fact["own_rate"] is None else float(fact["own_rate"]),
            }
            for fact in self.statistics
            if (fact["body_kind"] in police) == is_police
            and fact["good_rate"] is not None
            and fact["rate_lower"] is not None
        ]
        names = Counter(row["measure"] for row in rows)
        for row in rows:
            told_apart = row.pop("told_apart")
            if names[row["measure"]] > 1:
                row["measure"] += told_apart
        return rows

    def _change_row(self, fact: Fact, against: str) -> dict[str, Any]:
        before = "year_ago" if against == "a year ago" else "previous"
        return {
            "body": _short(fact["body_kind"]),
            "measure": plain(fact["definition"]) + _kind_of_measure(fact),
            "change": f"{fact[f'change_from_{before}']} than {against}",
            "now": of(fact["good_count"], fact["base_count"], fact["good_rate"]),
            "before": of(fact[f"{before}_good_count"], fact[f"{before}_base_count"], fact[f"{before}_rate"]),
        }

    def _insight_template(self) -> list[dict[str, Any]]:
        rows = [
            {
                "insight_id": "",
                "insight_kind": "low",
                "body": _short(fact["body_kind"]),
                "right_number": fact["right_number"],
                "hint": f"What did the review find? {self._indicator(fact)}",
                "status": "",
            }
            for fact in self.indicators[:4]
        ]
        rows += [
            {
                "insight_id": "",
                "insight_kind": "high",
                "body": _short(fact["body_kind"]),
                "right_number": fact["right_number"],
                "hint": f"What is done well, that others could do? {plain(fact['definition'])}",
                "status": "",
            }
            for fact in self.high[:2]
        ]
        rows += [
            {
                "insight_id": plain(fact["insight_id"]),
                "insight_kind": "action",
                "body": _body(fact),
                "right_number": fact["right_number"] or "several",
                "hint": plain(fact["insight_text"]),
                "status": f"was: {_ACTION_STATES.get(fact['action_status'], fact['action_status'])}",
            }
            for fact in self.actions
        ]
        rows += [
            {
                "insight_id": "",
                "insight_kind": kind,
                "body": "",
                "right_number": "",
                "hint": hint,
                "status": "",
            }
            for kind, hint in (
                ("best_practice", "What works here, that another area could take up?"),
                ("dip_sample", "How many files were read, on what, and what did they show?"),
                ("action", "What will be done, by which role, by when?"),
                ("escalate", "What can the area not mend by itself? Why the Programme Board?"),
            )
        ]
        return rows


def _item(fact: Fact) -> str:
    """One item of a right in words, with the reason where there is no figure."""
    name = plain(fact["definition"])
    status = fact["figure_status"]
    if status in ("not_submitted", "not_applicable", "not_collected"):
        reason = f" ({plain(fact['not_collected_reason'])})" if fact["not_collected_reason"] else ""
        return f"{name}: {_lower_first(labels.FIGURE_STATUSES[status])}{reason}"
    late = " (not every return is in)" if status == "incomplete" else ""
    if fact["information"] == "delivery":
        if fact["lowest_grade"] is None:
            return f"{name}: no grade{late}"
        words = f"{name}: {labels.GRADES.get(fact['lowest_grade'], fact['lowest_grade'])}{late}"
        if fact["next_step"]:
            words += f". Next: {_lower_first(plain(fact['next_step']))}"
            words += f", by {day(fact['next_step_due_on'])}" if fact["next_step_due_on"] else ""
        elif fact["has_improvement_plan"] is False and fact["lowest_grade"] < 3:
            words += ". No improvement plan"
        return words
    if fact["unit"] == "proportion":
        sample = _sample(fact)
        lower = LOWER_IS_BETTER if fact["polarity"] == "lower" else ""
        context = ", context only" if fact["polarity"] == "contextual" else ""
        figures = of(fact["numerator_count"], fact["base_count"], fact["item_rate"])
        return f"{name}: {figures}{sample}{lower}{context}{late}"
    if fact["unit"] == "counts_by_delay":
        return (
            f"{name}: {_number(fact['within_limit_count'])}, {_number(fact['short_delay_count'])},"
            f" {_number(fact['long_delay_count'])}{late}"
        )
    return f"{name}: {_number(fact['reported_count'])}{late}"


def _number(value: int | None) -> str:
    return "no figure" if value is None else f"{value:,}"


def _by_body(facts: Iterable[Fact]) -> list[tuple[str, list[Fact]]]:
    """Facts by kind of body, in the order in which the kinds come first."""
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        found.setdefault(fact["body_kind"], []).append(fact)
    return list(found.items())


def _rights(facts: Sequence[Fact]) -> str:
    """right 4; rights 1, 2 and 7; rights 1 to 12."""
    found = sorted({fact["right_number"] for fact in facts})
    numbers = [str(number) for number in found]
    if len(numbers) == 1:
        return f"right {numbers[0]}"
    if len(found) > 2 and found[-1] - found[0] == len(found) - 1:
        return f"rights {numbers[0]} to {numbers[-1]}"
    return f"rights {', '.join(numbers[:-1])} and {numbers[-1]}"


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    """The text as it goes on within a sentence; capitals of an abbreviation stay."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _after(sentence: str, name: str) -> str:
    """What a sentence says after the measure's name."""
    place = sentence.lower().find(name.lower())
    return sentence[place + len(name) + 2 :] if place >= 0 else sentence


def _body(fact: Fact) -> str:
    if fact.get("body_name"):
        return plain(fact["body_name"])
    return _short(fact["body_kind"]) if fact.get("body_kind") else "Several bodies"


def _where(fact: Fact) -> str:
    return (
        labels.BODY_KINDS[fact["body_kind"]]
        if fact["body_kind"] in labels.NATIONAL_FORCES
        else fact["area_name"]
    )


def _group(fact: Fact) -> str:
    breakdown = _BREAKDOWNS.get(fact["breakdown"], fact["breakdown"].replace("_", " "))
    return f"{breakdown}: {plain(str(fact['group_label']))}"


def _disparity_row(fact: Fact) -> dict[str, Any]:
    return {
        "body": _short(fact["body_kind"]),
        "measure": plain(fact["definition"]) + _kind_of_measure(fact),
        "group": _group(fact),
        "group_figures": of(fact["group_good_count"], fact["group_base_count"], fact["group_rate"]),
        "rest_figures": of(fact["rest_good_count"], fact["rest_base_count"], fact["rest_rate"]),
        "difference": f"{100 * fact['rate_difference']:.1f} ({100 * fact['difference_lower']:.1f} to"
        f" {100 * fact['difference_upper']:.1f})",
        "over": "this quarter"
        if fact["compared_period_count"] == 1
        else f"{fact['compared_period_count']} quarters",
        "unknown_share": float(fact["unknown_share"] or 0),
    }


def _grouped_problems(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """Problems by sender and rule, without what was found: a return may serve other areas too."""
    counted: dict[tuple[str, str, str, str], int] = {}
    for fact in facts:
        key = (
            plain(fact["sender_name"]),
            "not accepted" if fact["severity"] == "error" else "accepted, to be checked",
            plain(fact["message"]),
            plain(fact["remedy"] or ""),
        )
        counted[key] = counted.get(key, 0) + 1
    return [
        {"sender": sender, "status": status, "problem": message, "remedy": remedy, "times": times}
        for (sender, status, message, remedy), times in counted.items()
    ]


def _action_state(fact: Fact) -> str:
    state = _ACTION_STATES.get(fact["action_status"], str(fact["action_status"]))
    if fact["is_lost"]:
        return f"no longer reported (was {state})"
    return f"{state}, overdue" if fact["is_overdue"] else state


def _context_measure(fact: Fact) -> str:
    if fact["measure_value"] is None:
        return ""
    value = fact["measure_value"]
    number = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return plain(f"{fact['measure'] or 'Measure'}: {number} {fact['measure_unit'] or ''}".strip())


_NO_ROWS: Mapping[str, Sequence[str]] = {}


def _rows(name: str, facts: Sequence[Mapping[str, Any]]) -> Rows:
    columns = list(facts[0]) if facts else list(_NO_ROWS.get(name, ("body",)))
    return Rows(name, columns, [[fact[column] for column in columns] for fact in facts])


__all__ = ["LEAST_AREAS", "LocalPack", "Question", "RightView", "local_pack", "of", "plain"]
