"""The operators' bot on Telegram.

    platform.py   the door: start, stop, put, health
    client.py     python-telegram-bot, set up
    listening.py  polls for what people do, and lets Telegram forget it only once it was handled
    webhook.py    is called with what people do, the same way
    kept_updates.py  what takes long while Telegram may forget it
    connecting.py how both begin and go on
    intake.py     what is done about an update: acknowledge, hand on, reply
    reading.py    pure: an update of theirs → ``Incoming``
    places.py     pure: a chat, or a topic of a group, as one address
    sending.py    shows cards: new, in place, in parts; says when not now
    photos.py     pure: a picture and the words below it
    pacing.py     how fast the bot may speak
    checkup.py    looks whether it could run, for ``bot doctor``
    health.py     what the library's errors mean

``handlers.cards.telegram_html`` makes messages of cards. Importing this costs the import of python-telegram-bot: only
who has a token should.
"""

from __future__ import annotations

import os

# Before the library is imported: unless told that time-deltas are understood, it warns at every flood control.
os.environ.setdefault("PTB_TIMEDELTA", "true")

from handlers.telegram.kept_updates import KeptUpdates
from handlers.telegram.platform import TelegramPlatform
from handlers.telegram.webhook import WebhookAt

__all__ = ["KeptUpdates", "TelegramPlatform", "WebhookAt"]
