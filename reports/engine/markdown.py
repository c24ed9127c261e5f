"""From the text of a page to a jinja template: markdown is done before any value is there.

Order: jinja tags are lexed out as placeholders, CommonMark is rendered with raw HTML off, the tags are put
back. What a query gives enters only when the template is rendered, so no value is ever read as markdown,
as HTML or as jinja. In code, fenced or between backticks, tags are text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.engine.errors import PageError, nearest

#: Tags that a page may use. Others would read files, or switch off escaping.
STATEMENTS = ("if", "elif", "else", "endif", "for", "endfor", "set", "endset", "with", "endwith")
_OPENERS = {"if": "endif", "for": "endfor", "with": "endwith"}
_ENDS = {end: start for start, end in _OPENERS.items()} | {"endset": "set"}
_MIDDLE = ("elif", "else")

_TAG = re.compile(r"\{\{|\{%|\{#|`+")
_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}(.*?)\{%[-+]?\s*endraw\s*[-+]?%\}", re.DOTALL)
_FENCE = re.compile(r"^ *(`{3,}|~{3,})([^`]*)$")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_CLASSES = {
    "h1": "govuk-heading-l",
    "h2": "govuk-heading-m",
    "h3": "govuk-heading-s",
    "h4": "govuk-heading-s",
    "p": "govuk-body",
    "ul": "govuk-list govuk-list--bullet",
    "ol": "govuk-list govuk-list--number",
    "a": "govuk-link",
    "table": "govuk-table",
    "thead": "govuk-table__head",
    "tbody": "govuk-table__body",
    "tr": "govuk-table__row",
    "th": "govuk-table__header",
    "td": "govuk-table__cell",
    "hr": "govuk-section-break govuk-section-break--m govuk-section-break--visible",
    "blockquote": "govuk-inset-text",
}


@dataclass
class Tag:
    """One jinja tag of a page: `{{ }}`, `{% %}`, or text that only looks like one."""

    source: str
    line: int
    kind: str  # value, statement, text
    word: str
    inner: str
    #: In which element it stands, so that a loop does not open in one and end in another.
    container: int = -1


@dataclass(frozen=True)
class Link:
    """A link or picture that the text itself holds: where it leads, and the line it stands on."""

    line: int
    href: str


@dataclass
class Compiled:
    """A page's text as a jinja template. `lines` has the line of the page file for each template line."""

    template: str
    lines: list[int]
    links: list[Link] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    errors: list[PageError] = field(default_factory=list)
    #: Where in the template each value stands, and in which of its lines: begin, end, first line, last line.
    spans: list[tuple[int, int, int, int]] = field(default_factory=list)
    #: Whether some headings get their anchor only with the values.
    has_made_anchors: bool = False

    def line_of(self, template_line: int) -> int:
        """The line of the page file that a line of the template came from."""
        return self.lines[max(0, min(template_line, len(self.lines)) - 1)]

    def without(self, template: str, template_line: int) -> str | None:
        """The template with the value on a line of it left out, for finding what else is wrong.

        None if no value stands there, or if it was left out before.
        """
        for start, end, first, last in self.spans:
            if first <= template_line <= last:
                left = "0" + "".join("\n" if char == "\n" else " " for char in template[start + 1 : end])
                return None if template[start:end] == left else template[:start] + left + template[end:]
        return None


def compile_text(body: str, file: str, *, blocks: Collection[str]) -> Compiled:
    """Turn the text of a page into a template.

    `blocks` are the components that stand for themselves: alone in a paragraph they get no `<p>`.
    `errors` of what comes back has every tag that does not end or is not allowed, and every such link.
    """
    return _Compiler(body, file, blocks).compiled()


