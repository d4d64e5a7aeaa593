from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('predictor', '0019_shadow_runs'),
    ]

    operations = [
        migrations.AddField(
            model_name='prediction',
            name='score_step',
            field=models.IntegerField(help_text="the top score's (log/steps.py); of older releases filled in by upkeep", null=True),
        ),
    ]
