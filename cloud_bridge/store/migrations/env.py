"""What Alembic runs for each upgrade: on the connection that it is given, in that connection's transaction."""

from __future__ import annotations

from alembic import context

from tillbox.cloud_bridge.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True
)
context.run_migrations()
