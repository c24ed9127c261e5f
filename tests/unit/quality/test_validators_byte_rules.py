from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quality.validators import byte_rules

Spoil = Callable[[Path], object]
LOCAL = "local_compliance.csv"


def test_a_whole_release_passes(release: Path) -> None:
    assert byte_rules.validate(release) == []


def _bytes(name: str, change: Callable[[bytes], bytes]) -> Spoil:
    def spoil(release: Path) -> None:
        path = release / name
        content = path.read_bytes()
        changed = change(content)
        assert changed != content
        path.write_bytes(changed)

    return spoil


def _cell(old: bytes, new: bytes, name: str = LOCAL) -> Spoil:
    """Changes the first of a text."""
    return _bytes(name, lambda content: content.replace(old, new, 1))


def _swap_first_rows(content: bytes) -> bytes:
    header, first, second, *rest = content.split(b"\r\n")
    return b"\r\n".join([header, second, first, *rest])


def _double_first_row(content: bytes) -> bytes:
    header, first, *rest = content.split(b"\r\n")
    return b"\r\n".join([header, first, first, *rest])


def _parquet(change: Callable[[pa.Table], pa.Table]) -> Spoil:
    def spoil(release: Path) -> None:
        path = release / "local_feedback.parquet"
        pq.write_table(change(pq.read_table(path)), path)

    return spoil


def _empty_a_figure(table: pa.Table) -> pa.Table:
    position = table.column_names.index("rate_percent")
    return table.set_column(position, table.schema.field(position), pa.nulls(table.num_rows, pa.int32()))


def _rename(old: str, new: str) -> Spoil:
    return lambda release: (release / old).rename(release / new)


def _document(change: Callable[[dict[str, Any]], object]) -> Spoil:
    def spoil(release: Path) -> None:
        path = release / "changes.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document) + "\n", encoding="utf-8")

    return spoil


HEADER = b"release_period_code,period_code,"
VALUE = b"14595,13620,,93,false,92,94"


