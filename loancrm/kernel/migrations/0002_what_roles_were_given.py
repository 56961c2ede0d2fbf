from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="RoleRights",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("role", models.CharField(max_length=40, unique=True)),
                ("given", models.JSONField(default=list)),
            ],
            options={
                "verbose_name": "rights of a role",
                "verbose_name_plural": "rights of roles",
            },
        ),
    ]
