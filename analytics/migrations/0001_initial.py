import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("kernel", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DiscoveryModel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("method", models.CharField(max_length=12, verbose_name="method")),
                ("name", models.SlugField(max_length=80, verbose_name="name")),
                ("version", models.CharField(max_length=40, verbose_name="version")),
                ("content", models.TextField(verbose_name="content")),
                ("digest", models.CharField(max_length=64, verbose_name="digest")),
                ("as_of", models.DateTimeField(verbose_name="as of")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
            ],
            options={
                "verbose_name": "discovery model",
                "verbose_name_plural": "discovery models",
                "indexes": [
                    models.Index(
                        fields=["method", "name", "created_at"], name="discovery_model_latest"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("method", "name", "version"), name="discovery_model_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DiscoveryRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("method", models.CharField(max_length=12, verbose_name="method")),
                ("parameters", models.JSONField(verbose_name="choices")),
                ("state", models.CharField(default="waiting", max_length=10, verbose_name="state")),
                ("step", models.PositiveSmallIntegerField(default=0)),
                ("step_count", models.PositiveSmallIntegerField(default=1)),
                ("result", models.JSONField(default=dict)),
                ("problem", models.TextField(blank=True, verbose_name="problem")),
                ("created_at", models.DateTimeField(verbose_name="started at")),
                ("alive_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished at")),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "discovery",
                "verbose_name_plural": "discoveries",
            },
        ),
        migrations.CreateModel(
            name="MetricSnapshot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject_type", models.CharField(max_length=20, verbose_name="subject type")),
                ("subject_id", models.CharField(max_length=100, verbose_name="subject")),
                ("metric", models.CharField(max_length=60, verbose_name="metric")),
                ("filters", models.CharField(blank=True, max_length=200, verbose_name="filters")),
                ("window_kind", models.CharField(max_length=20, verbose_name="window")),
                (
                    "window_length",
                    models.PositiveIntegerField(
                        default=0, help_text="0 means without limit.", verbose_name="window length"
                    ),
                ),
                ("window_unit", models.CharField(max_length=8, verbose_name="window unit")),
                ("as_of", models.DateTimeField(verbose_name="as of")),
                (
                    "value",
                    models.DecimalField(
                        decimal_places=8, max_digits=24, null=True, verbose_name="value"
                    ),
                ),
                (
                    "numerator",
                    models.DecimalField(
                        decimal_places=4, max_digits=24, null=True, verbose_name="numerator"
                    ),
                ),
                (
                    "denominator",
                    models.DecimalField(
                        decimal_places=4, max_digits=24, null=True, verbose_name="denominator"
                    ),
                ),
                (
                    "low",
                    models.DecimalField(
                        decimal_places=8, max_digits=24, null=True, verbose_name="interval from"
                    ),
                ),
                (
                    "high",
                    models.DecimalField(
                        decimal_places=8, max_digits=24, null=True, verbose_name="interval to"
                    ),
                ),
                (
                    "excluded_count",
                    models.BigIntegerField(default=0, verbose_name="not yet mature"),
                ),
                ("note", models.CharField(blank=True, max_length=20, verbose_name="note")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
            ],
            options={
                "verbose_name": "metric snapshot",
                "verbose_name_plural": "metric snapshots",
                "indexes": [
                    models.Index(
                        fields=["subject_type", "subject_id", "metric", "as_of"],
                        name="metric_snapshot_of",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "subject_type",
                            "subject_id",
                            "metric",
                            "filters",
                            "window_kind",
                            "window_length",
                            "as_of",
                        ),
                        name="metric_snapshot_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProtectedOverride",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "feature",
                    models.CharField(
                        help_text="Searches for groups of similar customers may look at it. Look-alikes never.",
                        max_length=80,
                        verbose_name="protected attribute",
                    ),
                ),
                (
                    "reason",
                    models.TextField(
                        help_text="Why it is lawful and needed, and who agreed; kept for good.",
                        max_length=1000,
                        verbose_name="reason",
                    ),
                ),
                ("valid_until", models.DateField(verbose_name="last day")),
                ("recorded_at", models.DateTimeField(verbose_name="recorded at")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="recorded by",
                    ),
                ),
            ],
            options={
                "verbose_name": "leave for a protected attribute",
                "verbose_name_plural": "leaves for protected attributes",
            },
        ),
    ]
