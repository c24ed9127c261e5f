from __future__ import annotations

from pathlib import Path

import pytest

from ingest import documentation
from ingest.acceptance.registry import RULES
from ingest.documentation import main, returns_page
from ingest.form import Forms
from ingest.reference import Reference


def test_the_page_is_what_the_forms_and_rules_say() -> None:
    assert main(["--check"]) == 0, "run `make docs`"


def test_a_stale_page_is_found_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "returns.md"
    monkeypatch.setattr(documentation, "PAGE", page)
    assert main(["--check"]) == 1
    assert main([]) == 0 and main(["--check"]) == 0
    page.write_text(page.read_text().replace("FIGURES-001", "FIGURES-999"))
    assert main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err


def test_every_rule_every_form_and_every_column_is_on_the_page(forms: Forms, reference: Reference) -> None:
    page = returns_page(forms, reference)
    assert [code for code in RULES if f"| `{code}` |" not in page] == []
    for form in forms:
        assert f"`{form.kind}`, version {form.version}" in page
        for sheet in form.sheets:
            assert [column.name for column in sheet.columns if f"`{column.name}`" not in page] == []


def test_a_later_version_is_told_by_what_it_changes(forms: Forms, reference: Reference) -> None:
    page = returns_page(forms, reference)
    assert "Against version 1: `metrics.count` is headed `events`." in page
