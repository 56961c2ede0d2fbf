"""All tables of the app, so that Django finds them."""

from campaigns.models.beside_messages.message_text import MessageText, TextMaster
from campaigns.models.beside_messages.message_variables import MessageVariables
from campaigns.models.beside_messages.side_message import SideMessage
from campaigns.models.budget import Budget, VolumeCap, VolumeUse
from campaigns.models.calendar import CalendarDay
from campaigns.models.campaign import (
    Approval,
    Campaign,
    CampaignCorrection,
    CampaignCost,
    CampaignEdit,
    CampaignTag,
    Step,
)
from campaigns.models.channel import Channel
from campaigns.models.content import ContentVersion, Touchpoint, Variant
from campaigns.models.content_test import ContentTest
from campaigns.models.dispatch import Chunk, Dispatch, LedgerEntry, Message, VolumeReservation
from campaigns.models.fairness import FairnessOverride, ModelAudience
from campaigns.models.filing import Filing, StandIn
from campaigns.models.frequency import FrequencyRule
from campaigns.models.global_control import GlobalControlChoice
from campaigns.models.graph import Enrolment, MessageGraph, Passage
from campaigns.models.notice import Notice, NoticeChoice
from campaigns.models.partner import IdempotencyKey, Partner, PartnerLead
from campaigns.models.receipt import LinkVisit, Receipt, SoftBounce, TrackedLink
from campaigns.models.reply import UnclearReply
from campaigns.models.request import (
    MessageRequest,
    MessageTemplate,
    RequestedMessage,
    TemplateEdit,
)
from campaigns.models.suppression import Suppression
from campaigns.models.trigger import CampaignTrigger

__all__ = [
    "Approval",
    "Budget",
    "CalendarDay",
    "Campaign",
    "CampaignCorrection",
    "CampaignCost",
    "CampaignEdit",
    "CampaignTag",
    "CampaignTrigger",
    "Channel",
    "Chunk",
    "ContentTest",
    "ContentVersion",
    "Dispatch",
    "Enrolment",
    "FairnessOverride",
    "Filing",
    "FrequencyRule",
    "GlobalControlChoice",
    "IdempotencyKey",
    "LedgerEntry",
    "LinkVisit",
    "Message",
    "MessageGraph",
    "MessageRequest",
    "MessageTemplate",
    "MessageText",
    "MessageVariables",
    "ModelAudience",
    "Notice",
    "NoticeChoice",
    "Partner",
    "PartnerLead",
    "Passage",
    "Receipt",
    "RequestedMessage",
    "SideMessage",
    "SoftBounce",
    "StandIn",
    "Step",
    "Suppression",
    "TemplateEdit",
    "TextMaster",
    "Touchpoint",
    "TrackedLink",
    "UnclearReply",
    "Variant",
    "VolumeCap",
    "VolumeReservation",
    "VolumeUse",
]
