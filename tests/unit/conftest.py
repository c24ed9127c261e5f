"""Shared by all unit tests: an S3 server of this machine, started only if a test asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from storage_server import running_server

from ingest.storage import Bucket


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """Run the server for as long as tests run; yield its URL."""
    with running_server() as url:
        yield url


_numbers = count(1)


@pytest.fixture
def bucket(storage: str) -> Callable[[str], Bucket]:
    """Make prefixes in a bucket that no other test has seen."""
    import s3fs

    system = s3fs.S3FileSystem(use_listings_cache=False)
    name = f"test-{next(_numbers)}"
    system.call_s3(
        "create_bucket", Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
    )
    return lambda prefix: Bucket(f"s3://{name}/{prefix}")
