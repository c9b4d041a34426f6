"""Posts on X that speak of the traded coins: its recent search, by a bearer token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, SecretStr

from engine.domain.sentiment import SourceText
from engine.sentiment.json_reader import JsonReader

PATH = "/2/tweets/search/recent"
LONGEST_QUERY = 512
"""Characters, by X's own rule for the cheapest access."""
_AT_ONCE = 100
_MOST_BYTES = 1024 * 1024


class _Post(BaseModel):
    id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
    text: Annotated[str, Field(max_length=25_000)]
    created_at: AwareDatetime


class _Answer(BaseModel):
    data: Annotated[list[_Post], Field(max_length=_AT_ONCE)] = []


class XSearch:
    """Asks for what was posted since it asked last.

    Args:
        url: The root of the API.
        token: The bearer token of an app.
        words: What is looked for: cashtags and names of coins.
        within: Wall seconds for an answer.
        agent: How the bot introduces itself.
    """

    name = "x"
    trouble = ""

    def __init__(self, *, url: str, token: SecretStr, words: Sequence[str], within: float, agent: str) -> None:
        self._url = url.rstrip("/") + PATH
        self._token = token
        self._query = query_of(words)
        self._newest = ""
        self._reader = JsonReader(name="X", within=within, most_bytes=_MOST_BYTES, agent=agent)

    async def texts(self) -> tuple[SourceText, ...]:
        """What was posted since then, up to a hundred, in English and no repetitions of others."""
        asked = {"query": self._query, "max_results": str(_AT_ONCE), "tweet.fields": "created_at"}
        if self._newest:
            asked["since_id"] = self._newest
        headers = {"authorization": f"Bearer {self._token.get_secret_value()}"}
        found = (await self._reader.get(self._url, _Answer, asked, headers)).data
        self._newest = max((self._newest, *(post.id for post in found)), key=lambda each: int(each or 0))
        return tuple(_text(post.id, post.text, post.created_at) for post in found)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._reader.close()


def query_of(words: Sequence[str]) -> str:
    """A search for any of some words, as many as fit, the first ones first."""
    tail = ") lang:en -is:retweet"
    query = ""
    for word in words:
        quoted = '"' + word.replace('"', "") + '"'
        longer = f"{query} OR {quoted}" if query else f"({quoted}"
        if len(longer) + len(tail) <= LONGEST_QUERY:
            query = longer
    return query + tail


def _text(post_id: str, text: str, at: datetime) -> SourceText:
    return SourceText(source="x", title=text, url=f"https://x.com/i/status/{post_id}", at=at)
