"""A session of requests that reads so many bytes of an answer and no more, for libraries that read all there is."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

_STEP = 64 * 1024


class TooLong(requests.RequestException):
    """An answer is longer than what is read."""


class _Capped(HTTPAdapter):
    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request, and read its answer here: what follows finds it read."""
        response = super().send(*args, **{**kwargs, "stream": True})
        body = bytearray()
        for chunk in response.iter_content(_STEP):
            body += chunk
            if len(body) > self._most_bytes:
                response.close()
                raise TooLong(f"an answer has more than {self._most_bytes} bytes")
        response._content = bytes(body)  # noqa: SLF001 - where requests keeps what was read
        return response


def capped_session(most_bytes: int) -> requests.Session:
    """A session without proxies and passwords of the environment, whose answers are so long at most, unpacked."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Capped(most_bytes))
    return session
