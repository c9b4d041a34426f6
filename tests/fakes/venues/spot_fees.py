"""What a fill costs at a fake venue, and in which coin it is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from tests.fakes.exchange import Symbol
from tests.fakes.venues.spot_ledger import Ledger

STEP = Decimal("1e-8")
BNB_SHARE = Decimal("0.75")
"""What of the fee is left where it is paid in BNB."""


@dataclass(kw_only=True)
class Fees:
    """Fractions of what is traded; ``paid_in`` is "received", "quote" or "BNB"."""

    maker: Decimal = Decimal("0.001")
    taker: Decimal = Decimal("0.001")
    paid_in: str = "received"

    def of(
        self, symbol: Symbol, *, buy: bool, maker: bool, quantity: Decimal, cost: Decimal, ledger: Ledger,
        bnb_price: Callable[[str], Decimal | None],
    ) -> tuple[Decimal, str]:  # fmt: skip
        """Amount and asset; BNB only while there is enough of it, as at the real venue."""
        rate = self.maker if maker else self.taker
        if self.paid_in == "BNB" and (price := bnb_price(symbol.quote)):
            fee = _down(cost * rate * BNB_SHARE / price)
            if ledger.free["BNB"] >= fee:
                return fee, "BNB"
        if buy and self.paid_in != "quote":
            return _down(quantity * rate), symbol.base
        return _down(cost * rate), symbol.quote

    def reserve(self, *, buy: bool) -> Decimal:
        """What a buy has to hold back beside its cost, as a fraction of it."""
        return self.taker if buy and self.paid_in == "quote" else Decimal(0)


def _down(amount: Decimal) -> Decimal:
    return amount.quantize(STEP, ROUND_DOWN)
