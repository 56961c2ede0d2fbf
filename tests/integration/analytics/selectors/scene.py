"""A campaign built row by row, so that every figure can be counted on paper."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from analytics.selectors import campaign_report
from campaigns.models import Campaign, CampaignCost, Message, TrackedLink
from customers.models import Event, EventType, Instalment, Loan, Repayment
from tests.factories.campaigns import make_run, make_step

SENT_AT = datetime(2026, 1, 10, 2, 0, 0, 123456, tzinfo=UTC)
WINDOW = timedelta(days=7)
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)


class Scene:
    """A campaign by SMS with two variants and a 20 % holdout, built row by row."""

    def __init__(self, people, **columns):
        self.people = people
        self.campaign = Campaign.objects.create(
            slug="spring",
            name="spring",
            goal_event="application_submitted",
            holdout_share=Decimal("0.2"),
            created_at=SENT_AT,
            updated_at=SENT_AT,
            **columns,
        )
        self.goal = EventType.objects.create(name="application_submitted")
        self.dispatch = self.step("sms")
        self.variants = {
            key: self.dispatch.touchpoint.variants.create(key=key, weight=50) for key in "AB"
        }
        self.link = TrackedLink.objects.create(dispatch=self.dispatch, target="https://x.test/")

    def step(self, kind, position=1, **columns):
        step = make_step(self.campaign, position=position, **columns)
        return make_run(self.campaign, step=step, kind=kind, due_at=SENT_AT)

    def message(self, key, dispatch=None, **columns):
        values = {"state": "delivered", "sent_at": SENT_AT, "delivered_at": SENT_AT}
        values |= {"planned_at": SENT_AT, "variant": self.variants["A"], **columns}
        return Message.objects.create(
            dispatch=dispatch or self.dispatch, customer=self.people[key], **values
        )

    def held_out(self, key, **columns):
        values = {"state": "held_out", "is_control": True, "sent_at": None, "delivered_at": None}
        return self.message(key, **{**values, **columns})

    def applied(self, key, at, name=None):
        kind = EventType.objects.get_or_create(name=name)[0] if name else self.goal
        return Event.objects.create(
            customer=self.people[key],
            type=kind,
            occurred_at=at,
            received_at=at,
            source="test",
            dedup_key=f"{key}{at}{name}",
        )

    def report(self, as_of=AS_OF, **more):
        return campaign_report.load_report(campaign=self.campaign, as_of=as_of, **more)


def make_loan(scene, key, disbursed_on, **columns):
    values = {"principal_amount": 300, "term_months": 3, "source": "bank", **columns}
    loan = Loan.objects.create(
        customer=scene.people[key],
        external_id=f"{key}{disbursed_on}",
        disbursed_on=disbursed_on,
        **values,
    )
    for number, day in enumerate(((2026, 2, 12), (2026, 3, 12), (2026, 4, 12)), start=1):
        Instalment.objects.create(
            loan=loan,
            number=number,
            due_on=date(*day),
            principal_amount=100,
            interest_amount=5,
        )
    return loan


def lend(scene):
    """Everyone of 40 treated converts but 10; nobody of 20 held out does. Four draw a loan."""
    for number in range(40):
        scene.message(f"c{number}", cost_amount=Decimal("0.50"))
        if number < 30:
            scene.applied(f"c{number}", SENT_AT + timedelta(days=1))
    for number in range(40, 60):
        scene.held_out(f"c{number}")
    CampaignCost.objects.create(
        campaign=scene.campaign, category="media", amount=80, incurred_on=date(2026, 1, 5)
    )
    CampaignCost.objects.create(
        campaign=scene.campaign, category="staff", amount=20, incurred_on=date(2026, 1, 5)
    )
    for key in ("c0", "c1", "c2"):
        make_loan(scene, key, date(2026, 1, 12), outstanding_amount=200)
    # An old customer: the loan of last year makes the new one no first draw.
    make_loan(scene, "c3", date(2025, 1, 12), settled_on=date(2025, 6, 1))
    make_loan(scene, "c3", date(2026, 1, 12), outstanding_amount=200)
    paid = Loan.objects.get(external_id="c02026-01-12")
    Repayment.objects.create(
        loan=paid, source="bank", external_id="p", paid_on=date(2026, 2, 12), amount=105
    )
