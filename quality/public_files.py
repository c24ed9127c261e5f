"""Contracts on the files of a release, as anybody could check them who has only downloaded these files.

Belongs here: the Parquet files of a folder as tables of a database in memory, the contracts of
`contracts/public`, and whether the folder holds what is on the publication list, nothing else. Does not
belong here: bytes and spreadsheets (`validators`), and the promises on marts inside the house.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import duckdb

from quality.verify import Outcome, contract_datasets, verify_connection

CONTRACTS = Path(__file__).parent / "contracts" / "public"
SCHEMA = "public"
FOLDER_CONTRACT = "publication_list"

#: CSV files that explain the tables or hold them in another shape, and have no Parquet.
_BESIDE = re.compile(r"(areas|breakdowns|codes|metric-catalogue|data-dictionary|cjs-dashboard|ees-.+)\.csv")


def verify_public(
    folder: Path, exposed: Collection[str] | None = None, contracts_dir: Path = CONTRACTS
) -> list[Outcome]:
    """Checks the contract of every table of a release folder, and that the tables are those exposed.

    `exposed` are the names of the tables on the publication list; without it, every table with a contract.
    A table missing, one too many, one without a contract or one that cannot be read is a failed outcome of
    the contract `publication_list`. Raises FileNotFoundError if there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"No release folder at {folder}; build the release first.")
    promised = set(contract_datasets(contracts_dir))
    expected = promised if exposed is None else set(exposed)
    parquet = {path.stem: path for path in sorted(folder.glob("*.parquet"))}
    outcomes = [
        *(_list_outcome(name, _table_fault(name, parquet, promised)) for name in sorted(expected)),
        *(
            _list_outcome(name, f"{name}.parquet is of a table that is not on the publication list.")
            for name in sorted(set(parquet) - expected)
        ),
        *(
            _list_outcome(path.stem, f"{path.name} is of a table that is not on the publication list.")
            for path in sorted(folder.glob("*.csv"))
            if path.stem not in expected | set(parquet) and not _BESIDE.fullmatch(path.name)
        ),
        *(
            _list_outcome(name, f"{name}.csv is missing beside {name}.parquet.")
            for name in sorted(expected & set(parquet))
            if not (folder / f"{name}.csv").is_file()
        ),
    ]
    with duckdb.connect() as con:
        con.execute(f"create schema {SCHEMA}")
        loaded = set()
        for name, path in parquet.items():
            try:
                # tables of their own: views would not say which column has which type
                con.execute(f'create table {SCHEMA}."{name}" as select * from read_parquet($1)', [str(path)])
                loaded.add(name)
            except duckdb.Error as error:
                outcomes.append(_list_outcome(name, f"{path.name} cannot be read: {str(error)[:200]}"))
        checked = loaded & promised
        if checked:
            outcomes += verify_connection(con, contracts_dir, only=checked)
    return outcomes


def _table_fault(name: str, parquet: Collection[str], promised: Collection[str]) -> str:
    if name not in parquet:
        return f"{name} is on the publication list, but {name}.parquet is not in the folder."
    if name not in promised:
        return f"{name} has no contract; write quality/contracts/{SCHEMA}/{name}.yml."
    return ""


def _list_outcome(table: str, fault: str) -> Outcome:
    return Outcome(
        contract=FOLDER_CONTRACT,
        dataset=f"{SCHEMA}.{table}",
        check="exposed",
        column=None,
        passed=not fault,
        severity="error",
        measured=None,
        threshold="files equal the publication list",
        detail=fault,
        title="What is published is on the publication list",
    )
