"""Messages that only inform: of which kind, which of them may come at night, and what none may say.

They go out without a consent, past caps and pauses, so what makes them marketing is looked for in
their texts; the words are data, to change with the rules.
"""

from enum import StrEnum

from customers.domain.consents.consent import Purpose


class ServiceKind(StrEnum):
    """What a service message is about.

    A reminder is a service until the due day; from the next day on it is collection.
    """

    NOTICE = "notice"
    DUE_REMINDER = "due_reminder"
    COLLECTION = "collection"
    ONE_TIME_CODE = "one_time_code"
    FRAUD_WARNING = "fraud_warning"


# Of no use in the morning: these go at any hour.
AT_ANY_HOUR = frozenset({ServiceKind.ONE_TIME_CODE, ServiceKind.FRAUD_WARNING})

# Folded as `word_search` folds texts: letters and digits alone, in small letters.
OFFERING_WORDS = (
    "优惠",
    "限时",
    "特惠",
    "促销",
    "折扣",
    "红包",
    "抽奖",
    "领券",
    "提额",
    "免息",
    "低息",
    "降息",
    "立即申请",
    "马上申请",
    "立即借款",
    "立即领取",
    "邀请好友",
    "新品上线",
    "specialoffer",
    "limitedtime",
    "discount",
    "applynow",
    "borrownow",
    "preapproved",
    "higherlimit",
    "interestfree",
    "lowinterest",
    "giveaway",
    "referafriend",
    "ouroffers",
)


def kind_for(purpose: str, kind: str) -> str:
    """Return the kind that a message of this purpose has: marketing has none, else a notice."""
    return (kind or ServiceKind.NOTICE.value) if purpose == Purpose.SERVICE else ""
