"""From page files to finished pages: markdown, values, loops, links, figures, and what stops a page."""

from __future__ import annotations

from types import ModuleType

import pytest

HEAD = "---\ntitle: A page\ndescription: What it is.\n---\n"
FIGURES = "```sql figures\nselect * from figures order by area_name\n```\n"


def test_text_becomes_html_with_the_classes_of_the_site(engine: ModuleType) -> None:
    files = engine.built(
        HEAD + "# One\n\nTwo *three* <b>four</b>.\n\n- five\n\n[six](https://example.org/a?b=c&d)\n"
    )
    assert engine.content(files) == (
        '<h1 class="govuk-heading-l" id="one">One</h1>\n'
        '<p class="govuk-body">Two <em>three</em> &lt;b&gt;four&lt;/b&gt;.</p>\n'
        '<ul class="govuk-list govuk-list--bullet">\n<li>five</li>\n</ul>\n'
        '<p class="govuk-body"><a href="https://example.org/a?b=c&amp;d" class="govuk-link">six</a></p>'
    )
    assert b"<title>A page" in files["page.html"]


def test_values_of_a_query_stand_in_text_lists_and_conditions(engine: ModuleType) -> None:
    text = (
        HEAD
        + FIGURES
        + "**{{ figures[0].area_name }}** {{ figures[0].rate_percent.shown('percent') }}\n\n"
        + "{% for each in figures %}\n- {{ each.area_name }}: {{ each.rate_percent }}\n{% endfor %}\n\n"
        + "{% if figures | length > 5 %}\nMany.\n{% elif figures %}\nFew.\n{% else %}\nNone.\n{% endif %}\n"
    )
    assert engine.content(engine.built(text)) == (
        '<p class="govuk-body"><strong>Essex</strong> 75%</p>\n'
        '<ul class="govuk-list govuk-list--bullet"><li>Essex: 75</li>\n<li>Kent: [c]</li>\n</ul>\n'
        '<p class="govuk-body">Few.</p>'
    )


def test_a_figure_that_is_withheld_prints_its_mark_in_every_format(engine: ModuleType) -> None:
    names = ("text", "count", "percent", "percent1", "points", "number", "date", "month")
    shown = " ".join(f"{{{{ figures[1].case_count.shown('{name}') }}}}" for name in names)
    made = engine.content(engine.built(HEAD + FIGURES + shown + "\n"))
    assert engine.Seen(made).text == " ".join(["[c]"] * len(names))


def test_in_code_nothing_is_replaced(engine: ModuleType) -> None:
    made = engine.content(
        engine.built(HEAD + "`{{ nothing }}` ``{% x %}`` `{{`\n\n```text\n{{ nothing }} {% x\n```\n")
    )
    assert " ".join(engine.Seen(made).text.split()) == "{{ nothing }} {% x %} {{ {{ nothing }} {% x"


def test_a_component_alone_is_no_paragraph_and_one_in_a_sentence_is_in_it(engine: ModuleType) -> None:
    table = '{{ data_table(figures, caption="All") }}\n\n'
    text = HEAD + FIGURES + table + 'It is {{ value(figures[0], "case_count", "count") }}.\n'
    made = engine.content(engine.built(text))
    assert made.startswith('<div class="vcc-table-wrapper"')
    assert made.count('<p class="govuk-body">') == 1
    assert made.endswith("200</span>.</p>")


def test_a_chart_brings_its_pictures_and_csv_and_a_document_holds_them(engine: ModuleType) -> None:
    chart = '{{ bar_chart(figures, x="area_name", y="rate_percent", title="Rates, all areas", format="percent") }}\n'
    files = engine.built(HEAD + FIGURES + chart + "\n" + chart)
    folder = "page-figures/rates-all-areas"
    assert {f"{folder}.svg", f"{folder}-narrow.svg", f"{folder}.csv", f"{folder}-2.csv"} <= set(files)
    assert files[f"{folder}.csv"].decode().split("\r\n")[1].startswith("Essex,75")
    for name in ("page-figures/rates-all-areas.svg", "page-figures/rates-all-areas-narrow.svg"):
        assert f'"{name}"' in engine.content(files)
    document = HEAD.replace("---\n", "---\nlayout: document\n", 1) + FIGURES + chart
    made = engine.built(document, output="document", context={})
    assert set(made) == {"page.html"}
    assert b"data:image/svg+xml;base64," in made["page.html"]
    assert b".csv" not in made["page.html"]


