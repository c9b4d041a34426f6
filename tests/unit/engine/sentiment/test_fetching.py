"""Where a server sends us: by the name, by the address that answers, and never from https to http."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest

from engine.domain.errors import DataError
from engine.sentiment.fetching import Fetched, Resolve, Validators, fetch, resolved
from tests.fakes.news import Page, publishing

PUBLIC = "93.184.215.14"


def says(*addresses: str) -> Resolve:
    async def resolve(_: str) -> Sequence[str]:
        return addresses

    return resolve


async def got(url: str, resolve: Resolve = resolved, most_bytes: int = 100) -> Fetched:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await fetch(client, url, Validators(), most_bytes=most_bytes, resolve=resolve)


async def test_a_document_of_an_address_that_was_configured() -> None:
    async with publishing({"/a": Page(body=b"x" * 100, headers={"ETag": "1" * 2_000})}) as server:
        found = await got(f"{server.url}/a")
        assert (found.status, found.body, found.packed) == (200, b"x" * 100, "")
        assert found.validators == Validators()
        with pytest.raises(DataError, match="more than 99 bytes"):
            await got(f"{server.url}/a", most_bytes=99)


async def test_who_answers_in_the_end_must_be_public_whatever_its_name_meant() -> None:
    async with publishing({"/secret": Page(body=b"secret")}) as inside:
        sent_on = Page(status=302, headers={"Location": f"{inside.url}/secret"})
        async with publishing({"/a": sent_on}) as server:
            with pytest.raises(DataError, match="an address of a private network"):
                await got(f"{server.url}/a", says(PUBLIC))


@pytest.mark.parametrize("private", ["127.0.0.1", "::1", "10.1.2.3", "fe80::1%eth0", "169.254.169.254", "0.0.0.0"])  # noqa: S104
async def test_every_address_of_a_name_must_be_public(private: str) -> None:
    sent_on = Page(status=302, headers={"Location": "https://example.com/x"})
    async with publishing({"/a": sent_on}) as server:
        with pytest.raises(DataError, match=r"example.com, which is of a private network"):
            await got(f"{server.url}/a", says(PUBLIC, private))


async def test_from_https_it_is_not_followed_to_http() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://example.com/"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        with pytest.raises(DataError, match="from https to http"):
            await fetch(client, "https://example.com/a", Validators(), most_bytes=9, resolve=says(PUBLIC))
