"""A run that kills itself: python killed_run.py DATA_ROOT WHAT DONE. Part of test_kills.py, not a test."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> None:
    """Run everything; die the moment progress on WHAT reaches DONE."""
    from tests.pipeline.scenario import open_data_root, run_all

    data_root, what, done = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

    def die(label: str, reached: int, total: int) -> None:
        if label == what and reached >= min(done, total):
            os.kill(os.getpid(), signal.SIGKILL)

    report = run_all(open_data_root(data_root), progress=die)
    print(report.failures)


if __name__ == "__main__":
    main()