def test_a_chart_stands_one_level_under_its_heading(engine: ModuleType) -> None:
    chart = '{{ bar_chart(figures, x="area_name", y="rate_percent", title="Rates", format="percent") }}\n\n'
    made = engine.content(engine.built(HEAD + FIGURES + f"# One\n\n{chart}## Two\n\n### Three\n\n{chart}"))
    assert "<h2" in made.partition("Rates</h2>")[0]
    assert "Rates</h4>" in made


def test_one_page_for_each_row_with_its_columns_bound(engine: ModuleType) -> None:
    text = (
        "---\ntitle: Rates of {{ row.area_name }}\ndescription: Of {{ row.area_name }}.\n"
        "path: areas/{{ row.area_name | lower }}.html\nforeach: areas\n---\n"
        "```sql areas\nselect area_name from figures\n```\n"
        "```sql own\nselect case_count, obs_status from figures where area_name = $area_name\n```\n"
        "# {{ page.title }}\n\n{{ own[0].case_count }}, see [start]({{ link('page1.html') }}).\n"
    )
    files = engine.built(text, HEAD + "Start\n")
    assert set(files) == {"areas/essex.html", "areas/kent.html", "page1.html"}
    assert engine.content(files, "areas/kent.html").endswith(
        'Rates of Kent</h1>\n<p class="govuk-body">[c], see <a href="../page1.html" class="govuk-link">start</a>.</p>'
    )
    assert b"<title>Rates of Essex" in files["areas/essex.html"]


def test_shares_make_together_what_one_makes(engine: ModuleType) -> None:
    text = (
        "---\ntitle: x\ndescription: y\npath: n{{ row.n }}.html\nforeach: numbers\n---\n"
        "```sql numbers\nselect range as n from range(7)\n```\n[next](n{{ (row.n.value + 1) % 7 }}.html)\n"
    )
    whole = engine.built(text)
    shares = [engine.built(text, share=(part, 3)) for part in range(3)]
    assert {path: made for share in shares for path, made in share.items()} == whole
    assert sum(map(len, shares)) == len(whole) == 7


def test_same_inputs_same_bytes(engine: ModuleType) -> None:
    text = (
        HEAD
        + FIGURES
        + '{{ bar_chart(figures, x="area_name", y="rate_percent", title="Rates", format="percent") }}\n'
    )
    assert engine.built(text) == engine.built(text)


def test_an_embargo_stands_on_every_page(engine: ModuleType) -> None:
    files = engine.built(HEAD, HEAD, context={**engine.frame(), "embargo": "UNDER EMBARGO: x"})
    assert all("UNDER EMBARGO: x" in engine.content(files, path) for path in ("page.html", "page1.html"))


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("Words {{ figuers }}\n", 5, "Did you mean 'figures'?"),
        ("Words\n{{ value(figures[0], 'x') }}\n", 6, "no column 'x'"),
        ("{{ figures[0].rate_percnt }}\n", 5, "Did you mean 'rate_percent'?"),
        ("a\n\n{{ figures[7].area_name }}\n", 7, "gave 2 rows, so it has no row 7"),
        ("{{ figures.area_name }}\n", 5, "is a whole query"),
        ("{{ figures }}\n", 5, "is a whole query"),
        ("{{ figures[0] }}\n", 5, "a whole row"),
        ("{{ line_chart }}\n", 5, "call it with ( )"),
        (
            "a\nb {{ line_chart(figures, x='area_name', y='rate_percent') }}\n",
            6,
            "missing a required argument: 'title'",
        ),
        ("{{ data_table(\n  figures\n) }}\n", 5, "missing a required argument: 'caption'"),
        ("{{ data_table(figures, captoin='x') }}\n", 5, "Did you mean 'caption'?"),
        ("\n{{ data_table(figures, caption='') }}\n", 6, "caption is empty"),
        (
            "{{ bar_chart(figures, x='area_name', y='rte', title='x', format='percent') }}\n",
            5,
            "no column 'rte'",
        ),
        ("x\n{{ figures | uper }}\n", 6, "Did you mean 'upper'?"),
        ("x\n{{ figures +* 2 }}\n", 6, "cannot be read"),
        ("x\n{{ figures \n", 6, "`}}` is missing"),
        ("{{ }}\n", 5, "Nothing stands between"),
        ("{% if figures %}\nx\n", 5, "has no {% endif %}"),
        ("x\n\n{% endif %}\n", 7, "cannot be read"),
        ("- {% if figures %}\n\nx\n\n{% endif %}\n", 9, "of lines of their own"),
        ("{% include 'x' %}\n", 5, "no tag {% include %}"),
        ("{% autoescape false %}x{% endautoescape %}\n", 5, "no tag {% autoescape %}"),
        ("{{ figures[0].area_name | safe }}\n", 5, "No filter named 'safe'"),
        ("{{ figures.__class__ }}\n", 5, "unsafe"),
        ("{{ figures[0].rate_percent.shown('procent') }}\n", 5, "no format 'procent'"),
        ("{{ label('nav_hom') }}\n", 5, "Did you mean 'nav_home'?"),
        ("[x](nowhere.html)\n", 5, "leads nowhere"),
        ("a\nb [x](page.html) [y](#heding)\n\n# Heading\n", 6, "Did you mean 'heading'?"),
        ("[x](javascript:alert(1))\n", 5, "links to https"),
        ("[x](//evil.example/a)\n", 5, "begins at the root"),
        ("[x](data:text/html,x)\n", 5, "links to https"),
        ("![x](https://example.org/x.png)\n", 5, "must be a file of the site"),
        ("{{ link('pag.html') }}\n", 5, "Did you mean 'page.html'?"),
        ("{{ figures[0].area_name }}\n\n{{ row.x }}\n", 7, "nothing named 'row'"),
    ],
)
def test_what_stops_a_page_is_said_with_its_line(engine: ModuleType, body: str, line: int, said: str) -> None:
    # The query stands at the end, so that the text begins on line 5.
    end = "\n\n{{ figures | length }}\n\n" + FIGURES
    found = engine.faults(HEAD + body + end)
    said = said.replace("of lines of their own", "on lines of their own")
    assert any(at == line and said in message for at, message in found), found


