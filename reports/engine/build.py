"""Building pages: queries run, text rendered, charts laid out, all in a layout. Pages in, files out."""

from __future__ import annotations

import functools
import inspect
import itertools
import posixpath
import re
import sys
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal

import duckdb
import jinja2
import jinja2.meta
import jinja2.sandbox
from markupsafe import Markup

from reports.engine.errors import PageError, PageErrors, TemplateFault, nearest
from reports.engine.markdown import Compiled, compile_text, link_fault
from reports.engine.pages import Page, bad_path, is_safe_path
from reports.engine.queries import Composed, Limits, QueryRunner, composed, neutral, reached
from reports.engine.rows import Row, Rows
from reports.page import TEMPLATES

Audience = Literal["public", "restricted"]
Output = Literal["site", "document"]
Progress = Callable[[str, int, int], None]

#: Components that stand inside a sentence; every other one stands for itself.
INLINE = frozenset({"value", "sparkline"})
#: Names that mean something in every page, so that no query may have them.
RESERVED = frozenset(
    {
        "page",
        "row",
        "link",
        "label",
        "content",
        "root",
        "loop",
        "anchor",
        "_address",
        "_anchor",
        "_heading",
        "_round",
    }
)
_NO_FILTERS = ("safe", "random", "urlize", "xmlattr", "tojson", "pprint", "filesizeformat")
_NO_GLOBALS = ("lipsum",)
#: What one page may compute: rounds of all its loops, characters or entries at once, a width, an exponent.
_MOST_ROUNDS, _MOST_AT_ONCE, _MOST_WIDTH, _MOST_POWER = 200_000, 1_000_000, 1_000, 64
#: The filters whose arguments say how long what they give becomes.
_WIDENING = ("center", "indent", "wordwrap", "batch", "slice", "round", "truncate", "format", "replace")
#: In a format: a width of four digits or more, or one that is itself a value (`{:{}}`, `%*d`).
_WIDTH = re.compile(r"[%:.][^%{}\s]*?\d{4,}|\{[^{}]*:[^{}]*\{|%[-+ #0]*\*|%[^%a-zA-Z]*\.\*")
#: So many values that cannot be made are told of one page.
_MOST_FAULTS = 20
_TEXT, _KEY = "<text>", "<front matter>"

_IDS = re.compile(r'\sid="([^"]+)"')
#: Between two lists with nothing between them: the rounds of a loop over items make one list.
_LISTS = re.compile(r'</(ul|ol)>\s*<\1 class="govuk-list govuk-list--(?:bullet|number)">\s*')


@dataclass(frozen=True)
class PageView:
    """What templates know of a page: `page.title` and so on, as finished text."""

    title: str
    description: str
    path: str
    section: str | None
    layout: str


def components() -> dict[str, Callable[..., Any]]:
    """Every component by the name that pages call it by."""
    import reports.components as package

    found: dict[str, Callable[..., Any]] = dict(getattr(package, "COMPONENTS", {}))
    return found


def build_pages(
    pages: Sequence[Page],
    connection: duckdb.DuckDBPyConnection,
    *,
    audience: Audience,
    parameters: Mapping[str, Any],
    context: Mapping[str, Any],
    output: Output,
    progress: Progress | None = None,
    limits: Limits | None = None,
    others: Collection[str] = (),
    share: tuple[int, int] = (0, 1),
) -> dict[str, bytes]:
    """Build every page: path -> content, with the pictures and CSVs of a site beside each page.

    `parameters` are bound as `$name` in queries, `context` are names in pages and layouts; with `embargo` in
    it every page begins with those words. `others` are paths of the site that are not built here and that
    pages may link to; one that ends in `/` stands for all under it. `share` is (k, n): of all pages that come
    out, the k-th of n parts is rendered; paths and links are judged over all. Raises PageErrors with every
    fault of every page.
    """
    builder = Builder(
        pages,
        connection,
        audience=audience,
        parameters=parameters,
        context=context,
        output=output,
        limits=limits,
        others=others,
    )
    return builder.build(share, progress)


