"""What runs in the process of a model file: llama.cpp's own server, on loopback, for who knows the key."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

CONTEXT = 8192
"""Tokens of question and answer together; its memory is set aside at the start."""
_CALM = 10
"""By how much it steps back behind everything else on this machine: it takes every core there is."""


def serve(theirs: Connection, path: Path, key: str) -> None:
    """Say where the server is, then serve until whoever started it lets go, or is gone.

    Args:
        theirs: Takes the address, or nothing where the file cannot be run; its other end is the one who asks.
        path: The file.
        key: What questions must show.
    """
    import xllamacpp

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt from the keyboard is for the program, which ends this
    with suppress(OSError):
        os.nice(_CALM)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
    params.n_ctx, params.n_parallel = CONTEXT, 1
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.verbosity = -1
    try:
        server = xllamacpp.Server(params)
    except RuntimeError:
        theirs.close()
        return
    theirs.send(server.listening_address)
    with suppress(EOFError, OSError):
        theirs.recv()
    os._exit(0)  # a call that is under way is not waited for
