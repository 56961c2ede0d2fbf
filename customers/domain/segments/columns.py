"""The fixed part of the catalogue: customers' columns, loans' and events' properties."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from customers.domain.consents.consent import ConsentChannel, Purpose
from customers.domain.events.event import EventName
from customers.domain.events.lifecycle import LifecycleStage
from customers.domain.fields.catalogue import (
    Catalogue,
    DataClass,
    FieldSpec,
    FieldType,
    Option,
    Store,
    Text,
)
from customers.domain.loans.loan import LoanStatus
from customers.domain.values.person import Gender, MarketingStatus

Word = TypeVar("Word", bound=str)

_DAYS = Text("天", "days")
_CNY = Text("元", "CNY")
_PROTECTED = DataClass.PROTECTED

GENDERS: Mapping[Gender, Text] = {
    Gender.MALE: Text("男", "male"),
    Gender.FEMALE: Text("女", "female"),
    Gender.UNKNOWN: Text("未知", "unknown"),
}
STAGES: Mapping[LifecycleStage, Text] = {
    LifecycleStage.LEAD: Text("线索", "lead"),
    LifecycleStage.APPLICANT: Text("申请人", "applicant"),
    LifecycleStage.APPROVED: Text("已授信", "approved"),
    LifecycleStage.ACTIVE: Text("在贷", "active"),
    LifecycleStage.REPAID: Text("已结清", "repaid"),
    LifecycleStage.DORMANT: Text("沉睡", "dormant"),
    LifecycleStage.CHURNED: Text("流失", "churned"),
    LifecycleStage.WON_BACK: Text("已挽回", "won back"),
}
MARKETING_STATUSES: Mapping[MarketingStatus, Text] = {
    MarketingStatus.OPEN: Text("可营销", "open"),
    MarketingStatus.AT_RISK: Text("风险预警", "early warning"),
    MarketingStatus.RESTRICTED: Text("限制处理", "restricted"),
    MarketingStatus.DISPUTE: Text("争议中", "in dispute"),
    MarketingStatus.HARDSHIP: Text("困难客户", "in hardship"),
    MarketingStatus.SELF_EXCLUDED: Text("自愿排除", "self-excluded"),
    MarketingStatus.DECEASED: Text("已故", "deceased"),
}
LOAN_STATUSES: Mapping[LoanStatus, Text] = {
    LoanStatus.PENDING: Text("待放款", "pending"),
    LoanStatus.ACTIVE: Text("正常", "active"),
    LoanStatus.OVERDUE: Text("逾期", "overdue"),
    LoanStatus.SETTLED: Text("已结清", "settled"),
    LoanStatus.CHARGED_OFF: Text("已核销", "charged off"),
    LoanStatus.CANCELLED: Text("已取消", "cancelled"),
}
CHANNELS: Mapping[ConsentChannel, Text] = {
    ConsentChannel.SMS: Text("短信", "SMS"),
    ConsentChannel.EMAIL: Text("邮件", "e-mail"),
    ConsentChannel.PHONE: Text("电话", "phone"),
    ConsentChannel.WECHAT: Text("微信", "WeChat"),
    ConsentChannel.PUSH: Text("推送", "push"),
}
PURPOSES: Mapping[Purpose, Text] = {
    Purpose.MARKETING: Text("营销", "marketing"),
    Purpose.SERVICE: Text("服务", "service"),
}
EVENT_LABELS: Mapping[EventName, Text] = {
    EventName.LEAD_CAPTURED: Text("留资", "lead captured"),
    EventName.APPLICATION_STARTED: Text("开始申请", "application started"),
    EventName.APPLICATION_SUBMITTED: Text("提交申请", "application submitted"),
    EventName.APPLICATION_APPROVED: Text("申请通过", "application approved"),
    EventName.APPLICATION_DECLINED: Text("申请被拒", "application declined"),
    EventName.LOAN_DISBURSED: Text("放款", "loan disbursed"),
    EventName.REPAYMENT_MADE: Text("还款", "repayment made"),
    EventName.LOAN_SETTLED: Text("结清贷款", "loan settled"),
    EventName.PURCHASE_MADE: Text("消费", "purchase made"),
    EventName.ACCOUNT_DEBITED: Text("账户支出", "account debited"),
    EventName.ACCOUNT_CREDITED: Text("账户收入", "account credited"),
    EventName.APP_LOGIN: Text("登录App", "app login"),
    EventName.PAGE_VIEWED: Text("浏览页面", "page viewed"),
    EventName.CALL_MADE: Text("通话", "call made"),
    EventName.MESSAGE_SENT: Text("发送消息", "message sent"),
    EventName.MESSAGE_DELIVERED: Text("消息送达", "message delivered"),
    EventName.MESSAGE_BOUNCED: Text("消息退回", "message bounced"),
    EventName.LINK_CLICKED: Text("点击链接", "link clicked"),
    EventName.OPTED_OUT: Text("退订", "opted out"),
    EventName.OPTED_IN: Text("同意接收", "opted in"),
    EventName.PREFERENCES_CHANGED: Text("更改接收偏好", "preferences changed"),
    EventName.COMPLAINT_MADE: Text("投诉", "complaint made"),
    EventName.SURVEY_ANSWERED: Text("回答调查", "survey answered"),
    EventName.CONVERSION_REPORTED: Text("上报转化", "conversion reported"),
    EventName.STAGE_ENTERED: Text("进入生命周期阶段", "lifecycle stage entered"),
    EventName.STAGE_LEFT: Text("离开生命周期阶段", "lifecycle stage left"),
    EventName.SEGMENT_ENTERED: Text("进入人群", "segment entered"),
    EventName.SEGMENT_LEFT: Text("离开人群", "segment left"),
}


def options_of(labels: Mapping[Word, Text]) -> tuple[Option, ...]:
    """Return the words of a vocabulary as the options of a field, in its own order."""
    return tuple(Option(str(value), label) for value, label in labels.items())


def _by_name(specs: Iterable[FieldSpec]) -> dict[str, FieldSpec]:
    return {spec.name: spec for spec in specs}


def _text(name: str, zh: str, en: str, data_class: DataClass = DataClass.ORDINARY) -> FieldSpec:
    return FieldSpec(name, FieldType.TEXT, Text(zh, en), name, data_class=data_class)


def _choice(name: str, zh: str, en: str, labels: Mapping[Word, Text]) -> FieldSpec:
    return FieldSpec(name, FieldType.CHOICE, Text(zh, en), name, options=options_of(labels))


def _moment(name: str, zh: str, en: str) -> FieldSpec:
    return FieldSpec(name, FieldType.DATE, Text(zh, en), name, store=Store.INSTANT)


def _whole(name: str, zh: str, en: str, unit: Text, column: str, store: Store) -> FieldSpec:
    return FieldSpec(name, FieldType.INTEGER, Text(zh, en), column, store=store, unit=unit)


def _bucket(name: str, zh: str, en: str) -> FieldSpec:
    return FieldSpec(name, FieldType.INTEGER, Text(zh, en), "id", store=Store.BUCKET)


def _amount(name: str, zh: str, en: str) -> FieldSpec:
    return FieldSpec(name, FieldType.DECIMAL, Text(zh, en), name, unit=_CNY, decimal_places=2)


CUSTOMER_FIELDS: Mapping[str, FieldSpec] = _by_name(
    (
        FieldSpec(
            "age",
            FieldType.INTEGER,
            Text("年龄", "age"),
            "birth_date",
            store=Store.YEARS_SINCE,
            unit=Text("岁", "years"),
            data_class=_PROTECTED,
        ),
        FieldSpec(
            "birth_date",
            FieldType.DATE,
            Text("出生日期", "birth date"),
            "birth_date",
            data_class=_PROTECTED,
        ),
        FieldSpec(
            "gender",
            FieldType.CHOICE,
            Text("性别", "gender"),
            "gender",
            data_class=_PROTECTED,
            options=options_of(GENDERS),
        ),
        _text("province", "省份", "province"),
        _text("city", "城市", "city"),
        _text("occupation", "职业", "occupation"),
        _text("education", "学历", "education"),
        _text("marital", "婚姻状况", "marital status", _PROTECTED),
        _text("income_band", "收入档", "income band"),
        _text("language", "语言", "language"),
        _text("time_zone", "时区", "time zone"),
        _text("source", "来源", "source"),
        _text("external_id", "外部编号", "external id"),
        _choice("lifecycle_stage", "生命周期阶段", "lifecycle stage", STAGES),
        _choice("marketing_status", "营销状态", "marketing status", MARKETING_STATUSES),
        FieldSpec(
            "personalisation_allowed",
            FieldType.FLAG,
            Text("允许个性化", "personalisation allowed"),
            "personalisation_allowed",
        ),
        _bucket("bucket", "随机分桶 A（0–99）", "random bucket A (0-99)"),
        _bucket("bucket_b", "随机分桶 B（0–99）", "random bucket B (0-99)"),
        _bucket("bucket_c", "随机分桶 C（0–99）", "random bucket C (0-99)"),
        _moment("created_at", "建档日期", "created on"),
        _moment("updated_at", "更新日期", "updated on"),
    )
)

# Sealed: no database can compare them, and no rule may search for a person.
SEALED_FIELDS = frozenset(
    {"name", "full_name", "phone", "email", "national_id", "wechat", "address"}
)

LOAN_FIELDS: Mapping[str, FieldSpec] = _by_name(
    (
        _choice("status", "贷款状态", "loan status", LOAN_STATUSES),
        _whole("dpd_days", "逾期天数", "days past due", _DAYS, "dpd_days", Store.PLAIN),
        _whole(
            "max_dpd_days", "最长逾期天数", "most days past due", _DAYS, "max_dpd_days", Store.PLAIN
        ),
        _amount("outstanding_amount", "贷款余额", "outstanding amount"),
        _amount("principal_amount", "贷款本金", "principal amount"),
        FieldSpec("product", FieldType.TEXT, Text("贷款产品", "loan product"), "product__code"),
        _whole(
            "months_on_book",
            "账龄",
            "months on book",
            Text("个月", "months"),
            "disbursed_on",
            Store.MONTHS_SINCE,
        ),
        FieldSpec("disbursed_on", FieldType.DATE, Text("放款日期", "disbursed on"), "disbursed_on"),
    )
)

EVENT_PROPERTIES: Mapping[str, FieldSpec] = _by_name(
    (
        _amount("amount", "金额", "amount"),
        _text("channel", "渠道", "channel"),
        _text("subject", "对象", "subject"),
    )
)


def subjects_of(catalogue: Catalogue, event: str) -> tuple[Option, ...]:
    """Return what the subject of an event can be, where it is one of a known list."""
    match event:
        case EventName.SEGMENT_ENTERED | EventName.SEGMENT_LEFT:
            return tuple(Option(slug, label) for slug, label in catalogue.segments.items())
        case EventName.STAGE_ENTERED | EventName.STAGE_LEFT:
            return options_of(STAGES)
        case _:
            return ()


def event_properties(catalogue: Catalogue, event: str) -> Mapping[str, FieldSpec]:
    """Return the properties of an event with the names of its subjects, for reading aloud."""
    options = subjects_of(catalogue, event)
    known = catalogue.event_properties
    if not options:
        return known
    # A choice is read by its label; what may be compared is decided before.
    return {**known, "subject": replace(known["subject"], type=FieldType.CHOICE, options=options)}