@pytest.mark.parametrize(
    ("spoil", "file", "words"),
    [
        (_bytes(LOCAL, lambda content: b"\xef\xbb\xbf" + content), LOCAL, "byte order mark"),
        (_cell("Môn".encode(), "Môn".encode("latin-1")), LOCAL, "is not UTF-8"),
        (_bytes(LOCAL, lambda content: content.replace(b"\r\n", b"\n")), LOCAL, "line 1 ends without CRLF"),
        (_cell(b"\r\n", b"\r"), LOCAL, "line 1 ends without CRLF"),
        (_bytes(LOCAL, lambda content: content[:-2]), LOCAL, "does not end with CRLF"),
        (_cell(b"Cumbria", b"Cum\x00bria"), LOCAL, "control character U+0000"),
        (_cell(b"Cumbria", b"Cum\x1bbria"), LOCAL, "control character U+001B"),
        (_cell(b"Cumbria", b"Cum\tbria"), LOCAL, "control character U+0009"),
        (_cell(b"Cumbria", "Cum\u0085bria".encode()), LOCAL, "control character U+0085"),
        (_cell(b"Cumbria", b'"Cumbria"'), LOCAL, "quotes that RFC 4180 does not need"),
        (_cell(b"Cumbria", b'Cum"bria'), LOCAL, "plain quoting"),
        (_cell(b"Cumbria", b'"Cum"bria'), LOCAL, "is not RFC 4180"),
        (_cell(b"Cumbria", b"Cumbria,"), LOCAL, "26 cells where the header has 25"),
        (_cell(b"Cumbria", b"=1+1"), LOCAL, "a spreadsheet would run '=1+1'"),
        (_cell(b"Cumbria", b" @SUM(A1)"), LOCAL, "a spreadsheet would run"),
        (_cell(b"Cumbria", "\uff1d1+1".encode()), LOCAL, "a spreadsheet would run"),
        (_cell(b"Cumbria", "\uff0b1".encode()), LOCAL, "a spreadsheet would run"),
        (_cell(b"Cumbria", b"-Cumbria"), LOCAL, "a spreadsheet would run"),
        (_cell(HEADER, b"period_code,period_code,"), LOCAL, "more than one column period_code"),
        (_cell(HEADER, b"Release period,period_code,"), LOCAL, "is called 'Release period'"),
        (_bytes(LOCAL, lambda content: content.split(b"\r\n")[0] + b"\r\n" + content), LOCAL, "two header rows"),
        (_cell(VALUE, b"14595,13620,,[c],false,92,94"), LOCAL, "column rate_percent: '[c]' is no number"),
        (_cell(VALUE, b'"14,595",13620,,93,false,92,94'), LOCAL, "'14,595' is no number"),
        (_cell(VALUE, b"14595.5,13620,,93,false,92,94"), LOCAL, "'14595.5' is no number"),
        (_cell(VALUE, b"14595,13620,,,false,92,94"), LOCAL, "neither a figure nor an obs_status"),
        (_cell(b"value,,p", b"value,c,p"), LOCAL, "has a figure and the obs_status 'c'"),
        (_cell(b"suppressed,c,", b"suppressed,q,"), LOCAL, "obs_status is 'q'"),
        (_bytes(LOCAL, _swap_first_rows), LOCAL, "out of the order of its key"),
        (_bytes(LOCAL, _double_first_row), LOCAL, "has the key of an earlier row"),
        (_cell(b",93,\r\n", b",,\r\n", "cjs-dashboard.csv"), "cjs-dashboard.csv", "either a value or the reason"),
        (_cell(b",14595,", b",w,", "ees-local-compliance.csv"), "ees-local-compliance.csv", "'w' is no number"),
        (_parquet(lambda table: table.drop_columns(["obs_note"])), "local_feedback.parquet", "other columns"),
        (_parquet(lambda table: table.slice(1)), "local_feedback.parquet", "has 1 rows"),
        (_parquet(_empty_a_figure), "local_feedback.parquet", "rate_percent: None where"),
        (_bytes("local_feedback.parquet", lambda content: content[:-9]), "local_feedback.parquet", "cannot be read"),
        (_rename("local_feedback.csv", "local_answers.csv"), "local_feedback.parquet", "no local_feedback.csv beside"),
        (_bytes("changes.json", lambda content: content.rstrip(b"\n")), "changes.json", "end with one line feed"),
        (_bytes("changes.json", lambda content: content.replace(b"}", b",}", 1)), "changes.json", "is not JSON"),
        (
            _bytes("changes.json", lambda content: content.replace(b"{", b'{"rows": 1, ', 1)),
            "changes.json",
            "stands twice",
        ),
        (_document(lambda document: document.update(share=float("nan"))), "changes.json", "NaN is no JSON number"),
        (_bytes("README.txt", lambda content: content + b"more"), "README.txt", "end with a line feed"),
        (_rename("areas.csv", "areas (1).csv"), "areas (1).csv", "no safe file name"),
        (_rename("areas.csv", "aux.csv"), "aux.csv", "no safe file name"),
        (_rename("areas.csv", "CODES.csv"), "CODES.csv", "one name on many computers"),
        (lambda release: (release / "notes.docx").write_bytes(b"x"), "notes.docx", "of a kind (.docx)"),
        (lambda release: (release / "more").mkdir(), "more", "no regular file"),
        (lambda release: (release / "link.csv").symlink_to(release / LOCAL), "link.csv", "no regular file"),
        (lambda release: (release / "empty.csv").touch(), "empty.csv", "0 bytes"),
    ],
)  # fmt: skip
def test_each_planted_fault_is_found_in_its_file(release: Path, spoil: Spoil, file: str, words: str) -> None:
    spoil(release)
    faults = byte_rules.validate(release)
    assert any(fault.file == file and words in fault.message for fault in faults), faults
    assert {fault.validator for fault in faults} == {"byte rules"}


def test_sizes_beyond_sense_are_found(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_rules, "_MOST_BYTES", 60_000)
    monkeypatch.setattr(byte_rules, "_MOST_BYTES_IN_ALL", 61_000)
    words = " ".join(fault.message for fault in byte_rules.validate(release))
    assert "datapackage.json has" in words and "bytes in all" in words


def test_a_file_wrong_in_every_row_gives_a_few_faults(release: Path) -> None:
    path = release / "metric-catalogue.csv"
    path.write_bytes(path.read_bytes().replace(b",proportion,", b",=1+1,"))
    faults = [fault for fault in byte_rules.validate(release) if fault.file == path.name]
    assert len(faults) == 20


def test_an_empty_folder_is_no_release(tmp_path: Path) -> None:
    assert [fault.message for fault in byte_rules.validate(tmp_path)] == [f"{tmp_path.name} is empty."]
