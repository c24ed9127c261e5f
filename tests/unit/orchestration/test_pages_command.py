"""`vcc pages`: an analyst's own file is checked, built and served; nothing else is touched."""

from __future__ import annotations

import importlib.util
import json
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.cli import main
from orchestration.page_server import HOST, Shown, saves, server_of
from orchestration.page_sources import Made
from reports.engine.errors import PageError

GOOD = "---\ntitle: Mine\ndescription: x\n---\n```sql now\nselect * from current\n```\n# Of {{ now[0].period_code }}\n"
BAD = GOOD + "\n{{ nwo }}\n\n[x](nowhere.html)\n"


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with one published release."""
    path = Path(__file__).parents[1] / "reports" / "small_release.py"
    spec = importlib.util.spec_from_file_location("small_release", path)
    assert spec is not None and spec.loader is not None
    small_release = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(small_release)
    root = tmp_path_factory.mktemp("data")
    release = small_release.make_release(root / "public", "2026-27-Q1")
    entry = {
        "period_code": release.period_code,
        "period_label": release.period_label,
        "version": release.version,
        "issued_on": release.issued_on,
        "sums_sha256": release.sums_sha256,
    }
    entries = [
        {**entry, "status": "current", "path": f"releases/{release.release_id}"},
        {**entry, "version": "0.9.0", "status": "superseded", "path": "releases/gone"},
    ]
    (root / "public" / "releases" / "releases.json").write_text(json.dumps({"releases": entries}))
    return root


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    file = tmp_path / "mine" / "my_page.md"
    file.write_text(GOOD)
    return file


def vcc(data_root: Path, *arguments: object) -> int:
    return main(["--data-root", str(data_root), "pages", *map(str, arguments)])


def test_one_file_anywhere_is_checked(
    data_root: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vcc(data_root, "check", page) == 0
    assert capsys.readouterr().out == "1 page is good.\n"
    page.write_text(BAD)
    assert vcc(data_root, "check", page) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{page}:10: There is nothing named 'nwo'. Did you mean 'now'?",
        "1 fault.",
    ]
    page.write_text(BAD.replace("nwo", "now[0].version"))
    assert vcc(data_root, "check", page) == 1
    assert f"{page}:12: The link 'nowhere.html' leads nowhere" in capsys.readouterr().out


def test_a_page_may_link_to_the_pages_of_the_site(data_root: Path, page: Path) -> None:
    page.write_text(GOOD + '\n[a]({{ link("areas/kent.html") }}) [b](releases/index.html) [c](index.html)\n')
    assert vcc(data_root, "check", page) == 0
    page.write_text(GOOD + '\n[a]({{ link("areas/knet.html") }})\n')
    assert vcc(data_root, "check", page) == 1


def test_it_is_built_into_a_folder_of_its_own_and_the_same_again(
    data_root: Path, page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert vcc(data_root, "build", page, "--output", output) == 0
    html = (output / "my_page.html").read_text()
    assert "Of 2026-27-Q1</h1>" in html
    assert (output / "assets" / "govuk-frontend.css").is_file()
    assert json.loads((output / "pages.json").read_text())["made_of"] == ["2026-27-Q1/v1.0.0"]
    assert vcc(data_root, "build", page, "--output", output) == 0
    assert f"Unchanged in {output}." in capsys.readouterr().out
    # A page with a fault leaves what was built before.
    page.write_text(BAD)
    assert vcc(data_root, "build", page, "--output", output) == 1
    assert (output / "my_page.html").read_text() == html


def test_it_replaces_nothing_that_is_not_its_own(data_root: Path, page: Path, tmp_path: Path) -> None:
    mine = page.parent
    assert vcc(data_root, "build", page, "--output", mine) == 2
    assert vcc(data_root, "build", page, "--output", page) == 2
    assert vcc(data_root, "build", page, "--output", data_root / "public" / "more") == 2
    assert page.read_text() == GOOD
    assert [path.name for path in mine.iterdir()] == ["my_page.md"]


def test_what_it_cannot_use_is_said(
    data_root: Path, page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vcc(data_root, "check", tmp_path / "nothing.md") == 2
    assert vcc(data_root, "check", page, "--parameter", "x") == 2
    assert vcc(tmp_path / "empty", "check", page) == 1
    assert vcc(tmp_path / "empty", "check", page, "--source", "warehouse") == 1
    said = capsys.readouterr().err
    for words in ("nothing.md", "NAME=VALUE", "Nothing is published yet", "Nothing has been built yet"):
        assert words in said
    page.write_text(GOOD.replace("---\n", "---\nlayout: document\nsource: warehouse\n", 1))
    assert vcc(data_root, "check", page) == 1
    assert "my_page.md:3: source: this page reads the warehouse; run again with `--source warehouse`." in (
        capsys.readouterr().out
    )


def test_parameters_are_bound(data_root: Path, page: Path, tmp_path: Path) -> None:
    page.write_text(GOOD.replace("from current", "from current where version = $version"))
    assert vcc(data_root, "check", page) == 1
    assert vcc(data_root, "check", page, "--parameter", "version=1.0.0") == 0


# Serving


@pytest.fixture
def shown() -> Shown:
    made = Shown({"assets/site.css": b"body {}"})
    made.take(Made({"index.html": b"<html lang=en><body>one</body></html>", "a/b.html": b"<html lang=en>b"}))
    return made


@pytest.fixture
def address(shown: Shown) -> Iterator[str]:
    server = server_of(shown, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def got(address: str, host: str | None = None) -> tuple[int, str]:
    request = urllib.request.Request(address, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_pages_and_assets_are_served_on_this_machine_only(address: str) -> None:
    status, text = got(f"{address}/")
    assert (status, "one" in text, "_reload.js" in text) == (200, True, True)
    assert got(f"{address}/a/b.html")[0] == 200
    assert got(f"{address}/assets/site.css") == (200, "body {}")
    assert got(f"{address}/nothing.html")[0] == 404
    assert got(f"{address}/a/../../etc/passwd")[0] == 404
    assert got(f"{address}/", host="evil.example")[0] == 403
    assert HOST == "127.0.0.1"


def test_faults_are_a_page_and_the_last_good_pages_stay(shown: Shown, address: str) -> None:
    shown.take(Made(errors=(PageError("my.md", 7, "<b> is wrong"),)))
    status, text = got(f"{address}/a/b.html")
    assert status == 500
    assert "my.md:7" in text and "&lt;b&gt; is wrong" in text
    assert got(f"{address}/last-good/a/b.html")[1].endswith("b")
    assert got(f"{address}/assets/site.css")[0] == 200
    shown.take(Made({"index.html": b"<html><body>two</body></html>"}))
    assert "two" in got(f"{address}/")[1]


def test_whoever_waits_is_told_of_the_next_build(shown: Shown, address: str) -> None:
    answers: queue.Queue[tuple[int, str]] = queue.Queue()
    waiting = threading.Thread(
        target=lambda: answers.put(got(f"{address}/_wait.js?since={shown.number}&at=1"))
    )
    waiting.start()
    shown.take(Made({}))
    assert answers.get(timeout=30) == (200, "location.reload();\n")
    waiting.join()


def test_a_save_is_noticed_and_another_file_is_not(page: Path) -> None:
    found: queue.Queue[set[str]] = queue.Queue()

    def watch() -> None:
        for changes in saves([page]):
            found.put({Path(name).name for _, name in changes})
            return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    for number in range(100):
        # Until the watch has begun, a save is not seen; so it is saved until it is.
        (page.parent / "other.txt").write_text(str(number))
        page.write_text(f"{GOOD}{number}")
        try:
            assert found.get(timeout=0.3) == {"my_page.md"}
            break
        except queue.Empty:
            continue
    else:
        raise AssertionError("no save was noticed")
