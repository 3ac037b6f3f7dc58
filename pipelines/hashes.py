"""What is in large files, as SHA-256: each is read once as long as nobody changes it, whoever asks.

Add here how the hash of a file is come by. Which files are audited is said in `audit.fingerprint`, which are copied in
`publish.early`.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

# A file is hashed again unless it was changed this long ago: within the resolution of a file system's clock two states
# of a file could bear the same time.
SETTLED_SECONDS = 2.0
LARGE = 1 << 30  # bytes that take longer to hash again than to wait until they can be remembered


class FileHash(NamedTuple):
    """What is in a file."""

    size: int
    sha256: str


class _State(NamedTuple):
    """What the file system says of a file. `changed_ns` is set by the system at every change, and by nobody else."""

    path: Path
    inode: int
    size: int
    changed_ns: int


class Promise:
    """Somebody reads a file anyway and will tell its hash, so that who asks for it waits instead of reading it too."""

    def __init__(self, state: _State, ready_in: float = 0) -> None:
        self._state = state
        self._ready_in = ready_in
        self._sha256: Future[str] = Future()
        self._guard = threading.Lock()

    def is_of(self, state: _State) -> bool:
        """Whether it is about this state of the file, and may still be kept."""
        return self._state == state and not self._sha256.cancelled()

    def wait(self) -> str:
        """The hash.

        Raises:
            CancelledError: it was given up.
        """
        return self._sha256.result()

    def wait_until_settled(self) -> None:
        """To be called before the file is read."""
        time.sleep(self._ready_in)

    def keep(self, sha256: str) -> None:
        """Tell the hash of what was read, unless the file was changed since it was promised."""
        with suppress(FileNotFoundError):
            if _state_of(self._state.path) == self._state:
                with self._guard:
                    if not self._sha256.done():
                        self._sha256.set_result(sha256)
        self.give_up()

    def give_up(self) -> None:
        """Let others read the file. What was told stays told."""
        with self._guard:
            self._sha256.cancel()


_guard = threading.Lock()
_promises: dict[Path, Promise] = {}


def hash_files(files: Iterable[Path]) -> dict[Path, FileHash]:
    """Size and SHA-256 of each file. Large files that were changed a moment ago are waited for."""
    states = [_state_of(file) for file in files]
    unsettled = _unsettled_seconds(states)
    remembers = not unsettled or _are_large(states)
    if remembers:
        time.sleep(unsettled)
    hash_file = _hash_once if remembers else _hash
    return {state.path: FileHash(state.size, hash_file(state)) for state in states}


def promise_hashes(files: Iterable[Path]) -> dict[Path, Promise]:
    """Announce that these files will be read from now on; each promise must be kept or given up.

    Of small files that were just changed nobody waits for the promise, as their hash must not be remembered.
    """
    states = [_state_of(file) for file in files]
    unsettled = _unsettled_seconds(states)
    if unsettled and not _are_large(states):
        return {state.path: Promise(state) for state in states}
    promises = {state.path: Promise(state, ready_in=unsettled) for state in states}
    with _guard:
        _promises.update(promises)
    return promises


def _hash_once(state: _State) -> str:
    while True:
        with _guard:
            promise = _promises.get(state.path)
            is_promised = promise is not None and promise.is_of(state)
            if promise is None or not is_promised:
                promise = _promises[state.path] = Promise(state)
        if is_promised:
            with suppress(CancelledError):
                return promise.wait()
            continue
        try:
            sha256 = _hash(state)
            promise.keep(sha256)
            return sha256
        finally:
            promise.give_up()


def _hash(state: _State) -> str:
    with state.path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _state_of(file: Path) -> _State:
    found = file.stat()
    return _State(file, found.st_ino, found.st_size, found.st_ctime_ns)


def _unsettled_seconds(states: Iterable[_State]) -> float:
    """How long to wait until what is read now can be told from whatever is written later."""
    return max(0, SETTLED_SECONDS - (time.time_ns() - max((state.changed_ns for state in states), default=0)) / 1e9)


def _are_large(states: Iterable[_State]) -> bool:
    return sum(state.size for state in states) >= LARGE
