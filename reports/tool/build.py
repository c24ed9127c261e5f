"""The data tool as files of the site: its page, its scripts, Vega, and the figures by place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.page import rendered
from reports.tool.data import data_scripts, script, tool_index

if TYPE_CHECKING:
    import duckdb

FOLDER = "data-tool"
HERE = Path(__file__).parent
#: In the order in which they are loaded; together they are tool.js.
SCRIPTS = ("figures.js", "graph.js", "page.js")
#: Colours of up to four places: 3:1 on white, told apart by dash and shape as well.
COLOURS = ("#1d70b8", "#c4500a", "#0b0c0c", "#1a7f78")
VEGA = Path("vega") / "build" / "vega.min.js"
INTERPRETER = Path("vega-interpreter") / "build" / "vega-interpreter.js"


class ToolError(RuntimeError):
    """A file that the data tool needs is missing or not as expected; the message says what to do."""


def build_tool(
    connection: duckdb.DuckDBPyConnection, *, node_modules: Path, context: Mapping[str, Any]
) -> dict[str, bytes]:
    """Path below the site -> content of every file of the data tool.

    `connection` sees the schema `published`; `context` holds what the layout of the site needs (site, labels,
    lang). Raises ToolError where Vega is not installed as the lockfile says.
    """
    index = {**tool_index(connection), "colours": COLOURS}
    slugs = dict(connection.execute("select area_code, slug from places").fetchall())
    files = {
        "index.html": page(index, context, slugs).encode(),
        "tool.css": (HERE / "tool.css").read_bytes(),
        "tool.js": b"\n".join((HERE / name).read_bytes() for name in SCRIPTS),
        "vega.js": vega(node_modules),
        "data/index.js": script("vccIndex", index),
        **{f"data/{name}": content for name, content in data_scripts(connection, index).items()},
    }
    return {f"{FOLDER}/{name}": content for name, content in files.items()}


def page(index: Mapping[str, Any], context: Mapping[str, Any], slugs: Mapping[str, str]) -> str:
    """The page: a form for those who have JavaScript, links to the areas' pages for those who have not.

    `slugs` are the names of the areas' pages, by code.
    """
    areas = [{**place, "slug": slugs[place["id"]]} for place in index["places"] if place["kind"] == "area"]
    scripts = ("vega.js", "tool.js", "data/index.js")
    values = {
        **context,
        "page": {
            "title": "Data tool",
            "description": "Choose areas and a measure of the Victims' Code, and draw a graph.",
            "path": f"{FOLDER}/index.html",
            "section": FOLDER,
            "styles": (f"{FOLDER}/tool.css",),
            "scripts": tuple(f"{FOLDER}/{name}" for name in scripts),
        },
        "root": "../",
        "regions": [(region, list(group)) for region, group in groupby(areas, lambda area: area["region"])],
    }
    return rendered("tool/page.html.j2", **values)


def vega(node_modules: Path) -> bytes:
    """Vega and its interpreter as one classic script with their licence.

    The interpreter is published as a module only, which a page opened from a folder cannot load: its one
    import and its one export become names of the object that Vega's own script makes.
    """
    texts = {}
    for path in (VEGA, INTERPRETER, VEGA.parents[1] / "LICENSE"):
        file = node_modules / path
        if not file.is_file():
            raise ToolError(
                f"{file} is missing: the data tool draws with Vega. Run `make setup`, which installs what"
                " package-lock.json pins."
            )
        texts[path] = re.sub(r"^//# sourceMappingURL=.*$", "", file.read_text(encoding="utf-8"), flags=re.M)
    wired, imports = re.subn(
        r"^import (\{[^}]*\}) from 'vega-util';$", r"const \1 = vega;", texts[INTERPRETER], flags=re.M
    )
    wired, exports = re.subn(
        r"^export \{ expression as expressionInterpreter \};$",
        "vega.expressionInterpreter = expression;",
        wired,
        flags=re.M,
    )
    if (imports, exports) != (1, 1) or re.search(r"^(import|export)\b", wired, flags=re.M):
        raise ToolError(
            f"{node_modules / INTERPRETER} imports or exports other names than it did; change"
            " reports/tool/build.py for this version of Vega's interpreter."
        )
    licence = texts[VEGA.parents[1] / "LICENSE"].strip().replace("*/", "* /")
    return f"/*\n{licence}\n*/\n{texts[VEGA].strip()}\n(() => {{\n{wired.strip()}\n}})();\n".encode()
