"""What holding the markets comes to, whatever joins and leaves."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.benchmark import Benchmark

NOTHING = Benchmark(held={})
PRICES = st.dictionaries(
    st.sampled_from(["BTC/USDT", "ETH/USDT", "SHIB/USDT"]), st.decimals("0.000001", "99999", places=6), min_size=1
)


def test_the_same_amount_goes_into_each_market_and_stays_there():
    begun = NOTHING.over(["BTC/USDT", "ETH/USDT"], {"BTC/USDT": Decimal(100), "ETH/USDT": Decimal(10)})
    assert begun.worth({"BTC/USDT": Decimal(200), "ETH/USDT": Decimal(5)}) == Decimal("1.25")


def test_a_market_without_a_price_joins_once_it_has_one():
    markets, first = ["BTC/USDT", "ETH/USDT"], {"BTC/USDT": Decimal(100)}
    alone = NOTHING.over(markets, first)
    assert set(alone.held) == {"BTC/USDT"}
    later = {"BTC/USDT": Decimal(200), "ETH/USDT": Decimal(10)}
    both = alone.over(markets, later)
    assert set(both.held) == set(markets)
    assert both.worth(later) == alone.worth(later) == 2
    assert both.worth({"BTC/USDT": Decimal(200), "ETH/USDT": Decimal(20)}) == 3


@given(before=PRICES, after=PRICES)
def test_spreading_anew_never_changes_what_it_is_worth(before: dict[str, Decimal], after: dict[str, Decimal]) -> None:
    known = {**before, **after}
    held = NOTHING.over(before, known)
    assert abs(held.over(after, known).worth(known) - held.worth(known)) <= Decimal("1e-9")
    assert held.over(before, {market: 3 * price for market, price in known.items()}) == held