def test_all_faults_of_all_pages_are_said_at_once(engine: ModuleType) -> None:
    one = HEAD + FIGURES + "{{ a1 }}\n\n{{ b1 + figures }}\n\n```sql unused\nselect nothing\n```\n"
    other = (
        HEAD
        + FIGURES
        + "{{ figures[0].a2 }}\n\n{{ data_table(figures, caption='') }}\n\n{{ figures[0].b2 }}\n"
    )
    found = engine.faults(one, other)
    assert [line for line, _ in found] == [8, 10, 12, 13, 8, 10, 12]
    # A link is judged once the page is otherwise good.
    assert len(engine.faults(HEAD + "[x](no.html) [y](nowhere.html)\n")) == 2


def test_a_query_that_is_used_nowhere(engine: ModuleType) -> None:
    assert engine.faults(HEAD + FIGURES) == [(5, "Query 'figures' is used nowhere on this page.")]
    inner = "```sql inner\nselect 1 as a\n```\n```sql outer\nselect * from ${inner}\n```\n{{ outer[0].a }}\n"
    assert engine.faults(HEAD + inner) == []


def test_two_pages_with_one_path(engine: ModuleType) -> None:
    found = engine.faults(HEAD + "a\n", HEAD.replace("---\n", "---\npath: Page.html\n", 1) + "b\n")
    assert found == [(2, "path: 'Page.html' is also made by page.md; every page needs its own.")]
    rows = "---\ntitle: x\ndescription: y\npath: a{{ row.a }}.html\nforeach: r\n---\n```sql r\nselect 1 as a from range(2)\n```\n"
    assert [(line, "two rows" in said) for line, said in engine.faults(rows)] == [(4, True)]


def test_a_path_made_of_values_cannot_leave_its_folder(engine: ModuleType) -> None:
    rows = "---\ntitle: x\ndescription: y\npath: a/{{ row.a }}.html\nforeach: r\n---\n```sql r\nselect '../../x' as a\n```\n"
    assert [(line, "cannot be a page's path" in said) for line, said in engine.faults(rows)] == [(4, True)]


def test_a_link_made_of_values_is_judged_as_one_that_is_written(engine: ModuleType) -> None:
    query = "```sql t\nselect $to as a\n```\n[x]({{ t[0].a }}) {{ t[0].a }}\n"
    assert engine.faults(HEAD + query, parameters={"to": "https://example.org"}) == []
    for to in ("javascript:alert(1)", " JaVaScRiPt:alert(1)", "//evil.example", "nowhere.html", "\\\\evil"):
        assert [line for line, _ in engine.faults(HEAD + query, parameters={"to": to})] == [8], to


