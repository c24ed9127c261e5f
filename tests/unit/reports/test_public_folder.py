"""The public folder holds the old tree or the new one, only what was approved, and nothing changes in it."""

from __future__ import annotations

import hashlib
import html.parser
import json
import os
import signal
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from reports.release.public_folder import (
    CHECKSUMS,
    CURRENT,
    SUPERSEDED,
    WITHDRAWN,
    PublicFolder,
    PublicFolderError,
    PublicVersion,
    faults_of_folder,
    pages_of,
)
from reports.site.frame import FOOTER, NAVIGATION


def draft(folder: Path, **files: str) -> Path:
    """A draft's folder as the builder leaves it: owner only, checksums last."""
    folder.mkdir(parents=True, mode=0o700)
    sums = []
    for name, text in {"a.csv": "x\r\n1\r\n", **{k.replace("_", "."): v for k, v in files.items()}}.items():
        (folder / name).write_text(text, newline="")
        (folder / name).chmod(0o600)
        sums.append(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n")
    (folder / CHECKSUMS).write_text("".join(sums))
    return folder


def version(folder: Path, number: str = "1.0.0", period: str = "2025-26-Q1") -> PublicVersion:
    return PublicVersion(
        period_code=period,
        period_label=f"Quarter {period}",
        version=number,
        status=CURRENT,
        issued_on=date(2025, 9, 18),
        published_on=date(2025, 9, 18),
        reason="first publication",
        sums_sha256=hashlib.sha256((folder / CHECKSUMS).read_bytes()).hexdigest(),
    )


def tree(folder: Path) -> dict[str, bytes]:
    """What a reader sees: every file with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


OLD_SITE = {"index.html": b"old", "areas/essex.html": b"Essex", "areas/kent.html": b"Kent"}
NEW_SITE = {"index.html": b"new", "areas/essex.html": b"Essex", "rights/right-04.html": b"4"}


class State:
    """A data root with one version public, and a second one ready."""

    def __init__(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        self.root = root
        self.folder = PublicFolder(root / "public", root / "publications")
        self.one = draft(root / "drafts" / "one", b_csv="y\r\n5\r\n")
        self.two = draft(root / "drafts" / "two", b_csv="y\r\n10\r\n")
        self.first = version(self.one)
        self.second = replace(version(self.two, "1.1.0"), reason="scheduled revision")
        self.superseded = replace(
            self.first, status=SUPERSEDED, superseded_by="1.1.0", superseded_on=date(2026, 9, 17)
        )
        self.withdrawn = replace(
            self.first, status=WITHDRAWN, withdrawn_on=date(2025, 10, 1), withdrawn_reason="A wrong column."
        )

    def publish_first(self) -> None:
        self.folder.show([self.first], {self.first.release_id: self.one}, site=OLD_SITE)

    def publish_second(self, folder: PublicFolder | None = None) -> bool:
        return (folder or self.folder).show(
            [self.superseded, self.second], {self.second.release_id: self.two}
        )

    def withdraw_first(self, folder: PublicFolder | None = None) -> bool:
        return (folder or self.folder).show([self.withdrawn], site={}, kept=1)

    def renew_site(self, folder: PublicFolder | None = None) -> bool:
        return (folder or self.folder).show([self.first], site=NEW_SITE)


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "data")
    made.publish_first()
    return made


def test_a_version_is_public_with_its_files_its_page_and_the_lists(state: State) -> None:
    assert set(tree(state.folder.public)) - set(OLD_SITE) == {
        "releases/2025-26-Q1/index.html",
        "releases/2025-26-Q1/v1.0.0/SHA256SUMS",
        "releases/2025-26-Q1/v1.0.0/a.csv",
        "releases/2025-26-Q1/v1.0.0/b.csv",
        "releases/2025-26-Q1/v1.0.0/index.html",
        "releases/index.html",
        "releases/latest.json",
        "releases/releases.json",
    }
    assert state.folder.faults([state.first]) == []
    latest = json.loads((state.folder.public / "releases" / "latest.json").read_bytes())
    assert latest["latest"]["path"] == "releases/2025-26-Q1/v1.0.0"
    assert latest["current"] == {"2025-26-Q1": "1.0.0"}


def test_public_files_are_for_reading_and_share_nothing_with_the_draft(state: State) -> None:
    for path in state.folder.public.resolve().rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o444), path
    assert (state.folder.public / state.first.path / "a.csv").stat().st_ino != (
        state.one / "a.csv"
    ).stat().st_ino
    (state.one / "a.csv").write_text("changed")
    assert state.folder.faults([state.first]) == []


def test_a_second_version_supersedes_the_first_which_keeps_its_very_files(state: State) -> None:
    inode = (state.folder.public / state.first.path / "a.csv").stat().st_ino
    assert state.publish_second()
    public = state.folder.public / "releases" / "2025-26-Q1"
    assert (public / "v1.0.0" / "a.csv").stat().st_ino == inode
    page = (public / "v1.0.0" / "index.html").read_text()
    assert "superseded on 17 September 2026" in page
    assert '<a href="../v1.1.0/index.html">' in page
    told = json.loads((state.folder.public / "releases" / "releases.json").read_bytes())["releases"]
    assert [(each["version"], each["status"]) for each in told] == [
        ("1.1.0", "current"),
        ("1.0.0", "superseded"),
    ]


def test_doing_it_again_changes_nothing(state: State) -> None:
    target = state.folder.public.readlink()
    assert not state.folder.show([state.first])
    assert state.folder.public.readlink() == target


def test_a_withdrawn_version_keeps_its_page_only_and_no_tree_keeps_its_files(state: State) -> None:
    state.publish_second()
    withdrawn = replace(
        state.second,
        status=WITHDRAWN,
        withdrawn_on=date(2026, 10, 1),
        withdrawn_reason="A column was <wrong>.",
    )
    state.folder.show([state.superseded, withdrawn], kept=1)
    left = {path for path in tree(state.folder.public) if "v1.1.0" in path}
    assert left == {"releases/2025-26-Q1/v1.1.0/index.html"}
    page = (state.folder.public / withdrawn.path / "index.html").read_text()
    assert "withdrawn on 1 October 2026" in page
    assert "A column was &lt;wrong&gt;." in page
    assert not [
        path for path in state.folder.publications.rglob("b.csv") if path.read_text() == "y\r\n10\r\n"
    ]
    assert json.loads((state.folder.public / "releases" / "latest.json").read_bytes())["latest"] is None


def site_of(state: State) -> dict[str, bytes]:
    return {
        path: content
        for path, content in tree(state.folder.public).items()
        if not path.startswith("releases/")
    }


def test_the_site_stays_as_it_is_when_a_version_comes(state: State) -> None:
    state.publish_second()
    assert site_of(state) == OLD_SITE


def test_a_new_site_takes_the_place_of_all_of_the_old_one_and_no_release_changes(state: State) -> None:
    releases = {path: c for path, c in tree(state.folder.public).items() if path.startswith("releases/")}
    same_page = (state.folder.public / "areas" / "essex.html").stat().st_ino
    assert state.renew_site()
    assert site_of(state) == NEW_SITE
    assert tree(state.folder.public).items() >= releases.items()
    assert (state.folder.public / "areas" / "essex.html").stat().st_ino == same_page
    for path in state.folder.public.resolve().rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o444), path
    assert not state.renew_site()


@pytest.mark.parametrize(
    "path",
    ["releases/latest.json", "releases", "../x.html", "/x.html", "a//b.html", ".hidden", "a/../b.html"],
)
def test_no_page_of_the_site_may_lie_among_the_releases_or_elsewhere(state: State, path: str) -> None:
    before = tree(state.folder.public)
    with pytest.raises(PublicFolderError, match="may not be the path"):
        state.folder.show([state.first], site={"index.html": b"new", path: b"x"})
    assert tree(state.folder.public) == before


def test_other_bytes_under_a_published_version_are_refused(state: State) -> None:
    before = tree(state.folder.public)
    other = draft(state.root / "drafts" / "other", b_csv="y\r\n99\r\n")
    with pytest.raises(PublicFolderError, match="is public and may not change"):
        state.folder.show([version(other)], {state.first.release_id: other})
    assert tree(state.folder.public) == before


@pytest.mark.parametrize("fault", ["changed", "missing", "extra", "link"])
def test_a_draft_that_is_not_what_was_approved_is_refused(state: State, fault: str) -> None:
    if fault == "changed":
        (state.two / "a.csv").write_text("other")
    elif fault == "missing":
        (state.two / "a.csv").unlink()
    elif fault == "extra":
        (state.two / "exact.csv").write_text("17")
    else:
        content = (state.two / "a.csv").rename(state.root / "elsewhere")
        (state.two / "a.csv").symlink_to(content)
    before = tree(state.folder.public)
    with pytest.raises(PublicFolderError, match="cannot be published"):
        state.publish_second()
    assert tree(state.folder.public) == before


@pytest.mark.parametrize("name", ["../evil.csv", "index.html", ".hidden", "sub/file.csv"])
def test_checksums_may_name_only_plain_files(tmp_path: Path, name: str) -> None:
    folder = draft(tmp_path / "draft")
    (folder / CHECKSUMS).write_text(f"{'0' * 64}  {name}\n")
    with pytest.raises(PublicFolderError, match="line 1"):
        faults_of_folder(folder)


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (lambda public: (public / "releases" / "2025-26-Q1" / "v1.0.0" / "z.csv").write_text("1"), "z.csv"),
        (lambda public: (public / "releases" / "2025-26-Q2").write_text("1"), "never approved"),
        (lambda public: _rewrite(public / "releases" / "2025-26-Q1" / "v1.0.0" / "b.csv", "17"), "b.csv"),
        (lambda public: _rewrite(public / "releases" / "latest.json", "{}"), "not the page"),
        (lambda public: (public / "releases" / "latest.json").chmod(0o644), "may be written to"),
        (lambda public: (public / "releases" / "index.html").unlink(), "is not there"),
    ],
)
def test_whatever_is_planted_in_the_public_folder_is_found(state: State, plant: object, said: str) -> None:
    plant(state.folder.public.resolve())  # type: ignore[operator]
    assert any(said in fault for fault in state.folder.faults([state.first]))


def _rewrite(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)
    path.chmod(0o444)


def test_old_trees_are_dropped_and_some_are_kept(state: State) -> None:
    for number in range(2, 7):
        folder = draft(state.root / "drafts" / str(number))
        quarter = version(folder, period=f"20{number + 30}-{number + 31}-Q1")
        shown = [state.first, quarter]
        state.folder.show(shown, {quarter.release_id: folder})
    assert sorted(path.name for path in state.folder.publications.iterdir()) == ["4", "5", "6"]


def test_a_public_folder_that_is_no_link_is_left_alone(tmp_path: Path) -> None:
    state = State(tmp_path / "data")
    state.folder.public.mkdir()
    with pytest.raises(PublicFolderError, match="is not a link"):
        state.publish_first()


def test_a_lost_link_loses_no_published_file(state: State) -> None:
    state.folder.public.unlink()
    with pytest.raises(PublicFolderError, match="neither public nor drafted"):
        state.folder.show([state.first])
    assert (state.folder.publications / "1" / state.first.path / "a.csv").is_file()


# --- killed at every step


def killed_at(state: State, number: int, what: str) -> bool:
    """Publish or withdraw in a child process that is killed before its n-th step; tell whether it was."""
    child = os.fork()
    if child == 0:
        left = number

        def step(name: str) -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

        try:
            getattr(state, what)(PublicFolder(state.folder.public, state.folder.publications, step))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(
    ("what", "shown"),
    [
        ("publish_second", ("superseded", "second")),
        ("withdraw_first", ("withdrawn",)),
        ("renew_site", ("first",)),
    ],
)
def test_killed_at_any_step_the_public_folder_is_the_old_or_the_new(
    tmp_path: Path, what: str, shown: tuple[str, ...]
) -> None:
    undisturbed = State(tmp_path / "undisturbed")
    undisturbed.publish_first()
    old = tree(undisturbed.folder.public)
    getattr(undisturbed, what)()
    new = tree(undisturbed.folder.public)
    assert old != new
    seen: list[bool] = []
    number = 0
    while True:
        state = State(tmp_path / f"killed{number}")
        state.publish_first()
        if not killed_at(state, number, what):
            break
        after = tree(state.folder.public)
        assert after in (old, new), f"a mixture after step {number}"
        seen.append(after == new)
        # Whatever was left, the next run ends as an undisturbed one, and leaves no scrap.
        getattr(state, what)()
        assert tree(state.folder.public) == new
        assert state.folder.faults([getattr(state, name) for name in shown]) == []
        assert what != "withdraw_first" or not list(state.folder.publications.rglob("a.csv"))
        assert what != "withdraw_first" or not list(state.folder.publications.rglob("essex.html"))
        assert not [path for path in state.root.rglob("*.partial")]
        assert all(path.name.isdigit() for path in state.folder.publications.iterdir())
        number += 1
    # It was old, then new, and turned once; a hook that is never called would prove nothing.
    assert number > 20
    assert seen == sorted(seen)
    assert set(seen) == {False, True}


# --- pages


@pytest.mark.parametrize(
    ("second", "third", "said"),
    [
        (CURRENT, None, "Use that one."),
        (WITHDRAWN, None, "no version of this quarter is current"),
        (SUPERSEDED, CURRENT, 'Use <a href="../v1.1.1/index.html">version 1.1.1</a>'),
    ],
)
def test_a_superseded_version_leads_to_the_one_to_use(
    state: State, second: str, third: str | None, said: str
) -> None:
    day = date(2026, 10, 1)
    newer = replace(
        state.second,
        status=second,
        superseded_by="1.1.1" if third else None,
        superseded_on=day if third else None,
        withdrawn_on=day if second == WITHDRAWN else None,
        withdrawn_reason="A wrong column." if second == WITHDRAWN else None,
    )
    versions = [state.superseded, newer]
    if third:
        versions.append(replace(state.second, version="1.1.1", status=third))
    assert said in pages_of(versions, {})[f"{state.first.path}/index.html"].decode()


#: Styles and an icon of the site itself, its feed, and the page's own address: nothing of anybody else.
LINKS = ("stylesheet", "icon", "alternate", "canonical")


class _Structure(html.parser.HTMLParser):
    """Headings, languages and cells without scope: what a reader by ear depends on."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.lang = ""
        self.faults: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "html":
            self.lang = values.get("lang") or ""
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag == "th" and "scope" not in values:
            self.faults.append("a heading cell without scope")
        if tag in ("script", "img", "style") or (tag == "link" and values["rel"] not in LINKS):
            self.faults.append(f"<{tag}>")
        if tag == "a" and values["href"]:
            self.links.append(values["href"])


def test_pages_are_readable_by_ear_and_without_anything_else(state: State) -> None:
    state.publish_second()
    pages = list((state.folder.public.resolve() / "releases").rglob("*.html"))
    assert len(pages) == 4
    for path in pages:
        structure = _Structure()
        structure.feed(path.read_text())
        assert (structure.lang, structure.headings[0], structure.faults) == ("en", 1, [])
        links = {
            (path.parent / link).resolve().relative_to(state.folder.public.resolve()).as_posix()
            for link in structure.links
            if not link.startswith(("https://www.nationalarchives.gov.uk/", "mailto:", "#"))
        }
        own = {link for link in links if link.startswith("releases/")}
        assert len(own) > 2
        assert [link for link in own if not (state.folder.public / link).is_file()] == []
        # What is not of the folder are pages of the site around it.
        assert links - own <= {*NAVIGATION.values(), *FOOTER.values()}
