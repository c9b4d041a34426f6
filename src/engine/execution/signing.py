"""The client ids under which orders are written down: signed, where others may use the account as well."""

from __future__ import annotations

from engine.domain.orders import client_id
from engine.domain.signatures import signed
from engine.store.unit_of_work import UnitOfWork

_KEPT = "orders.signature"


def sign(uow: UnitOfWork, signature: str) -> None:
    """Give a database a signature, where it has none yet: it is kept for good."""
    if uow.settings.get(_KEPT) is None:
        uow.settings.set(_KEPT, signature)


def own_signature(uow: UnitOfWork) -> str:
    """The database's signature; empty where its orders go to nobody else's venue."""
    return uow.settings.get(_KEPT) or ""


def signed_id(uow: UnitOfWork, key: str, child: int = 0) -> str:
    """The client id of what an order is for, see ``client_id``, with the database's signature."""
    return signed(client_id(key, child), own_signature(uow))
