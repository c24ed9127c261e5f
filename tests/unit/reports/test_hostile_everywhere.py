"""Text that came from somewhere else is text in everything that is made: a release and a warehouse full of it.

One string holds what could be taken for HTML, markdown, jinja, a formula or a path, and signs that turn words round. It
stands in every column of text that is not a code, and in those codes that nobody checks. Whatever is built is read by a
parser of its kind: wherever a word of the string stands, the whole string has to stand as it is, but for the signs.
"""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import json
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import annual_sources
import duckdb
import local_pack_facts
import pypdf
import pytest
import test_packs_board as board
import tinyhtml5

from reports.annual_report import annual_report_of, build_annual_report
from reports.packs.board import build_board_pack
from reports.packs.local import build_local_packs
from reports.packs.provenance import Provenance
from reports.packs.taskforce import build_taskforce_pack
from reports.published import PublishedRelease
from reports.release.public_folder import PublicVersion, pages_of
from reports.site.build import build_site

PROJECT = Path(__file__).parents[3]
SEEDS = PROJECT / "dbt_project" / "seeds"

#: What a reader is to see, each part of it, between two words that stand nowhere else.
PARTS = (
    "<zqtag zqown=1>",
    "</td></p></script><script>zq(1)</script>",
    '" onzq="x" \' onzq=\'x',
    "**zqb** [zql](javascript:zq(2)) ![zqi](//zq.example/x) `zqc`",
    "| zqcell |",
    "{{ 7*191 }} {% raw %} {# zq #} ${zq}",
    "&lt;zqe&gt; <!-- zq --> ]]>",
    "../../zq \\u003czq",
)
#: Signs that steer what stands beside them; gone, or shown as a sign of their own.
STEERING = "\u202ezq\u202c\u2066\u200f\u061c"
STEERS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
FIRST, LAST = "zqfirst", "zqlast"
HOSTILE = f"=1+1 {FIRST} {' '.join(PARTS)} {STEERING} {LAST}"
SEEN = " ".join((FIRST, *PARTS))
#: A name for a file that would lie elsewhere.
PATH = "../../../zqpath/\u202e<zqtag>"
#: A name that was made into a part of an address: lower case, hyphens between the words.
ADDRESS = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){4,}")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def pressed(text: str) -> str:
    """Text as it is compared: how words are set apart depends on the kind of file."""
    return "".join(text.split())


def _begins(text: str) -> bool:
    return pressed(SEEN).startswith(text)


class Found(Exception):
    """Something came out as more than text."""


def check_text(text: str, where: str) -> int:
    """The string is whole wherever it begins or ends: how often it stands here."""
    if STEERS.search(text):
        raise Found(f"{where}: a sign that steers text: {text[:300]!r}")
    tight = pressed(ADDRESS.sub("", text))
    whole = tight.count(pressed(SEEN))
    # cut short on purpose: what is left is a beginning of it
    tight = re.sub(
        rf"{FIRST}[^\u2026]{{0,300}}\u2026", lambda found: "" if _begins(found[0][:-1]) else found[0], tight
    )
    if tight.count(FIRST) != whole or "1337" in re.findall(r"\d+", text):
        cut = tight.replace(pressed(SEEN), "")
        place = max(cut.find(FIRST), cut.find("1337"), 0)
        raise Found(f"{where}: the text was changed: {cut[max(place - 80, 0) : place + 200]!r}")
    return whole


def check_element(name: str, attributes: Mapping[str, str], where: str) -> None:
    """No element, attribute or address of the string."""
    for each in (name, *attributes):
        if "zq" in each.lower() or each.lower().startswith("on"):
            raise Found(f"{where}: <{name}> has come of text, with {sorted(attributes)}")
    for key in ("href", "src", "srcset", "action", "{http://www.w3.org/1999/xlink}href"):
        address = attributes.get(key, "").strip().lower()
        if address.startswith(("javascript:", "vbscript:")) or "zq.example" in urlsplit(address).netloc:
            raise Found(f"{where}: {key}={address!r}")


