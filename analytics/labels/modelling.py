"""How purposes, states, reasons and problems of models are read."""

from django.utils.translation import gettext_lazy as _

from analytics.domain.modelling.bands import BandProblem
from analytics.domain.modelling.binning import BinKind
from analytics.domain.modelling.champion import ChampionReason
from analytics.domain.modelling.learners import ModelKind
from analytics.domain.modelling.life.choices import ModelPurpose
from analytics.domain.modelling.life.lifecycle import (
    ApprovalProblem,
    HaltReason,
    Limitation,
    VersionState,
)
from analytics.domain.modelling.life.observations import Exclusion
from analytics.domain.modelling.selection import SelectionReason
from analytics.domain.modelling.stability import StabilityBand
from loancrm.kernel.models import WorkState
from loancrm.kernel.words.vocabulary import Term, Vocabulary
from loancrm.kernel.work import labels as work_labels

PURPOSES = Vocabulary(
    ModelPurpose,
    {
        ModelPurpose.DEFAULT_RISK: Term(
            _("Default risk"),
            icon="shield",
            hint=_("Who will fall so many days behind by a month on book, out of loans paid out."),
        ),
        ModelPurpose.RESPONSE: Term(
            _("Response to campaigns"),
            icon="ads_click",
            hint=_("Who will reach a campaign's goal after its message, out of campaigns sent."),
        ),
        ModelPurpose.CHURN: Term(
            _("Early settlement"),
            icon="logout",
            hint=_("Who will pay a running loan off early, and so may leave."),
        ),
        ModelPurpose.NEED: Term(
            _("Need for a loan"),
            icon="request_quote",
            hint=_("Who will apply for a loan soon, out of everybody known."),
        ),
        ModelPurpose.UPLIFT: Term(
            _("Uplift of campaigns"),
            icon="trending_up",
            hint=_(
                "Whom a message moves to reach the goal, out of campaigns that held a group out."
            ),
        ),
    },
)
KINDS = Vocabulary(
    ModelKind,
    {
        ModelKind.SCORECARD: Term(
            _("Scorecard"), hint=_("Points by bins that anybody can read and add up.")
        ),
        ModelKind.BOOSTING: Term(
            _("Boosted trees"), hint=_("May separate better on many rows; harder to read.")
        ),
    },
)
VERSION_STATES = Vocabulary(
    VersionState,
    {
        VersionState.CANDIDATE: Term(_("Candidate"), tone="busy"),
        VersionState.APPROVED: Term(_("Approved"), tone="busy"),
        VersionState.CHAMPION: Term(_("Champion"), tone="good"),
        VersionState.CHALLENGER: Term(_("Challenger"), tone="warn"),
        VersionState.RETIRED: Term(_("Retired")),
        VersionState.REJECTED: Term(_("Turned down"), tone="bad"),
    },
)
BAND_PROBLEMS = Vocabulary(
    BandProblem,
    {
        BandProblem.TOO_SMALL: _("too few rows"),
        BandProblem.NOT_RISING: _("no riskier than the band before"),
    },
)
APPROVAL_PROBLEMS = Vocabulary(
    ApprovalProblem,
    {
        ApprovalProblem.NOT_MEASURED: _("It was not measured on rows that it did not learn from."),
        ApprovalProblem.TOO_FEW_EVENTS: _(
            "The rows that it was measured on have too few cases to decide by; wait for more data."
        ),
        ApprovalProblem.NO_BETTER_THAN_CHANCE: _(
            "On rows that it did not learn from it is not clearly better than chance."
        ),
        ApprovalProblem.BADLY_CALIBRATED: _(
            "Its probabilities do not mean what they say: the slope of its calibration is off."
        ),
        ApprovalProblem.NO_USABLE_RANKING: _(
            "No usable ranking: on people whom it did not learn from, choosing by it is as good as "
            "drawing by lot."
        ),
        ApprovalProblem.UPLIFT_EXAGGERATED: _(
            "The uplift that came is not in proportion to the one it foretells: profits would be "
            "reckoned wrongly."
        ),
    },
)
HALT_REASONS = Vocabulary(
    HaltReason,
    {
        HaltReason.DRIFT: _(
            "The score or a feature had moved too far in two runs in a row. Look whether a source "
            "now delivers other values, such as another unit."
        ),
        HaltReason.CHANGED: _(
            "The stored model is not what was trained. Roll back, or train it again."
        ),
        HaltReason.EXPIRED: _("The champion is not valid any more. Train and approve a new one."),
        HaltReason.COLUMN_GONE: _("A column that the champion reads does not exist any more."),
    },
)
LIMITATIONS = Vocabulary(
    Limitation,
    {
        Limitation.FEW_EVENTS: _(
            "It learned from few cases: lean on it lightly, look at it often."
        ),
        Limitation.NOT_OUT_OF_TIME: _("It was measured on rows drawn evenly, not on later ones."),
        Limitation.VALUES_OF_TODAY: _(
            "Attributes were taken as they stand today and may not have been known at the time."
        ),
        Limitation.ONLY_BOOKED: _(
            "It learned from loans that were paid out; of who was declined nothing is known."
        ),
        Limitation.AS_PLANNED: _(
            "Whoever was to be written to counts as that, also where no message went out: it "
            "foretells what planning a message does."
        ),
    },
)
EXCLUSIONS = Vocabulary(
    Exclusion,
    {
        Exclusion.IMMATURE: _("not long enough ago"),
        Exclusion.INDETERMINATE: _("neither good nor bad"),
        Exclusion.NO_PERSONALISATION: _("personal recommendations switched off"),
        Exclusion.OVER_BEFORE: _("plan over before the window ends"),
        Exclusion.SAMPLED_OUT: _("more rows than are learned from"),
        Exclusion.NOT_ELIGIBLE: _("not to be written to in either group"),
        Exclusion.LATER_RUN: _("in an earlier run already"),
        Exclusion.EVENED_OUT: _("so that every campaign has the same share held out"),
    },
)
SELECTION_REASONS = Vocabulary(
    SelectionReason,
    {
        SelectionReason.KEPT: Term(_("in the model"), tone="good"),
        SelectionReason.EXCLUDED: _("left out on request"),
        SelectionReason.CONSTANT: _("always the same, or unknown"),
        SelectionReason.IDENTIFIER: _("differs from row to row, as a name does"),
        SelectionReason.LOW_INFORMATION: _("says too little"),
        SelectionReason.CHANCE: _("no more than chance"),
        SelectionReason.UNSTABLE: _("not stable over time"),
        SelectionReason.CORRELATED: _("says the same as another"),
        SelectionReason.COLLINEAR: _("follows from others"),
        SelectionReason.PENALISED: _("adds nothing to the others"),
        SelectionReason.WRONG_SIGN: _("against its own direction beside the others"),
        SelectionReason.NO_SPLIT: _("no tree asked for it"),
        SelectionReason.UNBALANCED: _("differs between the groups more than chance explains"),
    },
)
BIN_KINDS = Vocabulary(
    BinKind,
    {
        BinKind.RANGE: _("range"),
        BinKind.WORDS: _("words"),
        BinKind.SPECIAL: _("special values"),
        BinKind.MISSING: _("unknown"),
        BinKind.UNSEEN: _("never seen"),
    },
)
STABILITY = Vocabulary(
    StabilityBand,
    {
        StabilityBand.STABLE: Term(_("stable"), tone="good"),
        StabilityBand.WATCH: Term(_("watch"), tone="warn"),
        StabilityBand.ACT: Term(_("act"), tone="bad"),
    },
)
CHAMPION_REASONS = Vocabulary(
    ChampionReason,
    {
        ChampionReason.NOT_CLEARLY_BETTER: Term(
            _("not clearly better"), tone="warn", hint=_("It does not separate clearly better.")
        ),
        ChampionReason.BADLY_CALIBRATED: Term(
            _("badly calibrated"),
            tone="warn",
            hint=_("What it foretells is not what came, or less so than with the other."),
        ),
        ChampionReason.UNSTABLE: Term(
            _("not stable"), tone="warn", hint=_("Its score has moved since its training.")
        ),
        ChampionReason.CLEARLY_BETTER: Term(
            _("clearly better"), tone="good", hint=_("It is clearly better, calibrated and stable.")
        ),
        ChampionReason.NOT_COMPARABLE: Term(
            _("not comparable yet"),
            tone="warn",
            hint=_("There are too few rows with an outcome that neither of the two learned from."),
        ),
    },
)
TRAINING_STATES = Vocabulary(
    WorkState,
    {
        **work_labels.STATES,
        WorkState.RUNNING: Term(_("Training"), tone="busy"),
        WorkState.FAILED: Term(_("No model"), tone="bad"),
    },
)
