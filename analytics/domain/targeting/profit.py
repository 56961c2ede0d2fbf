"""Expected profit of one contact, where marketing and credit risk meet. Money in CNY.

Source of the formula: expected value of a contact in direct marketing (Elkan 2001, "The
foundations of cost-sensitive learning", for costs that differ by person) with the expected loss of
a loan, PD x LGD x EAD (Basel Committee 2005, "An Explanatory Note on the Basel II IRB Risk Weight
Functions"). Benefit by uplift, incentive by response under treatment: Haupt and Lessmann 2022,
"Targeting customers under response-dependent costs", European Journal of Operational Research 297.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Number: TypeAlias = float | Floats


def expected_loss(
    default_probability: Number, loss_given_default: Number, exposure: Number
) -> Number:
    """Return PD x LGD x EAD of a loan that is drawn."""
    return default_probability * loss_given_default * exposure


def treated_response(response: Number, conversion: Number) -> Number:
    """Return the probability, 0 to 1, that a contacted person takes the offer.

    Two models give the two scores: where they disagree, at least whom the contact wins takes it.
    Not a number where no response is known.

    Args:
        response: Under treatment, as the score says.
        conversion: Extra conversions by the contact; all of the response where no more is known.
    """
    return np.clip(np.maximum(response, conversion), 0.0, 1.0)


def expected_profit(  # noqa: PLR0913 - all that a contact brings and costs
    *,
    conversion: Number,
    response: Number | None = None,
    margin: Number,
    loss: Number,
    incentive: float = 0.0,
    contact_cost: Number,
    complaint_probability: Number = 0.0,
    complaint_cost: Number = 0.0,
) -> Number:
    """Return what a contact is expected to bring.

    Margin and loss count for whom the contact wins; the incentive is paid to everybody who takes
    the offer, also to those who would have come anyway.

    Args:
        conversion: Extra conversions by the contact (uplift); the plain probability of a response
            where nothing better is known, which counts those who come anyway.
        response: Probability that the offer is taken, see `treated_response`; by default the
            conversion. Not read without an incentive, so that it need not be known.
        margin: Of a converted customer over the life of the loan, before losses.
        loss: Expected loss of the loan, see `expected_loss`.
        incentive: Paid to whoever takes the offer.
        contact_cost: Paid for everybody who is contacted.
        complaint_probability: That the contact is complained about.
        complaint_cost: Of one complaint.
    """
    taken = conversion if response is None else response
    return (
        conversion * (margin - loss)
        - (taken * incentive if incentive else 0.0)
        - contact_cost
        - complaint_probability * complaint_cost
    )


def break_even_conversion(
    *,
    margin: float,
    loss: float,
    incentive: float = 0.0,
    contact_cost: float,
    come_anyway: float = 0.0,
) -> float | None:
    """Return the extra conversion from which a contact pays; None where none up to 1 does.

    The root of `expected_profit` with response = conversion + those who come anyway.

    Args:
        contact_cost: With the expected cost of complaints.
        come_anyway: Probability of a response without the contact.
    """
    worth = margin - loss - incentive
    found = (contact_cost + come_anyway * incentive) / worth if worth > 0 else None
    return found if found is not None and found <= 1 else None
