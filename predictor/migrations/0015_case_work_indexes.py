from django.db import migrations, models


class AddIndexBeside(migrations.AddIndex):
    """On PostgreSQL the log goes on being written meanwhile; SQLite knows no such thing."""

    atomic = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        # one that was interrupted leaves an invalid index under the name
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')
        schema_editor.add_index(model, self.index, concurrently=True)


class Migration(migrations.Migration):

    atomic = False  # CREATE INDEX CONCURRENTLY runs in no transaction

    dependencies = [
        ('predictor', '0014_case_work'),
    ]

    operations = [
        AddIndexBeside(
            model_name='prediction',
            index=models.Index(fields=['caller', '-id'], name='prediction_by_caller'),
        ),
        AddIndexBeside(
            model_name='prediction',
            index=models.Index(fields=['top_score', 'id'], name='prediction_by_score'),
        ),
    ]
