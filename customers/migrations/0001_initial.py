import customers.models.merge
import customers.models.source
import django.core.validators
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("kernel", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AttributeDefinition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.SlugField(max_length=60, unique=True, verbose_name="name")),
                ("value_type", models.CharField(max_length=8, verbose_name="type")),
                (
                    "label_zh",
                    models.CharField(blank=True, max_length=80, verbose_name="Chinese label"),
                ),
                (
                    "label_en",
                    models.CharField(blank=True, max_length=80, verbose_name="English label"),
                ),
                ("unit", models.CharField(blank=True, max_length=20, verbose_name="unit")),
                (
                    "is_protected",
                    models.BooleanField(
                        default=False, verbose_name="protected: not for models or pricing"
                    ),
                ),
                (
                    "is_risk_only",
                    models.BooleanField(
                        default=False,
                        help_text="Rules, texts and models of marketing neither see nor use it.",
                        verbose_name="for risk only: hidden from marketing",
                    ),
                ),
            ],
            options={
                "verbose_name": "attribute",
                "verbose_name_plural": "attributes",
            },
        ),
        migrations.CreateModel(
            name="EventType",
            fields=[
                ("id", models.SmallAutoField(primary_key=True, serialize=False)),
                ("name", models.SlugField(max_length=60, unique=True, verbose_name="name")),
            ],
            options={
                "verbose_name": "event type",
                "verbose_name_plural": "event types",
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(max_length=60, unique=True, verbose_name="code")),
                ("name_zh", models.CharField(max_length=80, verbose_name="Chinese name")),
                (
                    "name_en",
                    models.CharField(blank=True, max_length=80, verbose_name="English name"),
                ),
                (
                    "annual_rate",
                    models.DecimalField(
                        decimal_places=6, max_digits=8, null=True, verbose_name="annual rate"
                    ),
                ),
                (
                    "min_amount",
                    models.DecimalField(
                        decimal_places=2, max_digits=14, null=True, verbose_name="least amount"
                    ),
                ),
                (
                    "max_amount",
                    models.DecimalField(
                        decimal_places=2, max_digits=14, null=True, verbose_name="most amount"
                    ),
                ),
                (
                    "term_months",
                    models.PositiveSmallIntegerField(null=True, verbose_name="term in months"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "offered_until",
                    models.DateTimeField(blank=True, null=True, verbose_name="offered until"),
                ),
            ],
            options={
                "verbose_name": "product",
                "verbose_name_plural": "products",
            },
        ),
        migrations.CreateModel(
            name="ListedPartner",
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('listed_from', models.DateField(verbose_name='on the list from')),
                ('listed_until', models.DateField(blank=True, null=True, verbose_name='last day on the list')),
            ],
            options={
                'verbose_name': 'listed partner',
                'verbose_name_plural': 'listed partners',
                'constraints': [models.CheckConstraint(condition=models.Q(('listed_until__isnull', True), ('listed_until__gte', models.F('listed_from')), _connector='OR'), name='listed_partner_days_in_order')],
            },
        ),
        migrations.CreateModel(
            name='ProductFee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name_zh', models.CharField(max_length=80, verbose_name='Chinese name')),
                ('name_en', models.CharField(blank=True, max_length=80, verbose_name='English name')),
                ('timing', models.CharField(default='monthly', max_length=10, verbose_name='when it is paid')),
                ('amount', models.DecimalField(decimal_places=2, default=0, max_digits=14, validators=[django.core.validators.MinValueValidator(0)], verbose_name='amount, CNY')),
                ('share', models.DecimalField(decimal_places=6, default=0, help_text='As a fraction each time that it is paid: 0.005 means 0.5 %.', max_digits=8, validators=[django.core.validators.MinValueValidator(0)], verbose_name='share of the principal')),
                ('collector', models.ForeignKey(blank=True, help_text='Empty: the lender itself.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fees', to='customers.listedpartner', verbose_name='charged by')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='fees', to='customers.product', verbose_name='product')),
            ],
            options={
                'verbose_name': 'product fee',
                'verbose_name_plural': 'product fees',
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gte', 0), ('share__gte', 0)), name='product_fee_not_negative')],
            },
        ),
        migrations.CreateModel(
            name="Segment",
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
                ("kind", models.CharField(default="dynamic", max_length=10, verbose_name="kind")),
                ("last_count", models.BigIntegerField(null=True, verbose_name="last count")),
                ("last_counted_at", models.DateTimeField(null=True, verbose_name="counted at")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "segment",
                "verbose_name_plural": "segments",
            },
        ),
        migrations.CreateModel(
            name="SurvivorshipRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "field",
                    models.CharField(
                        help_text="Column of the customer, such as <code>city</code>, <code>contact.phone</code>, <code>attribute.NAME</code>, or * for every field without a rule of its own.",
                        max_length=80,
                        unique=True,
                        validators=[customers.models.merge._check_field],
                        verbose_name="field",
                    ),
                ),
                (
                    "prefer",
                    models.CharField(
                        choices=[
                            ("kept", "The kept customer's"),
                            ("newest", "The one written last"),
                            ("source", "The one of the better source"),
                        ],
                        default="kept",
                        max_length=8,
                        verbose_name="whose value survives",
                    ),
                ),
                (
                    "sources",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text='Best first, such as <code>["core", "crm"]</code>. A file of a later or unnamed source does not overwrite a value of an earlier one.',
                        validators=[customers.models.merge._check_sources],
                        verbose_name="trusted sources",
                    ),
                ),
            ],
            options={
                "verbose_name": "survivorship rule",
                "verbose_name_plural": "survivorship rules",
            },
        ),
        migrations.CreateModel(
            name="Customer",
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
                    "external_id",
                    models.CharField(blank=True, max_length=100, verbose_name="external id"),
                ),
                ("name_sealed", models.BinaryField(null=True)),
                ("name_index", models.CharField(blank=True, max_length=64)),
                ("national_id_sealed", models.BinaryField(null=True)),
                ("national_id_index", models.CharField(blank=True, max_length=64, null=True)),
                ("birth_date", models.DateField(blank=True, null=True, verbose_name="birth date")),
                (
                    "gender",
                    models.CharField(default="unknown", max_length=8, verbose_name="gender"),
                ),
                ("province", models.CharField(blank=True, max_length=40, verbose_name="province")),
                ("city", models.CharField(blank=True, max_length=40, verbose_name="city")),
                (
                    "occupation",
                    models.CharField(blank=True, max_length=60, verbose_name="occupation"),
                ),
                (
                    "education",
                    models.CharField(blank=True, max_length=40, verbose_name="education"),
                ),
                (
                    "marital",
                    models.CharField(blank=True, max_length=20, verbose_name="marital status"),
                ),
                (
                    "income_band",
                    models.CharField(blank=True, max_length=20, verbose_name="income band"),
                ),
                (
                    "language",
                    models.CharField(default="zh-hans", max_length=10, verbose_name="language"),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="Asia/Shanghai", max_length=40, verbose_name="time zone"
                    ),
                ),
                (
                    "lifecycle_stage",
                    models.CharField(default="lead", max_length=20, verbose_name="lifecycle stage"),
                ),
                (
                    "marketing_status",
                    models.CharField(
                        default="open", max_length=20, verbose_name="marketing status"
                    ),
                ),
                (
                    "personalisation_allowed",
                    models.BooleanField(default=True, verbose_name="personalisation allowed"),
                ),
                (
                    "marketing_paused_until",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="marketing paused until"
                    ),
                ),
                (
                    "weekly_message_limit",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="most messages a week"
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=60, verbose_name="source")),
                (
                    "field_sources",
                    models.JSONField(
                        blank=True, default=dict, verbose_name="sources of single fields"
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("updated_at", models.DateTimeField(verbose_name="updated at")),
                ("profile_since", models.DateTimeField(editable=False, null=True)),
                ("changed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "customer",
                "verbose_name_plural": "customers",
                "permissions": [
                    ("import_customers", "Can import customers"),
                    ("reveal_pii", "Can reveal personal data"),
                    ("export_customers", "Can export customers"),
                ],
                "indexes": [
                    models.Index(fields=["external_id"], name="customer_external_id"),
                    models.Index(fields=["name_index"], name="customer_name"),
                    models.Index(
                        condition=models.Q(("merged_into__isnull", False)),
                        fields=["merged_into"],
                        name="customer_merged_into",
                    ),
                    models.Index(
                        condition=models.Q(("merged_into__isnull", True)),
                        fields=["id"],
                        name="customer_live",
                    ),
                    models.Index(fields=["birth_date"], name="customer_birth_date"),
                    models.Index(fields=["city"], name="customer_city"),
                    models.Index(fields=["lifecycle_stage"], name="customer_stage"),
                    models.Index(fields=["updated_at"], name="customer_updated"),
                    models.Index(fields=["changed_at"], name="customer_changed"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("merged_into__isnull", True), ("national_id_index__isnull", False)
                        ),
                        fields=("national_id_index",),
                        name="customer_national_id_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactPoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_key", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("kind", models.CharField(max_length=10, verbose_name="kind")),
                ("value_sealed", models.BinaryField()),
                ("value_index", models.CharField(max_length=64)),
                ("is_primary", models.BooleanField(default=True, verbose_name="primary")),
                (
                    "is_virtual_range",
                    models.BooleanField(default=False, verbose_name="virtual number range"),
                ),
                (
                    "status",
                    models.CharField(default="active", max_length=10, verbose_name="status"),
                ),
                (
                    "verified_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="verified at"),
                ),
                ("source", models.CharField(blank=True, max_length=60, verbose_name="source")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_points",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "contact point",
                "verbose_name_plural": "contact points",
                "indexes": [models.Index(fields=["kind", "value_index"], name="contact_value")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True)),
                        fields=("kind", "value_index"),
                        name="contact_primary_value_unique",
                    ),
                    models.UniqueConstraint(
                        fields=("customer", "kind", "value_index"),
                        name="contact_customer_value_unique",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True)),
                        fields=("customer", "kind"),
                        name="contact_one_primary_a_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("channel", models.CharField(max_length=10, verbose_name="channel")),
                ("purpose", models.CharField(max_length=12, verbose_name="purpose")),
                ("is_granted", models.BooleanField(verbose_name="granted")),
                ("source", models.CharField(blank=True, max_length=60, verbose_name="source")),
                ("changed_at", models.DateTimeField(verbose_name="changed at")),
                (
                    "expires_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="expires at"),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consent_states",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "consent",
                "verbose_name_plural": "consents",
                "indexes": [
                    models.Index(
                        fields=["channel", "purpose", "is_granted", "customer"],
                        name="consent_state_lookup",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "channel", "purpose"), name="consent_state_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("channel", models.CharField(max_length=10, verbose_name="channel")),
                ("purpose", models.CharField(max_length=12, verbose_name="purpose")),
                ("is_granted", models.BooleanField(verbose_name="granted")),
                (
                    "policy_version",
                    models.CharField(blank=True, max_length=40, verbose_name="text version"),
                ),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("evidence", models.CharField(blank=True, max_length=200, verbose_name="evidence")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "expires_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="expires at"),
                ),
                ("recorded_at", models.DateTimeField(verbose_name="recorded at")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consent_records",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "consent record",
                "verbose_name_plural": "consent ledger",
                "indexes": [
                    models.Index(
                        fields=["customer", "channel", "purpose", "at"], name="consent_history"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AttributeValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ("text", models.CharField(max_length=200, null=True)),
                ("day", models.DateField(null=True)),
                ("flag", models.BooleanField(null=True)),
                ("source", models.CharField(blank=True, max_length=60)),
                ("updated_at", models.DateTimeField()),
                (
                    "definition",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.attributedefinition",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attribute_values",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "attribute value",
                "verbose_name_plural": "attribute values",
                "indexes": [
                    models.Index(
                        condition=models.Q(("number__isnull", False)),
                        fields=["definition", "number", "customer"],
                        name="attribute_number",
                    ),
                    models.Index(
                        condition=models.Q(("text__isnull", False)),
                        fields=["definition", "text", "customer"],
                        name="attribute_text",
                    ),
                    models.Index(
                        condition=models.Q(("day__isnull", False)),
                        fields=["definition", "day", "customer"],
                        name="attribute_day",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "definition"), name="attribute_value_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PastAttribute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ("text", models.CharField(max_length=200, null=True)),
                ("day", models.DateField(null=True)),
                ("flag", models.BooleanField(null=True)),
                ("began_at", models.DateTimeField(verbose_name="in force from")),
                ("ended_at", models.DateTimeField(verbose_name="in force until")),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="past_attributes",
                        to="customers.customer",
                    ),
                ),
                (
                    "definition",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.attributedefinition",
                    ),
                ),
            ],
            options={
                "verbose_name": "past attribute value",
                "verbose_name_plural": "past attribute values",
                "indexes": [
                    models.Index(fields=["customer", "definition"], name="past_attribute_customer"),
                    models.Index(fields=["ended_at"], name="past_attribute_ended"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PastProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "occupation",
                    models.CharField(blank=True, max_length=60, verbose_name="occupation"),
                ),
                (
                    "education",
                    models.CharField(blank=True, max_length=40, verbose_name="education"),
                ),
                (
                    "income_band",
                    models.CharField(blank=True, max_length=20, verbose_name="income band"),
                ),
                ("began_at", models.DateTimeField(verbose_name="in force from")),
                ("ended_at", models.DateTimeField(verbose_name="in force until")),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="past_profiles",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "past profile",
                "verbose_name_plural": "past profiles",
                "indexes": [
                    models.Index(fields=["customer"], name="past_profile_customer"),
                    models.Index(fields=["ended_at"], name="past_profile_ended"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=60)),
                ("external_id", models.CharField(max_length=100, verbose_name="external id")),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=2, max_digits=14, null=True, verbose_name="amount"
                    ),
                ),
                ("channel", models.CharField(blank=True, max_length=40, verbose_name="channel")),
                (
                    "status",
                    models.CharField(default="submitted", max_length=12, verbose_name="status"),
                ),
                ("submitted_at", models.DateTimeField(verbose_name="submitted at")),
                (
                    "decided_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="decided at"),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="applications",
                        to="customers.customer",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.product",
                    ),
                ),
            ],
            options={
                "verbose_name": "application",
                "verbose_name_plural": "applications",
                "indexes": [
                    models.Index(fields=["customer", "submitted_at"], name="application_customer")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "external_id"), name="application_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DataSource",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="As imports and records name it, such as <code>core</code> or <code>partner:acme</code>.",
                        max_length=60,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=120, verbose_name="title")),
                (
                    "kind",
                    models.CharField(default="own_system", max_length=14, verbose_name="kind"),
                ),
                (
                    "contract",
                    models.CharField(
                        blank=True,
                        help_text="Number or file of the agreement; needed for vendors.",
                        max_length=120,
                        verbose_name="contract reference",
                    ),
                ),
                (
                    "purposes",
                    models.JSONField(
                        default=customers.models.source.every_purpose,
                        verbose_name="agreed purposes",
                    ),
                ),
                ("valid_from", models.DateField(blank=True, null=True, verbose_name="valid from")),
                (
                    "valid_until",
                    models.DateField(
                        blank=True,
                        help_text="Last day. Afterwards nothing comes in, and marketing with its data stops.",
                        null=True,
                        verbose_name="valid until",
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        blank=True,
                        help_text="Whom to ask about this source.",
                        max_length=200,
                        verbose_name="contact person",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "quality_owner",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who takes care when files of this source get worse.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="answers for quality",
                    ),
                ),
            ],
            options={
                "verbose_name": "data source",
                "verbose_name_plural": "data sources",
            },
        ),
        migrations.CreateModel(
            name="DuplicateSearch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("limit", models.PositiveIntegerField(verbose_name="customers at most")),
                (
                    "compared_count",
                    models.BigIntegerField(default=0, verbose_name="customers compared"),
                ),
                (
                    "proposed_count",
                    models.BigIntegerField(default=0, verbose_name="pairs proposed"),
                ),
                (
                    "skipped_count",
                    models.BigIntegerField(default=0, verbose_name="people gone meanwhile"),
                ),
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
                "verbose_name": "search for duplicates",
                "verbose_name_plural": "searches for duplicates",
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("occurred_at", models.DateTimeField(verbose_name="occurred at")),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=2, max_digits=16, null=True, verbose_name="amount"
                    ),
                ),
                ("channel", models.CharField(blank=True, max_length=40, verbose_name="channel")),
                ("subject", models.CharField(blank=True, max_length=100, verbose_name="subject")),
                (
                    "properties",
                    models.JSONField(blank=True, default=dict, verbose_name="properties"),
                ),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("dedup_key", models.CharField(max_length=120)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="customers.customer",
                    ),
                ),
                (
                    "type",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.eventtype",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "indexes": [
                    models.Index(
                        fields=["type", "occurred_at", "customer"], name="event_type_time"
                    ),
                    models.Index(
                        fields=["customer", "occurred_at", "type"], name="event_customer_time"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "dedup_key"), name="event_dedup_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("external_id", models.CharField(max_length=100, verbose_name="external id")),
                (
                    "matched_by",
                    models.CharField(blank=True, max_length=20, verbose_name="matched by"),
                ),
                ("row_digest", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identity_links",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "identity link",
                "verbose_name_plural": "identity links",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "external_id"), name="identity_link_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("file_name", models.CharField(max_length=255, verbose_name="file")),
                ("file_digest", models.CharField(blank=True, max_length=64)),
                ("encoding", models.CharField(blank=True, max_length=20, verbose_name="encoding")),
                ("mapping", models.JSONField(default=dict, verbose_name="mapping")),
                ("mode", models.CharField(max_length=10, verbose_name="mode")),
                ("state", models.CharField(default="staging", max_length=10, verbose_name="state")),
                ("is_dry_run", models.BooleanField(default=False, verbose_name="dry run")),
                ("row_count", models.BigIntegerField(default=0, verbose_name="rows")),
                ("created_count", models.BigIntegerField(default=0, verbose_name="created")),
                ("updated_count", models.BigIntegerField(default=0, verbose_name="updated")),
                ("unchanged_count", models.BigIntegerField(default=0, verbose_name="unchanged")),
                ("rejected_count", models.BigIntegerField(default=0, verbose_name="rejected")),
                ("merged_count", models.BigIntegerField(default=0, verbose_name="merged")),
                ("by_reason", models.JSONField(default=dict, verbose_name="findings by code")),
                ("quality", models.JSONField(default=dict, verbose_name="quality")),
                ("limits", models.JSONField(default=dict, verbose_name="limits")),
                ("exceeded", models.JSONField(default=list, verbose_name="limits exceeded")),
                (
                    "is_released",
                    models.BooleanField(default=False, verbose_name="released over its limits"),
                ),
                ("undo", models.JSONField(default=dict, verbose_name="undo")),
                ("actor_label", models.CharField(max_length=150, verbose_name="actor")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "work",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kernel.work",
                    ),
                ),
            ],
            options={
                "verbose_name": "import batch",
                "verbose_name_plural": "import batches",
                "indexes": [
                    models.Index(fields=["source", "created_at"], name="import_batch_source")
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=12, verbose_name="kind")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("row_key", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("before_sealed", models.BinaryField()),
                ("after", models.CharField(blank=True, max_length=200)),
                (
                    "outcome",
                    models.CharField(blank=True, default="", max_length=10, verbose_name="undo"),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="customers.importbatch",
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
            ],
            options={
                "verbose_name": "change of an import",
                "verbose_name_plural": "changes of an import",
                "indexes": [
                    models.Index(fields=["batch", "outcome", "id"], name="import_change_todo")
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportFilePart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.IntegerField()),
                ("row_key", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("content_sealed", models.BinaryField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="file_parts",
                        to="customers.importbatch",
                    ),
                ),
            ],
            options={
                "verbose_name": "file part",
                "verbose_name_plural": "file parts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "number"), name="import_file_part_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportFinding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, verbose_name="finding")),
                ("line", models.BigIntegerField(verbose_name="line")),
                ("column", models.CharField(blank=True, max_length=100, verbose_name="column")),
                ("shown", models.CharField(blank=True, max_length=80, verbose_name="cell, masked")),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="customers.importbatch",
                    ),
                ),
            ],
            options={
                "verbose_name": "finding of an import",
                "verbose_name_plural": "findings of an import",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "code", "line", "column"), name="import_finding_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.BigIntegerField(verbose_name="line")),
                ("leader_line", models.BigIntegerField()),
                ("row_key", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("external_id", models.CharField(max_length=100, verbose_name="external id")),
                ("content", models.JSONField(null=True)),
                ("row_digest", models.CharField(max_length=64)),
                ("national_id_index", models.CharField(blank=True, max_length=64)),
                ("phone_index", models.CharField(blank=True, max_length=64)),
                ("email_index", models.CharField(blank=True, max_length=64)),
                ("state", models.CharField(default="staged", max_length=10, verbose_name="state")),
                ("is_repaired", models.BooleanField(db_default=False, verbose_name="repaired")),
                ("is_alone", models.BooleanField(default=True)),
                (
                    "batch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staged_rows",
                        to="customers.importbatch",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "import row",
                "verbose_name_plural": "import rows",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "staged")),
                        fields=["batch", "leader_line", "line"],
                        name="import_row_todo",
                    ),
                    models.Index(
                        condition=models.Q(("customer__isnull", False)),
                        fields=["customer", "batch"],
                        name="import_row_customer",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "line"), name="import_row_line_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="Loan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=60)),
                ("external_id", models.CharField(max_length=100, verbose_name="external id")),
                (
                    "principal_amount",
                    models.DecimalField(decimal_places=2, max_digits=14, verbose_name="principal"),
                ),
                (
                    "annual_rate",
                    models.DecimalField(
                        decimal_places=6, max_digits=8, null=True, verbose_name="annual rate"
                    ),
                ),
                ("term_months", models.PositiveSmallIntegerField(verbose_name="term in months")),
                ("disbursed_on", models.DateField(verbose_name="disbursed on")),
                ("closed_on", models.DateField(blank=True, null=True, verbose_name="closed on")),
                (
                    "settled_on",
                    models.DateField(
                        blank=True,
                        help_text="The day it was closed, or the day its schedule was paid in full.",
                        null=True,
                        verbose_name="settled on",
                    ),
                ),
                (
                    "charged_off_on",
                    models.DateField(blank=True, null=True, verbose_name="charged off on"),
                ),
                (
                    "status",
                    models.CharField(default="active", max_length=12, verbose_name="status"),
                ),
                ("dpd_days", models.IntegerField(default=0, verbose_name="days past due")),
                ("max_dpd_days", models.IntegerField(default=0, verbose_name="most days past due")),
                (
                    "outstanding_amount",
                    models.DecimalField(
                        decimal_places=2, default=0, max_digits=14, verbose_name="outstanding"
                    ),
                ),
                ("state_as_of", models.DateField(null=True, verbose_name="state as of")),
                (
                    "is_state_reported",
                    models.BooleanField(
                        default=False,
                        help_text="The source gave the state because it gave no repayments to derive it from.",
                        verbose_name="state as reported",
                    ),
                ),
                ("changed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "application",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="loans",
                        to="customers.application",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="loans",
                        to="customers.customer",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.product",
                    ),
                ),
            ],
            options={
                "verbose_name": "loan",
                "verbose_name_plural": "loans",
                "indexes": [
                    models.Index(fields=["customer", "disbursed_on"], name="loan_customer"),
                    models.Index(fields=["status", "dpd_days"], name="loan_state"),
                    models.Index(fields=["changed_at"], name="loan_changed"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "external_id"), name="loan_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="Instalment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(verbose_name="number")),
                ("due_on", models.DateField(verbose_name="due on")),
                (
                    "principal_amount",
                    models.DecimalField(decimal_places=2, max_digits=14, verbose_name="principal"),
                ),
                (
                    "interest_amount",
                    models.DecimalField(
                        decimal_places=2, default=0, max_digits=14, verbose_name="interest"
                    ),
                ),
                (
                    "fee_amount",
                    models.DecimalField(
                        decimal_places=2, default=0, max_digits=14, verbose_name="fee"
                    ),
                ),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="instalments",
                        to="customers.loan",
                    ),
                ),
            ],
            options={
                "verbose_name": "instalment",
                "verbose_name_plural": "instalments",
                "constraints": [
                    models.UniqueConstraint(fields=("loan", "number"), name="instalment_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("moved", models.JSONField(default=dict, verbose_name="moved rows")),
                ("changes", models.JSONField(default=list, verbose_name="changes")),
                ("marks", models.JSONField(default=dict)),
                (
                    "arrived",
                    models.JSONField(default=list, verbose_name="rows that arrived meanwhile"),
                ),
                (
                    "later_edits",
                    models.JSONField(default=list, verbose_name="later edits that were kept"),
                ),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("merged_by", models.CharField(max_length=150, verbose_name="merged by")),
                ("merged_at", models.DateTimeField(verbose_name="merged at")),
                (
                    "undone_by",
                    models.CharField(blank=True, max_length=150, verbose_name="undone by"),
                ),
                ("undone_at", models.DateTimeField(null=True, verbose_name="undone at")),
                (
                    "kept",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "permissions": [("merge_customers", "Can merge customers and take it back")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kept", models.F("other")), _negated=True),
                        name="merge_two",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at__isnull", True)),
                        fields=("other",),
                        name="merge_other_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MergeDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("matched_by", models.CharField(max_length=20, verbose_name="matched by")),
                (
                    "probability",
                    models.FloatField(null=True, verbose_name="chance to be one person"),
                ),
                (
                    "state",
                    models.CharField(default="proposed", max_length=10, verbose_name="state"),
                ),
                ("batch_id", models.BigIntegerField(null=True, verbose_name="import batch")),
                (
                    "decided_by",
                    models.CharField(blank=True, max_length=150, verbose_name="decided by"),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                (
                    "kept",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge decision",
                "verbose_name_plural": "merge decisions",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kept", "other"), name="merge_decision_pair_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kept", models.F("other")), _negated=True),
                        name="merge_decision_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OptInRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("channel", models.CharField(max_length=10, verbose_name="channel")),
                ("purpose", models.CharField(max_length=12, verbose_name="purpose")),
                (
                    "policy_version",
                    models.CharField(blank=True, max_length=40, verbose_name="text version"),
                ),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("evidence", models.CharField(blank=True, max_length=200, verbose_name="evidence")),
                ("requested_at", models.DateTimeField(verbose_name="requested at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent at")),
                (
                    "confirmed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="confirmed at"),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("next_try_at", models.DateTimeField(editable=False, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="opt_in_requests",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "opt-in to be confirmed",
                "verbose_name_plural": "opt-ins to be confirmed",
                "indexes": [
                    models.Index(fields=["customer", "channel", "purpose"], name="opt_in_customer"),
                    models.Index(fields=["sent_at", "requested_at"], name="opt_in_unsent"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PreferenceRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=24, verbose_name="preference")),
                ("value", models.CharField(blank=True, max_length=40, verbose_name="value")),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("evidence", models.CharField(blank=True, max_length=200, verbose_name="evidence")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="preference_records",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "preference record",
                "verbose_name_plural": "preference ledger",
                "indexes": [
                    models.Index(fields=["customer", "name", "at"], name="preference_history")
                ],
            },
        ),
        migrations.CreateModel(
            name="PrivacyRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("kind", models.CharField(max_length=12, verbose_name="kind")),
                ("details_sealed", models.BinaryField(null=True)),
                ("status", models.CharField(default="open", max_length=10, verbose_name="status")),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("requested_at", models.DateTimeField(verbose_name="requested at")),
                ("due_at", models.DateTimeField(verbose_name="due at")),
                (
                    "closed_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="closed at"),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="privacy_requests",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "privacy request",
                "verbose_name_plural": "privacy requests",
                "indexes": [models.Index(fields=["status", "due_at"], name="privacy_request_due")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "open")),
                        fields=("customer", "kind"),
                        name="privacy_request_one_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RejectedRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.BigIntegerField(verbose_name="line")),
                ("row_key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("code", models.CharField(max_length=40, verbose_name="reason")),
                ("column", models.CharField(blank=True, max_length=100, verbose_name="column")),
                ("codes", models.JSONField(default=list, verbose_name="findings")),
                ("cells_sealed", models.BinaryField(null=True)),
                ("is_person", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rejected_rows",
                        to="customers.importbatch",
                    ),
                ),
            ],
            options={
                "verbose_name": "rejected row",
                "verbose_name_plural": "rejected rows",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "line"), name="rejected_row_line_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Relationship",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=12, verbose_name="kind")),
                ("source", models.CharField(blank=True, max_length=60, verbose_name="source")),
                ("since", models.DateTimeField(verbose_name="since")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "relationship",
                "verbose_name_plural": "relationships",
                "permissions": [
                    ("read_relationships", "Can look at relationships for risk purposes")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "other", "kind"), name="relationship_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("customer", models.F("other")), _negated=True),
                        name="relationship_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RelationshipRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished at")),
                ("is_full", models.BooleanField(verbose_name="whole")),
                ("customer_count", models.BigIntegerField(verbose_name="customers")),
            ],
            options={
                "verbose_name": "derivation of relationships",
                "verbose_name_plural": "derivations of relationships",
                "indexes": [models.Index(fields=["started_at"], name="relationship_run_started")],
            },
        ),
        migrations.CreateModel(
            name="Repayment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=60)),
                ("external_id", models.CharField(max_length=100, verbose_name="external id")),
                ("paid_on", models.DateField(verbose_name="paid on")),
                (
                    "amount",
                    models.DecimalField(decimal_places=2, max_digits=14, verbose_name="amount"),
                ),
                ("changed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="repayments",
                        to="customers.loan",
                    ),
                ),
            ],
            options={
                "verbose_name": "repayment",
                "verbose_name_plural": "repayments",
                "indexes": [
                    models.Index(fields=["loan", "paid_on"], name="repayment_loan"),
                    models.Index(fields=["changed_at"], name="repayment_changed"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "external_id"), name="repayment_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedMapping",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.SlugField(max_length=60, verbose_name="name")),
                ("version", models.PositiveIntegerField(verbose_name="version")),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("definition_text", models.TextField(verbose_name="definition")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="what changed")),
                ("is_current", models.BooleanField(default=True, verbose_name="in use")),
                ("author_label", models.CharField(max_length=150, verbose_name="author")),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("archived_at", models.DateTimeField(null=True, verbose_name="archived at")),
            ],
            options={
                "verbose_name": "mapping",
                "verbose_name_plural": "mappings",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "version"), name="saved_mapping_version"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_current", True)),
                        fields=("name",),
                        name="saved_mapping_current",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Score",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("model_name", models.CharField(max_length=60, verbose_name="model")),
                ("version", models.CharField(max_length=40, verbose_name="version")),
                (
                    "value",
                    models.DecimalField(decimal_places=6, max_digits=16, verbose_name="value"),
                ),
                ("band", models.CharField(blank=True, max_length=20, verbose_name="band")),
                ("scored_at", models.DateTimeField(verbose_name="scored at")),
                ("is_latest", models.BooleanField(default=True)),
                ("changed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scores",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "score",
                "verbose_name_plural": "scores",
                "indexes": [
                    models.Index(fields=["model_name", "is_latest", "value"], name="score_lookup"),
                    models.Index(fields=["changed_at"], name="score_changed"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_latest", True)),
                        fields=("customer", "model_name"),
                        name="score_one_latest",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SegmentBuild",
            fields=[
                (
                    "segment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="build",
                        serialize=False,
                        to="customers.segment",
                    ),
                ),
                ("state", models.CharField(default="waiting", max_length=10, verbose_name="state")),
                ("built_at", models.DateTimeField(null=True, verbose_name="built at")),
                ("member_count", models.BigIntegerField(default=0, verbose_name="members")),
                ("entered_count", models.BigIntegerField(default=0, verbose_name="entered")),
                ("left_count", models.BigIntegerField(default=0, verbose_name="left")),
                ("failed_at", models.DateTimeField(null=True, verbose_name="failed at")),
                ("error_code", models.CharField(blank=True, max_length=60, verbose_name="error")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("due_at", models.DateTimeField(db_index=True, verbose_name="due at")),
            ],
            options={
                "verbose_name": "segment build",
                "verbose_name_plural": "segment builds",
            },
        ),
        migrations.CreateModel(
            name="SegmentMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("entered_at", models.DateTimeField(verbose_name="entered at")),
                ("left_at", models.DateTimeField(null=True, verbose_name="left at")),
                ("source", models.CharField(blank=True, max_length=80, verbose_name="source")),
                (
                    "left_source",
                    models.CharField(blank=True, max_length=80, verbose_name="why left"),
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
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="customers.segment",
                    ),
                ),
            ],
            options={
                "verbose_name": "segment member",
                "verbose_name_plural": "segment members",
                "indexes": [
                    models.Index(fields=["customer", "entered_at"], name="segment_member_customer")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("left_at__isnull", True)),
                        fields=("segment", "customer"),
                        name="segment_member_open_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SegmentVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("rule", models.JSONField(verbose_name="rule")),
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
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="customers.segment",
                    ),
                ),
            ],
            options={
                "verbose_name": "segment version",
                "verbose_name_plural": "segment versions",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("segment", "number"), name="segment_version_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SegmentExport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("columns", models.JSONField(verbose_name="columns")),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("is_unmasked", models.BooleanField(default=False, verbose_name="in clear")),
                (
                    "state",
                    models.CharField(default="requested", max_length=10, verbose_name="state"),
                ),
                ("requested_at", models.DateTimeField(verbose_name="asked for at")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                (
                    "decision_note",
                    models.CharField(blank=True, max_length=300, verbose_name="note"),
                ),
                ("expires_at", models.DateTimeField(null=True, verbose_name="available until")),
                (
                    "download_count",
                    models.PositiveIntegerField(default=0, verbose_name="downloads"),
                ),
                ("row_count", models.BigIntegerField(null=True, verbose_name="rows")),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to="customers.segment",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.segmentversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "export",
                "verbose_name_plural": "exports",
                "permissions": [
                    ("approve_segmentexport", "Can approve exports of others"),
                    ("export_unmasked", "Can export personal data in clear"),
                ],
            },
        ),
        migrations.AddField(
            model_name="segment",
            name="current_version",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.segmentversion",
            ),
        ),
        migrations.CreateModel(
            name="SharedKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=12, verbose_name="kind")),
                ("value_index", models.CharField(max_length=64)),
                ("member_count", models.PositiveIntegerField(default=0, verbose_name="people")),
            ],
            options={
                "verbose_name": "shared thing",
                "verbose_name_plural": "shared things",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "value_index"), name="shared_key_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SharedTie",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=60, verbose_name="source")),
                ("since", models.DateTimeField(verbose_name="since")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "shared",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ties",
                        to="customers.sharedkey",
                    ),
                ),
            ],
            options={
                "verbose_name": "tie",
                "verbose_name_plural": "ties",
                "constraints": [
                    models.UniqueConstraint(fields=("customer", "shared"), name="shared_tie_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="StageEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("stage", models.CharField(max_length=20, verbose_name="lifecycle stage")),
                ("entered_at", models.DateTimeField(verbose_name="entered at")),
                ("left_at", models.DateTimeField(null=True, verbose_name="left at")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stage_entries",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "stage entry",
                "verbose_name_plural": "stage history",
                "indexes": [
                    models.Index(
                        condition=models.Q(("left_at__isnull", True)),
                        fields=["stage", "entered_at"],
                        name="stage_entry_present",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "entered_at"), name="stage_entry_unique"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("left_at__isnull", True)),
                        fields=("customer",),
                        name="stage_entry_open_unique",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnclearConsent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("channel", models.CharField(max_length=10, verbose_name="channel")),
                ("purpose", models.CharField(max_length=12, verbose_name="purpose")),
                ("source", models.CharField(max_length=60, verbose_name="source")),
                ("evidence", models.CharField(blank=True, max_length=200, verbose_name="evidence")),
                ("ended_at", models.DateTimeField(verbose_name="ended at")),
                ("decision", models.CharField(blank=True, max_length=10, verbose_name="decision")),
                (
                    "decided_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="decided at"),
                ),
                (
                    "decided_by",
                    models.CharField(blank=True, max_length=150, verbose_name="decided by"),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "unclear consent",
                "verbose_name_plural": "unclear consents",
                "indexes": [
                    models.Index(fields=["decision", "-ended_at"], name="unclear_consent_open")
                ],
            },
        ),
        migrations.AddField(
            model_name="segmentbuild",
            name="version",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="customers.segmentversion",
            ),
        ),
        migrations.CreateModel(
            name='BureauPull',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=60)),
                ('external_id', models.CharField(max_length=100, verbose_name='external id')),
                ('vendor', models.CharField(help_text='Data source whose contract covers the report.', max_length=60, verbose_name='bureau')),
                ('purpose', models.CharField(max_length=20, verbose_name='purpose')),
                ('consent_reference', models.CharField(help_text='Number or file of the written consent.', max_length=100, verbose_name='consent')),
                ('pulled_on', models.DateField(verbose_name='pulled on')),
                ('valid_until', models.DateField(verbose_name='used until')),
                ('cost_amount', models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name='cost')),
                ('changed_at', models.DateTimeField(editable=False, null=True)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bureau_pulls', to='customers.customer')),
            ],
            options={
                'verbose_name': 'bureau report',
                'verbose_name_plural': 'bureau reports',
            },
        ),
        migrations.CreateModel(
            name='IncomeFlow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=60)),
                ('external_id', models.CharField(max_length=100, verbose_name='external id')),
                ('kind', models.CharField(max_length=10, verbose_name='kind')),
                ('label', models.CharField(blank=True, max_length=200, verbose_name='label')),
                ('monthly_amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount a month')),
                ('share', models.DecimalField(decimal_places=6, default=1, max_digits=8, verbose_name='own share')),
                ('joint_reference', models.CharField(blank=True, max_length=100, verbose_name='joint with')),
                ('is_verified', models.BooleanField(default=False, verbose_name='verified')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('valid_until', models.DateField(null=True, verbose_name='valid until')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='income_flows', to='customers.customer')),
            ],
            options={
                'verbose_name': 'income or obligation',
                'verbose_name_plural': 'incomes and obligations',
            },
        ),
        migrations.CreateModel(
            name='Inquiry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=60)),
                ('external_id', models.CharField(max_length=100, verbose_name='external id')),
                ('inquired_on', models.DateField(verbose_name='inquired on')),
                ('lender', models.CharField(blank=True, max_length=200, verbose_name='lender')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('changed_at', models.DateTimeField(editable=False, null=True)),
                ('pull', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inquiries', to='customers.bureaupull')),
            ],
            options={
                'verbose_name': 'credit inquiry',
                'verbose_name_plural': 'credit inquiries',
            },
        ),
        migrations.CreateModel(
            name='Tradeline',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=60)),
                ('external_id', models.CharField(max_length=100, verbose_name='external id')),
                ('lender', models.CharField(blank=True, max_length=200, verbose_name='lender')),
                ('product', models.CharField(blank=True, max_length=200, verbose_name='product')),
                ('opened_on', models.DateField(verbose_name='opened on')),
                ('closed_on', models.DateField(null=True, verbose_name='closed on')),
                ('limit_amount', models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name='limit')),
                ('balance_amount', models.DecimalField(decimal_places=2, default=0, max_digits=14, verbose_name='balance')),
                ('max_dpd_days', models.IntegerField(default=0, verbose_name='most days past due')),
                ('changed_at', models.DateTimeField(editable=False, null=True)),
                ('pull', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tradelines', to='customers.bureaupull')),
            ],
            options={
                'verbose_name': 'tradeline',
                'verbose_name_plural': 'tradelines',
            },
        ),
        migrations.CreateModel(
            name='VendorValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=60)),
                ('external_id', models.CharField(max_length=100, verbose_name='external id')),
                ('vendor', models.CharField(help_text='Data source whose contract covers the value.', max_length=60, verbose_name='vendor')),
                ('name', models.CharField(max_length=50, verbose_name='name')),
                ('number', models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name='number')),
                ('text', models.CharField(blank=True, max_length=200, verbose_name='text')),
                ('obtained_on', models.DateField(verbose_name='obtained on')),
                ('valid_until', models.DateField(verbose_name='used until')),
                ('cost_amount', models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name='cost')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='vendor_values', to='customers.customer')),
            ],
            options={
                'verbose_name': "vendor's value",
                'verbose_name_plural': "vendors' values",
            },
        ),
        migrations.AddIndex(
            model_name='bureaupull',
            index=models.Index(fields=['customer', 'pulled_on'], name='bureau_pull_customer'),
        ),
        migrations.AddIndex(
            model_name='bureaupull',
            index=models.Index(fields=['changed_at'], name='bureau_pull_changed'),
        ),
        migrations.AddConstraint(
            model_name='bureaupull',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='bureau_pull_unique'),
        ),
        migrations.AddIndex(
            model_name='incomeflow',
            index=models.Index(fields=['customer', 'valid_from'], name='income_flow_customer'),
        ),
        migrations.AddConstraint(
            model_name='incomeflow',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='income_flow_unique'),
        ),
        migrations.AddConstraint(
            model_name='incomeflow',
            constraint=models.CheckConstraint(condition=models.Q(('share__gt', 0), ('share__lte', 1)), name='income_flow_share'),
        ),
        migrations.AddIndex(
            model_name='inquiry',
            index=models.Index(fields=['changed_at'], name='inquiry_changed'),
        ),
        migrations.AddConstraint(
            model_name='inquiry',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='inquiry_unique'),
        ),
        migrations.AddIndex(
            model_name='tradeline',
            index=models.Index(fields=['changed_at'], name='tradeline_changed'),
        ),
        migrations.AddConstraint(
            model_name='tradeline',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='tradeline_unique'),
        ),
        migrations.AddIndex(
            model_name='vendorvalue',
            index=models.Index(fields=['customer', 'name'], name='vendor_value_customer'),
        ),
        migrations.AddConstraint(
            model_name='vendorvalue',
            constraint=models.UniqueConstraint(fields=('source', 'external_id'), name='vendor_value_unique'),
        ),
        migrations.CreateModel(
            name='ScoreStanding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_name', models.CharField(max_length=60, unique=True, verbose_name='model')),
                ('version', models.CharField(max_length=40, verbose_name='version')),
                ('state', models.CharField(default="in_use", max_length=8, verbose_name='state')),
                ('scored_at', models.DateTimeField(verbose_name='scored at')),
                ('stale_after_days', models.PositiveSmallIntegerField(default=30, verbose_name='too old after days')),
                ('is_for_marketing', models.BooleanField(default=True, verbose_name='may choose people for marketing')),
            ],
            options={
                'verbose_name': 'standing of a score',
                'verbose_name_plural': 'standings of scores',
            },
        ),
    ]
