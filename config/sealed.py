"""Keys of venues at rest: one file, sealed with a passphrase (scrypt, RFC 7914, and Fernet), that nobody else may read.

passphrase + salt ─ scrypt ─▶ key ─ Fernet ─▶ {venue: {api_key, secret, password}}
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.domain.errors import ConfigError
from engine.support.private_files import write_whole

VenueSecrets = dict[str, dict[str, str]]
"""What is kept, by the venue's name in ``exchanges`` and the setting's."""
NAMES = ("api_key", "secret", "password")
"""What can be kept of a venue."""
_VERSION = 1
_COST = 2**15
"""Scrypt's N: with r = 8 it takes 32 MB and about a tenth of a second for each guess."""
_SALT = 16


def read(file: Path, passphrase: str) -> VenueSecrets:
    """What a sealed file keeps; nothing where there is none.

    Raises:
        ConfigError: It cannot be read, is none of ours, or the passphrase is another one.
    """
    if not file.exists():
        return {}
    try:
        sealed = json.loads(file.read_text(encoding="utf-8"))
        salt, token = base64.b64decode(sealed["salt"]), sealed["token"].encode()
        is_ours = sealed["version"] == _VERSION
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.", "See that it is there and yours.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        is_ours, salt, token = False, b"", b""
    if not is_ours:
        raise ConfigError(f"{file} holds no sealed keys.", "Name another file, or seal them anew: bot keys set VENUE.")
    return _opened(file, passphrase, salt, token)


def write(file: Path, secrets: VenueSecrets, passphrase: str) -> None:
    """Seal keys in a file, whole or not at all.

    Raises:
        ConfigError: It cannot be written.
    """
    salt = os.urandom(_SALT)
    token = _fernet(passphrase, salt).encrypt(json.dumps(secrets).encode())
    sealed = {"version": _VERSION, "salt": base64.b64encode(salt).decode(), "token": token.decode()}
    try:
        write_whole(file, lambda out: _write(out, sealed))
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}.", "Name a file of a folder of yours.") from None


def _write(out: Any, sealed: Mapping[str, Any]) -> None:
    out.write(json.dumps(sealed).encode())


def _opened(file: Path, passphrase: str, salt: bytes, token: bytes) -> VenueSecrets:
    from cryptography.fernet import InvalidToken

    try:
        opened: VenueSecrets = json.loads(_fernet(passphrase, salt).decrypt(token))
    except InvalidToken:
        raise ConfigError(
            f"{file} does not open: the passphrase is another one, or the file is damaged.",
            "Try again. Where it is forgotten, remove the file and seal the keys anew: bot keys set VENUE.",
        ) from None
    return opened


def _fernet(passphrase: str, salt: bytes) -> Any:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    key = Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(passphrase.encode())
    return Fernet(base64.urlsafe_b64encode(key))
