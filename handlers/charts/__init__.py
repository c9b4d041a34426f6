"""Pictures: from what a chart shows to a PNG, or to shapes that the web page draws itself.

scales.py        pure: round numbers and times for axes, room for labels
scene.py         pure: lines, areas, dots and words in a box
equity.py        pure: an equity curve as a scene
candlesticks.py  pure: candles as shapes
trade.py         pure: the candles of a trade as a scene
trades.py        pure: the candles of a market as a scene, with the trades in it
scenes.py        pure: which of them a chart is
painting.py      a scene as a PNG, by matplotlib
draughtsman.py   has it painted in a process of its own
illustrating.py  a card with its picture, or with why there is none
"""