class _Missing(jinja2.StrictUndefined):
    """A name or column that is not there, said in words of a page."""

    @property
    def _undefined_message(self) -> str:
        name, owner = str(self._undefined_name), self._undefined_obj
        if self._undefined_hint:
            return str(self._undefined_hint)
        if isinstance(owner, Row):
            return f"The query has no column {name!r}.{nearest(name, owner)}"
        if isinstance(owner, Rows):
            if isinstance(self._undefined_name, int):
                rows = f"{len(owner)} {'row' if len(owner) == 1 else 'rows'}"
                return (
                    f"Query {owner.name!r} gave {rows}, so it has no row {name}; put"
                    f" {{% if {owner.name} %}} around what needs one."
                )
            return (
                f"{owner.name!r} is a whole query; take a row of it, as {owner.name}[0].{name}, or go over"
                f" them with {{% for each in {owner.name} %}}."
            )
        if owner is jinja2.utils.missing:
            return f"There is nothing named {name!r}."
        if isinstance(owner, Mapping):
            return f"There is no {name!r}.{nearest(name, map(str, owner))}"
        return f"{type(owner).__name__} has no {name!r}."


@dataclass(frozen=True)
class _Prepared:
    """A page with all that is done once for all its rows."""

    page: Page
    text: Compiled
    template: jinja2.Template
    keys: Mapping[str, jinja2.Template]
    queries: tuple[Composed, ...]
    foreach: Composed | None


@dataclass(frozen=True)
class _Instance:
    """One page that comes out: of a row, if the page has foreach."""

    prepared: _Prepared
    path: str
    row: Row | None
    bound: Mapping[str, Any]


