"""Which words mean a coin, and which only look like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """How a coin is spoken of.

    Attributes:
        names: Names that mean it wherever they stand.
        words: Names that are words of a language as well: they need something of the market beside them.
        is_word: Whether its ticker is such a word too, or something else's abbreviation.
        is_common: Whether the market's own words do not help either: only ``$ONE``, ``ONE/USDT`` and ``(ONE)`` mean it.
    """

    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    is_word: bool = False
    is_common: bool = False


COINS: Mapping[str, Coin] = MappingProxyType(
    {
        "1INCH": Coin(names=("1inch",)),
        "AAVE": Coin(names=("aave",)),
        "ADA": Coin(names=("cardano",), is_word=True),
        "ALGO": Coin(names=("algorand",), is_word=True),
        "APE": Coin(names=("apecoin",), is_word=True),
        "APT": Coin(names=("aptos",), is_word=True),
        "AR": Coin(names=("arweave",), is_word=True),
        "ARB": Coin(names=("arbitrum",), is_word=True),
        "ATOM": Coin(names=("cosmos hub",), words=("cosmos",), is_word=True),
        "AVAX": Coin(names=("avax",), words=("avalanche",)),
        "AXS": Coin(names=("axie infinity",)),
        "BCH": Coin(names=("bitcoin cash", "bch")),
        "BNB": Coin(names=("bnb", "binance coin", "bnb chain")),
        "BONK": Coin(words=("bonk",), is_word=True),
        "BSV": Coin(names=("bitcoin sv", "bsv")),
        "BTC": Coin(names=("bitcoin", "bitcoins", "btc", "xbt")),
        "BTG": Coin(names=("bitcoin gold",)),
        "COMP": Coin(names=("compound finance",), words=("compound",), is_word=True),
        "CRO": Coin(names=("cronos",), is_word=True),
        "CRV": Coin(names=("curve finance", "curve dao")),
        "DASH": Coin(words=("dash",), is_word=True),
        "DOGE": Coin(names=("dogecoin",), words=("doge",), is_word=True),
        "DOT": Coin(names=("polkadot",), is_word=True),
        "EGLD": Coin(names=("multiversx", "elrond")),
        "ENS": Coin(names=("ethereum name service",)),
        "EOS": Coin(names=("eos network",), is_word=True),
        "ETC": Coin(names=("ethereum classic",), is_word=True),
        "ETH": Coin(names=("ethereum", "ether", "eth")),
        "FIL": Coin(names=("filecoin",), is_word=True),
        "FLOW": Coin(words=("flow",), is_word=True),
        "FTM": Coin(names=("fantom",)),
        "FTT": Coin(names=("ftx token",)),
        "GALA": Coin(words=("gala",), is_word=True),
        "GRT": Coin(names=("the graph",)),
        "HBAR": Coin(names=("hedera",)),
        "HYPE": Coin(names=("hyperliquid",), is_word=True),
        "ICP": Coin(names=("internet computer",), is_word=True),
        "INJ": Coin(names=("injective protocol",), words=("injective",), is_word=True),
        "IOTA": Coin(words=("iota",), is_word=True),
        "JUP": Coin(words=("jupiter",), is_word=True),
        "KAS": Coin(names=("kaspa",), is_word=True),
        "LDO": Coin(names=("lido dao", "lido finance")),
        "LINK": Coin(names=("chainlink",), is_word=True),
        "LTC": Coin(names=("litecoin", "ltc")),
        "LUNA": Coin(names=("terra luna", "luna 2.0"), words=("luna", "terra"), is_word=True),
        "LUNC": Coin(names=("luna classic", "terra classic", "terra luna classic")),
        "MANA": Coin(names=("decentraland",), is_word=True),
        "MATIC": Coin(names=("matic", "polygon network"), words=("polygon",)),
        "MKR": Coin(names=("makerdao",), words=("maker",)),
        "NEAR": Coin(names=("near protocol",), is_word=True),
        "NEO": Coin(words=("neo",), is_word=True),
        "ONE": Coin(names=("harmony one",), is_common=True),
        "OP": Coin(names=("op mainnet",), words=("optimism",), is_word=True),
        "ORDI": Coin(names=("ordi",)),
        "PEPE": Coin(names=("pepecoin",), words=("pepe",), is_word=True),
        "POL": Coin(words=("polygon",), is_word=True),
        "QNT": Coin(names=("quant network",)),
        "RENDER": Coin(names=("render network",), words=("render",), is_word=True),
        "RUNE": Coin(names=("thorchain",), is_word=True),
        "SAND": Coin(names=("the sandbox",), is_word=True),
        "SEI": Coin(words=("sei",), is_word=True),
        "SHIB": Coin(names=("shiba inu", "shib")),
        "SNX": Coin(names=("synthetix",)),
        "SOL": Coin(names=("solana",), is_word=True),
        "STX": Coin(names=("stacks network",), words=("stacks",)),
        "SUI": Coin(words=("sui",), is_word=True),
        "SUSHI": Coin(names=("sushiswap",), is_word=True),
        "TIA": Coin(names=("celestia",), is_word=True),
        "TON": Coin(names=("toncoin",), is_word=True),
        "TRX": Coin(names=("tron", "trx")),
        "UNI": Coin(names=("uniswap",), is_word=True),
        "USDC": Coin(names=("usdc", "usd coin")),
        "USDT": Coin(names=("usdt", "tether")),
        "VET": Coin(names=("vechain",), is_word=True),
        "WBTC": Coin(names=("wrapped bitcoin",)),
        "WETH": Coin(names=("wrapped ether", "wrapped ethereum")),
        "WIF": Coin(names=("dogwifhat",), is_word=True),
        "WLD": Coin(names=("worldcoin",)),
        "XLM": Coin(names=("xlm",), words=("stellar", "lumens")),
        "XMR": Coin(names=("monero", "xmr")),
        "XRP": Coin(names=("xrp", "xrp ledger"), words=("ripple",)),
        "XTZ": Coin(names=("tezos", "xtz")),
        "ZEC": Coin(names=("zcash", "zec")),
    }
)
"""The coins that are known by name. Another one is known by its ticker alone, as if that were a word."""

PHRASES: Mapping[str, str] = MappingProxyType(
    {
        "ripple effect": "",
        "ripple effects": "",
        "tether effect": "",
        "department of government efficiency": "",
        "bitcoin cash flow": "BTC",
        "bitcoin cash flows": "BTC",
        "bitcoin cash out": "BTC",
        "bitcoin cash outs": "BTC",
        "bitcoin cash settled": "BTC",
    }
)
"""Phrases that begin with a name and mean another coin than it, or none."""

_MARKET_TEXT = (
    "price prices token tokens coin coins crypto network blockchain chain protocol ecosystem staking staked stakers "
    "holder holders whale whales trader traders bull bulls bear bears bullish bearish rally rallies rallied surge "
    "surges surged jump jumps jumped soar soars soared gain gains gained climb climbs climbed rise rises rose hit hits "
    "drop drops dropped fall falls fell slip slips slipped plunge plunges plunged tumble tumbles tumbled crash crashes "
    "crashed dump dumps dumped pump pumps pumped rebound rebounds slide slides slid break breaks eyes futures etf etfs "
    "perp perps perpetual perpetuals longs shorts spot airdrop unlock unlocks listing wallet wallets validators "
    "validator tvl mainnet testnet altcoin altcoins memecoin memecoins up down bags bag buy buying bought sell selling "
    "sold hodl long short trades trading"
)
MARKET = frozenset(_MARKET_TEXT.split())
"""Words beside which a ticker is a coin."""

_CRYPTO_TEXT = (
    "crypto cryptocurrency cryptocurrencies token tokens coin coins blockchain altcoin altcoins memecoin memecoins "
    "defi nft nfts staking etf etfs btc eth usdt bitcoin ethereum binance coinbase wallet tvl mainnet airdrop "
    "validators onchain web3 stablecoin stablecoins"
)
CRYPTO = frozenset(_CRYPTO_TEXT.split())
"""Words that say what a text is about at all."""
