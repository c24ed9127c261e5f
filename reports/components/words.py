"""What a chart shows, in words: generated from the same points, so that words and picture cannot differ.

Sentences name the highest and the lowest figure, never the best or the worst: what is good depends on the
measure, and no area is ranked. A change is only called one where the two 95% intervals do not overlap: a
strict test (it finds fewer changes than a test of the difference of two proportions) which needs nothing but
what is published.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from reports.components.figure import joined
from reports.components.reading import Point

NOT_SHOWN = {
    "c": "withheld so that nobody can be identified",
    "x": "not available",
    "z": "not applicable",
    "w": "not submitted",
    "": "without a figure",
}
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def spelt(count: int) -> str:
    """Small numbers as words, `three`; others as figures."""
    return _SMALL[count] if count < len(_SMALL) else f"{count:,}"


def counted(count: int, one: str, more: str | None = None) -> str:
    """`one area`, `12 areas`."""
    return f"{spelt(count)} {one if count == 1 else more or one + 's'}"


def started(sentence: str) -> str:
    """The sentence with a capital at its start."""
    return sentence[:1].upper() + sentence[1:]


def not_shown(points: Sequence[Point]) -> str:
    """How many of the figures are not given and why; nothing where all are."""
    gone = [item for item in points if item.value is None]
    if not gone:
        return ""
    reasons = []
    banded = sum(item.band is not None for item in gone)
    if banded:
        reasons.append((banded, "given only as a range"))
    for status, reason in NOT_SHOWN.items():
        count = sum(item.band is None and (item.status or "") == status for item in gone)
        if count:
            reasons.append((count, reason))
    if len(points) == 1:
        return f"The figure is {reasons[0][1]}."
    if len(reasons) == 1 and reasons[0][0] == len(points):
        return f"{all_of(len(points), 'figure')} are {reasons[0][1]}."
    parts = [f"{spelt(count)} {'is' if count == 1 else 'are'} {reason}" for count, reason in reasons]
    return f"Of {counted(len(points), 'figure')}, {joined(parts)}."


def change(first: Point, last: Point) -> str:
    """Whether the last figure differs from the first: do their 95% intervals overlap, if both have one."""
    if None in (first.lower, first.upper, last.lower, last.upper):
        return ""
    assert first.lower is not None and first.upper is not None
    assert last.lower is not None and last.upper is not None
    if last.lower > first.upper:
        return "This is a rise: the two 95% intervals do not overlap."
    if last.upper < first.lower:
        return "This is a fall: the two 95% intervals do not overlap."
    return "There is no detectable change: the two 95% intervals overlap."


def ends(points: Sequence[Point]) -> str:
    """The first and the last figure in a few words, as a small chart says them."""
    given = [item for item in points if item.value is not None]
    if not given:
        return not_shown(points)
    if len(given) == 1:
        text = f"{given[0].shown} in {given[0].label}."
    else:
        text = f"{given[0].shown} in {given[0].label}, {given[-1].shown} in {given[-1].label}."
    return " ".join(part for part in (text, not_shown(points)) if part)


def extremes(given: Sequence[Point], *, ties: str = "of them", noun: str = "figure") -> str:
    """The highest and the lowest of at least two figures, each with the one or two that have it."""
    values = [item.value for item in given if item.value is not None]
    if max(values) == min(values):
        return f"{all_of(len(given), noun)} that are given are {given[0].shown}."

    def named(extreme: float) -> str:
        at = [item for item in given if item.value == extreme]
        names = [item.label for item in at]
        where = joined(names) if len(names) <= 2 else f"{spelt(len(names))} {ties}"
        return f"{at[0].shown} ({where})"

    return f"The highest {noun} is {named(max(values))}, the lowest {named(min(values))}."


def line_words(points: Sequence[Point], *, series: Sequence[str] = ()) -> str:
    """First and last figure and whether they differ; highest and lowest; what is not shown.

    Several series that begin and end together are told in one sentence.
    """
    said = []
    groups = [(name, [item for item in points if item.series == name]) for name in series]
    given = [(name, [item for item in own if item.value is not None]) for name, own in groups]
    spans = {(own[0].label, own[-1].label) for _, own in given if own}
    if len(series) < 2:
        said += _one_line(points)
    elif len(spans) == 1 and all(len(own) > 1 for _, own in given):
        start, end = spans.pop()
        parts = [f"{name} {own[0].shown} and {own[-1].shown}{_aside(own[0], own[-1])}" for name, own in given]
        said.append(f"In {start} and in {end}: {'; '.join(parts)}.")
    else:
        for name, own in given:
            if own:
                said.append(f"{name}: {ends(own)}")
    said.append(not_shown(points))
    return " ".join(part for part in said if part)


def _one_line(points: Sequence[Point]) -> list[str]:
    given = [item for item in points if item.value is not None]
    if not given:
        return []
    if len(given) == 1:
        return [f"{given[0].shown} in {given[0].label}."]
    said = [f"{given[0].shown} in {given[0].label} and {given[-1].shown} in {given[-1].label}."]
    said.append(change(given[0], given[-1]))
    if len(given) > 2:
        said.append(extremes(given, ties="times"))
    return [started(part) for part in said if part]


def _aside(first: Point, last: Point) -> str:
    """The result of `change` in brackets, for a list of series."""
    said = change(first, last)
    for word, short in (("rise", "a rise"), ("fall", "a fall"), ("no detectable", "no detectable change")):
        if word in said:
            return f" ({short})"
    return ""


def all_of(count: int, noun: str) -> str:
    """`Both figures`, `All five figures`."""
    return f"Both {noun}s" if count == 2 else f"All {counted(count, noun)}"


def middle_words(given: Sequence[Point]) -> str:
    """Which figure stands in the middle; of an even number, between which two that differ the middle lies."""
    values = [item.value for item in given if item.value is not None]
    low, high = statistics.median_low(values), statistics.median_high(values)
    shown = {item.value: item.shown for item in given}
    if low == high:
        return f"The middle figure is {shown[low]}."
    return f"The middle lies between {shown[low]} and {shown[high]}."


def bar_words(points: Sequence[Point], *, highlight: Sequence[str] = ()) -> str:
    """Highest, lowest and middle figure, those that are pointed out, and what is not shown."""
    given = [item for item in points if item.value is not None]
    said = []
    if len(given) == 1:
        said.append(f"{given[0].label}: {given[0].shown}.")
    elif given:
        said.append(extremes(given))
        if len(given) > 2 and len({item.value for item in given}) > 1:
            said.append(middle_words(given))
    for name in highlight:
        own = [item for item in points if item.label == name]
        if own and len(given) > 1:
            said.append(f"{name}: {own[0].shown or 'no figure'}.")
    said.append(not_shown(points))
    return " ".join(part for part in said if part)
