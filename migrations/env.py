"""Run migrations on the database that the program names."""

import sqlmodel
from alembic import context

import engine.store.tables  # noqa: F401 - fills the metadata
from engine.store.database import connect

target = sqlmodel.SQLModel.metadata
url = context.config.attributes["url"]

with connect(url, begin="BEGIN IMMEDIATE", single=True).connect() as connection:
    context.configure(
        connection=connection, target_metadata=target, render_as_batch=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
