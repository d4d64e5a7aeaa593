"""The groups *viewer* (sees the log) and *operator* (also activates, rolls back, reports outcomes)."""

from django.db import migrations

VIEWER = {
    "prediction": ["view_prediction"],
    "outcome": ["view_outcome"],
    "refusal": ["view_refusal"],
    "activation": ["view_activation"],
}
OPERATOR = {"outcome": ["add_outcome"], "activation": ["activate_version"]}


def make_groups(apps, schema_editor):
    group = apps.get_model("auth", "Group")
    viewer, _ = group.objects.get_or_create(name="viewer")
    operator, _ = group.objects.get_or_create(name="operator")
    viewer.permissions.add(*permissions(apps, VIEWER))
    operator.permissions.add(*permissions(apps, VIEWER), *permissions(apps, OPERATOR))


def permissions(apps, wanted):
    # Django makes permissions only after the last migration; those made here it finds and keeps
    content_type = apps.get_model("contenttypes", "ContentType")
    permission = apps.get_model("auth", "Permission")
    for model, codenames in wanted.items():
        kind, _ = content_type.objects.get_or_create(app_label="predictor", model=model)
        for codename in codenames:
            yield permission.objects.get_or_create(
                content_type=kind, codename=codename, defaults={"name": NAMES.get(codename) or f"Can {codename.replace('_', ' ')}"}
            )[0]


NAMES = {"activate_version": "Can activate and roll back versions"}


class Migration(migrations.Migration):

    dependencies = [
        ("predictor", "0003_activation"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