class Builder:
    """One build: what every page shares is made once. Faults are collected in `errors`."""

    def __init__(
        self,
        pages: Sequence[Page],
        connection: duckdb.DuckDBPyConnection,
        *,
        audience: Audience,
        parameters: Mapping[str, Any],
        context: Mapping[str, Any],
        output: Output,
        limits: Limits | None = None,
        others: Collection[str] = (),
        draws: bool = True,
    ) -> None:
        """Take what `build_pages` takes; without `draws` charts are checked and left out of the pages."""
        self.draws = draws
        self.pages = pages
        self.runner = QueryRunner(connection, limits)
        self.audience = audience
        self.parameters = {name: neutral(value) for name, value in parameters.items()}
        self.context = dict(context)
        self.output = output
        self.others = others
        self.components = components()
        self.environment = _environment()
        self.layouts = _layouts()
        self.errors: list[PageError] = []
        self.paths: dict[str, _Instance] = {}
        self.path_of_file: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        #: Places in pages that are linked to (file, line, path, anchor), and those that are there.
        self.fragments: list[tuple[str, int, str, str]] = []
        self.anchors: dict[str, set[str]] = {}

    def build(
        self,
        share: tuple[int, int] = (0, 1),
        progress: Progress | None = None,
        only: Collection[str] | None = None,
    ) -> dict[str, bytes]:
        """Render the share; raises PageErrors with everything that is wrong."""
        self.check(share, progress, only)
        if self.errors:
            raise PageErrors(self.errors)
        return dict(sorted(self.files.items()))

    def check(
        self,
        share: tuple[int, int] = (0, 1),
        progress: Progress | None = None,
        only: Collection[str] | None = None,
    ) -> list[PageError]:
        """Do all the work of a build and return what is wrong instead of raising it.

        `only` names the page files to render; the others are read for their paths.
        """
        for page in self.pages:
            self._collected(functools.partial(self._enumerate, page))
        part, parts = share
        chosen = [
            each
            for place, each in enumerate(self.paths.values())
            if place % parts == part and (only is None or each.prepared.page.file in only)
        ]
        for done, instance in enumerate(chosen, 1):
            self._collected(functools.partial(self._render, instance))
            if progress is not None:
                progress("pages", done, len(chosen))
        self.errors += [
            PageError(file, line, f"{path} has no heading #{anchor}.{nearest(anchor, self.anchors[path])}")
            for file, line, path, anchor in self.fragments
            if path in self.anchors and anchor not in self.anchors[path]
        ]
        found = PageErrors(self.errors).errors
        self.errors = [error for error in found if only is None or error.file in only]
        return self.errors

    def _collected(self, work: Callable[[], None]) -> None:
        try:
            work()
        except PageError as error:
            self.errors.append(error)
        except PageErrors as found:
            self.errors.extend(found.errors)

    # Before anything is rendered

    def _enumerate(self, page: Page) -> None:
        """Prepare a page and note the path of each page that comes out of it."""
        prepared = self._prepare(page)
        if prepared.foreach is None:
            self._add(prepared, None, self.parameters)
            return
        columns, raw = self.runner.raw(page, prepared.foreach, self.parameters)
        rows = self.runner.rows(page, prepared.foreach, self.parameters)
        for row, values in zip(rows, raw, strict=True):
            self._add(prepared, row, {**self.parameters, **dict(zip(columns, values, strict=True))})

    def _add(self, prepared: _Prepared, row: Row | None, bound: Mapping[str, Any]) -> None:
        page = prepared.page
        names = {**self.context, **self.parameters, **({"row": row} if row is not None else {})}
        path = page.path
        if "path" in prepared.keys:
            path = self._rendered_key(prepared, "path", names)
        line = page.line_of("path") if "path" in page.lines else 1
        if not is_safe_path(path):
            raise PageError(page.file, line, bad_path(path))
        taken = next((each for each in self.paths if each.casefold() == path.casefold()), None)
        if taken is not None:
            other = self.paths[taken].prepared.page.file
            what = f"also made by {other}" if other != page.file else "made by two rows"
            raise PageError(page.file, line, f"path: {path!r} is {what}; every page needs its own.")
        self.paths[path] = _Instance(prepared, path, row, bound)
        if row is None:
            self.path_of_file[posixpath.normpath(page.file.replace("\\", "/"))] = path

    def _prepare(self, page: Page) -> _Prepared:
        """What is wrong whatever the rows are, and what is made once for all of them."""
        if self.audience == "public" and page.source != "published":
            raise PageError(
                page.file,
                page.line_of("source"),
                f"source: a page for the public cannot read the {page.source}.",
            )
        errors: list[PageError] = []
        for name, query in page.queries.items():
            if name in RESERVED or name in self.components or name in self.context:
                errors.append(
                    PageError(
                        page.file, query.fence_line, f"A query cannot be named {name!r}, which is taken."
                    )
                )
        text = compile_text(page.body, page.file, blocks=frozenset(self.components) - INLINE)
        errors += text.errors
        keys: dict[str, jinja2.Template] = {}
        named: set[str] = set()
        known = self._known(page)
        for key in ("title", "description", "path"):
            value = getattr(page, key)
            if "{{" in value or "{%" in value:
                line_of = functools.partial(_always, page.line_of(key))
                names = known - set(page.queries) if key == "path" else known
                try:
                    keys[key], key_tree = self._parsed(page, value, _KEY, line_of)
                    named |= self._names(page, key_tree, names, line_of, errors)
                except PageError as error:
                    errors.append(error)
        template = None
        try:
            template, tree = self._parsed(page, text.template, _TEXT, text.line_of)
            named |= self._names(page, tree, known, text.line_of, errors)
            self._check_calls(page, tree, text, errors)
        except PageError as error:
            # That a tag is not closed was said already, where it opens.
            if not (text.errors and "Unexpected end of template" in error.message):
                errors.append(error)
        made: dict[str, Composed] = {}
        for name in page.queries:
            try:
                made[name] = composed(page, name)
            except PageError as error:
                errors.append(error)
        used = named & set(page.queries)
        needed = reached(page, used | ({page.foreach} if page.foreach else set()))
        if template is not None:
            errors += [
                PageError(page.file, query.fence_line, f"Query {name!r} is used nowhere on this page.")
                for name, query in page.queries.items()
                if name not in needed
            ]
        if errors or template is None:
            raise PageErrors([*errors, *self._faults_of_queries(page, made)])
        return _Prepared(
            page=page,
            text=text,
            template=template,
            keys=keys,
            queries=tuple(made[name] for name in page.queries if name in used),
            foreach=made[page.foreach] if page.foreach else None,
        )

    def _faults_of_queries(self, page: Page, made: Mapping[str, Composed]) -> list[PageError]:
        """What is wrong with the queries of a page that is not rendered, for something else is wrong."""
        errors: list[PageError] = []
        bound: dict[str, Any] = dict(self.parameters)
        if page.foreach and page.foreach in made:
            try:
                columns, rows = self.runner.raw(page, made[page.foreach], bound)
            except PageError as error:
                return [error]
            bound |= dict(zip(columns, rows[0] if rows else [None] * len(columns), strict=True))
        for query in made.values():
            try:
                self.runner.raw(page, query, bound)
            except PageError as error:
                errors.append(error)
        return errors

    def _known(self, page: Page) -> set[str]:
        names = {*self.environment.globals, *self.components, *self.context, *self.parameters, *page.queries}
        names |= {"page", "link", "label", "_address", "_anchor", "_heading", "_round"} | (
            {"row"} if page.foreach else set()
        )
        return names

    def _parsed(
        self, page: Page, source: str, name: str, line_of: Callable[[int], int]
    ) -> tuple[jinja2.Template, Any]:
        try:
            tree = self.environment.parse(source, name=name, filename=name)
            code = self.environment.compile(source, name=name, filename=name)
        except jinja2.TemplateSyntaxError as error:
            said = str(error.message)
            if "No filter named" in said or "No test named" in said:
                word = said.split("'")[1]
                there = self.environment.filters if "filter" in said else self.environment.tests
                said = f"{said.rstrip('.')}.{nearest(word, there)}"
            raise PageError(page.file, line_of(error.lineno), f"This tag cannot be read: {said}") from None
        template = jinja2.Template.from_code(self.environment, code, self.environment.make_globals({}))
        return template, tree

    def _names(
        self,
        page: Page,
        tree: Any,
        known: set[str],
        line_of: Callable[[int], int],
        errors: list[PageError],
    ) -> set[str]:
        """The names that a template asks for; one that nothing gives is an error."""
        asked = set(jinja2.meta.find_undeclared_variables(tree))
        for name in sorted(asked - known):
            lines = [
                node.lineno
                for node in tree.find_all(jinja2.nodes.Name)
                if node.name == name and node.ctx == "load"
            ]
            offered = known - set(self.environment.globals)
            hint = nearest(name, {each for each in offered if not each.startswith("_")})
            for line in sorted({line_of(line) for line in lines}) or [1]:
                errors.append(PageError(page.file, line, f"There is nothing named {name!r}.{hint}"))
        return asked

    def _check_calls(self, page: Page, tree: Any, text: Compiled, errors: list[PageError]) -> None:
        """Components that are called with an argument they lack, or without one they need."""
        for call in tree.find_all(jinja2.nodes.Call):
            if not isinstance(call.node, jinja2.nodes.Name) or call.node.name not in self.components:
                continue
            if call.dyn_args is not None or call.dyn_kwargs is not None:
                continue
            name = call.node.name
            line = text.line_of(call.lineno)
            signature = inspect.signature(self.components[name])
            given = {keyword.key for keyword in call.kwargs}
            unknown = sorted(given - set(signature.parameters))
            if unknown:
                errors.append(
                    PageError(
                        page.file,
                        line,
                        f"{name} knows no {unknown[0]!r}.{nearest(unknown[0], signature.parameters)}",
                    )
                )
                continue
            try:
                signature.bind(*call.args, **{keyword.key: None for keyword in call.kwargs})
            except TypeError as error:
                errors.append(PageError(page.file, line, f"{name}: {error}."))

    # One page

    def _render(self, instance: _Instance) -> None:
        prepared, page = instance.prepared, instance.prepared.page
        errors: list[PageError] = []
        rows: dict[str, Rows] = {}
        for query in prepared.queries:
            try:
                rows[query.name] = self.runner.rows(page, query, instance.bound)
            except PageError as error:
                errors.append(error)
        for link in prepared.text.links:
            fault = self._link_fault(instance, link.href, link.line)
            if fault:
                errors.append(PageError(page.file, link.line, fault))
        if errors:
            raise PageErrors(errors)
        names: dict[str, Any] = {
            **self.context,
            **self.parameters,
            **rows,
            "link": lambda target: self._link(instance, target),
            "_address": lambda address: self._address(instance, address),
        }
        if "label" not in names:
            names["label"] = self._label
        if instance.row is not None:
            names["row"] = instance.row
        said = {"title": "", "description": ""}
        for key in said:
            try:
                said[key] = self._rendered_key(prepared, key, names)
            except PageError as error:
                errors.append(error)
        view = PageView(
            title=said["title"],
            description=said["description"],
            path=instance.path,
            section=page.section,
            layout=page.layout,
        )
        names["page"] = view
        figures = _Figures(instance.path, self.output, self.draws)
        names["_heading"] = figures.heading
        names["_round"] = _rounds()
        names["_anchor"] = _anchors(prepared.text.anchors)
        for name, component in self.components.items():
            names[name] = figures.laid_out(component)
        try:
            content = self._rendered(prepared, names)
        except PageErrors as found:
            raise PageErrors([*errors, *found.errors]) from None
        if errors:
            raise PageErrors(errors)
        self.files.update(figures.files)
        self.files[instance.path] = self._in_layout(page, view, content)
        self.anchors[instance.path] = set(_IDS.findall(content))

    def _in_layout(self, page: Page, view: PageView, content: str) -> bytes:
        root = "../" * view.path.count("/")
        layout = self.layouts.get_template(f"layouts/{page.layout}.html.j2")
        values = {"label": self._label, **self.context}
        embargo = str(self.context.get("embargo", ""))
        if embargo:
            content = Markup('<p class="govuk-inset-text vcc-embargo"><strong>{}</strong></p>\n').format(
                embargo
            ) + Markup(content)
        values.update(
            page=view,
            content=Markup(content),  # made by jinja with autoescape on
            root=root,
            output=self.output,
            audience=self.audience,
        )
        try:
            return layout.render(values).encode("utf-8")
        except jinja2.UndefinedError as error:
            raise PageError(page.file, page.line_of("layout"), f"layout {page.layout}: {error}") from None

    def _rendered_key(self, prepared: _Prepared, key: str, names: Mapping[str, Any]) -> str:
        page = prepared.page
        if key not in prepared.keys:
            return str(getattr(page, key))
        try:
            text = Markup(prepared.keys[key].render({**names, "_round": _rounds()})).unescape()
        except Exception as error:
            raise PageError(page.file, page.line_of(key), f"{key}: {_said(error)}") from error
        text = " ".join(text.split())
        if not text:
            raise PageError(page.file, page.line_of(key), f"{key}: it is empty for {prepared.page.path}.")
        return text

    def _rendered(self, prepared: _Prepared, names: Mapping[str, Any]) -> str:
        """The text of a page. Raises PageErrors with every value that cannot be made."""
        try:
            return _LISTS.sub("", prepared.template.render(names))
        except Exception as error:
            first = error
        errors: list[PageError] = []
        source: str | None = prepared.text.template
        fault: Exception | None = first
        while fault is not None and source is not None and len(errors) < _MOST_FAULTS:
            line = _template_line(fault)
            errors.append(PageError(prepared.page.file, prepared.text.line_of(line), _said(fault)))
            source = prepared.text.without(source, line)
            fault = self._fault_of(source, names) if source is not None else None
        raise PageErrors(errors) from first

    def _fault_of(self, source: str, names: Mapping[str, Any]) -> Exception | None:
        try:
            code = self.environment.compile(source, name=_TEXT, filename=_TEXT)
            jinja2.Template.from_code(self.environment, code, self.environment.make_globals({})).render(
                {**names, "_round": _rounds()}
            )
        except Exception as error:
            return error
        return None

    # Links and labels

    def _label(self, key: str) -> str:
        labels = self.context.get("labels", {})
        if key not in labels:
            raise TemplateFault(f"There is no label {key!r}.{nearest(key, labels)}")
        return str(labels[key])

    def _link(self, instance: _Instance, target: object) -> str:
        """The relative link from this page to a path of the site. Raises TemplateFault for one not there."""
        path, sharp, anchor = str(target).partition("#")
        if not self._is_there(path):
            raise TemplateFault(
                f"link: there is no page {path!r}.{nearest(path, {*self.paths, *self.others})}"
            )
        self._note_fragment(instance, path, anchor)
        return _relative(instance.path, path) + sharp + anchor

    def _is_there(self, path: str) -> bool:
        parents = (path[: place + 1] for place, char in enumerate(path) if char == "/")
        return path in self.paths or path in self.others or any(each in self.others for each in parents)

    def _note_fragment(self, instance: _Instance, path: str, anchor: str, line: int | None = None) -> None:
        """Remember a link to a place in a page; whether it is there is known once all are rendered."""
        if anchor:
            at = line or _calling_line(instance.prepared)
            self.fragments.append((instance.prepared.page.file, at, path, anchor))

    def _link_fault(self, instance: _Instance, href: str, line: int | None = None) -> str | None:
        """Why a link leads nowhere; None if it leads somewhere, or outside."""
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", href):
            return None
        path, _, anchor = href.partition("#")
        folder = posixpath.dirname(instance.path)
        target = posixpath.normpath(posixpath.join(folder, path.partition("?")[0])) if path else instance.path
        if self._is_there(target) or self._is_there(f"{target}/"):
            self._note_fragment(instance, target, anchor, line)
            return None
        hint = nearest(target, {*self.paths, *self.others})
        return f"The link {href!r} leads nowhere: there is no page {target!r}.{hint}"

    def _address(self, instance: _Instance, address: object) -> str:
        """The address of a link that was made of values: judged like one that stands in the text."""
        text = str(address).strip()
        fault = link_fault(text) or self._link_fault(instance, text)
        if fault:
            raise TemplateFault(fault)
        return text


