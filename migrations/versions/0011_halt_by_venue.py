"""A halt is of a market at a venue: what is bad at one may be good at another."""

import sqlalchemy as sa
from alembic import op

from engine.domain.errors import StoreError

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PAPER = "paper"
"""The one venue there was."""
TOLD = "changed."
"""Where it is kept what people were told of a series that has changed, by market and kind of change."""

_balances = sa.table("balances", sa.column("venue", sa.String()))
_settings = sa.table("settings", sa.column("key", sa.String()), sa.column("value", sa.String()))


def upgrade() -> None:
    op.add_column("halts", sa.Column("venue", sa.String(), nullable=False, server_default=""))
    op.execute(f"UPDATE halts SET venue = '{PAPER}' WHERE symbol <> ''")  # noqa: S608
    _keep({f"{TOLD}{PAPER}.{key.removeprefix(TOLD)}": value for key, value in _told().items()})


def downgrade() -> None:
    """Of what was told of one market at several venues the newest is kept.

    Raises:
        StoreError: The account is at several venues, which programs of before cannot be given.
    """
    _refuse_several_venues()
    op.drop_column("halts", "venue")
    kept: dict[str, str] = {}
    for key, value in _told().items():
        _, _, of_before = key.removeprefix(TOLD).partition(".")
        kept[TOLD + of_before] = max(value, kept.get(TOLD + of_before, ""))
    _keep(kept)


def _refuse_several_venues() -> None:
    """First, so that nothing is changed: below, all but one venue's marks and cash would be lost."""
    venues = op.get_bind().execute(sa.select(_balances.c.venue).distinct().order_by(_balances.c.venue)).scalars().all()
    if len(venues) > 1:
        raise StoreError(
            f"The account is at several venues ({', '.join(venues)}): layouts before {revision} cannot keep it.",
            "Nothing was changed. An older program needs a database of its own, or a backup of before.",
        )


def _told() -> dict[str, str]:
    rows = op.get_bind().execute(sa.select(_settings).where(_settings.c.key.startswith(TOLD)))
    return {row.key: row.value for row in rows}


def _keep(told: dict[str, str]) -> None:
    """Put this in the place of all that was told."""
    op.execute(sa.delete(_settings).where(_settings.c.key.startswith(TOLD)))
    if told:
        op.bulk_insert(_settings, [{"key": key, "value": value} for key, value in told.items()])
