"""What an address asks for behind its question mark: a name that nobody reads would change nothing, and say nothing."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

from handlers.arguments import did_you_mean

LONGEST_NAME = 30


def refuse_unknown(request: Request) -> None:
    """Check that each name in the query is one that is read there.

    Raises:
        RequestValidationError: One is not; names the nearest and what there is.
    """
    known = sorted(set(_names(request.scope["route"].dependant)))
    if errors := [_error(name, value, known) for name, value in request.query_params.items() if name not in known]:
        raise RequestValidationError(errors)


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for further in dependant.dependencies:
        yield from _names(further)


def _error(name: str, value: str, known: list[str]) -> dict[str, object]:
    there_is = f"Known here: {', '.join(known)}." if known else "Nothing can be asked for here."
    told = f"There is no {name[:LONGEST_NAME]} here.", did_you_mean(name, known), there_is
    return {"type": "extra_forbidden", "loc": ("query", name), "msg": " ".join(filter(None, told)), "input": value}
