import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    # The packages' own tables come first: Django works out every later change of theirs (to users, to
    # applications) for all tables that exist by then, and ours are many.
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("sessions", "0001_initial"),
        ("guardian", "0003_remove_groupobjectpermission_guardian_gr_content_ae6aec_idx_and_more"),
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangeCursor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("consumer", models.CharField(max_length=40, verbose_name="consumer")),
                ("table", models.CharField(max_length=40, verbose_name="table")),
                ("settled", models.BigIntegerField(default=0)),
                ("top", models.BigIntegerField(default=0)),
                ("top_at", models.DateTimeField()),
                ("top_before", models.BigIntegerField(default=0)),
                ("seen", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "change cursor",
                "verbose_name_plural": "change cursors",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("consumer", "table"), name="change_cursor_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="KeyCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40, unique=True)),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="KeyRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key_id", models.CharField(max_length=40, unique=True)),
                ("row_key", models.UUIDField()),
                ("check_sealed", models.BinaryField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80, unique=True)),
                ("holder", models.CharField(max_length=120)),
                ("until", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("actor_kind", models.CharField(max_length=16, verbose_name="actor kind")),
                ("actor_id", models.CharField(max_length=150, verbose_name="actor")),
                ("actor_label", models.CharField(max_length=150, verbose_name="actor name")),
                ("action", models.CharField(max_length=80, verbose_name="action")),
                ("object_type", models.CharField(max_length=80, verbose_name="object type")),
                ("object_id", models.CharField(max_length=80, verbose_name="object")),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("facts", models.JSONField(default=dict, verbose_name="facts")),
                ("previous_hash", models.CharField(max_length=64)),
                ("entry_hash", models.CharField(max_length=64, unique=True)),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit trail",
                "indexes": [
                    models.Index(fields=["object_type", "object_id", "at"], name="audit_object"),
                    models.Index(fields=["actor_id", "at"], name="audit_actor"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("entry_count", models.BigIntegerField(default=0)),
                ("entry_hash", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="audit_head_single")
                ],
            },
        ),
        migrations.CreateModel(
            name="Deployment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("epoch", models.PositiveIntegerField(default=1)),
                ("beat", models.BigIntegerField(default=1)),
                ("last_seen_at", models.DateTimeField()),
                ("held_reason", models.CharField(blank=True, max_length=20)),
                ("held_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "deployment",
                "verbose_name_plural": "deployments",
                "permissions": [("confirm_sending", "Can let sending go on after a restore")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="deployment_single")
                ],
            },
        ),
        migrations.CreateModel(
            name="KeyRotation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key_id", models.CharField(max_length=40, verbose_name="key")),
                ("column", models.CharField(max_length=100, verbose_name="column")),
                ("last_row_id", models.BigIntegerField(default=0, verbose_name="last row")),
                ("updated_at", models.DateTimeField(verbose_name="updated at")),
            ],
            options={
                "verbose_name": "key rotation",
                "verbose_name_plural": "key rotations",
                "constraints": [
                    models.UniqueConstraint(fields=("key_id", "column"), name="key_rotation_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="SignInTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=80, unique=True)),
                ("account", models.CharField(blank=True, db_index=True, max_length=32)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("until", models.DateTimeField()),
                ("succeeded_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "count of failed sign-ins",
                "verbose_name_plural": "counts of failed sign-ins",
                "indexes": [models.Index(fields=["until"], name="sign_in_tally_until")],
            },
        ),
        migrations.CreateModel(
            name="Work",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=60, verbose_name="kind")),
                ("title", models.TextField(blank=True, verbose_name="title")),
                ("state", models.CharField(default="waiting", max_length=10, verbose_name="state")),
                ("step", models.TextField(blank=True, verbose_name="step")),
                ("done_count", models.BigIntegerField(default=0, verbose_name="done in this step")),
                (
                    "total_count",
                    models.BigIntegerField(default=0, verbose_name="to do in this step"),
                ),
                ("checkpoint", models.JSONField(default=dict)),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                (
                    "requested_action",
                    models.CharField(
                        blank=True, default="", max_length=10, verbose_name="requested action"
                    ),
                ),
                ("last_error", models.TextField(blank=True, verbose_name="problem")),
                ("is_background", models.BooleanField(default=True)),
                ("exclusive_key", models.CharField(blank=True, max_length=60)),
                ("holder", models.CharField(blank=True, max_length=120, verbose_name="worker")),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "heartbeat_at",
                    models.DateTimeField(null=True, verbose_name="last sign of life"),
                ),
                ("progress_at", models.DateTimeField(null=True, verbose_name="last progress")),
                ("actor_label", models.CharField(max_length=150, verbose_name="actor")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("started_at", models.DateTimeField(null=True, verbose_name="started at")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished at")),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "long work",
                "verbose_name_plural": "long work",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=["state", "lease_until"],
                        name="work_open",
                    ),
                    models.Index(fields=["kind", "-created_at"], name="work_latest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "running", "paused"]),
                            models.Q(("exclusive_key", ""), _negated=True),
                        ),
                        fields=("exclusive_key",),
                        name="work_one_open_a_key",
                    )
                ],
            },
        ),
    ]
