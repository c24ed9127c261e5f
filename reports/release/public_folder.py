"""The public folder: a link to a whole tree, exchanged in one rename, so that readers see the old or the new.

Belongs here: making the tree hold exactly the versions that are public, with a page each. Does not: deciding
which are (the journal says so, orchestration decides).

A new tree is made of hard links to the files of the one before, what changes is written beside it, everything
is flushed, and the link is renamed. A file of a draft is copied, never linked: nobody who still has the draft
open can change what is public. A published file is never written again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from reports.components.text import neutral
from reports.page import rendered
from reports.site.frame import frame, root_of

RELEASES = "releases"
CHECKSUMS = "SHA256SUMS"
PAGE = "index.html"
LATEST = "latest.json"
ALL_RELEASES = "releases.json"
#: Of the site: which releases it shows and its files, and the folder of its styles and scripts.
SITE, ASSETS = "site.json", "assets"
CURRENT, SUPERSEDED, WITHDRAWN = "current", "superseded", "withdrawn"
#: Trees that are kept, the public one included: a reader of the one before is not cut off.
TREES_KEPT = 3
PUBLIC_FOLDER, PUBLIC_FILE, PRIVATE_FOLDER = 0o755, 0o444, 0o700
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_SUM = re.compile(r"([0-9a-f]{64})  (.+)\Z")

#: Told the name of each step just before it is taken; a test kills the process there.
Step = Callable[[str], None]


def no_step(name: str) -> None:
    """Do nothing between two steps."""


class PublicFolderError(RuntimeError):
    """The public folder cannot be made as asked; it is as it was. The message says why and what to do."""


@dataclass(frozen=True)
class PublicVersion:
    """What the public is told of one version. Days are those of England and Wales."""

    period_code: str
    period_label: str
    version: str
    status: str
    issued_on: dt.date
    published_on: dt.date
    reason: str
    sums_sha256: str
    superseded_by: str | None = None
    superseded_on: dt.date | None = None
    withdrawn_on: dt.date | None = None
    withdrawn_reason: str | None = None

    @property
    def release_id(self) -> str:
        """Period and version, as in 2025-26-Q1/v1.0.0."""
        return f"{self.period_code}/v{self.version}"

    @property
    def path(self) -> str:
        """Its folder under the public folder."""
        return f"{RELEASES}/{self.release_id}"


@dataclass(frozen=True)
class PublicFile:
    """One file of a version, as its page lists it."""

    name: str
    bytes: int
    sha256: str

    @property
    def size(self) -> str:
        """The size as people read it."""
        if self.bytes < 1000:
            return f"{self.bytes} bytes"
        if self.bytes < 1_000_000:
            return f"{self.bytes / 1000:.0f} kB"
        return f"{self.bytes / 1_000_000:.1f} MB"


def read_sums(folder: Path) -> dict[str, str]:
    """File name -> SHA-256 as the folder's SHA256SUMS has them, in its order.

    Raises PublicFolderError if there is none, or a line of it is not one.
    """
    path = folder / CHECKSUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise PublicFolderError(f"{path} is missing, so nobody can say what belongs to it.") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _SUM.match(line)
        if match is None or not _SAFE_NAME.match(match[2]) or match[2] in (PAGE, CHECKSUMS):
            raise PublicFolderError(f"{path}, line {number}: it is not a checksum and the name of a file.")
        found[match[2]] = match[1]
    return found


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def faults_of_folder(folder: Path, sums_sha256: str | None = None) -> list[str]:
    """What is wrong with a folder of release files: files missing, changed, or not named in its checksums.

    With `sums_sha256` the checksums themselves must be those. The page beside the files is left out.
    """
    if not (folder / CHECKSUMS).is_file():
        return [f"{folder / CHECKSUMS} is missing."]
    if sums_sha256 is not None and sha256_of(folder / CHECKSUMS) != sums_sha256:
        return [f"{folder / CHECKSUMS} is not the one that was approved."]
    sums = read_sums(folder)
    present = {path.name for path in folder.iterdir()} - {CHECKSUMS, PAGE}
    faults = [f"{folder / name} is missing." for name in sorted(set(sums) - present)]
    faults += [f"{folder / name} is not named in {CHECKSUMS}." for name in sorted(present - set(sums))]
    return faults + [
        f"{folder / name} is not the file that {CHECKSUMS} names."
        for name in sorted(present & set(sums))
        if not (folder / name).is_file()
        or (folder / name).is_symlink()
        or sha256_of(folder / name) != sums[name]
    ]


@dataclass(frozen=True)
class PublicFolder:
    """The link `public` and the folder of trees that it leads into."""

    public: Path
    publications: Path
    step: Step = no_step

    def current(self) -> Path | None:
        """The tree that is public now, or None before the first publication. The link is read once."""
        try:
            return self.public.parent / self.public.readlink()
        except FileNotFoundError:
            return None
        except OSError:
            raise PublicFolderError(
                f"{self.public} is not a link; move it away: the public folder is made by publishing."
            ) from None

    def show(
        self,
        versions: Sequence[PublicVersion],
        drafts: Mapping[str, Path] | None = None,
        *,
        site: Mapping[str, bytes] | None = None,
        kept: int = TREES_KEPT,
    ) -> bool:
        """Make the public folder hold exactly these versions, and tell whether anything changed.

        Files of a version come from the tree that is public, or are copied from its folder in `drafts`
        (release id -> folder). Superseded versions keep their files, withdrawn ones their page only. `site`
        (path -> content) is everything outside `releases/`; without it that stays as it is. After it `kept`
        trees are left, this one included.

        Raises PublicFolderError, with the public folder as it was, if a file of a version is not the one its
        checksums name, if they are not those that were approved, or if a version is nowhere to be found.
        """
        self.clear_scrap()
        current = self.current()
        never_linked = self._newer_than(current)
        folders = {
            version.release_id: self._source(current, version, drafts or {})
            for version in versions
            if version.status != WITHDRAWN
        }
        pages = pages_of(versions, {release: _listed(folder) for release, folder in folders.items()})
        if site is not None and (strange := sorted(path for path in site if not _is_site_path(path))):
            raise PublicFolderError(f"{strange[0]!r} may not be the path of a page of the site.")
        if current is not None and _holds(current, pages, folders, site):
            self._drop_trees(current, kept, never_linked)
            return False
        scrap = self.publications / f".{_next_number(self.publications)}.partial"
        target = self.publications / scrap.name.removeprefix(".").removesuffix(".partial")
        self._make_tree(scrap, current, pages, folders, site)
        self._do("rename tree", lambda: scrap.rename(target))
        self._sync(self.publications)
        link = self.public.with_name(f".{self.public.name}.{target.name}.partial")
        self._do("make link", lambda: link.symlink_to(os.path.relpath(target, self.public.parent)))
        self._do("rename link", lambda: link.replace(self.public))
        self._sync(self.public.parent)
        self._drop_trees(target, kept, never_linked)
        return True

    def clear_scrap(self) -> None:
        """Delete what a killed run left under a name that nobody reads: links and trees begun."""
        for link in sorted(self.public.parent.glob(f".{self.public.name}.*.partial")):
            self._do("remove link", link.unlink)
        for tree in sorted(self.publications.glob(".*.partial")):
            self._do("remove scrap", lambda tree=tree: shutil.rmtree(tree))  # type: ignore[misc]

    def site_faults(self) -> list[str]:
        """What of the site is not as it was made, by the sums in its record: one sentence a file.

        No site at all is no fault, nor is the page that stands in for one.
        """
        current = self.current()
        present = _site_files(current) if current is not None else set()
        if current is None or not present:
            return []
        if SITE not in present:
            pages = {path for path in present if path.partition("/")[0] != ASSETS}
            if pages == {PAGE} and (current / PAGE).read_bytes() == away_page():
                return []
            return [f"{SITE} is missing, so nobody can say what belongs to the site."]
        try:
            sums = {
                str(path): str(digest)
                for path, digest in json.loads((current / SITE).read_bytes())["files"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            return [f"{SITE} is not a record of a site."]
        sums.pop(SITE, None)
        present -= {SITE}
        faults = [f"{path} is not there." for path in sorted(set(sums) - present)]
        faults += [f"{path} is no part of the site." for path in sorted(present - set(sums))]
        both = sorted(present & set(sums))
        faults += [
            f"{path} is not the file that {SITE} names."
            for path in both
            if (current / path).is_symlink() or sha256_of(current / path) != sums[path]
        ]
        return faults + [
            f"{path} may be written to."
            for path in (*both, SITE)
            if (current / path).stat().st_mode & 0o777 != PUBLIC_FILE
        ]

    def faults(self, versions: Sequence[PublicVersion]) -> list[str]:
        """What of the releases in it is not exactly what these versions make: one sentence a file."""
        current = self.current()
        if current is None:
            return (
                [] if not versions else [f"{self.public} is missing, and {len(versions)} versions are out."]
            )
        faults: list[str] = []
        folders = {each.release_id: current / each.path for each in versions if each.status != WITHDRAWN}
        for version in versions:
            if version.status != WITHDRAWN:
                faults += faults_of_folder(folders[version.release_id], version.sums_sha256)
        if faults:
            return faults
        pages = pages_of(versions, {release: _listed(folder) for release, folder in folders.items()})
        expected = set(pages) | {
            f"{RELEASES}/{release}/{name}"
            for release, folder in folders.items()
            for name in (*read_sums(folder), CHECKSUMS)
        }
        present = _files(current)
        own = {path for path in present if path.partition("/")[0] == RELEASES}
        faults += [f"{path} is not there." for path in sorted(expected - own)]
        faults += [f"{path} was never approved." for path in sorted(own - expected)]
        faults += [
            f"{path} is not the page that belongs there."
            for path, content in sorted(pages.items())
            if path in own and (current / path).read_bytes() != content
        ]
        faults += [
            f"{path} may be written to."
            for path in sorted(own)
            if (current / path).stat().st_mode & 0o777 != PUBLIC_FILE
        ]
        return faults

    def _source(self, current: Path | None, version: PublicVersion, drafts: Mapping[str, Path]) -> Path:
        """The folder a version's files are taken from, every file checked against its checksums."""
        published = current / version.path if current is not None else None
        if published is not None and (published / CHECKSUMS).is_file():
            if faults := faults_of_folder(published, version.sums_sha256):
                raise PublicFolderError(
                    f"{version.release_id} is public and may not change: {faults[0]} Nothing was done;"
                    f" restore {self.publications} from a backup, or publish what is new as a later version."
                )
            return published
        draft = drafts.get(version.release_id)
        if draft is None:
            raise PublicFolderError(
                f"The files of {version.release_id} are neither public nor drafted. Restore"
                f" {self.publications} from a backup, or withdraw the version."
            )
        if faults := faults_of_folder(draft, version.sums_sha256):
            raise PublicFolderError(f"{version.release_id} cannot be published: {faults[0]} Build it again.")
        return draft

    def _make_tree(
        self,
        scrap: Path,
        current: Path | None,
        pages: Mapping[str, bytes],
        folders: Mapping[str, Path],
        site: Mapping[str, bytes] | None,
    ) -> None:
        if not self.publications.is_dir():
            self._do("make publications", lambda: self.publications.mkdir(parents=True))
            self.publications.chmod(PUBLIC_FOLDER)
            self._sync(self.publications.parent)
        links: dict[str, Path] = {}
        copies: dict[str, Path] = {}
        written: dict[str, bytes] = {}
        if current is not None:
            links |= {path: current / path for path in _site_files(current)}
        if site is not None:
            links = {path: file for path, file in links.items() if _is_file_of(file, site.get(path))}
            written = {path: content for path, content in site.items() if path not in links}
        for release, folder in folders.items():
            is_public = current is not None and folder.is_relative_to(current)
            for name in (*read_sums(folder), CHECKSUMS):
                (links if is_public else copies)[f"{RELEASES}/{release}/{name}"] = folder / name
        made: set[Path] = set()
        self._make_folder(scrap, made)
        for path, source in sorted(links.items()):
            self._make_folder((scrap / path).parent, made)
            self._do("link file", lambda source=source, path=path: os.link(source, scrap / path))  # type: ignore[misc]
        for path, source in sorted(copies.items()):
            self._make_folder((scrap / path).parent, made)
            self._write(scrap / path, source.read_bytes())
        for path in sorted(written):
            self._make_folder((scrap / path).parent, made)
            self._write(scrap / path, written[path])
        last = f"{RELEASES}/{LATEST}"
        for path in sorted(pages, key=lambda path: (path == last, path)):
            self._make_folder((scrap / path).parent, made)
            self._write(scrap / path, pages[path])
        for folder in sorted(made, key=lambda folder: -len(folder.parts)):
            self._sync(folder)

    def _make_folder(self, folder: Path, made: set[Path]) -> None:
        if folder in made or folder.is_dir():
            return
        if folder.parent != self.publications:
            self._make_folder(folder.parent, made)
        self._do("make folder", folder.mkdir)
        folder.chmod(PUBLIC_FOLDER)
        made.add(folder)

    def _write(self, path: Path, content: bytes) -> None:
        self.step("create file")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            half = len(content) // 2
            stream.write(content[:half])
            stream.flush()
            self.step("write second half")
            stream.write(content[half:])
            stream.flush()
            self.step("flush file")
            os.fchmod(stream.fileno(), PUBLIC_FILE)
            os.fsync(stream.fileno())

    def _sync(self, folder: Path) -> None:
        self.step("flush folder")
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _do(self, name: str, action: Callable[[], object]) -> None:
        self.step(name)
        action()

    def _newer_than(self, current: Path | None) -> list[Path]:
        """Trees that a killed run finished and never linked to. Kept until there is a newer one in place."""
        number = int(current.name) if current is not None and current.name.isdigit() else 0
        return [tree for tree in _trees(self.publications) if int(tree.name) > number]

    def _drop_trees(self, current: Path, kept: int, never_linked: Sequence[Path]) -> None:
        older = [t for t in _trees(self.publications) if t != current and t not in never_linked]
        for tree in (*never_linked, *older[: max(len(older) - (kept - 1), 0)]):
            self._drop(tree)

    def _drop(self, tree: Path) -> None:
        # Under its number a tree is always whole.
        scrap = tree.with_name(f".{tree.name}.partial")
        self._do("set tree aside", lambda: tree.rename(scrap))
        self._do("remove tree", lambda: shutil.rmtree(scrap))


