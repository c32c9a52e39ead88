"""Bring a core's database to the tables of this software, whatever older version made it.

Each step is a file in `migrations/versions`, run once and in one transaction with its version mark: a power
cut leaves the old tables or the new ones. A database of newer software is refused and not touched.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

HERE = Path(__file__).parent / "migrations"


class StoreUnknown(Exception):
    """The database was not made by this software or an older one. Nothing was changed."""


def upgrade(connection: Connection) -> None:
    """Run what is missing, inside the transaction of the connection. Raises StoreUnknown."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    stands_at = MigrationContext.configure(connection).get_current_revision()
    if stands_at is not None and stands_at not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreUnknown(
            f"the database is of version {stands_at}, and this software knows versions up to "
            f"{scripts.get_current_head()}: start the software that made it, or a newer one"
        )
    if stands_at is None and inspect(connection).has_table("inbox"):
        raise StoreUnknown(
            "the database has tables and no version mark: it was made by a build before the first release"
        )
    if stands_at != scripts.get_current_head():
        command.upgrade(config, "head")
