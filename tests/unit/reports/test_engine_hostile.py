"""What a query gives is text and stays text: whatever it holds, a page has the same elements as with harmless text."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import duckdb
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from reports.engine.queries import neutral

#: Each place of a page that a value can stand in.
PAGE = """\
---
title: About {{ hostile[0].name }}
description: "{{ hostile[0].name }} is described."
---
```sql hostile
select $name as name, 5 as case_count, 'x' as label
```
# Of {{ hostile[0].name }}

Word {{ hostile[0].name }} **{{ hostile[0].name }}** [{{ hostile[0].name }}](#end) word.

- {{ hostile[0].name }}

{% for each in hostile %}
- {{ each.name }}
{% endfor %}

| a | b |
|---|---|
| {{ hostile[0].name }} | c |

{{ data_table(hostile, caption="All") }}

{{ value(hostile[0], "name") }} {{ hostile[0].name | upper }} {{ "%s!" | format(hostile[0].name) }}

## End
"""
HOSTILE = (
    "{{ 7*7 }}",
    "{% for x in range(9) %}x{% endfor %}",
    "{# gone #}",
    "<script>alert(1)</script>",
    "</main></body><h1>x",
    "<!-- x -->",
    '" onmouseover="alert(1)',
    "' x='",
    "**bold** _i_ `code` [a](javascript:alert(1)) ![a](x)",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "# heading\n\n- item\n\n```sql other\nselect 1\n```",
    "&lt;b&gt; &amp;amp;",
    "<bdi>x</bdi>",
    "Zj0jZ Zj1jZ",
    "\ue0000\ue001",
    "\u202eevil\u202c \u2066x\u2069 \u200f\u200e",
    "=1+1",
    "---\ntitle: x\n---",
    "${hostile} $name",
    "\x00\x1b[31m",
    "]]>\\u003cscript\\u003e",
)
STEERING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0e-\x1f]")


@pytest.fixture(scope="module")
def connection(engine: ModuleType) -> duckdb.DuckDBPyConnection:
    made: duckdb.DuckDBPyConnection = engine.database()
    return made


@pytest.fixture(scope="module")
def harmless(engine: ModuleType, connection: duckdb.DuckDBPyConnection) -> list[object]:
    """The elements of the page when the value is a plain word."""
    elements: list[object] = seen_with(engine, connection, "harmless").elements
    return elements


def seen_with(engine: ModuleType, connection: duckdb.DuckDBPyConnection, name: str) -> Any:
    files = engine.built(PAGE, connection=connection, parameters={"name": name})
    return engine.Seen(files["page.html"].decode())


def check(
    engine: ModuleType, connection: duckdb.DuckDBPyConnection, harmless: list[object], name: str
) -> None:
    seen = seen_with(engine, connection, name)
    assert seen.elements == harmless
    words = " ".join(neutral(name).split())
    # Title, heading, word, bold, link, two lists, two tables, value; filters change the rest.
    assert " ".join(seen.text.split()).count(words) >= 10
    assert not STEERING.search(seen.text)
    assert not any(STEERING.search(value) for value in seen.values)
    assert not any(value.casefold().lstrip().startswith("javascript:") for value in seen.values)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_shown_as_it_is(
    engine: ModuleType, connection: duckdb.DuckDBPyConnection, harmless: list[object], name: str
) -> None:
    check(engine, connection, harmless, name)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(HOSTILE),
            st.text(max_size=8),
            st.sampled_from(list("{}%#<>&\"'`*_|[]()!\\\n\u202e")),
        ),
        min_size=1,
        max_size=6,
    ).map("".join)
)
def test_any_text_is_shown_as_it_is(
    engine: ModuleType, connection: duckdb.DuckDBPyConnection, harmless: list[object], name: str
) -> None:
    if not name.strip():
        name = f"x{name}"
    name = name.encode("utf-8", "replace").decode("utf-8")
    check(engine, connection, harmless, name)


def test_a_marker_of_the_engine_in_the_text_of_a_page_is_text(engine: ModuleType) -> None:
    text = (
        "---\ntitle: x\ndescription: y\n---\n\nZj0jZ Zjj1jZ {{ 1 + 1 }} Zj { { {%raw%}{{ x }}{%endraw%} }}\n"
    )
    seen = engine.Seen(engine.content(engine.built(text)))
    assert seen.text.strip() == "Zj0jZ Zjj1jZ 2 Zj { { {{ x }} }}"


def test_a_check_of_this_file_can_fail(
    engine: ModuleType,
    connection: duckdb.DuckDBPyConnection,
    harmless: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import reports.engine.build as build

    made = build._environment

    def careless() -> object:
        environment = made()
        environment.autoescape = False
        return environment

    monkeypatch.setattr(build, "_environment", careless)
    with pytest.raises(AssertionError):
        check(engine, connection, harmless, "<script>alert(1)</script>")
