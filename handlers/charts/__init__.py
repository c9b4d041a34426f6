"""Pictures: from what a chart shows to a PNG, or to shapes that the web page draws itself.

scales.py        pure: round numbers and times for axes, room for labels
scene.py         pure: lines, areas, dots and words in a box
equity.py        pure: an equity curve as a scene
trade.py         pure: the candles of a trade as a scene
scenes.py        pure: which of them a chart is
painting.py      a scene as a PNG, by matplotlib
draughtsman.py   has it painted in a process of its own
illustrating.py  a card with its picture, or with why there is none
"""
