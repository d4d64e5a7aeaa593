import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('predictor', '0013_truth'),
    ]

    operations = [
        migrations.AddField(
            model_name='prediction',
            name='top_score',
            field=models.FloatField(help_text="the top flag's; of older releases filled in by upkeep", null=True),
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=500)),
                ('by', models.CharField(blank=True, help_text='name of an administrator; empty: by the console', max_length=200)),
                ('time', models.DateTimeField(auto_now_add=True)),
                ('prediction', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='predictor.prediction')),
            ],
            options={
                'ordering': ['id'],
                'default_permissions': (),
            },
        ),
    ]
