"""Indexes of the log, made and dropped while it goes on being written on PostgreSQL.

SQLite knows no such thing. Each operation may be repeated after it was interrupted, and needs a
migration with ``atomic = False``, since ``CONCURRENTLY`` runs in no transaction.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def _drop(schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    beside = "CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f'DROP INDEX {beside} IF EXISTS "{name}"')


class AddIndexBeside(migrations.AddIndex):
    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        _drop(schema_editor, self.index.name)  # one that was interrupted leaves an invalid index
        model = to_state.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.add_index(model, self.index, concurrently=True)
        else:
            schema_editor.add_index(model, self.index)


class RemoveIndexBeside(migrations.RemoveIndex):
    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        _drop(schema_editor, self.name)
