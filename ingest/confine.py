"""Judging in a process of its own, so that no file takes more time or memory than it is allowed.

Belongs here: the bounds of a judging process, and what it means when one ends without an answer. Does not:
the pool of such processes that works through an inbox (ingest/receive.py).
"""

from __future__ import annotations

import errno
import multiprocessing
import os
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from ingest.acceptance.judge import Judgement, judge, judge_fault
from ingest.acceptance.submission import Context
from ingest.limits import Limits
from ingest.readers import Fault, FileFacts

_EXTRA_SECONDS = 5
"""Processor time left to a judging process after its time is up, by which its parent has long ended it."""


def confine(limits: Limits) -> None:
    """Bound the memory that this process may take on top of what it has, and forbid core files.

    Cannot be undone. Whatever judging needs should be loaded before: what is loaded later counts against the
    file.
    """
    import resource

    present = _address_space()
    if present is not None:
        allowed = present + limits.memory_bytes
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard != resource.RLIM_INFINITY:
            allowed = min(allowed, hard)
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    # A core file would be a copy of the return outside holding.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _address_space() -> int | None:
    """Return the bytes of address space this process has, where the system tells."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def judge_confined(path: Path, context: Context, file_name: str | None = None) -> Judgement:
    """Judge one file in a child process under the limits of the context.

    `file_name` is the name it was delivered under. The judgement comes without the typed tables, which end
    with the child. A child that crashes, takes too long or too much memory gives the rejection that receiving
    the file would give. Raises OSError if the file cannot be opened. The child is forked, so this is for a
    process that runs no other threads.
    """
    fork = multiprocessing.get_context("fork")
    receiving, sending = fork.Pipe(duplex=False)
    child = fork.Process(target=_judge_in_child, args=(sending, path, context, file_name), daemon=True)
    child.start()
    # Closed here, so that the end of the child is the end of the pipe.
    sending.close()
    limits = context.limits
    answer: Judgement | BaseException
    try:
        answer = receiving.recv() if receiving.poll(limits.seconds) else TimeoutError()
    except EOFError as error:
        answer = error
    finally:
        receiving.close()
        child.kill()
        child.join()
    if isinstance(answer, Judgement):
        return answer
    name = file_name or path.name
    fault = fault_of(answer, limits)
    return Judgement(judge_fault(unparsed(name, path.stat().st_size), context, fault), {})


def _judge_in_child(sending: Connection, path: Path, context: Context, file_name: str | None) -> None:
    import resource

    confine(context.limits)
    seconds = int(context.limits.seconds) + 1 + _EXTRA_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        answer: Judgement | BaseException = replace(judge(path, context, file_name), tables={})
    except OSError as error:
        answer = OSError(error.errno, error.strerror, str(path))
    except MemoryError:
        answer = MemoryError()
    except Exception as error:
        # Only its type is told: its text may quote the file, and not every error survives the way back.
        answer = ReaderFailed(type(error).__name__)
    sending.send(answer)


class ReaderFailed(Exception):
    """Judging failed by an error of our own. Carries the name of the error's type."""


def fault_of(error: BaseException, limits: Limits) -> Fault:
    """Return the fault of a file that a failure of its judging process stands for.

    TimeoutError: it was stopped; MemoryError (or OSError ENOMEM): no memory left; EOFError: it ended without
    an answer; ReaderFailed: an error of our own. Raises any other error again: the machine's, not the file's.
    """
    if isinstance(error, TimeoutError):
        return Fault("timed_out", found="no answer in time", expected=f"at most {limits.seconds:g} seconds")
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return Fault(
            "out_of_memory", found="no memory left", expected=f"at most {limits.memory_bytes >> 20} MiB"
        )
    if isinstance(error, EOFError):
        return Fault("crashed", found="the reader ended without an answer")
    if isinstance(error, ReaderFailed):
        return Fault("crashed", found=f"the reader failed ({error})")
    raise error


def unparsed(file_name: str, size: int) -> FileFacts:
    """Return all that is told of a file whose reading failed: its name and size. Nothing of it is parsed."""
    return FileFacts(file_name, Path(file_name).suffix.lower().lstrip("."), size, "other")