class _Compiler:
    def __init__(self, body: str, file: str, blocks: Collection[str]) -> None:
        self.file = file
        self.blocks = blocks
        self.tags: list[Tag] = []
        self.mark = "Zj"
        while self.mark in body:
            self.mark += "j"
        self.place = re.compile(rf"{self.mark}(\d+)jZ")
        self.source_lines: list[int] = []
        self.errors: list[PageError] = []
        self.spans: list[tuple[int, int, int, int]] = []
        self.text = self._lexed(body)
        self.links: list[Link] = []
        self.anchors: set[str] = set()
        self.has_made_anchors = False

    def _wrong(self, line: int, message: str) -> None:
        self.errors.append(PageError(self.file, line, message))

    # Lexing

    def _lexed(self, body: str) -> str:
        """The text with placeholders; `source_lines` gets the line each of its lines came from."""
        out: list[str] = []
        for is_code, start, lines in _regions(body.split("\n")):
            if is_code:
                for offset, line in enumerate(lines):
                    out.append(line)
                    self.source_lines.append(start + offset)
            else:
                self._lex_region("\n".join(lines), start, out)
        return "\n".join(out)

    def _lex_region(self, text: str, first: int, out: list[str]) -> None:
        pieces: list[tuple[str, int]] = []
        at, line = 0, first

        def copied(to: int) -> None:
            nonlocal at, line
            for part in text[at:to].splitlines(keepends=True):
                pieces.append((part, line))
                line += part.endswith("\n")
            at = to

        while True:
            match = _TAG.search(text, at)
            if match is None:
                copied(len(text))
                break
            copied(match.start())
            if match[0].startswith("`"):
                copied(_code_end(text, match))
                continue
            end = _tag_end(text, match)
            if end is None:
                closing = _CLOSING[match[0]]
                self._wrong(line, f"`{match[0]}` has no end: `{closing}` is missing.")
                copied(match.end())
                continue
            source = text[at:end]
            if not source.startswith("{#"):
                self.tags.append(self._tag(source, line))
                pieces.append((f"{self.mark}{len(self.tags) - 1}jZ", line))
            line += source.count("\n")
            at = end
        self._write(pieces, out)

    def _write(self, pieces: Sequence[tuple[str, int]], out: list[str]) -> None:
        """Lines of the pieces; a line of nothing but statements becomes a block of its own."""
        text, current = "", 0
        lines: list[tuple[str, int]] = []
        for piece, line in pieces:
            current = current or line
            text += piece
            if text.endswith("\n"):
                lines.append((text[:-1], current))
                text, current = "", 0
        if text or not lines or (pieces and pieces[-1][0].endswith("\n")):
            lines.append((text, current or (pieces[-1][1] + 1 if pieces else 0)))
        for text, line in lines:
            found = [self.tags[int(number)] for number in self.place.findall(text)]
            alone = found and not self.place.sub("", text).strip()
            alone = alone and all(tag.kind == "statement" for tag in found)
            for each in ("", text, "") if alone else (text,):
                out.append(each)
                self.source_lines.append(line)

    def _tag(self, source: str, line: int) -> Tag:
        if raw := _RAW.match(source):
            return Tag(source, line, "text", "", raw[1])
        inner = source[2:-2].strip("-+ \n\t")
        word = (re.match(r"\w+", inner) or [""])[0]
        kind = "value" if source.startswith("{{") else "statement"
        if kind == "statement" and word not in STATEMENTS:
            self._wrong(line, f"A page has no tag {{% {word} %}}.{nearest(word, STATEMENTS)}")
            return Tag(source, line, "text", "", source)
        if not inner:
            self._wrong(line, "Nothing stands between `{{` and `}}`.")
            return Tag(source, line, "text", "", source)
        return Tag(source, line, kind, word, inner)

    # Markdown

    def compiled(self) -> Compiled:
        from markdown_it import MarkdownIt

        parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("code")
        # Links are judged here, by name, and not left out without a word.
        parser.validateLink = lambda url: True  # type: ignore[method-assign]
        parser.add_render_rule("fence", _code)
        parser.add_render_rule("table_open", _table_open)
        parser.add_render_rule("table_close", _table_close)
        tokens = parser.parse(self.text)
        self._dress(tokens)
        self._put_loops_into_lists(tokens)
        # A brace that is text must not begin a tag once the tags are back.
        rendered = parser.renderer.render(tokens, parser.options, {}).replace("{", "&#123;")
        self._check_containers()
        return self._with_tags(rendered)

    def _dress(self, tokens: list[Any]) -> None:
        stack = [0]
        heading, labels = "", list[str]()
        line = self.source_lines[0] if self.source_lines else 1
        for place, token in enumerate(tokens):
            if token.map:
                line = self._source_line(token.map[0])
            if token.nesting == 1:
                stack.append(place + 1)
            elif token.nesting == -1:
                stack.pop()
            if token.tag in _CLASSES and token.nesting >= 0 and token.type != "inline":
                token.attrJoin("class", _CLASSES[token.tag])
            # A strict content security policy allows no style attribute.
            if "right" in str(token.attrs.pop("style", "")):
                token.attrJoin("class", f"{_CLASSES[token.tag]}--numeric")
            if token.type == "table_open":
                label = f"Table: {heading}" if heading else "Table"
                labels.append(label)
                number = labels.count(label)
                token.meta["label"] = f"{label} ({number})" if number > 1 else label
            if token.type == "th_open":
                token.attrSet("scope", "col")
            if token.type in ("fence", "code_block"):
                token.info = self._as_text(token.info)
                token.content = self._as_text(token.content)
            if token.type == "inline":
                before = tokens[place - 1]
                lone = before.type == "paragraph_open" and self._stands_alone(token)
                if lone:
                    before.hidden = tokens[place + 1].hidden = True
                self._dress_inline(token, line, stack[-2] if lone else place + 1)
                if before.type == "heading_open":
                    heading = " ".join(self.place.sub(" ", _words(token)).split())
                    before.attrSet("id", self._made_anchor(token, line) or self._anchor(token))
                    self._note_heading(token, int(before.tag[1]), line)

    def _put_loops_into_lists(self, tokens: list[Any]) -> None:
        """`{% for %}`, list, `{% endfor %}` gives one list with many items, and not many lists."""
        place = 0
        while place + 3 < len(tokens):
            if self._lone_word(tokens, place) == "for" and tokens[place + 3].type in (
                "bullet_list_open",
                "ordered_list_open",
            ):
                level = tokens[place + 3].level
                end = next(
                    at
                    for at in range(place + 4, len(tokens))
                    if tokens[at].level == level and tokens[at].nesting < 0
                )
                if self._lone_word(tokens, end + 1) == "endfor":
                    tokens[place : end + 4] = [
                        tokens[place + 3],
                        *tokens[place : place + 3],
                        *tokens[place + 4 : end],
                        *tokens[end + 1 : end + 4],
                        tokens[end],
                    ]
            place += 1

    def _lone_word(self, tokens: list[Any], place: int) -> str:
        """The word of a statement that is a paragraph of its own; "" for anything else."""
        if place + 2 >= len(tokens) or tokens[place].type != "paragraph_open" or not tokens[place].hidden:
            return ""
        found = self.place.findall(tokens[place + 1].content)
        return self.tags[int(found[0])].word if len(found) == 1 else ""

    def _stands_alone(self, token: Any) -> bool:
        tags = [self.tags[int(number)] for number in self.place.findall(token.content)]
        return (
            bool(tags)
            and not self.place.sub("", token.content).strip()
            and all(
                tag.kind == "statement" or (tag.kind == "value" and tag.word in self.blocks) for tag in tags
            )
        )

    def _dress_inline(self, token: Any, line: int, container: int) -> None:
        for child in token.children or []:
            if child.type in ("softbreak", "hardbreak"):
                line += 1
            if child.type == "code_inline":
                child.content = self._as_text(child.content)
            elif child.type == "text":
                for number in self.place.findall(child.content):
                    self.tags[int(number)].container = container
            elif child.type == "link_open":
                child.attrJoin("class", _CLASSES["a"])
                self._check_link(child, line)
            elif child.type == "image":
                self._check_picture(child, line)

    def _as_text(self, content: str) -> str:
        return self.place.sub(lambda match: self.tags[int(match[1])].source, content)

    def _made_anchor(self, token: Any, line: int) -> str:
        """The place of a tag that makes the anchor, for a heading that holds values; nothing for another.

        `{{ anchor(value) }}` in a heading is its anchor and shows nothing; else its words are.
        """
        parts: list[str] = []
        for child in token.children or []:
            if child.type != "text":
                continue
            at = 0
            for match in self.place.finditer(child.content):
                tag = self.tags[int(match[1])]
                if tag.kind == "value" and tag.word == "anchor":
                    child.content = (child.content[: match.start()] + child.content[match.end() :]).rstrip()
                    return self._anchor_tag(tag.inner.removeprefix("anchor"), line)
                if tag.kind == "value":
                    parts += [repr(child.content[at : match.start()]), f"({' '.join(tag.inner.split())})"]
                at = match.end()
            parts.append(repr(self.place.sub(" ", child.content[at:])))
        return (
            self._anchor_tag(f"({' ~ '.join(parts)})", line) if any(each[0] == "(" for each in parts) else ""
        )

    def _anchor_tag(self, words: str, line: int) -> str:
        self.has_made_anchors = True
        self.tags.append(Tag(f"{{{{ _anchor{words} }}}}", line, "value", "_anchor", f"_anchor{words}"))
        return f"{self.mark}{len(self.tags) - 1}jZ"

    def _anchor(self, token: Any) -> str:
        words = self.place.sub(" ", _words(token))
        base = "-".join(re.findall(r"[a-z0-9]+", words.casefold().replace("'", "").replace("\u2019", "")))
        base = base or "section"
        anchor, number = base, 1
        while anchor in self.anchors:
            number += 1
            anchor = f"{base}-{number}"
        self.anchors.add(anchor)
        return anchor

    def _note_heading(self, token: Any, level: int, line: int) -> None:
        """Tell the figures that follow which heading they stand under, as it is rendered."""
        from markdown_it.token import Token

        inner = f"_heading({level})"
        self.tags.append(Tag(f"{{{{ {inner} }}}}", line, "value", "_heading", inner))
        token.children.append(Token("text", "", 0, content=f"{self.mark}{len(self.tags) - 1}jZ"))

    def _check_link(self, token: Any, line: int) -> None:
        href = str(token.attrs["href"])
        numbers = self.place.findall(href)
        if any(self.tags[int(number)].kind != "value" for number in numbers):
            self._wrong(line, "The address of a link holds values only, no {% %}.")
            token.attrs["href"] = ""
        elif not numbers and (fault := link_fault(href)):
            self._wrong(line, fault)
        elif not numbers:
            self.links.append(Link(line, href))
        self._check_words(token, str(token.attrs.get("title", "")), line)

    def _check_picture(self, token: Any, line: int) -> None:
        src = str(token.attrs["src"])
        if self.place.search(src) or _SCHEME.match(src) or src.startswith(("/", "\\")):
            self._wrong(line, f"A picture must be a file of the site, and {self._as_text(src)!r} is not.")
        elif not token.content.strip():
            self._wrong(line, f"The picture {src!r} has no words for those who do not see it.")
        else:
            self.links.append(Link(line, src))
        self._check_words(token, token.content + str(token.attrs.get("title", "")), line)

    def _check_words(self, token: Any, words: str, line: int) -> None:
        """What stands in an attribute is plain words: a component would put HTML there."""
        if self.place.search(words):
            self._wrong(line, "The title of a link and the words of a picture hold no tags.")
            token.attrs.pop("title", None)

    def _source_line(self, line: int) -> int:
        return self.source_lines[min(line, len(self.source_lines) - 1)]

    def _check_containers(self) -> None:
        """A loop or condition must begin and end in one place, else tags of HTML would not close."""
        open_tags: list[Tag] = []
        for tag in self.tags:
            if tag.kind != "statement" or tag.container < 0:
                continue
            if tag.word in _OPENERS or (tag.word == "set" and "=" not in tag.inner):
                open_tags.append(tag)
            elif (tag.word in _ENDS or tag.word in _MIDDLE) and open_tags:
                start = open_tags[-1]
                if start.container != tag.container:
                    self._wrong(
                        tag.line,
                        f"{{% {tag.word} %}} stands in another paragraph, list or table than the"
                        f" {{% {start.word} %}} of line {start.line}. Put both on lines of their own; for"
                        " rows of a table use data_table.",
                    )
                if tag.word in _ENDS:
                    open_tags.pop()
        for tag in open_tags:
            self._wrong(tag.line, f"{{% {tag.word} %}} has no {{% end{tag.word} %}}.")

    # Tags back

    def _with_tags(self, rendered: str) -> Compiled:
        """The template: each tag's content begins a line, so that jinja's lines tell the tag."""
        out: list[str] = []
        lines = [self.tags[0].line if self.tags else 1]
        at = 0
        for match in re.finditer(
            rf'(?:(href)="([^"]*{self.mark}\d+jZ[^"]*)")|{self.place.pattern}', rendered
        ):
            self._append(rendered[at : match.start()], None, out, lines)
            at = match.end()
            if match[1]:
                self._append_link(match[2], out, lines)
                continue
            tag = self.tags[int(match[3])]
            if tag.kind == "text":
                self._append(html.escape(tag.inner).replace("{", "&#123;"), None, out, lines)
            else:
                opening, closing = tag.source[:2], tag.source[-2:]
                sign = tag.source[2] if tag.source[2] in "-+" else ""
                last = tag.source[-3] if tag.source[-3] in "-+" else ""
                self._append(f"{opening}{sign}\n", None, out, lines)
                lines[-1] = tag.line
                inside = tag.source[2 + len(sign) : len(tag.source) - 2 - len(last)]
                stripped = inside.lstrip()
                start = tag.line + inside[: len(inside) - len(stripped)].count("\n")
                lines[-1] = start
                begin, first = sum(map(len, out)), len(lines)
                self._append(stripped, start, out, lines)
                if tag.kind == "value":
                    self.spans.append((begin, begin + len(stripped), first, len(lines)))
                self._append(f"{last}{closing}", None, out, lines)
        self._append(rendered[at:], None, out, lines)
        return Compiled(
            template="".join(out),
            lines=lines,
            links=self.links,
            anchors=self.anchors,
            errors=self.errors,
            spans=self.spans,
            has_made_anchors=self.has_made_anchors,
        )

    def _append_link(self, href: str, out: list[str], lines: list[int]) -> None:
        parts: list[str] = []
        at, line = 0, None
        for match in self.place.finditer(href):
            if match.start() > at:
                parts.append(repr(html.unescape(href[at : match.start()])))
            tag = self.tags[int(match[1])]
            line = line or tag.line
            parts.append(f"({' '.join(tag.inner.split())})")
            at = match.end()
        if href[at:]:
            parts.append(repr(html.unescape(href[at:])))
        self._append('href="{{\n', None, out, lines)
        lines[-1] = line or lines[-1]
        call = f"_address({' ~ '.join(parts)})"
        begin = sum(map(len, out))
        self.spans.append((begin, begin + len(call), len(lines), len(lines)))
        self._append(f'{call} }}}}"', None, out, lines)

    @staticmethod
    def _append(text: str, line: int | None, out: list[str], lines: list[int]) -> None:
        """Add text; `line` is where it begins in the file, None where it belongs to what came before."""
        out.append(text)
        for _ in range(text.count("\n")):
            lines.append(lines[-1] + (line is not None))


