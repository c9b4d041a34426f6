"""The operators' bot on Telegram.

    platform.py   the door: start, stop, put, health
    client.py     python-telegram-bot, set up
    listening.py  polls for what people do, hands it on, forgets it only then
    reading.py    pure: an update of theirs → ``Incoming``
    sending.py    shows cards: new, in place, in parts; says when not now
    markup.py     pure: ``Card`` → HTML in parts that fit
    pacing.py     how fast the bot may speak
    checkup.py    looks whether it could run, for ``bot doctor``
    health.py     what the library's errors mean

Importing this costs the import of python-telegram-bot: only who has a token should.
"""

from __future__ import annotations

import os

# Before the library is imported: unless told that time-deltas are understood, it warns at every flood control.
os.environ.setdefault("PTB_TIMEDELTA", "true")

from handlers.telegram.platform import TelegramPlatform

__all__ = ["TelegramPlatform"]