def check_html(content: bytes, where: str, *, is_public: bool) -> int:
    root = tinyhtml5.parse(content.decode("utf-8"), namespace_html_elements=False)
    count = 0
    for element in root.iter():
        if not isinstance(element.tag, str):  # a comment
            raise Found(f"{where}: a comment {element.text!r}")
        name = element.tag.rpartition("}")[2]
        attributes = {str(key): value or "" for key, value in element.attrib.items()}
        check_element(name, attributes, where)
        if name == "script" and (not is_public or not attributes.get("src") or (element.text or "").strip()):
            raise Found(f"{where}: a script {element.text!r}")
        if name in {"iframe", "object", "embed", "form", "base"} and name != "form":
            raise Found(f"{where}: <{name}>")
        for key, value in attributes.items():
            if key not in ("href", "src", "srcset"):
                check_text(value, f"{where} <{name} {key}>")
            elif is_public:
                check_inside(value, where)
    said: list[str] = []
    for style in [*root.iter("style")]:
        # the foot of a page is a string in its style
        rest = re.sub(r'"((?:[^"\\\n]|\\.)*)"', lambda found: said.append(found[1]) or "", style.text or "")
        if "zq" in rest:
            raise Found(f"{where}: a style of text")
        for each in said:
            check_text(re.sub(r"\\([0-9a-f]+) ", lambda code: chr(int(code[1], 16)), each), where)
        style.text = ""
    for shown in [*root.iter("code")]:
        if (
            where.startswith("narratives/") and shown.text
        ):  # a fragment to copy: read as what it is copied for
            count += check_html(f"<title>x</title>{shown.text}".encode(), where, is_public=is_public)
            shown.text = ""
    count += check_text("".join(root.itertext()), where)
    return count


def check_inside(address: str, where: str) -> None:
    """A link within the site stays within it."""
    for each in address.split(","):
        parts = urlsplit(each.strip().split(" ")[0])
        if not parts.scheme and not parts.netloc and parts.path:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(where), unquote(parts.path)))
            if target.startswith(".."):
                raise Found(f"{where}: {each!r} leads out of the site")


def check_xml(content: bytes, where: str) -> int:
    root = ElementTree.fromstring(content)
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        check_element(name, element.attrib, where)
        if name in {"script", "foreignObject"}:
            raise Found(f"{where}: <{name}>")
        if any(key.endswith("formula") for key in element.attrib):
            raise Found(f"{where}: a formula")
    text = "".join(root.itertext())
    if where.endswith(".svg"):  # lines are broken and cut short there
        if STEERS.search(text):
            raise Found(f"{where}: a sign that steers text")
        return text.count(FIRST)
    return check_text(text, where)


def check_csv(content: bytes, where: str) -> int:
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    if len({len(row) for row in rows}) > 1:
        raise Found(f"{where}: rows of different lengths")
    cells = [cell for row in rows for cell in row]
    check_cells(cells, where)
    return sum(check_text(cell, where) for cell in cells)


def check_cells(cells: list[str], where: str) -> None:
    for cell in cells:
        if cell.lstrip().startswith(DANGEROUS) and not re.fullmatch(
            r"[-+]?[\d.,% ]+(e-?\d+)?( .*\d\))?", cell.strip()
        ):
            raise Found(f"{where}: a cell that a spreadsheet runs: {cell[:60]!r}")


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from (str(key), *strings(each))
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def check_json(text: str, where: str) -> int:
    return sum(check_text(each, where) for each in strings(json.loads(text)))


def check_script(content: bytes, where: str) -> int:
    """A script of data sets one value, or calls one function, with JSON in which no markup is to be seen."""
    text = content.decode("ascii")
    match = re.fullmatch(
        r"(?:globalThis\.vcc\w+ = |(?P<call>[\w.]+)\()(?P<json>.*?)(?(call)\)|);\n", text, re.DOTALL
    )
    if match is None or "<" in text:
        raise Found(f"{where}: more than data: {text[:80]!r}")
    data = match["json"]
    return check_json(f"[{data}]", where)


