"""Run migrations on the database that the program names."""

import sqlmodel
from alembic import context

import engine.store.tables  # noqa: F401 - fills the metadata
from engine.store.connections import connect

target = sqlmodel.SQLModel.metadata
url = context.config.attributes["url"]
opened = connect(url, writer=True)

try:
    with opened.connect() as connection:
        context.configure(
            connection=connection, target_metadata=target, render_as_batch=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
finally:
    opened.dispose()
