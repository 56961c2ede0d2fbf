import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_initial"),
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
                ("result", models.JSONField(default=dict)),
                (
                    "work",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kernel.work",
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
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(unique=True, verbose_name="version")),
                ("content", models.JSONField(verbose_name="content")),
                ("digest", models.CharField(max_length=64, verbose_name="digest")),
                (
                    "state",
                    models.CharField(default="proposed", max_length=12, verbose_name="state"),
                ),
                ("reason", models.TextField(max_length=1000, verbose_name="reason")),
                ("proposed_at", models.DateTimeField(verbose_name="proposed at")),
                ("approved_at", models.DateTimeField(null=True, verbose_name="approved at")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended at")),
                (
                    "replaces",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="analytics.policyversion",
                        verbose_name="replaces",
                    ),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approved by",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "version of the credit policy",
                "verbose_name_plural": "versions of the credit policy",
            },
        ),
        migrations.CreateModel(
            name="CreditDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("outcome", models.CharField(max_length=10, verbose_name="outcome of the policy")),
                (
                    "final_outcome",
                    models.CharField(blank=True, max_length=10, verbose_name="outcome"),
                ),
                ("reasons", models.JSONField(default=list, verbose_name="reasons")),
                ("facts", models.JSONField(default=dict, verbose_name="facts")),
                (
                    "risk",
                    models.DecimalField(
                        decimal_places=6, max_digits=8, null=True, verbose_name="chance of default"
                    ),
                ),
                ("band", models.CharField(blank=True, max_length=20, verbose_name="band")),
                (
                    "annual_rate",
                    models.DecimalField(
                        decimal_places=6, max_digits=8, null=True, verbose_name="annual rate"
                    ),
                ),
                (
                    "limit_amount",
                    models.DecimalField(
                        decimal_places=2, max_digits=14, null=True, verbose_name="limit"
                    ),
                ),
                (
                    "score_version",
                    models.CharField(
                        blank=True, max_length=40, verbose_name="version of the score"
                    ),
                ),
                ("scored_at", models.DateTimeField(null=True, verbose_name="scored at")),
                (
                    "final_band",
                    models.CharField(blank=True, max_length=20, verbose_name="granted band"),
                ),
                (
                    "final_rate",
                    models.DecimalField(
                        decimal_places=6,
                        max_digits=8,
                        null=True,
                        verbose_name="granted annual rate",
                    ),
                ),
                (
                    "final_limit_amount",
                    models.DecimalField(
                        decimal_places=2, max_digits=14, null=True, verbose_name="granted limit"
                    ),
                ),
                ("decided_at", models.DateTimeField(verbose_name="decided at")),
                (
                    "application",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="analytics.policyversion",
                        verbose_name="policy",
                    ),
                ),
            ],
            options={
                "verbose_name": "credit decision",
                "verbose_name_plural": "credit decisions",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "final_band__gt",
                                "",
                            ),
                            ("final_limit_amount__gt", 0),
                            ("final_outcome", "approved"),
                            ("final_rate__isnull", False),
                        )
                        | (
                            models.Q(("final_outcome", "approved"), _negated=True)
                            & models.Q(
                                ("final_band", ""),
                                ("final_limit_amount", None),
                                ("final_rate", None),
                            )
                        ),
                        name="credit_decision_granted_terms",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditAssumption",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40, verbose_name="assumption")),
                (
                    "value",
                    models.DecimalField(decimal_places=6, max_digits=12, verbose_name="value"),
                ),
                (
                    "source",
                    models.TextField(
                        help_text="Where the value comes from: a study, a contract, a decision with its date.",
                        max_length=500,
                        verbose_name="source",
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
                "verbose_name": "credit assumption",
                "verbose_name_plural": "credit assumptions",
                "indexes": [
                    models.Index(fields=["name", "recorded_at"], name="credit_assumption_latest")
                ],
            },
        ),
        migrations.CreateModel(
            name="DecisionReview",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=10, verbose_name="why a person looks")),
                (
                    "request",
                    models.TextField(
                        blank=True, max_length=1000, verbose_name="what the customer asks for"
                    ),
                ),
                ("requested_at", models.DateTimeField(verbose_name="asked at")),
                ("outcome", models.CharField(blank=True, max_length=10, verbose_name="outcome")),
                ("band", models.CharField(blank=True, max_length=20, verbose_name="band")),
                (
                    "annual_rate",
                    models.DecimalField(
                        decimal_places=6, max_digits=8, null=True, verbose_name="annual rate"
                    ),
                ),
                (
                    "limit_amount",
                    models.DecimalField(
                        decimal_places=2, max_digits=14, null=True, verbose_name="limit"
                    ),
                ),
                ("reason", models.TextField(blank=True, max_length=1000, verbose_name="reason")),
                ("reviewed_at", models.DateTimeField(null=True, verbose_name="reviewed at")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reviews",
                        to="analytics.creditdecision",
                        verbose_name="decision",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="noted by",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="reviewed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "review of a decision",
                "verbose_name_plural": "reviews of decisions",
                "indexes": [
                    models.Index(
                        fields=["reviewed_at", "requested_at"], name="decision_review_queue"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("reviewed_at", None)),
                        fields=("decision",),
                        name="decision_review_one_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LoanHistory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("cohort", models.DateField(verbose_name="month of disbursement")),
                ("booked_on", models.DateField(verbose_name="disbursed on")),
                ("amount_cents", models.BigIntegerField(verbose_name="amount lent, in cents")),
                (
                    "month_30",
                    models.PositiveSmallIntegerField(
                        null=True, verbose_name="month of 30 days past due"
                    ),
                ),
                (
                    "month_60",
                    models.PositiveSmallIntegerField(
                        null=True, verbose_name="month of 60 days past due"
                    ),
                ),
                (
                    "month_90",
                    models.PositiveSmallIntegerField(
                        null=True, verbose_name="month of 90 days past due"
                    ),
                ),
                ("defaulted_on", models.DateField(null=True, verbose_name="defaulted on")),
                (
                    "default_cents",
                    models.BigIntegerField(null=True, verbose_name="owed at default, in cents"),
                ),
                ("as_of", models.DateField(verbose_name="as of")),
                (
                    "loan",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.loan",
                        verbose_name="loan",
                    ),
                ),
            ],
            options={
                "verbose_name": "history of a loan",
                "verbose_name_plural": "histories of loans",
                "indexes": [
                    models.Index(fields=["cohort"], name="loan_history_cohort"),
                    models.Index(
                        condition=models.Q(("defaulted_on__isnull", False)),
                        fields=["defaulted_on"],
                        name="loan_history_default",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LoanMonthEnd",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField(verbose_name="month")),
                ("opening", models.CharField(max_length=12, verbose_name="state before")),
                ("closing", models.CharField(max_length=12, verbose_name="state after")),
                ("dpd_days", models.IntegerField(verbose_name="days past due")),
                ("opening_cents", models.BigIntegerField(verbose_name="opening balance, in cents")),
                ("new_cents", models.BigIntegerField(verbose_name="newly lent, in cents")),
                ("paid_cents", models.BigIntegerField(verbose_name="paid, in cents")),
                ("charged_off_cents", models.BigIntegerField(verbose_name="charged off, in cents")),
                ("closing_cents", models.BigIntegerField(verbose_name="closing balance, in cents")),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.loan",
                        verbose_name="loan",
                    ),
                ),
            ],
            options={
                "verbose_name": "month-end of a loan",
                "verbose_name_plural": "month-ends of loans",
                "indexes": [
                    models.Index(fields=["month", "opening", "closing"], name="loan_month_end_roll")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("loan", "month"), name="loan_month_end_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "closing_cents",
                                models.F("opening_cents")
                                + models.F("new_cents")
                                - models.F("paid_cents")
                                - models.F("charged_off_cents"),
                            )
                        ),
                        name="loan_month_end_adds_up",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "active")),
                fields=("state",),
                name="policy_version_one_active",
            ),
        ),
        migrations.AddIndex(
            model_name="creditdecision",
            index=models.Index(fields=["final_outcome", "decided_at"], name="credit_decision_list"),
        ),
        migrations.CreateModel(
            name="CreditEstimate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40, verbose_name="assumption")),
                ("value", models.FloatField(verbose_name="value")),
                ("low", models.FloatField(null=True, verbose_name="interval from")),
                ("high", models.FloatField(null=True, verbose_name="interval to")),
                ("case_count", models.PositiveIntegerField(verbose_name="cases")),
                ("details", models.JSONField(default=dict, verbose_name="details")),
                ("as_of", models.DateField(verbose_name="as of")),
            ],
            options={
                "verbose_name": "credit estimate",
                "verbose_name_plural": "credit estimates",
                "constraints": [
                    models.UniqueConstraint(fields=("name", "as_of"), name="credit_estimate_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name='TargetingRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=40, verbose_name='short name')),
                ('spec', models.JSONField(verbose_name='choices')),
                ('result', models.JSONField(default=dict)),
                ('form_token', models.UUIDField(editable=False, null=True)),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='kernel.work')),
            ],
            options={
                'verbose_name': 'targeting',
                'verbose_name_plural': 'targetings',
                'constraints': [models.UniqueConstraint(fields=('form_token',), name='targeting_one_a_form')],
            },
        ),
        migrations.CreateModel(
            name='TargetingList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('targeting', models.SlugField(max_length=40, verbose_name='short name')),
                ('offer', models.CharField(max_length=30, verbose_name='offer')),
                ('channel', models.CharField(blank=True, max_length=60, verbose_name='channel')),
                ('run_id', models.BigIntegerField()),
                ('retired_at', models.DateTimeField(null=True, verbose_name='retired at')),
                ('segment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.segment')),
            ],
            options={
                'verbose_name': 'list of a targeting',
                'verbose_name_plural': 'lists of targetings',
                'constraints': [models.UniqueConstraint(fields=('targeting', 'offer', 'channel'), name='targeting_list_once')],
            },
        ),
        migrations.CreateModel(
            name='WarningBacktest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('parameters', models.JSONField(verbose_name='choices')),
                ('result', models.JSONField(default=dict)),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='kernel.work')),
            ],
            options={
                'verbose_name': 'replay of the past',
                'verbose_name_plural': 'replays of the past',
            },
        ),
        migrations.CreateModel(
            name='WarningRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=60, unique=True, verbose_name='name')),
                ('signal', models.CharField(max_length=30, verbose_name='signal')),
                ('severity', models.CharField(max_length=10, verbose_name='severity')),
                ('action', models.CharField(max_length=20, verbose_name='what to do')),
                ('days', models.PositiveIntegerField(default=0, verbose_name='days')),
                ('window_days', models.PositiveIntegerField(default=0, verbose_name='window in days')),
                ('count', models.PositiveIntegerField(default=0, verbose_name='number')),
                ('level', models.DecimalField(decimal_places=6, default=0, max_digits=9, verbose_name='level')),
                ('rise', models.DecimalField(decimal_places=6, default=0, max_digits=9, verbose_name='rise')),
                ('rate', models.DecimalField(decimal_places=6, default=0, max_digits=9, verbose_name='expected rate')),
                ('cool_down_days', models.PositiveIntegerField(default=30, verbose_name='days without a new alert')),
                ('answer_hours', models.PositiveIntegerField(default=72, verbose_name='to be looked at within hours')),
                ('score_model', models.CharField(blank=True, help_text='Empty: the score of the champion for the risk of default.', max_length=60, verbose_name='score')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('owner', models.ForeignKey(blank=True, help_text='Who gets its cases first.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'warning rule',
                'verbose_name_plural': 'warning rules',
            },
        ),
        migrations.CreateModel(
            name='RiskAlert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.CharField(blank=True, max_length=80, verbose_name='group')),
                ('severity', models.CharField(max_length=10, verbose_name='severity')),
                ('facts', models.JSONField(default=dict, verbose_name='what was found')),
                ('opened_at', models.DateTimeField(verbose_name='since')),
                ('seen_at', models.DateTimeField(verbose_name='last seen')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='until')),
                ('end_reason', models.CharField(blank=True, max_length=10, verbose_name='why it ended')),
                ('customer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.customer')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='analytics.warningrule')),
            ],
            options={
                'verbose_name': 'alert',
                'verbose_name_plural': 'alerts',
            },
        ),
        migrations.CreateModel(
            name='RiskCase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(max_length=10, verbose_name='state')),
                ('action', models.CharField(max_length=20, verbose_name='what to do')),
                ('due_at', models.DateTimeField(verbose_name='to be looked at by')),
                ('taken_at', models.DateTimeField(null=True, verbose_name='taken over at')),
                ('closed_at', models.DateTimeField(null=True, verbose_name='closed at')),
                ('outcome', models.CharField(blank=True, max_length=12, verbose_name='outcome')),
                ('note', models.TextField(blank=True, max_length=1000, verbose_name='note')),
                ('alert', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='case', to='analytics.riskalert')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'case',
                'verbose_name_plural': 'cases',
                'indexes': [models.Index(fields=['state', 'due_at'], name='risk_case_due')],
            },
        ),
        migrations.AddIndex(
            model_name='riskalert',
            index=models.Index(fields=['customer', 'ended_at'], name='risk_alert_customer'),
        ),
        migrations.AddIndex(
            model_name='riskalert',
            index=models.Index(fields=['opened_at'], name='risk_alert_opened'),
        ),
        migrations.AddConstraint(
            model_name='riskalert',
            constraint=models.UniqueConstraint(condition=models.Q(('customer__isnull', False), ('ended_at', None)), fields=('rule', 'customer'), name='risk_alert_one_open'),
        ),
        migrations.AddConstraint(
            model_name='riskalert',
            constraint=models.UniqueConstraint(condition=models.Q(('customer', None), ('ended_at', None)), fields=('rule', 'group'), name='risk_alert_one_open_group'),
        ),
        migrations.AddConstraint(
            model_name='riskalert',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('customer', None), ('group__gt', '')), models.Q(('customer__isnull', False), ('group', '')), _connector='OR'), name='risk_alert_about_one'),
        ),
        migrations.CreateModel(
            name='RegisteredModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=40, unique=True, verbose_name='name')),
                ('purpose', models.CharField(max_length=20, verbose_name='purpose')),
                ('choices', models.JSONField(default=dict, verbose_name='choices')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
                ('score_every_days', models.PositiveSmallIntegerField(default=1, verbose_name='days between scorings')),
                ('retrain_days', models.PositiveSmallIntegerField(default=0, verbose_name='days between trainings')),
                ('stale_after_days', models.PositiveSmallIntegerField(default=30, verbose_name='too old after days')),
                ('challenger_share', models.FloatField(default=0.0, verbose_name='share of the challenger')),
                ('is_for_marketing', models.BooleanField(default=True, verbose_name='may choose people for marketing')),
                ('halted_at', models.DateTimeField(null=True, verbose_name='halted at')),
                ('halt_reason', models.CharField(blank=True, max_length=20, verbose_name='halted because')),
                ('watched_since', models.DateTimeField(null=True)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'model',
                'verbose_name_plural': 'models',
            },
        ),
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('state', models.CharField(default="candidate", max_length=10, verbose_name='state')),
                ('kind', models.CharField(max_length=12, verbose_name='kind')),
                ('content', models.TextField(verbose_name='content')),
                ('digest', models.CharField(max_length=64, verbose_name='digest')),
                ('card', models.JSONField(default=dict, verbose_name='model card')),
                ('reference', models.JSONField(default=dict)),
                ('comparison', models.JSONField(default=dict)),
                ('seal', models.CharField(max_length=64)),
                ('trained_at', models.DateTimeField(verbose_name='trained at')),
                ('approved_at', models.DateTimeField(null=True, verbose_name='approved at')),
                ('effective_at', models.DateTimeField(null=True, verbose_name='champion since')),
                ('expires_on', models.DateField(null=True, verbose_name='valid until')),
                ('retired_at', models.DateTimeField(null=True, verbose_name='retired at')),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                ('previous', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='analytics.modelversion')),
                ('trained_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='trained by')),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='analytics.registeredmodel')),
            ],
            options={
                'verbose_name': 'version of a model',
                'verbose_name_plural': 'versions of models',
                'permissions': [('decide_riskmodel', 'Can approve and promote models of default risk')],
            },
        ),
        migrations.CreateModel(
            name='ScoringRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(max_length=10, verbose_name='role')),
                ('scored_at', models.DateTimeField(verbose_name='scored at')),
                ('people', models.PositiveIntegerField(default=0, verbose_name='people')),
                ('points', models.JSONField(default=dict)),
                ('features', models.JSONField(default=dict)),
                ('odd', models.JSONField(default=dict)),
                ('is_bad', models.BooleanField(default=False, verbose_name='drifted')),
                ('is_written', models.BooleanField(default=True, verbose_name='scores stored')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scorings', to='analytics.modelversion')),
            ],
            options={
                'verbose_name': 'scoring run',
                'verbose_name_plural': 'scoring runs',
            },
        ),
        migrations.CreateModel(
            name='TrainingRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('parameters', models.JSONField(verbose_name='choices')),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trainings', to='analytics.registeredmodel')),
                ('version', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='analytics.modelversion')),
                ('work', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='kernel.work')),
            ],
            options={
                'verbose_name': 'training of a model',
                'verbose_name_plural': 'trainings of models',
            },
        ),
        migrations.AddConstraint(
            model_name='registeredmodel',
            constraint=models.CheckConstraint(condition=models.Q(('challenger_share__gte', 0), ('challenger_share__lte', 0.5)), name='registered_model_share'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.UniqueConstraint(fields=('model', 'number'), name='model_version_unique'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'champion')), fields=('model',), name='model_one_champion'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'challenger')), fields=('model',), name='model_one_challenger'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('trained_by')), _negated=True), _connector='OR'), name='model_version_second_person'),
        ),
        migrations.AddIndex(
            model_name='scoringrun',
            index=models.Index(fields=['version', 'scored_at'], name='scoring_run_latest'),
        ),
    ]
