from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("customers", "0003_import_batches"),
    ]

    operations = [
        migrations.AddField(
            model_name="loan",
            name="settled_on",
            field=models.DateField(
                blank=True,
                help_text="The day it was closed, or the day its schedule was paid in full.",
                null=True,
                verbose_name="settled on",
            ),
        ),
    ]