def _words(token: Any) -> str:
    """The words of a heading, as they stand in the file."""
    return "".join(
        child.content for child in token.children or [] if child.type in ("text", "code_inline", "softbreak")
    )


def _code(renderer: Any, tokens: Sequence[Any], place: int, options: Any, env: Any) -> str:
    """A block of code: the keyboard reaches it, for it scrolls where it is wider than the page."""
    content = html.escape(tokens[place].content)
    return f'<pre class="vcc-code" tabindex="0"><code>{content}</code></pre>\n'


def _table_open(renderer: Any, tokens: Sequence[Any], place: int, options: Any, env: Any) -> str:
    label = html.escape(tokens[place].meta["label"])
    return (
        f'<div class="vcc-table-wrapper" role="region" aria-label="{label}" tabindex="0">\n'
        f"<table{renderer.renderAttrs(tokens[place])}>\n"
    )


def _table_close(renderer: Any, tokens: Sequence[Any], place: int, options: Any, env: Any) -> str:
    return "</table>\n</div>\n"


def _regions(lines: Sequence[str]) -> Iterator[tuple[bool, int, list[str]]]:
    """Runs of lines that are code and that are not, with the line on which each begins."""
    marks = ""
    start = 1
    collected: list[str] = []
    for number, line in enumerate(lines, 1):
        match = _FENCE.match(line)
        if not marks and match:
            if collected:
                yield False, start, collected
            marks, start, collected = match[1], number, [line]
        elif marks and match and match[1].startswith(marks) and not match[2].strip():
            collected.append(line)
            yield True, start, collected
            marks, start, collected = "", number + 1, []
        else:
            collected.append(line)
    if collected:
        yield bool(marks), start, collected


