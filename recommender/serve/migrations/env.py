"""Where Alembic begins: it runs in the transaction that `tables.bring_up` hands over."""

from alembic import context

from recommender.serve.tables import VERSIONS, metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSIONS, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
