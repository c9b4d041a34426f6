"""New posts of some subreddits, by praw: it waits for its answers, so it does that in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from engine.domain.errors import SourceError
from engine.domain.figures import plain
from engine.domain.sentiment import SourceText
from engine.sentiment.daemon_threads import in_daemon_thread

if TYPE_CHECKING:  # heavy, and only named here
    import praw

AT_ONCE = 50
"""Posts that are asked for: some subreddits together have fewer in a quarter of an hour."""
MOST_BYTES = 1024 * 1024
"""The longest answer that is read. So many posts have about half of it; while JSON of four times as much is parsed, the
loop waits a tenth of a second, in whatever thread that is done."""
_LONGEST = 5_000
"""Characters of a post that are read."""
_SITE, _API = "https://www.reddit.com", "https://oauth.reddit.com"


class Reddit:
    """Asks for new posts, as an app that only reads.

    Args:
        client_id: Of the app.
        client_secret: Of the app.
        subreddits: Their names, without ``r/``.
        url: Another server in the place of Reddit's two; ``None`` for its own.
        within: Wall seconds for an answer.
        agent: How the bot introduces itself; Reddit wants to know an app and its author by it.
    """

    name = "reddit"
    trouble = ""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: SecretStr,
        subreddits: Sequence[str],
        url: str | None,
        within: float,
        agent: str,
    ) -> None:
        self._client_id = client_id
        self._agent = agent
        self._secret = client_secret
        self._subreddits = "+".join(subreddits)
        self._url = url.rstrip("/") if url else None
        self._within = within
        self._asking: asyncio.Future[tuple[SourceText, ...]] | None = None
        self._reddit: praw.Reddit | None = None

    async def texts(self) -> tuple[SourceText, ...]:
        """The newest posts. Where the last answer is still waited for, nobody asks again."""
        if self._asking is not None and not self._asking.done():
            raise SourceError("Reddit has not answered the last question yet.")
        self._asking = in_daemon_thread(self._ask, self.name)
        try:
            async with asyncio.timeout(self._within):
                return await asyncio.shield(self._asking)
        except TimeoutError:
            raise SourceError(f"Reddit does not answer within {plain(self._within, 6)} s.") from None

    async def close(self) -> None:
        """Wait for no answer any more."""
        if self._asking is not None:
            self._asking.cancel()

    def _ask(self) -> tuple[SourceText, ...]:
        from praw.exceptions import PRAWException
        from prawcore.exceptions import PrawcoreException, TooManyRequests

        try:
            self._reddit = self._reddit or self._made()
            posts = self._reddit.subreddit(self._subreddits).new(limit=AT_ONCE)
            return tuple(found for post in posts if (found := _text(post)))
        except TooManyRequests as error:
            raise SourceError("Reddit asks for less.", again_after=_seconds(error)) from None
        except (PrawcoreException, PRAWException) as error:
            remedy = "Look at sentiment.reddit: its app, and its subreddits."
            raise SourceError(f"Reddit cannot be read ({type(error).__name__}).", remedy) from None
        except Exception as error:  # noqa: BLE001 - praw raises whatever its reading of a strange answer comes upon
            raise SourceError(f"Reddit answers nonsense ({type(error).__name__}).") from None

    def _made(self) -> praw.Reddit:
        import praw

        from engine.sentiment.capped_session import capped_session

        return praw.Reddit(
            client_id=self._client_id,
            client_secret=self._secret.get_secret_value(),
            user_agent=self._agent,
            reddit_url=self._url or _SITE,  # no praw.ini that lies around decides where keys go
            oauth_url=self._url or _API,
            timeout=max(1, round(self._within)),
            ratelimit_seconds=0,
            check_for_updates=False,
            requestor_kwargs={"session": capped_session(MOST_BYTES)},
        )


def _text(post: Any) -> SourceText | None:
    """A post as it is read; ``None`` for one that is no text, or was taken back."""
    said = vars(post)  # of what is not among them praw would ask for each post by itself
    title, body = str(said["title"])[:_LONGEST], str(said.get("selftext", ""))[:_LONGEST]
    if not title.strip() or body in ("[removed]", "[deleted]"):
        return None
    at = datetime.fromtimestamp(float(said["created_utc"]), UTC)
    return SourceText(source="reddit", title=title, body=body, url=f"{_SITE}{said['permalink']}"[:500], at=at)


def _seconds(error: Any) -> float | None:
    wanted = getattr(error, "retry_after", None)
    return float(wanted) if wanted is not None else None
