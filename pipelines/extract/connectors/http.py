"""One HTTP client for all vendors: JSON answers, retries with back-off and the server's own `Retry-After`, sentences.

Add here what every API needs. Paging, rate budgets and the meaning of an answer belong into the vendor's module.
"""

from __future__ import annotations

import json
import queue
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.errors import SourceError

if TYPE_CHECKING:
    from requests import Response

T = TypeVar("T")

ATTEMPTS = 8
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds of back-off; doubles in between
LONGEST_RETRY_AFTER = 900.0  # a server that wants more patience is down
TIMEOUT = (10.0, 120.0)  # seconds to connect, and between two bytes
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524})

# Replaced by tests, so that nobody waits.
pause = time.sleep


@dataclass
class Client:
    """A session with one vendor. `who` names the source and the vendor in sentences: `crm (HubSpot)`."""

    who: str
    base: str
    headers: Mapping[str, str] = field(repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    retries: int = 0

    def __post_init__(self) -> None:
        import requests

        self._session = requests.Session()
        self._session.trust_env = True
        self._session.headers.update({"Accept": "application/json", **self.headers})
        self._session.auth = self.auth

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer to a GET; `path` may be a whole address of the same server, as a next link is."""
        return self._call("GET", path, parameters, None)

    def post(self, path: str, body: Any) -> Any:
        """The JSON answer to a POST that only reads, so that it may be repeated."""
        return self._call("POST", path, None, body)

    def lines(self, address: str) -> Iterator[dict[str, Any]]:
        """The records of a JSON Lines file at an address that carries its own permission.

        The file is fetched again when it breaks off; lines that were yielded before are not yielded twice.
        """
        import requests

        done = 0
        for attempt in range(ATTEMPTS):
            try:
                # No credentials: the address is at another server than the API.
                with requests.get(address, stream=True, timeout=TIMEOUT) as answer:
                    if answer.status_code in RETRIED:
                        self._wait(attempt, answer)
                        continue
                    self._refuse(answer, "the file of a bulk operation")
                    for number, line in enumerate(answer.iter_lines(chunk_size=1 << 16)):
                        if line and number >= done:
                            record = json.loads(line)
                            done = number + 1
                            yield record
                    return
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError, ValueError):
                self._wait(attempt, None)
        raise self._silent("the file of a bulk operation")

    def _call(self, method: str, path: str, parameters: Mapping[str, Any] | None, body: Any) -> Any:
        import requests

        address = path if path.startswith(("http://", "https://")) else self.base + path
        if not address.startswith(self.base + "/"):
            raise SourceError(f"{self.who}: the server refers to another server for its next page; nothing was landed.")
        shown = address.removeprefix(self.base).partition("?")[0]
        answer: Response | None = None
        for attempt in range(ATTEMPTS):
            try:
                answer = self._session.request(
                    method, address, params=parameters, json=body, timeout=TIMEOUT, allow_redirects=False
                )
                if answer.status_code not in RETRIED:
                    self._refuse(answer, shown)
                    return answer.json()
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                answer = None
            except requests.JSONDecodeError:  # a body that was cut off where the length was not said
                answer = None
            self._wait(attempt, answer)
        raise self._silent(shown, answer)

    def _wait(self, attempt: int, answer: Response | None) -> None:
        if attempt + 1 == ATTEMPTS:
            return
        self.retries += 1
        wanted = retry_after(answer.headers.get("Retry-After")) if answer is not None else None
        if wanted is not None and wanted > LONGEST_RETRY_AFTER:
            raise SourceError(
                f"{self.who}: the server asks to wait {wanted / 60:.0f} minutes before the next request; nothing was "
                f"landed. Start again later."
            )
        # Chance keeps several sources of one vendor from coming back at the same moment.
        back_off = min(FIRST_WAIT * 2**attempt, LONGEST_WAIT) * random.uniform(0.5, 1)  # noqa: S311
        pause(back_off if wanted is None else wanted)

    def _refuse(self, answer: Response, what: str) -> None:
        status = answer.status_code
        if status < 300:
            return
        if status == 401:
            raise SourceError(
                f"{self.who}: the credential was refused (401); it is wrong or has expired. Issue a new one, set its "
                f"environment variable and start again; nothing was landed."
            )
        if status == 403:
            raise SourceError(
                f"{self.who}: the credential may not read {what} (403); grant it the scope, or take the entity out of "
                f"sources.yml."
            )
        if status < 400:
            raise SourceError(f"{self.who}: {what} has moved to another address ({status}); correct `url`.")
        reason = {404: "there is no such address", 402: "the account is frozen or unpaid", 410: "it was removed"}
        raise SourceError(
            f"{self.who}: {what} was refused ({status}{': ' + reason[status] if status in reason else ''}); "
            f"check `url` and `version` in sources.yml."
        )

    def _silent(self, what: str, answer: Response | None = None) -> SourceError:
        last = f"the last answer was {answer.status_code}" if answer is not None else "no whole answer came"
        return SourceError(
            f"{self.who}: {what} could not be read in {ATTEMPTS} attempts ({last}); nothing was landed. "
            f"Look at the vendor's status page and start again."
        )


def retry_after(text: str | None) -> float | None:
    """The seconds that a `Retry-After` header asks for: a number, or a date of HTTP."""
    if not text:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def ahead(pages: Iterator[T], depth: int = 2) -> Iterator[T]:
    """The same pages, of which the next ones are fetched by a thread while one is being written."""
    fetched: queue.Queue[tuple[T | None, BaseException | None, bool]] = queue.Queue(depth)
    stopped = threading.Event()

    def put(item: tuple[T | None, BaseException | None, bool]) -> None:
        while not stopped.is_set():
            try:
                return fetched.put(item, timeout=0.1)
            except queue.Full:
                continue
        return None

    def fetch() -> None:
        try:
            for page in pages:
                put((page, None, False))
                if stopped.is_set():
                    return
            put((None, None, True))
        except BaseException as error:
            put((None, error, True))

    thread = threading.Thread(target=fetch, daemon=True, name="pages")
    thread.start()
    try:
        while True:
            page, error, is_last = fetched.get()
            if error is not None:
                raise error
            if is_last:
                return
            yield page  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()
