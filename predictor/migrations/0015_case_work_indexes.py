from django.db import migrations, models

from predictor.migrations._beside import AddIndexBeside


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
