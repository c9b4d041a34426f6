"""The commands about backtests put together: from what somebody asks to what is shown.

options ─▶ setups ─▶ engine.backtest ─▶ figures

setups.py    from words, settings and candles to what is run; options.py has the words of the command line
full.py      a backtest through the live cycle
sweeping.py, varying.py, walking.py      many settings, and windows of time
layers.py, sizing_layers.py, layer_rows.py, layer_table.py     what each part of the bot adds
comparing.py, revisions.py, drift.py     two runs, or a run and an account, side by side
chat.py      what people ask for in chat
"""
