"""What all coins are worth together, and each of the traded ones, from CoinGecko or a server that speaks as it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, RootModel

from engine.domain.sentiment import DOMINANCE, MARKET_CAP, MarketFigure
from engine.sentiment.json_reader import JsonReader

WHOLE, EACH = "/global", "/coins/markets"
_MOST_BYTES = 512 * 1024
_MOST_COINS = 250
"""What is asked for and answered at once, by CoinGecko's own rule."""
_DOLLARS = "usd"

Worth = Annotated[float, Field(ge=0, lt=1e18, allow_inf_nan=False)]
"""US dollars."""
Percent = Annotated[float, Field(ge=0, le=100)]


class _Totals(BaseModel):
    worth: Annotated[Mapping[str, Worth], Field(alias="total_market_cap")]
    shares: Annotated[Mapping[str, Percent], Field(alias="market_cap_percentage")]
    at: Annotated[AwareDatetime, Field(alias="updated_at")]


class _Whole(BaseModel):
    data: _Totals


class _Coin(BaseModel):
    symbol: Annotated[str, Field(max_length=100)]
    worth: Annotated[Worth | None, Field(alias="market_cap")]
    at: Annotated[AwareDatetime | None, Field(alias="last_updated")]


class _Coins(RootModel[Annotated[list[_Coin], Field(max_length=_MOST_COINS)]]):
    """Coins; several may have one ticker."""


class MarketCaps:
    """Asks for both, one after the other.

    Args:
        url: The root of the API.
        symbols: The markets that are traded.
        within: Wall seconds for each answer.
        agent: How the bot introduces itself.
    """

    name = "market_caps"

    def __init__(self, *, url: str, symbols: Sequence[str], within: float, agent: str) -> None:
        self._url = url.rstrip("/")
        self._symbols = symbols
        self._reader = JsonReader(name="Market caps", within=within, most_bytes=_MOST_BYTES, agent=agent)

    async def figures(self) -> tuple[MarketFigure, ...]:
        """What all coins are worth and each of the traded ones, in US dollars, and the share of the whole of each."""
        tickers = dict.fromkeys(symbol.partition("/")[0].lower() for symbol in self._symbols)
        whole = (await self._reader.get(self._url + WHOLE, _Whole, {})).data
        asked = {
            "vs_currency": _DOLLARS,
            "symbols": ",".join(list(tickers)[:_MOST_COINS]),
            "per_page": str(_MOST_COINS),
        }
        coins = (await self._reader.get(self._url + EACH, _Coins, asked)).root
        found = [] if not (worth := whole.worth.get(_DOLLARS)) else [_figure(MARKET_CAP, "", worth, whole.at)]
        for symbol in self._symbols:
            ticker = symbol.partition("/")[0].lower()
            known = [(coin.worth, coin.at) for coin in coins if coin.symbol.lower() == ticker]
            largest = max(((worth, at) for worth, at in known if worth and at), default=None)
            if largest is not None:
                found.append(_figure(MARKET_CAP, symbol, *largest))
            if (share := whole.shares.get(ticker)) is not None:
                found.append(_figure(DOMINANCE, symbol, share / 100, whole.at))
        return tuple(found)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._reader.close()


def _figure(name: str, subject: str, value: float, at: AwareDatetime) -> MarketFigure:
    return MarketFigure(name=name, subject=subject, value=value, at=at)