def check_pdf(content: bytes, where: str) -> int:
    reader = pypdf.PdfReader(io.BytesIO(content))
    root = reader.trailer["/Root"]
    if "/OpenAction" in root or "/AA" in root or "/JavaScript" in str(root.get("/Names", "")):
        raise Found(f"{where}: a document that does something")
    for page in reader.pages:
        for note in page.get("/Annots") or ():
            action = str(note.get_object().get("/A", ""))
            if "zq" in action or "/JavaScript" in action or "/Launch" in action:
                raise Found(f"{where}: a link of text: {action}")
    text = "".join(page.extract_text() for page in reader.pages)
    meta = " ".join(str(value) for value in (reader.metadata or {}).values())
    if STEERS.search(text + meta):
        raise Found(f"{where}: a sign that steers text")
    # words break across lines and pages, where heads and feet come between: counted by its parts
    tight = pressed(text)
    counts = [tight.count(pressed(part)) for part in PARTS]
    if tight.count(FIRST) and min(counts) < tight.count(FIRST) * 0.8:
        raise Found(f"{where}: parts of the text are missing: {counts} of {tight.count(FIRST)}")
    return tight.count(FIRST)


def check_opendocument(content: bytes, where: str) -> int:
    count = 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.startswith(("/", "..")) or "zq" in name or name.startswith(("Basic", "Scripts")):
                raise Found(f"{where}: holds {name}")
            if name.endswith(".xml"):
                count += check_xml(archive.read(name), f"{where}!{name}")
    if where.endswith(".ods"):
        from odf import teletype
        from odf.opendocument import load
        from odf.table import TableCell

        cells = load(io.BytesIO(content)).spreadsheet.getElementsByType(TableCell)
        check_cells(
            [teletype.extractText(cell) for cell in cells if cell.getAttribute("valuetype") == "string"],
            where,
        )
    return count


def check(files: Mapping[str, bytes], *, is_public: bool) -> dict[str, int]:
    """Read every file by its kind; how often the string stands in each. Raises Found with all that is wrong."""
    counts, wrong = {}, []
    for path, content in files.items():
        try:
            counts[path] = check_file(path, content, is_public=is_public)
        except (Found, ValueError, ElementTree.ParseError) as found:
            wrong.append(f"{path}: {found}")
    if wrong:
        raise Found("\n".join(wrong))
    return counts


def check_file(path: str, content: bytes, *, is_public: bool) -> int:
    if posixpath.normpath(path) != path or path.startswith(("/", "..")) or STEERS.search(path) or "<" in path:
        raise Found(f"a file is called {path!r}")
    ending = path.rpartition(".")[2]
    if path.endswith("-narrative.html"):
        content = b"<!doctype html><title>x</title>" + content
    if ending == "html":
        return check_html(content, path, is_public=is_public)
    if ending in READERS:
        return READERS[ending](content, path)
    raise Found(f"{path}: nobody knows how to read it")


def check_record(content: bytes, where: str) -> int:
    text = content.decode("utf-8")
    if STEERS.search(text):
        raise Found(f"{where}: a sign that steers text")
    return check_json(text, where)


def check_own(content: bytes, where: str) -> int:
    """A file that is the same whatever is published."""
    if b"zq" in content and where != "data-tool/vega.js":
        raise Found(f"{where}: holds text that was published")
    return 0


READERS: Mapping[str, Callable[[bytes, str], int]] = {
    "xml": check_xml, "svg": check_xml, "csv": check_csv, "json": check_record, "pdf": check_pdf,
    "ods": check_opendocument, "odt": check_opendocument, "css": check_own, "txt": check_own, "png": check_own,
    "js": lambda content, where: (check_script if where in DATA or "/data/" in where else check_own)(content, where),
}  # fmt: skip
DATA = ("assets/search-index.js",)


# --- what is public ----------------------------------------------------------------------------------------

