"""Every validator on a finished release folder, and what each of them found.

Belongs here: finding the validators, running them, keeping the outcome beside the record. Does not: what is
valid (quality.validators).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.dbt import ensure_manifest
from orchestration.dbt import read_json as read_manifest
from orchestration.releasing import ReleaseError
from orchestration.releasing.promoting import VALIDATION, Releases, read_json, sums_of
from orchestration.warehouse import digest_files, write_json
from reports.release.exposures import exposed_tables
from reports.release.journal import VersionState
from reports.release.public_folder import CHECKSUMS, PAGE, RELEASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quality.validators import Fault

#: Under this name the contracts of the public tables stand among the validators.
CONTRACTS = "public contracts"
#: What each validator found, a sentence each; empty where nothing is wrong.
Outcomes = Mapping[str, Sequence[str]]


def validators() -> dict[str, Callable[[Path], list[Fault]]]:
    """Every validator by its name: the modules of quality.validators that have a NAME and `validate`."""
    import quality.validators as package

    found = {}
    for module_info in sorted(pkgutil.iter_modules(package.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        if hasattr(module, "NAME") and hasattr(module, "validate"):
            found[str(module.NAME)] = module.validate
    return found


def exposed_names(releases: Releases) -> list[str]:
    """Names of the tables on the publication list."""
    manifest = read_manifest(ensure_manifest(releases.project.dbt_folder))
    return [table.name for table in exposed_tables(manifest)]


def outcomes_of(
    folder: Path, exposed: Collection[str], told: Callable[[str], None] = lambda sentence: None
) -> dict[str, list[str]]:
    """What every validator, and the contracts of the public tables, find in a folder of release files.

    One that breaks has found a fault. `exposed` are the names of the tables on the publication list.
    """
    outcomes: dict[str, list[str]] = {}
    checks = {**validators(), CONTRACTS: lambda place: _broken_promises(place, exposed)}
    for name, validate in checks.items():
        told(f"validating: {name}")
        try:
            outcomes[name] = [f"{fault.file}: {fault.message}" for fault in validate(folder)]
        except Exception as error:
            outcomes[name] = [f"The validator broke ({type(error).__name__}: {error})."]
    return outcomes


def _broken_promises(folder: Path, exposed: Collection[str]) -> list[Fault]:
    from quality.public_files import verify_public
    from quality.validators import Fault

    return [
        Fault(
            CONTRACTS,
            f"{outcome.dataset.rpartition('.')[2]}.parquet",
            f"{outcome.title or outcome.check}: measured {outcome.measured}, promised {outcome.threshold}."
            f" {outcome.detail}".strip(),
        )
        for outcome in verify_public(folder, exposed)
        if not outcome.passed and outcome.severity == "error"
    ]


def validated(
    releases: Releases,
    state: VersionState,
    told: Callable[[str], None] = lambda sentence: None,
    *,
    anew: bool = False,
) -> dict[str, list[str]]:
    """The outcomes for a draft, and keep them.

    Kept ones are taken for true where the same validators found nothing wrong with the same bytes, unless it
    is asked for anew: a fault may have been one of the machine.
    """
    folder = releases.draft(state.period_code, state.version)
    kept = releases.record(state.period_code, state.version) / VALIDATION
    names = {*validators(), CONTRACTS}
    of_what = {"sums_sha256": sums_of(folder), "code": _code_of_validators(releases)}
    if kept.is_file() and not anew:
        document = read_json(kept)
        outcomes = document["outcomes"]
        is_same = all(document.get(name) == value for name, value in of_what.items())
        if is_same and set(outcomes) == names and not any(outcomes.values()):
            return dict(outcomes)
    outcomes = outcomes_of(folder, exposed_names(releases), told)
    write_json(kept, {**of_what, "outcomes": outcomes})
    kept.chmod(0o600)
    return outcomes


def _code_of_validators(releases: Releases) -> str:
    """One hash over what the validators are made of, contracts and shapes included."""
    folder = releases.project.folder / "quality"
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return digest_files(sorted(files), releases.project.folder)


def folder_of(releases: Releases, state: VersionState) -> Path:
    """Where the files of a version lie: its draft, or its public folder, where its page lies beside them.

    Raises ReleaseError if its files are not there any more.
    """
    folder = releases.draft(state.period_code, state.version)
    if not state.was_published and folder.is_dir():
        return folder
    tree = releases.public.current()
    public = tree / RELEASES / state.release_id if tree is not None else None
    if public is None or not (public / CHECKSUMS).is_file():
        raise ReleaseError(
            f"The files of {state.release_id} are not there: it is {state.state}."
            " `vcc release list` shows the versions that have files."
        )
    return public


@contextmanager
def files_of(releases: Releases, state: VersionState) -> Iterator[Path]:
    """A folder with exactly the files of a version: its draft, or what is public of it without its page.

    Whoever asks holds the lock of the data root: other scratch folders go. Raises ReleaseError if its files
    are not there any more.
    """
    folder = folder_of(releases, state)
    if not (folder / PAGE).is_file():
        yield folder
        return
    from orchestration.releasing.drafting import scratch_folder

    with scratch_folder(releases) as scratch:
        for path in folder.iterdir():
            if path.name != PAGE:
                (scratch / path.name).hardlink_to(path)
        yield scratch