def away_page() -> bytes:
    """The first page of a site that was taken away and is made anew."""
    return rendered("site_away.html.j2").encode("utf-8")


def pages_of(
    versions: Sequence[PublicVersion], files: Mapping[str, Sequence[PublicFile]]
) -> dict[str, bytes]:
    """Every page and list of the public folder: path -> content. Nothing in them depends on the clock."""
    ordered = sorted(versions, key=_order, reverse=True)
    pages: dict[str, bytes] = {}
    periods: dict[str, list[PublicVersion]] = {}
    for version in ordered:
        periods.setdefault(version.period_code, []).append(version)
    for version in ordered:
        of_period = periods[version.period_code]
        pages[f"{version.path}/{PAGE}"] = _page(
            "release_version.html.j2",
            f"{version.path}/{PAGE}",
            f"{version.period_label}, version {version.version}",
            version=version,
            current=next((each.version for each in of_period if each.status == CURRENT), None),
            files=files.get(version.release_id, ()),
        )
    for code, own in periods.items():
        path = f"{RELEASES}/{code}/{PAGE}"
        pages[path] = _page("release_period.html.j2", path, own[0].period_label, versions=own)
    path = f"{RELEASES}/{PAGE}"
    pages[path] = _page("release_list.html.j2", path, "Release history", periods=list(periods.values()))
    pages[f"{RELEASES}/{ALL_RELEASES}"] = _json({"releases": [_told(version) for version in ordered]})
    latest = next((version for version in ordered if version.status == CURRENT), None)
    pages[f"{RELEASES}/{LATEST}"] = _json(
        {
            "latest": _told(latest) if latest else None,
            "current": {
                version.period_code: version.version for version in ordered if version.status == CURRENT
            },
        }
    )
    return pages


