from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("kernel", "0001_initial"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Budget",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "limit_amount",
                    models.DecimalField(decimal_places=2, max_digits=14, verbose_name="limit"),
                ),
                (
                    "committed_amount",
                    models.DecimalField(
                        decimal_places=4,
                        default=0,
                        editable=False,
                        max_digits=14,
                        verbose_name="spent or reserved",
                    ),
                ),
            ],
            options={
                "verbose_name": "budget",
                "verbose_name_plural": "budgets",
            },
        ),
        migrations.CreateModel(
            name="CalendarDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(unique=True, verbose_name="day")),
                ("is_workday", models.BooleanField(default=False, verbose_name="people work")),
                ("name", models.CharField(blank=True, max_length=80, verbose_name="name")),
            ],
            options={
                "verbose_name": "calendar day",
                "verbose_name_plural": "calendar days",
            },
        ),
        migrations.CreateModel(
            name="FrequencyRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("channel", models.CharField(blank=True, max_length=10, verbose_name="channel")),
                (
                    "window_hours",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="window in hours",
                    ),
                ),
                (
                    "max_count",
                    models.PositiveSmallIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="most messages",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "frequency rule",
                "verbose_name_plural": "frequency rules",
            },
        ),
        migrations.CreateModel(
            name="GlobalControlChoice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "share",
                    models.DecimalField(decimal_places=3, max_digits=4, verbose_name="share"),
                ),
                (
                    "period_length",
                    models.CharField(
                        default="quarter", max_length=10, verbose_name="new group every"
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="from")),
                ("salt", models.UUIDField(editable=False)),
                (
                    "reason",
                    models.TextField(
                        help_text="Why, and who agreed; kept for good.",
                        max_length=1000,
                        verbose_name="reason",
                    ),
                ),
                ("recorded_at", models.DateTimeField(verbose_name="recorded at")),
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
                "verbose_name": "global control group",
                "verbose_name_plural": "global control group",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("share__gte", 0), ("share__lte", Decimal("0.2"))),
                        name="global_control_fifth_at_most",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MessageGraph",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("definition", models.JSONField()),
                ("created_at", models.DateTimeField(verbose_name="created at")),
            ],
            options={
                "verbose_name": "message graph",
                "verbose_name_plural": "message graphs",
            },
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(max_length=80, unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                ("status", models.CharField(default="draft", max_length=10, verbose_name="status")),
                (
                    "purpose",
                    models.CharField(default="marketing", max_length=12, verbose_name="purpose"),
                ),
                (
                    "service_kind",
                    models.CharField(
                        blank=True, max_length=20, verbose_name="kind of service message"
                    ),
                ),
                (
                    "product_kind",
                    models.CharField(
                        default="credit_offer", max_length=12, verbose_name="what it is about"
                    ),
                ),
                ("goal_event", models.CharField(max_length=60, verbose_name="goal event")),
                (
                    "goal_window_days",
                    models.PositiveSmallIntegerField(
                        default=7,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="goal window in days",
                    ),
                ),
                (
                    "holdout_share",
                    models.DecimalField(
                        decimal_places=3,
                        default=0,
                        max_digits=4,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(0.5),
                        ],
                        verbose_name="holdout share",
                    ),
                ),
                (
                    "stops_at_goal",
                    models.BooleanField(default=True, verbose_name="no message after the goal"),
                ),
                ("experiment_salt", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("start_at", models.DateTimeField(blank=True, null=True, verbose_name="start at")),
                ("end_at", models.DateTimeField(blank=True, null=True, verbose_name="end at")),
                (
                    "message_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="most messages",
                    ),
                ),
                (
                    "daily_message_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="most messages a day",
                    ),
                ),
                ("exclusions", models.JSONField(blank=True, editable=False, null=True)),
                ("recurrence", models.JSONField(blank=True, editable=False, null=True)),
                ("trigger", models.JSONField(blank=True, editable=False, null=True)),
                ("last_run_at", models.DateTimeField(editable=False, null=True)),
                ("run_hold_reason", models.CharField(blank=True, editable=False, max_length=60)),
                ("is_run_hold_told", models.BooleanField(default=False, editable=False)),
                (
                    "run_hold_mail_failures",
                    models.PositiveSmallIntegerField(default=0, editable=False),
                ),
                ("run_hold_mail_after", models.DateTimeField(editable=False, null=True)),
                ("pause_reason", models.CharField(blank=True, editable=False, max_length=60)),
                ("is_pause_told", models.BooleanField(default=False, editable=False)),
                ("harm_since", models.DateTimeField(editable=False, null=True)),
                ("is_template", models.BooleanField(default=False, verbose_name="template")),
                (
                    "next_run_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="next run"),
                ),
                (
                    "late_limit_hours",
                    models.PositiveSmallIntegerField(
                        default=24, verbose_name="latest start, hours late"
                    ),
                ),
                (
                    "cost_per_message",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        max_digits=10,
                        null=True,
                        verbose_name="cost a message",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("updated_at", models.DateTimeField(verbose_name="updated at")),
                (
                    "launched_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="launched at"),
                ),
                (
                    "completed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="completed at"),
                ),
                ("folder", models.CharField(blank=True, max_length=60, verbose_name="folder")),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "budget",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="campaigns",
                        to="campaigns.budget",
                        verbose_name="budget",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.segment",
                    ),
                ),
                (
                    "graph",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.messagegraph",
                    ),
                ),
            ],
            options={
                "verbose_name": "campaign",
                "verbose_name_plural": "campaigns",
                "permissions": [
                    ("author_campaign", "Can write campaigns"),
                    ("approve_campaign", "Can approve campaigns"),
                    ("send_service_messages", "Can write service messages, sent without consent"),
                    ("send_collection_messages", "Can write messages that collect"),
                    ("launch_campaign", "Can launch, pause and cancel campaigns"),
                    ("view_report", "Can read campaign reports"),
                    ("import_touches", "Can import past campaigns"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("parts", models.JSONField(default=dict)),
                ("is_granted", models.BooleanField(verbose_name="granted")),
                ("comment", models.TextField(blank=True, verbose_name="comment")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("edit_number", models.BigIntegerField(default=0, editable=False)),
                (
                    "approver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="approvals",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={
                "verbose_name": "approval",
                "verbose_name_plural": "approvals",
            },
        ),
        migrations.CreateModel(
            name="CampaignCorrection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("contents", models.JSONField(default=list)),
                ("end_at", models.DateTimeField(null=True)),
                (
                    "budget_amount",
                    models.DecimalField(decimal_places=2, max_digits=14, null=True),
                ),
                (
                    "state",
                    models.CharField(default="editing", max_length=10, verbose_name="state"),
                ),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed at")),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrections",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={
                "verbose_name": "correction",
                "verbose_name_plural": "corrections",
            },
        ),
        migrations.CreateModel(
            name="CampaignCost",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("category", models.CharField(max_length=20, verbose_name="category")),
                (
                    "amount",
                    models.DecimalField(decimal_places=2, max_digits=14, verbose_name="amount"),
                ),
                ("incurred_on", models.DateField(verbose_name="incurred on")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="costs",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={
                "verbose_name": "campaign cost",
                "verbose_name_plural": "campaign costs",
            },
        ),
        migrations.CreateModel(
            name="CampaignEdit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="edits",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "editor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "campaign edit",
                "verbose_name_plural": "campaign edits",
            },
        ),
        migrations.CreateModel(
            name="Channel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("slug", models.SlugField(max_length=60, unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("kind", models.CharField(max_length=10, verbose_name="kind")),
                ("backend", models.CharField(max_length=40, verbose_name="backend")),
                ("options", models.JSONField(blank=True, default=dict, verbose_name="options")),
                ("secret_sealed", models.BinaryField(null=True)),
                (
                    "sender",
                    models.CharField(
                        blank=True, max_length=120, verbose_name="sender or signature"
                    ),
                ),
                (
                    "cost_per_part",
                    models.DecimalField(
                        decimal_places=4, default=0, max_digits=10, verbose_name="cost a part"
                    ),
                ),
                (
                    "filing_demand",
                    models.CharField(
                        blank=True,
                        default="",
                        max_length=10,
                        verbose_name="filed with the provider",
                    ),
                ),
                (
                    "filing_idle_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        verbose_name="days until an unused signature is deleted",
                    ),
                ),
                (
                    "rate_per_second",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="messages a second"
                    ),
                ),
                ("next_slot_at", models.DateTimeField(editable=False, null=True)),
                ("turn_given_at", models.DateTimeField(editable=False, null=True)),
                (
                    "paused_until",
                    models.DateTimeField(editable=False, null=True, verbose_name="paused until"),
                ),
                (
                    "pause_reason",
                    models.CharField(
                        blank=True, editable=False, max_length=60, verbose_name="paused because"
                    ),
                ),
                ("paused_since", models.DateTimeField(editable=False, null=True)),
                ("pause_told_at", models.DateTimeField(editable=False, null=True)),
                (
                    "blocked_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="blocked since"),
                ),
                (
                    "blocked_reason",
                    models.CharField(
                        blank=True, editable=False, max_length=120, verbose_name="blocked because"
                    ),
                ),
                ("refusals_in_a_row", models.PositiveIntegerField(default=0, editable=False)),
                ("refused_code", models.CharField(blank=True, editable=False, max_length=40)),
                ("refused_since", models.DateTimeField(editable=False, null=True)),
                ("unanswered_in_a_row", models.PositiveIntegerField(default=0, editable=False)),
                ("told_at", models.DateTimeField(editable=False, null=True)),
                ("tolerated_code", models.CharField(blank=True, editable=False, max_length=40)),
                ("harm_since", models.DateTimeField(editable=False, null=True)),
                (
                    "tested_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="tested at"),
                ),
                (
                    "test_finding",
                    models.CharField(
                        blank=True, editable=False, max_length=40, verbose_name="test"
                    ),
                ),
                (
                    "idempotency_shown_at",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="remembers keys since"
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "channel",
                "verbose_name_plural": "channels",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("rate_per_second__isnull", True),
                            ("rate_per_second__gte", 1),
                            _connector="OR",
                        ),
                        name="channel_rate_is_positive",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContentVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("locale", models.CharField(max_length=10, verbose_name="language")),
                ("number", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("subject", models.CharField(blank=True, max_length=300, verbose_name="subject")),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("html", models.TextField(blank=True, verbose_name="HTML")),
                ("digest", models.CharField(max_length=64)),
                ("is_current", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "content",
                "verbose_name_plural": "contents",
            },
        ),
        migrations.CreateModel(
            name="Dispatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=16, verbose_name="source")),
                ("run_number", models.PositiveIntegerField(default=1, verbose_name="run")),
                ("channel_kind", models.CharField(max_length=10, verbose_name="channel kind")),
                ("name", models.CharField(blank=True, max_length=120, verbose_name="name")),
                ("subject", models.CharField(blank=True, max_length=80)),
                ("purpose", models.CharField(max_length=12, verbose_name="purpose")),
                (
                    "service_kind",
                    models.CharField(
                        blank=True, max_length=20, verbose_name="kind of service message"
                    ),
                ),
                (
                    "product_kind",
                    models.CharField(
                        default="service", max_length=12, verbose_name="what it is about"
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField(default=20, verbose_name="priority")),
                ("position", models.PositiveSmallIntegerField(default=1, verbose_name="position")),
                ("refusals_since", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True, verbose_name="ends at")),
                ("goal_since", models.DateTimeField(null=True)),
                (
                    "revision",
                    models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
                ),
                ("variables", models.JSONField(default=list)),
                ("goal_event", models.CharField(blank=True, max_length=60)),
                ("goal_window_days", models.PositiveSmallIntegerField(null=True)),
                (
                    "excluded_versions",
                    models.JSONField(default=list, editable=False, null=True),
                ),
                ("volume_caps", models.JSONField(default=list, editable=False)),
                ("excluded_counts", models.JSONField(default=dict, editable=False)),
                ("uses_personal_rules", models.BooleanField(default=False)),
                (
                    "unit_cost",
                    models.DecimalField(
                        decimal_places=4, max_digits=10, null=True, verbose_name="cost a part"
                    ),
                ),
                ("late_limit_hours", models.PositiveSmallIntegerField(default=24)),
                ("approved_parts", models.JSONField(default=dict)),
                ("key_space", models.CharField(blank=True, max_length=30)),
                (
                    "status",
                    models.CharField(default="scheduled", max_length=10, verbose_name="status"),
                ),
                ("audience_count", models.BigIntegerField(default=0, verbose_name="audience")),
                ("due_at", models.DateTimeField(verbose_name="due at")),
                ("frozen_at", models.DateTimeField(null=True, verbose_name="frozen at")),
                ("completed_at", models.DateTimeField(null=True, verbose_name="completed at")),
                (
                    "is_paused",
                    models.BooleanField(default=False, editable=False, verbose_name="paused"),
                ),
                (
                    "hold_reason",
                    models.CharField(blank=True, max_length=60, verbose_name="held because"),
                ),
                ("is_hold_told", models.BooleanField(default=False, editable=False)),
                ("fault_count", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "before",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="campaigns.dispatch",
                    ),
                ),
                (
                    "budget",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.budget",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dispatches",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.channel",
                    ),
                ),
                (
                    "segment_version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.segmentversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "dispatch",
                "verbose_name_plural": "dispatches",
            },
        ),
        migrations.CreateModel(
            name="Chunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("first_message_id", models.BigIntegerField()),
                ("last_message_id", models.BigIntegerField()),
                ("state", models.CharField(default="ready", max_length=8)),
                ("due_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("claimed_by", models.CharField(blank=True, max_length=80)),
                ("claim_count", models.PositiveIntegerField(default=0)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("in_hand_message_id", models.BigIntegerField(null=True)),
                ("suspects", models.JSONField(default=dict)),
                (
                    "reserved_amount",
                    models.DecimalField(decimal_places=4, default=0, max_digits=14),
                ),
                (
                    "dispatch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="campaigns.dispatch",
                    ),
                ),
            ],
            options={
                "verbose_name": "chunk",
                "verbose_name_plural": "chunks",
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sequence", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("counts", models.JSONField(default=dict)),
                ("cost_amount", models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                ("content_hash", models.CharField(max_length=64)),
                ("previous_hash", models.CharField(max_length=64)),
                ("entry_hash", models.CharField(max_length=64)),
                (
                    "chunk",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ledger",
                        to="campaigns.chunk",
                    ),
                ),
                (
                    "dispatch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ledger",
                        to="campaigns.dispatch",
                    ),
                ),
            ],
            options={
                "verbose_name": "ledger entry",
                "verbose_name_plural": "dispatch ledger",
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_control", models.BooleanField(default=False, verbose_name="control group")),
                ("state", models.CharField(default="planned", max_length=10, verbose_name="state")),
                ("reason", models.CharField(blank=True, max_length=40, verbose_name="reason")),
                ("rule_version", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(null=True, verbose_name="due at")),
                ("planned_at", models.DateTimeField(verbose_name="planned at")),
                ("attempted_at", models.DateTimeField(null=True, verbose_name="attempted at")),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("waiting_since", models.DateTimeField(editable=False, null=True)),
                ("mark", models.PositiveIntegerField(db_default=0, editable=False)),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent at")),
                ("delivered_at", models.DateTimeField(null=True, verbose_name="delivered at")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed at")),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.channel",
                    ),
                ),
                ("provider_message_id", models.CharField(blank=True, max_length=120)),
                ("contact_point_id", models.BigIntegerField(editable=False, null=True)),
                ("is_point_named", models.BooleanField(db_default=False, editable=False)),
                ("parts", models.PositiveSmallIntegerField(default=0, verbose_name="parts")),
                (
                    "cost_amount",
                    models.DecimalField(
                        decimal_places=4, default=0, max_digits=10, verbose_name="cost"
                    ),
                ),
                (
                    "content",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.contentversion",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "dispatch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="campaigns.dispatch",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
            },
        ),
        migrations.CreateModel(
            name="Enrolment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("run_number", models.PositiveIntegerField(default=1, verbose_name="run")),
                ("node", models.CharField(max_length=20, verbose_name="stands at")),
                ("entered_at", models.DateTimeField(verbose_name="since")),
                ("left_at", models.DateTimeField(null=True, verbose_name="left at")),
                (
                    "leave_reason",
                    models.CharField(blank=True, max_length=12, verbose_name="left because"),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "graph",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="enrolments",
                        to="campaigns.messagegraph",
                    ),
                ),
            ],
            options={
                "verbose_name": "enrolment",
                "verbose_name_plural": "enrolments",
            },
        ),
        migrations.CreateModel(
            name="MessageTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(max_length=80, unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "purpose",
                    models.CharField(default="service", max_length=12, verbose_name="purpose"),
                ),
                (
                    "service_kind",
                    models.CharField(
                        blank=True, max_length=20, verbose_name="kind of service message"
                    ),
                ),
                (
                    "product_kind",
                    models.CharField(
                        default="service", max_length=12, verbose_name="what it is about"
                    ),
                ),
                ("variables", models.JSONField(blank=True, default=list, verbose_name="variables")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("status", models.CharField(default="draft", max_length=10, verbose_name="status")),
                ("approved_digest", models.CharField(blank=True, editable=False, max_length=64)),
                ("approved_at", models.DateTimeField(null=True, verbose_name="approved at")),
                ("approved_edit_number", models.BigIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("updated_at", models.DateTimeField(verbose_name="updated at")),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "message template",
                "verbose_name_plural": "message templates",
            },
        ),
        migrations.CreateModel(
            name="MessageVariables",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("values_sealed", models.BinaryField()),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "values of a message",
                "verbose_name_plural": "values of messages",
            },
        ),
        migrations.CreateModel(
            name="TextMaster",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("text", models.TextField(verbose_name="text")),
                (
                    "dispatch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.dispatch",
                    ),
                ),
            ],
            options={
                "verbose_name": "master of message texts",
                "verbose_name_plural": "masters of message texts",
            },
        ),
        migrations.CreateModel(
            name="MessageText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_key", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("attempt", models.PositiveSmallIntegerField(verbose_name="attempt")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("digest", models.CharField(max_length=32)),
                ("text_sealed", models.BinaryField()),
                (
                    "master",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="campaigns.textmaster",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="texts",
                        to="campaigns.message",
                    ),
                ),
            ],
            options={"verbose_name": "message text", "verbose_name_plural": "message texts"},
        ),
        migrations.CreateModel(
            name="Partner",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, unique=True, verbose_name="public id"
                    ),
                ),
                ("slug", models.SlugField(max_length=40, unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("scopes", models.JSONField(default=list, verbose_name="scopes")),
                (
                    "requests_per_minute",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="requests a minute"
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "data_source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.datasource",
                        verbose_name="contract",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "partner",
                "verbose_name_plural": "partners",
            },
        ),
        migrations.CreateModel(
            name="MessageRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, unique=True, verbose_name="public id"
                    ),
                ),
                (
                    "priority",
                    models.CharField(default="normal", max_length=10, verbose_name="priority"),
                ),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                (
                    "dispatch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="request",
                        to="campaigns.dispatch",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests",
                        to="campaigns.messagetemplate",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="message_requests",
                        to="campaigns.partner",
                    ),
                ),
            ],
            options={
                "verbose_name": "message request",
                "verbose_name_plural": "message requests",
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=255, verbose_name="key")),
                ("fingerprint", models.CharField(max_length=64)),
                ("is_done", models.BooleanField(default=False, verbose_name="done")),
                ("lease_until", models.DateTimeField()),
                ("reply_status", models.PositiveSmallIntegerField(null=True)),
                ("reply_body", models.BinaryField(default=b"")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.partner",
                    ),
                ),
            ],
            options={
                "verbose_name": "idempotency key",
                "verbose_name_plural": "idempotency keys",
            },
        ),
        migrations.CreateModel(
            name="PartnerLead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, unique=True, verbose_name="public id"
                    ),
                ),
                ("reference", models.CharField(max_length=64, verbose_name="partner's reference")),
                ("standing", models.CharField(max_length=10, verbose_name="standing")),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leads",
                        to="campaigns.partner",
                    ),
                ),
            ],
            options={
                "verbose_name": "partner lead",
                "verbose_name_plural": "partner leads",
            },
        ),
        migrations.CreateModel(
            name="Passage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("node", models.CharField(max_length=20, verbose_name="node")),
                ("way", models.CharField(max_length=20, verbose_name="way")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="passages",
                        to="campaigns.enrolment",
                    ),
                ),
            ],
            options={
                "verbose_name": "passage",
                "verbose_name_plural": "passages",
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider_event_id", models.CharField(max_length=120)),
                ("kind", models.CharField(max_length=16, verbose_name="kind")),
                ("provider_message_id", models.CharField(blank=True, max_length=120)),
                ("message_key", models.CharField(blank=True, max_length=64)),
                ("occurred_at", models.DateTimeField(verbose_name="occurred at")),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                ("detail", models.CharField(blank=True, max_length=200, verbose_name="detail")),
                ("meaning", models.CharField(blank=True, max_length=10, verbose_name="read as")),
                ("is_refusal", models.BooleanField(default=False, verbose_name="refusal")),
                ("address_index", models.CharField(blank=True, editable=False, max_length=64)),
                ("is_applied", models.BooleanField(default=False, verbose_name="applied")),
                (
                    "problem",
                    models.CharField(blank=True, max_length=20, verbose_name="waits because"),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="tries")),
                ("next_try_at", models.DateTimeField(null=True, verbose_name="next try")),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.channel",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="receipts",
                        to="campaigns.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "receipt",
                "verbose_name_plural": "receipts",
            },
        ),
        migrations.CreateModel(
            name="RequestedMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, unique=True, verbose_name="public id"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "reference",
                    models.CharField(blank=True, max_length=64, verbose_name="partner's reference"),
                ),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.message",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="campaigns.messagerequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "requested message",
                "verbose_name_plural": "requested messages",
            },
        ),
        migrations.CreateModel(
            name="SideMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider_message_id", models.CharField(max_length=120)),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.channel",
                    ),
                ),
            ],
            options={
                "verbose_name": "message of no campaign",
                "verbose_name_plural": "messages of no campaign",
            },
        ),
        migrations.CreateModel(
            name="SoftBounce",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("code", models.CharField(blank=True, max_length=40, verbose_name="code")),
                (
                    "contact_point",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.contactpoint",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "soft bounce",
                "verbose_name_plural": "soft bounces",
            },
        ),
        migrations.CreateModel(
            name="Step",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=1, verbose_name="position")),
                ("is_fallback", models.BooleanField(default=False, verbose_name="fallback")),
                (
                    "condition",
                    models.CharField(default="everybody", max_length=20, verbose_name="only for"),
                ),
                (
                    "wait_minutes",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="A fallback waits this long for reports of messages that did not arrive.",
                        verbose_name="minutes after the step before",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={
                "verbose_name": "step",
                "verbose_name_plural": "steps",
            },
        ),
        migrations.AddField(
            model_name="dispatch",
            name="step",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="dispatches",
                to="campaigns.step",
            ),
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("value_index", models.CharField(blank=True, max_length=64)),
                (
                    "address_masked",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=80,
                        verbose_name="address, masked",
                    ),
                ),
                ("channel", models.CharField(blank=True, max_length=10, verbose_name="channel")),
                ("purpose", models.CharField(blank=True, max_length=12, verbose_name="purpose")),
                ("reason", models.CharField(max_length=40, verbose_name="reason")),
                ("source", models.CharField(blank=True, max_length=60, verbose_name="source")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "lifted_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="lifted at"),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "stop list entry",
                "verbose_name_plural": "stop list",
            },
        ),
        migrations.CreateModel(
            name="TemplateEdit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "editor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="edits",
                        to="campaigns.messagetemplate",
                    ),
                ),
            ],
            options={
                "verbose_name": "template edit",
                "verbose_name_plural": "template edits",
            },
        ),
        migrations.CreateModel(
            name="Touchpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("approved_parts", models.JSONField(default=dict, editable=False)),
                (
                    "channel",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.channel",
                    ),
                ),
            ],
            options={
                "verbose_name": "touchpoint",
                "verbose_name_plural": "touchpoints",
            },
        ),
        migrations.AddField(
            model_name="step",
            name="touchpoint",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="step",
                to="campaigns.touchpoint",
            ),
        ),
        migrations.AddField(
            model_name="messagetemplate",
            name="touchpoint",
            field=models.OneToOneField(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="template",
                to="campaigns.touchpoint",
            ),
        ),
        migrations.AddField(
            model_name="dispatch",
            name="touchpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="dispatches",
                to="campaigns.touchpoint",
            ),
        ),
        migrations.CreateModel(
            name="TrackedLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("target", models.URLField(max_length=1000, verbose_name="target")),
                (
                    "dispatch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="campaigns.dispatch",
                    ),
                ),
            ],
            options={
                "verbose_name": "tracked link",
                "verbose_name_plural": "tracked links",
            },
        ),
        migrations.CreateModel(
            name="LinkVisit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("is_bot", models.BooleanField(default=False, verbose_name="bot")),
                (
                    "sign",
                    models.CharField(
                        blank=True, max_length=16, verbose_name="known as a machine's by"
                    ),
                ),
                (
                    "address_index",
                    models.CharField(blank=True, editable=False, max_length=32),
                ),
                ("is_published", models.BooleanField(default=False, editable=False)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visits",
                        to="campaigns.message",
                    ),
                ),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visits",
                        to="campaigns.trackedlink",
                    ),
                ),
            ],
            options={
                "verbose_name": "link visit",
                "verbose_name_plural": "link visits",
            },
        ),
        migrations.CreateModel(
            name="UnclearReply",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("provider_event_id", models.CharField(max_length=120)),
                ("value_index", models.CharField(blank=True, editable=False, max_length=64)),
                (
                    "sender_masked",
                    models.CharField(blank=True, max_length=80, verbose_name="sender"),
                ),
                ("text_sealed", models.BinaryField(null=True)),
                ("occurred_at", models.DateTimeField(verbose_name="occurred at")),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                ("decision", models.CharField(blank=True, max_length=12, verbose_name="decision")),
                (
                    "decided_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="decided at"),
                ),
                (
                    "decided_by",
                    models.CharField(blank=True, max_length=150, verbose_name="decided by"),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.channel",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "reply to be read",
                "verbose_name_plural": "replies to be read",
            },
        ),
        migrations.CreateModel(
            name="Variant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=10, verbose_name="variant")),
                ("weight", models.PositiveSmallIntegerField(default=1, verbose_name="weight")),
                (
                    "follows_message",
                    models.BooleanField(default=False, verbose_name="same text as the message"),
                ),
                (
                    "touchpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="variants",
                        to="campaigns.touchpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "variant",
                "verbose_name_plural": "variants",
            },
        ),
        migrations.AddField(
            model_name="message",
            name="variant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="campaigns.variant",
            ),
        ),
        migrations.AddField(
            model_name="contentversion",
            name="variant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="contents",
                to="campaigns.variant",
            ),
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=models.Index(
                condition=models.Q(("state", "done"), _negated=True),
                fields=["dispatch", "state", "due_at"],
                name="chunk_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="textmaster",
            constraint=models.UniqueConstraint(
                fields=("dispatch", "digest"), name="text_master_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.UniqueConstraint(fields=("dispatch", "number"), name="chunk_unique"),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.UniqueConstraint(
                fields=("chunk", "sequence"), name="ledger_sequence_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="enrolment",
            index=models.Index(
                condition=models.Q(("left_at__isnull", True)),
                fields=["graph", "run_number", "node"],
                name="enrolment_at_node",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.UniqueConstraint(
                fields=("graph", "run_number", "customer"), name="enrolment_once_a_run"
            ),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(
                condition=models.Q(("next_run_at__isnull", False)),
                fields=["next_run_at"],
                name="campaign_runs_again",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("holdout_share__gte", 0), ("holdout_share__lte", 0.5)),
                name="campaign_holdout_half_at_most",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("purpose", "marketing"),
                    models.Q(("product_kind", "credit_offer"), _negated=True),
                    _connector="OR",
                ),
                name="campaign_offer_is_marketing",
            ),
        ),
        migrations.AddConstraint(
            model_name="messagetemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("purpose", "marketing"),
                    models.Q(("product_kind", "credit_offer"), _negated=True),
                    _connector="OR",
                ),
                name="template_offer_is_marketing",
            ),
        ),
        migrations.AddIndex(
            model_name="messagevariables",
            index=models.Index(fields=["created_at"], name="message_variables_age"),
        ),
        migrations.AddIndex(
            model_name="idempotencykey",
            index=models.Index(fields=["created_at"], name="idempotency_key_created"),
        ),
        migrations.AddConstraint(
            model_name="idempotencykey",
            constraint=models.UniqueConstraint(
                fields=("partner", "key"), name="idempotency_key_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="partnerlead",
            index=models.Index(fields=["customer", "partner"], name="partner_lead_customer"),
        ),
        migrations.AddConstraint(
            model_name="partnerlead",
            constraint=models.UniqueConstraint(
                fields=("partner", "reference"), name="partner_lead_reference_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerlead",
            constraint=models.UniqueConstraint(
                condition=models.Q(("standing", "attributed")),
                fields=("customer",),
                name="partner_lead_one_attribution",
            ),
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(("next_try_at__isnull", False)),
                fields=["next_try_at"],
                name="receipt_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(("problem", ""), _negated=True),
                fields=["received_at"],
                name="receipt_problem",
            ),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_refusal", False)),
                fields=(
                    "channel",
                    "provider_event_id",
                    "kind",
                    "meaning",
                    "message_key",
                    "provider_message_id",
                    "address_index",
                ),
                name="receipt_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_refusal", True)),
                fields=(
                    "channel",
                    "provider_event_id",
                    "kind",
                    "meaning",
                    "message_key",
                    "provider_message_id",
                    "address_index",
                    "occurred_at",
                ),
                name="receipt_of_refusal_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="sidemessage",
            constraint=models.UniqueConstraint(
                fields=("channel", "provider_message_id"), name="side_message_once"
            ),
        ),
        migrations.AddIndex(
            model_name="softbounce",
            index=models.Index(fields=["contact_point", "at"], name="soft_bounce_contact_point"),
        ),
        migrations.AddConstraint(
            model_name="softbounce",
            constraint=models.UniqueConstraint(
                fields=("message",), name="soft_bounce_once_a_message"
            ),
        ),
        migrations.AddConstraint(
            model_name="suppression",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("customer__isnull", False),
                    models.Q(("value_index", ""), _negated=True),
                    _connector="OR",
                ),
                name="suppression_names_someone",
            ),
        ),
        migrations.AddConstraint(
            model_name="suppression",
            constraint=models.UniqueConstraint(
                condition=models.Q(("customer__isnull", False), ("lifted_at__isnull", True)),
                fields=("customer", "channel", "purpose"),
                name="suppression_customer_open_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="suppression",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("lifted_at__isnull", True), models.Q(("value_index", ""), _negated=True)
                ),
                fields=("value_index", "channel", "purpose"),
                name="suppression_value_open_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaigncorrection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["editing", "in_review", "approved"])),
                fields=("campaign",),
                name="correction_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.UniqueConstraint(fields=("campaign", "position"), name="step_unique"),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("status__in", ["completed", "cancelled"]), _negated=True),
                fields=["status", "priority"],
                name="dispatch_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("step__isnull", False)),
                fields=("step", "run_number"),
                name="dispatch_once_a_run",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("campaign__isnull", False), ("source", "step"), ("step__isnull", False)
                    ),
                    models.Q(
                        ("campaign__isnull", True), ("source", "request"), ("step__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="dispatch_has_one_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("purpose", "marketing"),
                    models.Q(("product_kind", "credit_offer"), _negated=True),
                    _connector="OR",
                ),
                name="dispatch_offer_is_marketing",
            ),
        ),
        migrations.AddConstraint(
            model_name="trackedlink",
            constraint=models.UniqueConstraint(
                fields=("dispatch", "target"), name="tracked_link_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="linkvisit",
            index=models.Index(fields=["message", "is_bot"], name="link_visit_message"),
        ),
        migrations.AddIndex(
            model_name="linkvisit",
            index=models.Index(
                condition=models.Q(("is_published", False)),
                fields=["at"],
                name="link_visit_unpublished",
            ),
        ),
        migrations.AddIndex(
            model_name="linkvisit",
            index=models.Index(
                condition=models.Q(("address_index", ""), _negated=True),
                fields=["address_index", "at"],
                name="link_visit_address",
            ),
        ),
        migrations.AddIndex(
            model_name="unclearreply",
            index=models.Index(fields=["decision", "-received_at"], name="unclear_reply_open"),
        ),
        migrations.AddIndex(
            model_name="unclearreply",
            index=models.Index(fields=["value_index"], name="unclear_reply_address"),
        ),
        migrations.AddConstraint(
            model_name="unclearreply",
            constraint=models.UniqueConstraint(
                fields=("channel", "provider_event_id", "value_index", "occurred_at"),
                name="unclear_reply_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="variant",
            constraint=models.UniqueConstraint(fields=("touchpoint", "key"), name="variant_unique"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["customer"], name="message_customer"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("provider_message_id", ""), _negated=True),
                fields=["provider_message_id"],
                name="message_provider_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                fields=("dispatch", "customer"), name="message_once_a_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="contentversion",
            constraint=models.UniqueConstraint(
                fields=("variant", "locale", "number"), name="content_version_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="contentversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_current", True)),
                fields=("variant", "locale"),
                name="content_one_current",
            ),
        ),
        migrations.CreateModel(
            name='ModelAudience',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=60)),
                ('score_models', models.JSONField(default=list)),
                ('recorded_at', models.DateTimeField()),
                ('base', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.segment')),
                ('segment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.segment')),
            ],
            options={
                'verbose_name': 'audience chosen by a model',
                'verbose_name_plural': 'audiences chosen by a model',
            },
        ),
        migrations.CreateModel(
            name='FairnessOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('groups', models.JSONField(default=list)),
                ('reason', models.TextField(max_length=1000, verbose_name='reason')),
                ('requested_at', models.DateTimeField(verbose_name='requested at')),
                ('confirmed_at', models.DateTimeField(null=True, verbose_name='confirmed at')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='fairness_overrides', to='campaigns.campaign')),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('segment_version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.segmentversion')),
            ],
            options={
                'verbose_name': 'fairness override',
                'verbose_name_plural': 'fairness overrides',
                'permissions': [('confirm_fairnessoverride', 'Can confirm fairness overrides')],
                'constraints': [models.CheckConstraint(condition=models.Q(('confirmed_by__isnull', True), models.Q(('confirmed_by', models.F('requested_by')), _negated=True), _connector='OR'), name='fairness_override_second_person')],
            },
        ),
        migrations.CreateModel(
            name='CampaignTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, verbose_name='tag')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='campaigns.campaign')),
            ],
            options={
                'verbose_name': 'campaign tag',
                'verbose_name_plural': 'campaign tags',
                'indexes': [models.Index(fields=['name'], name='campaign_tag_name')],
                'constraints': [models.UniqueConstraint(fields=('campaign', 'name'), name='campaign_tag_once')],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('thing', models.CharField(max_length=60)),
                ('reason', models.CharField(blank=True, max_length=60)),
                ('comment', models.TextField(blank=True)),
                ('at', models.DateTimeField(verbose_name='at')),
                ('read_at', models.DateTimeField(null=True)),
                ('mail_state', models.CharField(max_length=10)),
                ('mail_failures', models.PositiveSmallIntegerField(default=0)),
                ('mail_after', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
                ('reader', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
                'indexes': [models.Index(condition=models.Q(('read_at__isnull', True)), fields=['reader'], name='notice_unread'), models.Index(condition=models.Q(('mail_state', 'due')), fields=['mail_after'], name='notice_mail_due')],
                'constraints': [models.UniqueConstraint(fields=('reader', 'thing'), name='notice_once')],
            },
        ),
        migrations.CreateModel(
            name='NoticeChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('is_mailed', models.BooleanField()),
                ('reader', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'choice of notices',
                'verbose_name_plural': 'choices of notices',
                'constraints': [models.UniqueConstraint(fields=('reader', 'kind'), name='notice_choice_once')],
            },
        ),
        migrations.CreateModel(
            name='ContentTest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('test_share', models.DecimalField(decimal_places=3, max_digits=4, verbose_name='test share')),
                ('metric', models.CharField(max_length=12, verbose_name='decided by')),
                ('decide_after_hours', models.PositiveSmallIntegerField(verbose_name='decided after hours')),
                ('without_winner', models.CharField(max_length=10, verbose_name='without a winner')),
                ('opted_out_margin', models.DecimalField(decimal_places=4, max_digits=5)),
                ('complained_margin', models.DecimalField(decimal_places=4, max_digits=5)),
                ('state', models.CharField(default='reading', editable=False, max_length=10)),
                ('ground', models.CharField(blank=True, editable=False, max_length=16)),
                ('winner', models.CharField(blank=True, editable=False, max_length=10, verbose_name='variant')),
                ('decided_at', models.DateTimeField(editable=False, null=True)),
                ('counts', models.JSONField(default=dict, editable=False)),
                ('rest_started_at', models.DateTimeField(editable=False, null=True)),
                ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='content_test', to='campaigns.campaign')),
                ('decided_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'test of texts',
                'verbose_name_plural': 'tests of texts',
            },
        ),
        migrations.CreateModel(
            name='VolumeCap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period', models.CharField(max_length=8, verbose_name='period')),
                ('most', models.PositiveIntegerField(verbose_name='most messages')),
            ],
            options={
                'verbose_name': 'volume cap',
                'verbose_name_plural': 'volume caps',
            },
        ),
        migrations.CreateModel(
            name='VolumeUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('committed', models.PositiveIntegerField(default=0)),
                ('cap', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uses', to='campaigns.volumecap')),
            ],
            options={
                'verbose_name': 'use of a volume cap',
                'verbose_name_plural': 'uses of volume caps',
                'constraints': [models.UniqueConstraint(fields=('cap', 'day'), name='volume_use_once')],
            },
        ),
        migrations.CreateModel(
            name='VolumeReservation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('count', models.PositiveIntegerField(default=0)),
                ('chunk', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.chunk')),
                ('use', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.volumeuse')),
            ],
            options={
                'verbose_name': 'reservation of a volume cap',
                'verbose_name_plural': 'reservations of volume caps',
                'constraints': [models.UniqueConstraint(fields=('chunk', 'use'), name='volume_reservation_once')],
            },
        ),
        migrations.CreateModel(
            name='Filing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(default='signature', max_length=10, verbose_name='kind')),
                ('name', models.CharField(max_length=60, verbose_name='signature or name')),
                ('text', models.TextField(blank=True, max_length=1000, verbose_name='text as filed')),
                ('provider_code', models.CharField(blank=True, max_length=80, verbose_name="provider's number")),
                ('variables', models.JSONField(blank=True, default=dict, verbose_name='variables')),
                ('status', models.CharField(default='draft', max_length=10, verbose_name='status')),
                ('evidence', models.CharField(blank=True, max_length=200, verbose_name='evidence')),
                ('refusal', models.CharField(blank=True, max_length=300, verbose_name='why it was refused or cleared')),
                ('submitted_at', models.DateTimeField(editable=False, null=True, verbose_name='submitted at')),
                ('decided_at', models.DateTimeField(editable=False, null=True, verbose_name='decided at')),
                ('expires_on', models.DateField(blank=True, null=True, verbose_name='approved until')),
                ('last_used_at', models.DateTimeField(editable=False, null=True, verbose_name='last used at')),
                ('channel', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='filings', to='campaigns.channel')),
            ],
            options={
                'verbose_name': 'filing',
                'verbose_name_plural': 'filings',
                'constraints': [models.UniqueConstraint(fields=('channel', 'kind', 'name'), name='filing_unique'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), ('decided_at__isnull', False), _connector='OR'), name='filing_approved_is_dated')],
            },
        ),
        migrations.CreateModel(
            name='StandIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stand_ins', to='campaigns.channel')),
                ('other', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.channel')),
            ],
            options={
                'verbose_name': 'fall-over channel',
                'verbose_name_plural': 'fall-over channels',
                'constraints': [models.UniqueConstraint(fields=('channel', 'other'), name='stand_in_once'), models.UniqueConstraint(fields=('channel', 'position'), name='stand_in_order'), models.CheckConstraint(condition=models.Q(('channel', models.F('other')), _negated=True), name='stand_in_is_another')],
            },
        ),
        migrations.CreateModel(
            name="CampaignTrigger",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event_id", models.BigIntegerField(editable=False, null=True)),
                ("reference", models.CharField(blank=True, max_length=100)),
                ("occurred_at", models.DateTimeField(verbose_name="occurred at")),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                ("due_at", models.DateTimeField(verbose_name="due at")),
                ("state", models.CharField(default="waiting", max_length=10, verbose_name="state")),
                ("reason", models.CharField(blank=True, max_length=40, verbose_name="reason")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="triggers",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "dispatch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="campaigns.dispatch",
                    ),
                ),
            ],
            options={
                "verbose_name": "campaign trigger",
                "verbose_name_plural": "campaign triggers",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["campaign", "due_at"],
                        name="trigger_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("event_id__isnull", False)),
                        fields=("campaign", "event_id"),
                        name="trigger_once_an_event",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("reference", ""), _negated=True),
                        fields=("campaign", "reference"),
                        name="trigger_once_a_reference",
                    ),
                ],
            },
        ),
    ]
