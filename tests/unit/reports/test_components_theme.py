from __future__ import annotations

import itertools

import pytest

from reports.components import theme
from reports.components.figure import NARROW, WIDE
from reports.components.reading import ComponentError

# How colours look to people who do not see one of the three primaries: Machado, Oliveira and Fernandes 2009,
# severity 1.0, on linear RGB.
SIGHT = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear(colour: str) -> list[float]:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, definition of contrast ratio."""
    lights = sorted(
        sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))
        for colour in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def lab(parts: list[float]) -> list[float]:
    """CIE 1976 L*a*b*, D65."""
    red, green, blue = (min(max(part, 0.0), 1.0) for part in parts)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def test_the_contrast_formula_gives_the_ratios_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # WebAIM's known near miss


@pytest.mark.parametrize("colour", [*theme.SERIES_COLOURS, theme.MAIN, theme.HIGHLIGHT, theme.GREY_INK])
def test_marks_stand_out_from_the_paper(colour: str) -> None:
    assert contrast(colour, theme.PAPER) >= 3


def test_text_stands_out_from_what_it_is_printed_on() -> None:
    pairs = [(theme.INK, theme.PAPER), (theme.INK, theme.NO_FIGURE_FILL), *theme.CLASS_FILLS]
    assert {pair: contrast(*pair) for pair in pairs if contrast(*pair) < 4.5} == {}


def test_fills_of_a_map_grow_darker_and_its_edges_stand_out_from_the_light_ones() -> None:
    lights = [lab(linear(fill))[0] for fill, _ in theme.CLASS_FILLS]
    assert all(one - other >= 10 for one, other in itertools.pairwise(lights))
    assert contrast(theme.GREY_INK, theme.PAPER) >= 3


@pytest.mark.parametrize("sight", SIGHT)
def test_series_differ_for_every_kind_of_sight(sight: str) -> None:
    def seen(colour: str) -> list[float]:
        return lab([sum(a * b for a, b in zip(row, linear(colour), strict=True)) for row in SIGHT[sight]])

    # 2.3 is a difference that is just noticed; ask for five times that.
    near = {
        (one, other): distance
        for one, other in itertools.combinations(theme.SERIES_COLOURS, 2)
        if (distance := sum((a - b) ** 2 for a, b in zip(seen(one), seen(other), strict=True)) ** 0.5) < 11.5
    }
    assert near == {}


def test_series_differ_without_colour() -> None:
    count = len(theme.SERIES_COLOURS)
    assert len(set(theme.SERIES_DASHES)) == len(set(theme.SERIES_SHAPES)) == count
    assert theme.HIGHLIGHT != theme.MAIN


def test_a_seventh_series_is_refused_with_a_way_out() -> None:
    assert len(theme.series_styles("line_chart", tuple("abcdef"))) == 6
    with pytest.raises(ComponentError, match="small_multiples"):
        theme.series_styles("line_chart", tuple("abcdefg"))


def test_text_is_never_smaller_than_twelve_pixels() -> None:
    assert min(theme.text_size(width) for width in (NARROW, WIDE)) - 1 >= 12