def _anchors(fixed: Collection[str]) -> Callable[[object], str]:
    """A function that makes the anchor of a heading from its words, each time another one."""
    taken = set(fixed)

    def made(words: object) -> str:
        text = str(words).casefold().replace("'", "").replace("\u2019", "")
        base = "-".join(re.findall(r"[a-z0-9]+", text)) or "section"
        anchor, number = base, 1
        while anchor in taken:
            number += 1
            anchor = f"{base}-{number}"
        taken.add(anchor)
        return anchor

    return made


class _Figures:
    """Lays out what components give on one page, and keeps the files that stand beside it."""

    def __init__(self, path: str, output: Output, draws: bool = True) -> None:
        self._draws = draws
        self.files: dict[str, bytes] = {}
        self._output = output
        self._folder = f"{path.removesuffix('.html')}-figures"
        self._href = posixpath.basename(self._folder)
        self._slugs: set[str] = set()
        self._level = 3

    def heading(self, level: int) -> str:
        """Note the level of the heading that was just rendered: a figure under it is one lower."""
        self._level = level + 1
        return ""

    def laid_out(self, component: Callable[..., Any]) -> Callable[..., Markup]:
        """The component as pages call it: what it gives is finished HTML."""

        def called(*args: Any, **named: Any) -> Markup:
            from reports.components.figure import Figure
            from reports.components.tables import DataTable

            try:
                made = component(*args, **named)
            except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
                raise TemplateFault(_of_component(component.__name__, _said(error))) from error
            if isinstance(made, Figure):
                return self._figure(made)
            if isinstance(made, DataTable):
                return self._table(made)
            return made if isinstance(made, Markup) else Markup.escape(made)

        return called

    def _figure(self, figure: Any) -> Markup:
        from reports.components.html import figure_csv, figure_html, svg_data_uri

        if not self._draws:
            return Markup("")
        if self._output == "document":
            wide, narrow, csv = svg_data_uri(figure.svg_wide), None, None
        else:
            slug = self._slug(figure.title)
            wide = self._add(f"{slug}.svg", figure.svg_wide.encode("utf-8"))
            narrow = self._add(f"{slug}-narrow.svg", figure.svg_narrow.encode("utf-8"))
            csv = self._add(f"{slug}.csv", figure_csv(figure))
        return figure_html(
            figure, wide=wide, narrow=narrow, csv=csv, output=self._output, heading=self._level
        )

    def _table(self, table: Any) -> Markup:
        if self._output == "document" or table.csv is None:
            return Markup(table)
        return Markup(table.with_csv(self._add(f"{self._slug(table.caption)}.csv", table.csv)))

    def _add(self, name: str, content: bytes) -> str:
        """Keep a file beside the page; its address from there."""
        self.files[f"{self._folder}/{name}"] = content
        return f"{self._href}/{name}"

    def _slug(self, title: str) -> str:
        base = "-".join(re.findall(r"[a-z0-9]+", title.casefold()))[:60].strip("-") or "figure"
        slug, number = base, 1
        while slug in self._slugs or f"{slug}-narrow" in self._slugs:
            number += 1
            slug = f"{base}-{number}"
        self._slugs |= {slug, f"{slug}-narrow"}
        return slug


