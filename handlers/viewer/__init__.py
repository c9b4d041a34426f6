"""The followers' bot on Telegram: it looks, and can do nothing. It runs as a process of its own (``bot viewer``)."""