#: Columns that hold codes, which the contracts of the marts check against lists.
CODES = {
    "release_period_code", "period_code", "year_code", "body_kind", "area_code", "group_kind", "group_code",
    "metric_id", "question_id", "item_id", "unit", "collection_mode", "sampling_frame", "survey_mode", "collected_by",
    "published_as", "obs_status", "obs_note", "information", "breakdown", "breakdown_value", "notice_scope",
    "notice_status", "region_code", "table_name", "area_kind", "country_code", "polarity", "tier", "body_kinds",
    "column", "code", "file", "type", "rate_band", "basis",
}  # fmt: skip
KEPT = ("r04_s02_referral_prop", "r02_s01_recorded_24h", "r01_f01", "r02_d01")
VERSION = "1.0.0"
QUARTERS = ("2026-27-Q1", "2026-27-Q2")


def hostile_release(r: ModuleType, folder: Path, period: str, number: int) -> PublishedRelease:
    """A release of one area with a row or two in each table, all of its text hostile but for codes."""

    def text(table: str, **row: Any) -> dict[str, Any]:
        names = [column for column in r.COLUMNS[table] if ":" not in column]
        return {name: HOSTILE for name in names if name not in CODES and name not in row} | row

    rate = {"rate_percent": 75 + 10 * number, "rate_is_about": False, "rate_lower_percent": 70 + 10 * number,
            "rate_upper_percent": 79 + 10 * number, "published_as": "value"}  # fmt: skip
    local = {"area_code": r.ESSEX, "body_kind": "police", "region_code": "E12000006"}
    nation = {"group_kind": "nation", "group_code": "K04000001", "body_kind": "police"}
    cases = {"case_count": 200, "met_count": 150}
    answers = {"valid_answer_count": 200, "good_count": 150}
    region = {"body_kind": "police", "region_code": "E12000006", "information": "statistic", "right_number": 4,
              "item_id": KEPT[0], "breakdown": "age", "base_count": 200, "good_count": 150}  # fmt: skip
    # one financial year, in the newest of the releases
    year = range(number)
    made = r.make_release(
        folder,
        period,
        only_areas=(r.ESSEX,),
        area_groups=[
            text(
                "area_groups",
                group_kind="region",
                group_code="E12000006",
                area_code=r.ESSEX,
                is_combined=False,
            )
        ],
        local_compliance=[
            text("local_compliance", **local, metric_id=metric, **cases, **rate) for metric in KEPT[:2]
        ],
        local_benchmarks=[
            text(
                "local_benchmarks",
                area_code=r.ESSEX,
                body_kind="police",
                metric_id=KEPT[0],
                rate_percent=75,
                like_areas_expected=7,
                like_areas_published=7,
                like_areas_case_count=5000,
                like_areas_met_count=4500,
                like_areas_rate_percent=90,
                like_areas_lower_percent=89,
                like_areas_upper_percent=91,
            )
        ],
        local_delivery=[text("local_delivery", **local, item_id=KEPT[3], lowest_grade=1)],
        local_feedback=[
            text("local_feedback", **local, question_id=KEPT[2], **answers, **rate) for _ in year
        ],
        group_compliance=[
            text(
                "group_compliance",
                **nation,
                metric_id=metric,
                **cases,
                **rate,
                areas_expected=43,
                areas_published=40,
                case_share_covered=0.9,
            )
            for metric in KEPT[:2]
        ],
        group_feedback=[
            text(
                "group_feedback",
                **nation,
                question_id=KEPT[2],
                **answers,
                **rate,
                areas_expected=43,
                areas_published=40,
                answer_share_covered=0.9,
            )
            for _ in year
        ],
        region_breakdowns=[
            text("region_breakdowns", **region, **rate, breakdown_value=value)
            for value in ("18-24", HOSTILE)
            for _ in year
        ],
        national_breakdowns=[
            text(
                "national_breakdowns",
                **{name: value for name, value in region.items() if name != "region_code"},
                **rate,
                breakdown_value=value,
                regions_expected=10,
                regions_published=9,
                base_share_covered=0.9,
            )
            for value in ("18-24", HOSTILE)
            for _ in year
        ],
        notices=[
            text(
                "notices",
                notice_id=notice_id,
                area_code=r.ESSEX,
                body_kind="police",
                right_number=4,
                notice_scope="single",
                notice_status=status,
                sos_agreed_on=dt.date(2026, 1, 12),
                ag_agreed_on=dt.date(2026, 1, 13),
                vc_consulted_on=dt.date(2026, 1, 2),
                published_on=dt.date(2026, 1, 20),
                plan_due_on=dt.date(2026, 4, 1),
                plan_link=link,
            )
            for notice_id, link, status in (
                (PATH, "javascript:zq(4)", ("plan_due", "plan_overdue")[number]),
                (HOSTILE, "https://zq.example/\"onzq='x'", "plan_due"),
            )
        ],
        notice_grounds=[
            text(
                "notice_grounds",
                notice_id=PATH,
                area_code=r.ESSEX,
                body_kind="police",
                right_number=4,
                metric_id=KEPT[0],
                period_code=period,
                limit_percent=30,
            )
        ],
    )
    for name in ("areas", "breakdowns", "codes", "metric-catalogue"):
        file = made.folder / f"{name}.csv"
        header, *rows = csv.reader(io.StringIO(file.read_text(encoding="utf-8"), newline=""))
        if name == "metric-catalogue":
            ids = {row[header.index("right_number")]: row[0] for row in reversed(rows)}
            rows = [row for row in rows if row[0] in {*ids.values(), *KEPT}]
        numeric = {"metric_version", "right_number", "sort_order", "is_ons_code", "valid_from", "valid_to"}
        given = [place for place, column in enumerate(header) if column not in CODES | numeric]
        for line, row in enumerate(rows):
            for place in given:
                if header[place] != "metric_id":
                    row[place] = f"{HOSTILE} {line if name != 'areas' else ''}".strip()
        stream = io.StringIO(newline="")
        csv.writer(stream, lineterminator="\r\n").writerows([header, *rows])
        file.write_text(stream.getvalue(), encoding="utf-8", newline="")
    return replace(made, period_label=f"{HOSTILE} ({period})")