def _tag_end(text: str, match: re.Match[str]) -> int | None:
    """Where a jinja tag ends; None if it does not."""
    if raw := _RAW.match(text, match.start()):
        return raw.end()
    closing = _CLOSING[match[0]]
    at, quote, depth = match.end(), "", 0
    while at < len(text):
        char = text[at]
        if closing == "#}":
            pass
        elif quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
            at += 1
            continue
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}" and depth:
            depth -= 1
            at += 1
            continue
        if text.startswith(closing, at):
            return at + 2
        at += 1
    return None


def _code_end(text: str, match: re.Match[str]) -> int:
    """Where the code that backticks open ends; after the backticks if they open none."""
    paragraph_end = re.compile(r"\n[ \t]*\n").search(text, match.end())
    end = paragraph_end.start() if paragraph_end else len(text)
    for closing in re.finditer("`+", text[match.end() : end]):
        if len(closing[0]) == len(match[0]):
            return match.end() + closing.end()
    return match.end()


def link_fault(href: str) -> str | None:
    """Why a page may not link to an address; None if it may: http, https, mailto, or a relative path."""
    scheme = _SCHEME.match(href)
    if scheme:
        if scheme[0].casefold() in ("http:", "https:", "mailto:"):
            return None
        return f"A page links to https, http, mailto or its own pages, and not to {href!r}."
    if href.startswith(("/", "\\")):
        return f"{href!r} begins at the root, which differs from place to place; link relative to the page."
    return None
