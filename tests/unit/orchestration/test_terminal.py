from __future__ import annotations

import io

from orchestration.terminal import ProgressLine, table


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    assert table(("area", "cases"), [("Essex", 1200), ("City of London", 7)]) == (
        "area            cases\n--------------  -----\nEssex           1,200\nCity of London      7"
    )


def test_an_absent_value_is_blank_and_not_a_zero() -> None:
    assert table(("area", "cases"), [("Essex", None), ("Kent", 0)]).splitlines()[2:] == [
        "Essex",
        "Kent       0",
    ]


def test_each_piece_of_work_leaves_one_line_with_its_amount() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream)
    for done in range(4):
        line("Judging returns", done, 3)
    line("Building", 0, 0)
    line.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("  Judging returns 3 of 3 (") and lines[1].startswith("  Building (")


def test_a_terminal_shows_one_moving_line() -> None:
    screen = Screen()
    line = ProgressLine(screen)
    line("Judging returns", 1, 2)
    line("Judging returns", 2, 2)
    line.close()
    assert "Judging returns 1 of 2" in screen.getvalue()
    assert screen.getvalue().count("\n") == 1
