"""Long lists in pages: the newest rows first, and a link to those before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Protocol, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response

MOST_ROWS = 500


class Row(Protocol):
    """What a list is made of."""

    id: str


R = TypeVar("R", bound=Row)
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="At most so many rows, the newest first.")]
Before = Annotated[
    str,
    Query(pattern=r"^([A-Z]\d{1,15})?$", description="The id of a row, such as O17: only rows that are older than it."),
]


class Page:
    """One page of a list.

    Args:
        limit: How many rows at most.
        before: The id of the row before which it begins; empty for the newest.
        asked: What was asked for, which the next page is asked for as well.
        response: What the link to the next page is put into (``Link``, RFC 8288).
    """

    def __init__(self, *, limit: int, before: str, asked: Mapping[str, str], response: Response) -> None:
        self.limit = limit
        self.before = before
        self._asked = asked
        self._response = response

    def of(self, rows: list[R]) -> list[R]:
        """The rows; where there may be more of them, the answer says how to ask for these."""
        if len(rows) == self.limit:
            following = urlencode({**self._asked, "limit": self.limit, "before": rows[-1].id})
            self._response.headers["link"] = f'<?{following}>; rel="next"'
        return rows


async def _page(request: Request, response: Response, limit: Limit = 50, before: Before = "") -> Page:
    return Page(limit=limit, before=before, asked=request.query_params, response=response)


AnyPage = Annotated[Page, Depends(_page)]
