from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont

from reports.components.text import plain, text_width, wrapped

LIBERATION = "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf"


@pytest.mark.parametrize(
    "mark", ["\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))]
)
def test_direction_controls_are_gone(mark: str) -> None:
    assert plain(f"Es{mark}sex") == "Essex"


def test_lines_and_controls_cannot_break_a_line() -> None:
    assert plain(" a\r\n b\t c\u2028d ") == "a b c d"
    assert plain("a\x00b\x1bc\ud800\uffff") == "a\ufffdb\ufffdc\ufffd\ufffd"
    assert plain("<b>{{ 7 }}</b>") == "<b>{{ 7 }}</b>"


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_every_plain_text_fits_in_an_xml_file(text: str) -> None:
    escaped = plain(text).replace("&", "&amp;").replace("<", "&lt;")
    assert (ET.fromstring(f"<a>{escaped}</a>".encode()).text or "") == plain(text)
    assert plain(plain(text)) == plain(text)


def test_widths_are_those_of_the_font() -> None:
    font = ImageFont.truetype(LIBERATION, 1000)
    for letter in map(chr, range(32, 127)):
        assert text_width(letter, 1000) == pytest.approx(font.getlength(letter), abs=1.5), letter


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.integers(20, 200))
def test_lines_are_no_wider_than_asked_for_and_lose_nothing_in_silence(text: str, width: int) -> None:
    lines = wrapped(text, width, 13, lines=3)
    assert 1 <= len(lines) <= 3
    assert all(text_width(line, 13) <= width or len(line) <= 1 for line in lines)
    if not lines[-1].endswith("\u2026"):
        assert "".join("".join(lines).split()) == "".join(text.split())