def _calling_line(prepared: _Prepared) -> int:
    """The line of the page from which its template calls right now."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename != _TEXT:
        frame = frame.f_back
    if frame is None:
        return 1
    return prepared.text.line_of(prepared.template.get_corresponding_lineno(frame.f_lineno))


def _template_line(error: Exception) -> int:
    """The line of the page's template in which an error arose."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == _TEXT and frame.lineno
    ]
    return lines[-1] if lines else 1


def _always(line: int, _: int) -> int:
    """The line of a key of the front matter, wherever in its value something is wrong."""
    return line


def _relative(source: str, target: str) -> str:
    return posixpath.relpath(target, posixpath.dirname(source) or ".") + ("/" if target.endswith("/") else "")


def _of_component(name: str, said: str) -> str:
    """Components name themselves; others' errors get the name put before them."""
    return said if said.startswith(name) else f"{name}: {said}"


def _said(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error}"
    text = " ".join(str(error).split())
    if isinstance(error, jinja2.TemplateError | TemplateFault | ValueError | TypeError):
        return text or type(error).__name__
    return f"{type(error).__name__}: {text}"


class _Sandbox(jinja2.sandbox.SandboxedEnvironment):
    """Where `row.name` is the column, also where a row has a method of that name, as `items`.

    What a page may compute is bounded, so that no page takes all memory or never ends: rounds of loops,
    whole numbers, and how long text or a list may grow at once.
    """

    intercepted_binops = frozenset(("*", "**", "%"))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Row) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute, unless the result would be too large to be meant."""
        if operator == "**" and (_size(left) > _MOST_AT_ONCE or _size(right) > _MOST_POWER):
            raise TemplateFault(f"{operator}: the number would be too large.")
        if operator == "*" and any(
            isinstance(one, str | list | tuple) and len(one) * _size(other) > _MOST_AT_ONCE
            for one, other in ((left, right), (right, left))
        ):
            raise TemplateFault(f"{operator}: it would be longer than {_MOST_AT_ONCE:,}.")
        if operator == "%" and isinstance(left, str):
            _check_widths((left,))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call, unless a method of text is asked for a width that is too large to be meant."""
        # The sandbox wraps `format`, and keeps what it wrapped.
        owner = getattr(getattr(obj, "__wrapped__", obj), "__self__", None)
        if isinstance(owner, str):
            word = getattr(obj, "__name__", "")
            if word in ("center", "ljust", "rjust", "zfill", "expandtabs"):
                _check_widths((*args, *kwargs.values()))
            if word in ("format", "format_map"):
                _check_widths((owner,))
            if word == "replace" and len(args) > 1:
                _check_growth(owner, args[1])
        return super().call(context, obj, *args, **kwargs)

    def _parse(self, source: str, name: str | None, filename: str | None) -> jinja2.nodes.Template:
        """The tree of a page's template, in which every round of a loop is counted."""
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(jinja2.nodes.For):
            counted = jinja2.nodes.Call(jinja2.nodes.Name("_round", "load"), [], [], None, None)
            loop.body.insert(0, jinja2.nodes.Output([counted], lineno=loop.lineno).set_lineno(loop.lineno))
            for node in loop.body[0].find_all(jinja2.nodes.Node):
                node.set_environment(self)
        return tree


