"""Reading page files: what is found, and what is said of what is wrong, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.engine.errors import PageErrors
from reports.engine.pages import load_pages, read_page, read_pages

GOOD = """\
---
title: "Rates: all of them"
description: What it is.
path: areas/all.html
---
```sql figures
select 1 as a
```

Words.
"""


def wrong(text: str) -> list[tuple[int, str]]:
    with pytest.raises(PageErrors) as found:
        read_page(text, "a.md", "a.html")
    return [(error.line, error.message) for error in found.value.errors]


def test_a_page_is_read_with_the_line_of_everything() -> None:
    page = read_page(GOOD, "a.md", "a.html")
    assert (page.title, page.path, page.layout, page.source) == (
        "Rates: all of them",
        "areas/all.html",
        "site",
        "published",
    )
    assert page.queries["figures"].sql == "select 1 as a"
    assert page.queries["figures"].line == 7
    assert page.line_of("path") == 4
    # What is not text is blank, so that a line of the body is the line of the file.
    assert page.body.split("\n")[9] == "Words."
    assert "select" not in page.body


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("Words\n", 1, "front matter"),
        ("---\ntitle: x\n", 1, "no end"),
        ("---\ndescription: x\n---\n", 1, "no title"),
        ("---\ntitle: x\n---\n", 1, "no description"),
        ("---\ntitle: x\ndescription: y\ntitel: z\n---\n", 4, "Did you mean 'title'?"),
        ("---\ntitle: x\ndescription: y\ntitle: z\n---\n", 4, "stands twice, first on line 2"),
        ("---\ntitle: x\ndescription: a: b\n---\n", 3, "in quotes"),
        ("---\ntitle: {{ row.a }}\ndescription: y\n---\n", 2, "in quotes"),
        ("---\ntitle: [1]\ndescription: y\n---\n", 2, "must be text"),
        ("---\ntitle: x\ndescription: y\nlayout: sites\n---\n", 4, "none of site, document"),
        ("---\ntitle: x\ndescription: y\npath: ../up.html\n---\n", 4, "cannot be a page's path"),
        ("---\ntitle: x\ndescription: y\npath: /etc/x.html\n---\n", 4, "cannot be a page's path"),
        ("---\ntitle: x\ndescription: y\nsource: warehouse\n---\n", 4, "cannot read the warehouse"),
        ("---\ntitle: x\ndescription: y\nforeach: places\n---\n", 4, "no query 'places'"),
        (GOOD + "```sql\nselect 1\n```\n", 11, "cannot name a query"),
        (GOOD + "```sql Two Words\nselect 1\n```\n", 11, "cannot name a query"),
        (GOOD + "```sql figures\nselect 1\n```\n", 11, "the first is on line 6"),
        (GOOD + "```sql other\nselect 1\n", 11, "no end"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    found = wrong(text)
    assert any(at == line and said in message for at, message in found), found


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = wrong("---\nlayout: sites\ncolour: red\nforeach: nothing\n---\n```sql\n```\n")
    assert {line for line, _ in found} == {1, 2, 3, 4, 6}


def test_a_page_for_each_row_needs_a_path_that_differs() -> None:
    text = (
        "---\ntitle: x\ndescription: y\nforeach: rows\npath: all.html\n---\n```sql rows\nselect 1 as a\n```\n"
    )
    assert wrong(text) == [
        (
            5,
            "A page with foreach needs a path that differs from row to row, as `path: areas/{{ row.slug }}.html`.",
        )
    ]


def test_sql_inside_a_longer_fence_is_shown_and_not_run() -> None:
    text = GOOD + "````markdown\n```sql example\nselect nothing\n```\n````\n"
    page = read_page(text, "a.md", "a.html")
    assert set(page.queries) == {"figures"}
    assert "select nothing" in page.body


def test_line_ends_and_byte_order_mark_of_other_editors(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_pages(tmp_path)[0].queries["figures"].line == 7


def test_a_folder_is_read_with_its_folders_but_not_what_is_no_page(tmp_path: Path) -> None:
    text = "---\ntitle: x\ndescription: y\n---\n"
    for name in ("index.md", "areas/one.md", "README.md", "_notes.md", "areas/figures.csv"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert [page.path for page in load_pages(tmp_path)] == ["areas/one.html", "index.html"]


def test_one_bad_file_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("nothing")
    (tmp_path / "b.md").write_bytes(b"---\ntitle: caf\xe9\n")
    (tmp_path / "c.md").write_text(GOOD)
    pages, errors = read_pages(tmp_path)
    assert [page.file for page in pages] == [str(tmp_path / "c.md")]
    assert {(Path(error.file).name, error.line) for error in errors} == {("a.md", 1), ("b.md", 2)}