def _page(template: str, path: str, title: str, **values: object) -> bytes:
    """A page of the folder in the frame of the site. `releases` is no entry of its navigation."""
    page = {
        "path": path,
        "title": title,
        "description": f"Open data on compliance with the Victims' Code: {title}.",
        "section": "downloads",
    }
    return rendered(template, page=page, root=root_of(path), day=_day, **frame(), **values).encode("utf-8")


def _told(version: PublicVersion) -> dict[str, object]:
    values = {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in asdict(version).items()
    }
    return {**neutral(values), "path": version.path}


def _order(version: PublicVersion) -> tuple[str, tuple[int, ...]]:
    return version.period_code, tuple(int(part) for part in version.version.split("."))


def _day(day: dt.date) -> str:
    return f"{day:%-d %B %Y}"


def _json(document: Mapping[str, object]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode("utf-8")


def _listed(folder: Path) -> list[PublicFile]:
    sums = read_sums(folder)
    found = [PublicFile(name, (folder / name).stat().st_size, digest) for name, digest in sums.items()]
    checksums = folder / CHECKSUMS
    return [*found, PublicFile(CHECKSUMS, checksums.stat().st_size, sha256_of(checksums))]


def _files(tree: Path) -> set[str]:
    return {path.relative_to(tree).as_posix() for path in tree.rglob("*") if not path.is_dir()}


def _site_files(tree: Path) -> set[str]:
    return {path for path in _files(tree) if path.partition("/")[0] != RELEASES}


def _is_site_path(path: str) -> bool:
    """A plain relative path outside `releases/`."""
    parts = path.split("/")
    return parts[0] != RELEASES and all(_SAFE_NAME.match(part) for part in parts)


def _is_file_of(file: Path, content: bytes | None) -> bool:
    return content is not None and file.stat().st_size == len(content) and file.read_bytes() == content


def _holds(
    current: Path,
    pages: Mapping[str, bytes],
    folders: Mapping[str, Path],
    site: Mapping[str, bytes] | None,
) -> bool:
    """Whether the tree has these pages, the files of these folders and this site already."""
    if any(not folder.is_relative_to(current) for folder in folders.values()):
        return False
    if site is not None and (
        _site_files(current) != set(site)
        or not all(_is_file_of(current / path, content) for path, content in site.items())
    ):
        return False
    expected = set(pages) | {
        f"{RELEASES}/{release}/{name}"
        for release, folder in folders.items()
        for name in (*read_sums(folder), CHECKSUMS)
    }
    present = {path for path in _files(current) if path.partition("/")[0] == RELEASES}
    return present == expected and all(
        (current / path).read_bytes() == content for path, content in pages.items()
    )


def _trees(publications: Path) -> list[Path]:
    found: Iterable[Path] = publications.glob("*") if publications.is_dir() else ()
    return sorted((tree for tree in found if tree.name.isdigit()), key=lambda tree: int(tree.name))


def _next_number(publications: Path) -> int:
    return max((int(tree.name) for tree in _trees(publications)), default=0) + 1
