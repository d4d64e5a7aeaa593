from django.db import migrations, models

from predictor.migrations._beside import AddIndexBeside, RemoveIndexBeside


class Migration(migrations.Migration):

    atomic = False  # CREATE INDEX CONCURRENTLY runs in no transaction

    dependencies = [
        ('predictor', '0020_score_step'),
    ]

    operations = [
        AddIndexBeside(
            model_name='prediction',
            index=models.Index(fields=['score_step', 'id', 'top_score'], name='prediction_by_step'),
        ),
        RemoveIndexBeside(
            model_name='prediction',
            name='prediction_by_score',
        ),
        AddIndexBeside(
            model_name='prediction',
            index=models.Index(condition=models.Q(('reference__gt', '')), fields=['reference', '-id'], name='prediction_with_reference'),
        ),
        RemoveIndexBeside(
            model_name='prediction',
            name='prediction_by_ref',
        ),
    ]