def _size(value: Any) -> float:
    return abs(value) if isinstance(value, int | float) else 0


def _check_widths(values: Sequence[Any]) -> None:
    """Refuse a number, or a format with a width, that would make text too long to be meant."""
    for value in values:
        if _size(value) > _MOST_WIDTH or (isinstance(value, str) and _WIDTH.search(value)):
            raise TemplateFault(f"Text cannot be made wider than {_MOST_WIDTH:,} characters.")


def _check_growth(text: Any, by: Any) -> None:
    if len(str(text)) * len(str(by)) > _MOST_AT_ONCE:
        raise TemplateFault(f"Text cannot be made longer than {_MOST_AT_ONCE:,} characters at once.")


def _bounded(function: Callable[..., Any], word: str) -> Callable[..., Any]:
    """A filter of jinja that refuses widths and growth too large to be meant."""

    @functools.wraps(function)
    def bounded(*args: Any, **named: Any) -> Any:
        given = [each for each in (*args, *named.values()) if not isinstance(each, jinja2.runtime.Context)]
        if word != "format":
            _check_widths([each for each in given[1:] if isinstance(each, int)])
        if word == "format":
            _check_widths(args[:1])
        if word == "replace" and len(args) > 3:
            _check_growth(args[1], args[3])
        return function(*args, **named)

    return bounded


