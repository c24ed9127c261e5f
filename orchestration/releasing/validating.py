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
from orchestration.warehouse import write_json
from reports.release.exposures import exposed_tables
from reports.release.journal import VersionState
from reports.release.public_folder import PAGE

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
    releases: Releases, state: VersionState, told: Callable[[str], None] = lambda sentence: None
) -> dict[str, list[str]]:
    """The outcomes for a draft: kept ones if they are of these very bytes, else new ones, which are kept."""
    folder = releases.draft(state.period_code, state.version)
    kept = releases.record(state.period_code, state.version) / VALIDATION
    names = {*validators(), CONTRACTS}
    if kept.is_file():
        document = read_json(kept)
        if document["sums_sha256"] == sums_of(folder) and set(document["outcomes"]) == names:
            return dict(document["outcomes"])
    outcomes = outcomes_of(folder, exposed_names(releases), told)
    write_json(kept, {"sums_sha256": sums_of(folder), "outcomes": outcomes})
    kept.chmod(0o600)
    return outcomes


@contextmanager
def files_of(releases: Releases, state: VersionState) -> Iterator[Path]:
    """A folder with exactly the files of a version: its draft, or what is public of it without its page.

    Raises ReleaseError if its files are not there any more.
    """
    folder = releases.draft(state.period_code, state.version)
    if not state.was_published and folder.is_dir():
        yield folder
        return
    tree = releases.public.current()
    public = tree / "releases" / state.release_id if tree is not None else None
    if public is None or not any(path.name != PAGE for path in public.glob("*")):
        raise ReleaseError(
            f"The files of {state.release_id} are not there: it is {state.state}."
            " `vcc release list` shows the versions that have files."
        )
    from orchestration.releasing.drafting import scratch_folder

    with scratch_folder(releases) as scratch:
        for path in public.iterdir():
            if path.name != PAGE:
                (scratch / path.name).hardlink_to(path)
        yield scratch
