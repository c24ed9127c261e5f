from __future__ import annotations

import pytest

from ingest.limits import Limits


def test_without_settings_the_limits_are_the_defaults() -> None:
    assert Limits.from_environment({"PATH": "/bin", "VCC_DATA": "x", "VCC_LIMIT_ROWS": " "}) == Limits()


def test_a_setting_replaces_one_limit() -> None:
    limits = Limits.from_environment({"VCC_LIMIT_ROWS": "500", "VCC_LIMIT_SECONDS": "2.5"})
    assert limits == Limits(rows=500, seconds=2.5)
    assert isinstance(limits.rows, int)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "1e3", "20 MiB", "1_000", "\u0661\u0662"])
def test_a_count_that_is_no_whole_number_above_zero_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"VCC_LIMIT_ROWS is .* must be a whole number above zero"):
        Limits.from_environment({"VCC_LIMIT_ROWS": value})


@pytest.mark.parametrize("value", ["0", "-1", "soon", "inf", "nan"])
def test_a_time_that_is_no_number_above_zero_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"VCC_LIMIT_SECONDS is .* must be a number above zero"):
        Limits.from_environment({"VCC_LIMIT_SECONDS": value})


def test_a_misspelt_limit_is_refused_rather_than_ignored() -> None:
    with pytest.raises(ValueError, match="perhaps VCC_LIMIT_FILE_BYTES is meant"):
        Limits.from_environment({"VCC_LIMIT_FILEBYTES": "5"})