def _rounds() -> Callable[[], str]:
    """What every round of a loop calls: it shows nothing, and ends a page that would not end."""
    left = itertools.count(1)

    def counted() -> str:
        if next(left) > _MOST_ROUNDS:
            raise TemplateFault(f"The loops of this page take more than {_MOST_ROUNDS:,} rounds.")
        return ""

    return counted


@functools.cache
def _layouts() -> jinja2.Environment:
    """The environment of the layouts, made once: their templates stay compiled."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=_Missing,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _environment() -> jinja2.sandbox.SandboxedEnvironment:
    """The environment of all pages: no files, no way round escaping, nothing that differs from run to run."""

    def finished(value: Any) -> Any:
        if isinstance(value, Rows):
            raise TemplateFault(
                f"{value.name!r} is a whole query; show it with data_table, or take a column."
            )
        if isinstance(value, Row):
            raise TemplateFault("This is a whole row; take a column of it, as row.area_name.")
        if callable(value) and not isinstance(value, jinja2.Undefined):
            raise TemplateFault("This is a component and not its result; call it with ( ).")
        return value

    environment = _Sandbox(autoescape=True, undefined=_Missing, finalize=finished, trim_blocks=True)
    for name in _NO_FILTERS:
        environment.filters.pop(name, None)
    for name in _NO_GLOBALS:
        environment.globals.pop(name, None)
    for name in _WIDENING:
        environment.filters[name] = _bounded(environment.filters[name], name)
    return environment