def test_a_page_for_the_public_never_reads_the_warehouse(engine: ModuleType) -> None:
    text = HEAD.replace("---\n", "---\nlayout: document\nsource: warehouse\n", 1) + "x\n"
    found = engine.faults(text, output="document", context={})
    assert found == [(3, "source: a page for the public cannot read the warehouse.")]
    assert engine.faults(text, output="document", context={}, audience="restricted") == []


def test_a_name_that_is_taken_cannot_name_a_query(engine: ModuleType) -> None:
    for name in ("value", "page", "site", "line_chart"):
        found = engine.faults(HEAD + f"```sql {name}\nselect 1 as a\n```\n")
        assert (5, f"A query cannot be named {name!r}, which is taken.") in found


def test_a_link_to_a_place_that_is_not_on_its_page(engine: ModuleType) -> None:
    other = HEAD + "# Of {{ 'Kent' }}\n\n## Two\n"
    good = "a\n\n[x](page1.html#two) [y](page1.html#of-kent) [z]({{ link('page1.html#two') }}) [own](#end)\n\n# End\n"
    assert engine.faults(HEAD + good, other) == []
    bad = (
        "a\n\n[x](page1.html#tow)\n\n[z]({{ link('page1.html#of-knet') }})\n\n[own](#ned)\n\n# End {{ 1 }}\n"
    )
    assert engine.faults(HEAD + bad, other) == [
        (7, "page1.html has no heading #tow. Did you mean 'two'?"),
        (9, "page1.html has no heading #of-knet. Did you mean 'of-kent'?"),
        (11, "page.html has no heading #ned. There is end-1."),
    ]


def test_a_column_is_found_whatever_its_name(engine: ModuleType) -> None:
    names = ("items", "keys", "values", "get", "count", "where")
    query = f"```sql t\nselect {', '.join(f'{place} as {name}' for place, name in enumerate(names))}\n```\n"
    shown = " ".join(f"{{{{ t[0].{name} }}}}" for name in names)
    assert engine.Seen(engine.content(engine.built(HEAD + query + shown + "\n"))).text == "0 1 2 3 4 5"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% for a in range(90000) %}\n{% for b in range(90000) %}\n{% endfor %}\n{% endfor %}", "rounds"),
        ("{{ 'x' * 900000000 }}", "longer than 1,000,000"),
        ("{{ ([1] * 900000000) | length }}", "longer than 1,000,000"),
        ("{{ 9 ** 9 ** 9 }}", "too large"),
        ("{{ 'x' | center(999999999) }}", "wider than 1,000"),
        ("{{ 'x'.zfill(999999999) }}", "wider than 1,000"),
        ("{{ '{:>999999999}'.format('x') }}", "wider than 1,000"),
        ("{{ '%999999999d' % 1 }}", "wider than 1,000"),
        ("{{ '%999999999d' | format(1) }}", "wider than 1,000"),
        ("{{ [1] | batch(999999999, 0) | list }}", "wider than 1,000"),
    ],
)
def test_what_a_page_computes_is_bounded(
    engine: ModuleType, text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import reports.engine.build as build

    monkeypatch.setattr(build, "_MOST_ROUNDS", 1_000)
    (line, message), *others = engine.faults(HEAD + "\n" + text + "\n")
    assert (others, said in message) == ([], True), message
    assert line >= 6


def test_usual_computing_is_not_bounded(engine: ModuleType) -> None:
    text = "{{ 'ab' * 3 }} {{ 2 ** 10 }} {{ '%05.1f' % 2.5 }} {{ 'x' | center(3) }} {{ 7 % 4 }} {{ '{:,}'.format(1234567) }}"
    assert (
        engine.Seen(engine.content(engine.built(HEAD + text + "\n"))).text
        == "ababab 1024 002.5  x  3 1,234,567"
    )


def test_a_caption_that_is_a_whole_query_is_refused(engine: ModuleType) -> None:
    query = "```sql f\nselect * from figures\n```\n"
    for caption in ("f", "f[0]"):
        text = HEAD + query + f"{{{{ data_table(f, caption={caption}) }}}}\n"
        assert [said for _, said in engine.faults(text)] == [
            "data_table: the caption is a query or a row; take a column of it, as row.area_name."
        ]
