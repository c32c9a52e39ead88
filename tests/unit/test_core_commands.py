"""What is done on the core's machine: operators, whose keys are whose, and whether the audit log is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from tillbox.cloud_bridge.commands import core
from tillbox.cloud_bridge.fleet import audit
from tillbox.cloud_bridge.store.database import Database, open_database

DOCS = Path(__file__).parents[2] / "docs"


class Machine:
    """The core's machine, and who sits at it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'core.db'}"
        self.config = folder / "core.json"
        told = json.loads((DOCS / "core.example.json").read_text()) | {"database": self.url}
        self.config.write_text(json.dumps(told))

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(core, [*words, "--config", str(self.config)])

    def said(self, *words: str) -> str:
        found = self.run(*words)
        assert found.exit_code == 0, found.output
        return found.output.strip()

    def database(self) -> Database:
        return open_database(self.url)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_key_has_an_owner(machine: Machine) -> None:
    assert machine.run("key", "stock").exit_code == 2, "whose?"
    assert machine.run("key", "stock", "--owner", "ann").exit_code == 1
    machine.said("operator", "ann", "--role", "engineer")
    assert machine.run("key", "stock", "--owner", "ann", "--role", "operator").exit_code == 1
    assert machine.said("key", "stock", "--owner", "ann", "--role", "engineer").startswith("tbk_")
    assert machine.said("operator", "ann", "--remove") == ""
    assert machine.run("operator", "ann", "--remove").exit_code == 1
    database = machine.database()
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM api_token")).scalar_one() == 0
    database.close()


def test_whoever_makes_an_operator_without_a_role_makes_an_admin(machine: Machine) -> None:
    machine.said("operator", "ann")
    database = machine.database()
    with database.reading() as connection:
        assert connection.execute(text("SELECT role FROM operator")).scalar_one() == "admin"
    database.close()


def test_a_row_that_was_taken_out_of_the_audit_log_is_missed(machine: Machine) -> None:
    database = machine.database()
    with database.writing() as connection:
        for number in range(5):
            audit.note(connection, who="ann", act="revoke-box", subject=f"b{number}", detail="", at_ms=number)
    assert machine.said("audit").startswith("5 rows; the newest is ")
    newest = machine.said("audit").split()[-1]
    assert machine.run("audit", "--newest", newest).exit_code == 0
    with database.writing() as connection:
        connection.execute(text("DROP TRIGGER audit_no_delete"))
        connection.execute(text("DELETE FROM audit WHERE id = 5"))
    assert machine.run("audit").exit_code == 0, "the chain alone cannot tell that its end is gone"
    found = machine.run("audit", "--newest", newest)
    assert (found.exit_code, "the end of the log was taken out" in found.output) == (1, True)
    with database.writing() as connection:
        connection.execute(text("DELETE FROM audit WHERE id = 2"))
    found = machine.run("audit")
    assert (found.exit_code, "row 3 does not follow" in found.output) == (1, True)
    database.close()
