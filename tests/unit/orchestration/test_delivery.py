from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestration import delivery as module
from orchestration.delivery import Delivery, deliver, delivered

NOON = datetime(2025, 8, 1, 12, tzinfo=UTC)


def delivery(folder: Path, name: str, *, is_moved: bool = False, content: str = "x") -> Delivery:
    source = folder / "made" / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(content)
    return Delivery(source, "E23000028-police", name, NOON, is_moved=is_moved)


def visible(inbox: Path) -> list[str]:
    return sorted(str(path.relative_to(inbox)) for path in inbox.rglob("*") if path.is_file())


def test_a_file_arrives_with_its_arrival_noted(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    placed = deliver(inbox, [delivery(tmp_path, "a.zip")])
    assert placed == [inbox / "E23000028-police" / "a.zip"]
    assert (inbox / "arrivals.csv").read_text() == (
        "sender_code,file_name,arrived_at\nE23000028-police,a.zip,2025-08-01T12:00:00Z\n"
    )


def test_what_was_delivered_and_taken_in_is_not_delivered_again(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    first = delivery(tmp_path, "a.zip")
    deliver(inbox, [first])[0].unlink()
    journal = (inbox / "arrivals.csv").read_bytes()
    assert deliver(inbox, [first]) == []
    assert visible(inbox) == ["arrivals.csv"] and (inbox / "arrivals.csv").read_bytes() == journal


@pytest.mark.parametrize("is_moved", [True, False])
@pytest.mark.parametrize("dies_at", ["_stage", "write_bytes", "_journal"])
def test_a_delivery_that_was_killed_is_completed_by_repeating_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_moved: bool, dies_at: str
) -> None:
    inbox = tmp_path / "inbox"
    both = [delivery(tmp_path, "a.zip", is_moved=is_moved), delivery(tmp_path, "b.zip", is_moved=is_moved)]
    original = getattr(module, dies_at)
    calls = []

    def dies(*arguments: object) -> object:
        calls.append(1)
        if dies_at != "_stage" or len(calls) == 2:
            if dies_at == "write_bytes":
                original(*arguments)
            raise KeyboardInterrupt
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, dies_at, dies)
        with pytest.raises(KeyboardInterrupt):
            deliver(inbox, both)
    deliver(inbox, both)
    assert visible(inbox) == ["E23000028-police/a.zip", "E23000028-police/b.zip", "arrivals.csv"]
    assert len(delivered(inbox)) == 2


def test_a_missing_file_is_refused_before_anything_is_noted(tmp_path: Path) -> None:
    missing = Delivery(tmp_path / "none.zip", "E23000028-police", "none.zip", NOON)
    with pytest.raises(FileNotFoundError):
        deliver(tmp_path / "inbox", [missing])
    assert not (tmp_path / "inbox" / "arrivals.csv").exists()
