"""The operators' bot on Slack.

    platform.py   the door: start, stop, put, health, hooks
    client.py     slack_sdk's client, set up
    sockets.py    the way in over Socket Mode
    hooks.py      the way in over HTTP
    listening.py  slack_bolt: acknowledges what people do, hands it on
    reading.py    pure: a body of theirs → ``Incoming``, and where the answer belongs
    speech.py     pure: how commands are written there
    sending.py    shows cards: new, in place, in threads, in parts; says when not now
    replying.py   answers where people asked
    uploads.py    shares pictures
    home.py       the App Home
    blocks.py     pure: ``Card`` → Block Kit in messages that fit
    pacing.py     how fast the bot may speak
    checkup.py    looks whether it could run, for ``bot doctor``
    health.py     what refusals mean

``manifest.yaml`` is the app as Slack makes it. Importing this costs the import of slack_bolt and aiohttp: only who has
a token should.
"""

from __future__ import annotations

from handlers.slack.home import board
from handlers.slack.platform import SlackPlatform

__all__ = ["SlackPlatform", "board"]