@pytest.fixture(scope="module")
def releases(small_release: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> list[PublishedRelease]:
    folder = tmp_path_factory.mktemp("public")
    return [hostile_release(small_release, folder, period, number) for number, period in enumerate(QUARTERS)]


def told(release: PublishedRelease) -> PublicVersion:
    return PublicVersion(
        release.period_code, release.period_label, release.version, "withdrawn", dt.date(2026, 9, 17),
        dt.date(2026, 9, 17), HOSTILE, release.sums_sha256, withdrawn_on=dt.date(2026, 9, 18),
        withdrawn_reason=HOSTILE,
    )  # fmt: skip


def site_of(releases: list[PublishedRelease], **changes: Any) -> dict[str, bytes]:
    versions = [told(release) for release in releases]
    listed = [{**asdict(version), "path": version.path} for version in versions]
    listed = [{name: value.isoformat() if isinstance(value, dt.date) else value for name, value in each.items()}
              for each in listed]  # fmt: skip
    files = build_site(releases, listed, SEEDS, PROJECT / "node_modules", **changes)
    return files | pages_of(versions, {})


def test_everything_public_holds_it_as_text(releases: list[PublishedRelease]) -> None:
    counts = check(site_of(releases), is_public=True)
    kinds = {re.sub(r"(?<=/)[^/]*(?=\.[a-z]+$)", "*", path) for path, count in counts.items() if count}
    # it did get to every kind of file that can hold text
    assert {
        "index.html", "search.html", "areas/*.html", "rights/*.html", "metrics/*.html", "narratives/*.html",
        "notices/*.html", "notices/*.json", "notices/*.pdf", "notices/*.xml", "data-tool/*.html", "data-tool/data/*.js",
        "assets/*.js", "feed.xml", "releases/*.html", "releases/*.json",
    } <= kinds  # fmt: skip
    figures = [path for path, count in counts.items() if count and "-figures/" in path]
    assert {path.rpartition(".")[2] for path in figures} == {"svg", "csv"}


# --- packs and the annual report ---------------------------------------------------------------------------

ESSEX = ("E23000028", HOSTILE)
PERIOD = local_pack_facts.PERIOD
PROVENANCE = Provenance(PERIOD, f"{HOSTILE} (2025/26 Q2)", "final", "b0123456789abcdef")
#: Columns of the marts that hold what people wrote, or a name.
FREE = re.compile(
    r"(area|sender|recipient|body|state|owner)_name|title|right_title|(item_)?definition|reason|\w+_reason|summary|request"
    r"|evidence_reference|next_step|needs_attention|insight_(text|id)|owner_role|publisher|measure(_unit)?|message|remedy"
    r"|breakdown_value|notice_ids|plan_link|standard_wording|high_compliance|question|found|context_id"
)
NAMES = {
    "areas": ("area_name", "force_name"), "bodies": ("body_name",), "metrics": ("definition",),
    "rights": ("right_title",), "senders": ("sender_name",), "characteristics": ("label",),
    "crime_types": ("crime_type_name",), "case_states": ("state_name",),
}  # fmt: skip


def marts_of_packs() -> dict[str, list[dict[str, Any]]]:
    """A row or more of every mart that packs read, about one area."""
    made: dict[str, list[dict[str, Any]]] = {
        **{mart: [] for mart in board.marts_of_pages()},
        **{mart: list(rows) for mart, rows in local_pack_facts.MARTS.items()},
    }
    own = [mart for mart in made if mart.startswith(("local_", "oversight_", "quality_"))]
    for mart in own:
        made[mart] = [
            row | {key: ESSEX[0] for key in ("pfa_code",) if key in row} for row in made[mart]
            if row.get("pfa_code", "E23000002") == "E23000002" or "pfa_code" not in row
        ]  # fmt: skip
    made["oversight_cases"] = [
        board.case(1, ESSEX, 2, "data_check"),
        board.case(2, ESSEX, 3, "escalated_to_taskforce"),
        board.case(3, ESSEX, 4, "notice_agreed"),
    ]
    made["oversight_case_events"] = [
        board.event(1, ESSEX, 2, "data_check"),
        board.event(2, ESSEX, 3, "escalated_to_taskforce"),
    ]
    made["oversight_notices"] = [
        board.notice(PATH, 3, ESSEX, 4, HOSTILE, notice_status="draft"),
        board.notice(
            HOSTILE, 3, ESSEX, 4, HOSTILE, published_on=dt.date(2025, 10, 1), notice_status="plan_due"
        ),
    ]
    made["quality_problems"] = [
        {"sender_code": "E23000002-police", "form_kind": "quarterly", "period_code": PERIOD, "severity": "error",
         "receipt_id": "R000101-0a1b2c3d", "problem_number": 1, "rule_code": "FIGURES-018"}
    ]  # fmt: skip
    made["insight_entries"] = [
        local_pack_facts.entry(local_pack_facts.CUMBRIA, "B1", "best_practice", HOSTILE),
        local_pack_facts.entry(local_pack_facts.ESSEX, "L1", "low", HOSTILE),
    ]
    return made


@pytest.fixture(scope="module")
def warehouse(mart_tables: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    columns = mart_tables.mart_columns()
    marts = {
        mart: [
            row | {name: HOSTILE for name, kind in columns[mart].items()
                   if kind.lower() == "varchar" and FREE.fullmatch(name)} for row in rows
        ]
        for mart, rows in marts_of_packs().items()
    }  # fmt: skip
    seeds = {*local_pack_facts.SEEDS, *board.SEEDS}
    path = tmp_path_factory.mktemp("warehouse") / "build.duckdb"
    mart_tables.create_warehouse(path, marts, more_seeds=sorted(seeds))
    with duckdb.connect(str(path)) as con:
        for table, names in NAMES.items():
            for name in names:
                con.execute(f"update reference.{table} set {name} = ?", [HOSTILE])
    return path


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_every_pack_holds_it_as_text(
    warehouse: Path, releases: list[PublishedRelease], tmp_path: Path
) -> None:
    build_local_packs(warehouse, PERIOD, "final", PROVENANCE, tmp_path / "local")
    build_board_pack(warehouse, PERIOD, PROVENANCE, tmp_path / "board")
    build_taskforce_pack(warehouse, PERIOD, PROVENANCE, tmp_path / "taskforce")
    counts = check(files_in(tmp_path), is_public=False)
    said = {path: count for path, count in counts.items() if count}
    assert set(said) == set(counts)
    assert {path.rpartition("/")[0] for path in counts} == {"local", "board", "taskforce", "taskforce/drafts"}


def test_the_annual_report_holds_it_as_text(tmp_path: Path) -> None:
    source = annual_sources.warehouse(
        tmp_path / "b.duckdb", practice=[("R1", "B1", "best_practice", HOSTILE)]
    )
    chosen = [{"receipt_id": "R1", "insight_id": "B1", "agreed_on": dt.date(2026, 8, 1)}]
    configuration = annual_report_of({
        "from_quarter": "2025-26-Q2", "languages": ["en"], "title": {"en": HOSTILE}, "foreword": {"en": HOSTILE},
        "good_practice": chosen, "areas_of_focus": [{"title": HOSTILE, "text": HOSTILE}],
    })  # fmt: skip
    build_annual_report(
        annual_sources.published(hostile=HOSTILE), source, configuration, build_id="b1", today=dt.date(2026, 8, 1),
        meetings_recorded_from=dt.date(2026, 1, 1), out=tmp_path / "out",
    )  # fmt: skip
    counts = check(files_in(tmp_path / "out"), is_public=False)
    assert sorted(path.rpartition(".")[2] for path, count in counts.items() if count >= 5) == [
        "html",
        "odt",
        "pdf",
    ]


# --- the checks can fail -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [False, True], ids=["escaping off", "steering left"])
def test_one_escape_less_is_found(
    releases: list[PublishedRelease], monkeypatch: pytest.MonkeyPatch, value: bool
) -> None:
    import reports.page

    versions = [told(release) for release in releases]
    assert check(pages_of(versions, {}), is_public=True)
    environment = reports.page._environment()
    changed = environment.overlay(finalize=None) if value else environment.overlay(autoescape=False)
    monkeypatch.setattr(reports.page, "_environment", lambda: changed)
    with pytest.raises(Found):
        check(pages_of(versions, {}), is_public=True)


CLEAN = f"=1+1 {SEEN} zq {LAST}"


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        ("a.html", html.escape(CLEAN), CLEAN),
        ("a.html", html.escape(CLEAN), html.escape(CLEAN.replace("**zqb**", "zqb"))),
        ("a.html", html.escape(CLEAN), html.escape(CLEAN.replace("{{ 7*191 }}", "1337"))),
        ("a.html", html.escape(CLEAN), html.escape(HOSTILE)),
        ("a.html", '<a href="../a">x</a>', '<a href="../../a">x</a>'),
        ("a.html", "<a href='x'>x</a>", "<a href='JavaScript:x'>x</a>"),
        ("a.svg", f"<svg>{html.escape(CLEAN)}</svg>", "<svg><script/></svg>"),
        ("a.xml", f"<a>{html.escape(CLEAN)}</a>", f"<a>{html.escape(HOSTILE)}</a>"),
        ("a.csv", "a\r\n'=1+1\r\n", "a\r\n =1+1\r\n"),
        ("a.csv", "a\r\n-1.5\r\n", "a\r\n-A1\r\n"),
        ("a.json", json.dumps([CLEAN]), json.dumps([HOSTILE])),
        ("tool/data/a.js", "vccData([1]);\n", "vccData([1]);zq();\n"),
        ("tool/data/a.js", 'vccData("\\u003c");\n', 'vccData("<");\n'),
        ("a/b.css", "", CLEAN),
        ("b.css", "", None),
    ],
)
def test_each_reader_tells_text_from_more(path: str, good: str, bad: str | None) -> None:
    where = f"areas/{path}"
    check({where: good.encode()}, is_public=True)
    with pytest.raises(Found):
        check({f"../{path}" if bad is None else where: (bad or "").encode()}, is_public=True)
