"""Lists of people that leave the system as files: which columns there are, and safe cells."""

import csv
import io
from collections.abc import Iterable, Mapping
from enum import StrEnum

from customers.domain.fields.catalogue import Text


class ExportState(StrEnum):
    """What became of a request."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"


class ExportColumn(StrEnum):
    """The columns that an export can have, in the order of the file."""

    PUBLIC_ID = "public_id"
    EXTERNAL_ID = "external_id"
    NAME = "name"
    NATIONAL_ID = "national_id"
    PHONE = "phone"
    EMAIL = "email"
    GENDER = "gender"
    AGE = "age"
    PROVINCE = "province"
    CITY = "city"
    OCCUPATION = "occupation"
    INCOME_BAND = "income_band"
    LIFECYCLE_STAGE = "lifecycle_stage"
    MARKETING_STATUS = "marketing_status"
    LANGUAGE = "language"
    SMS_CONSENT = "sms_consent"
    EMAIL_CONSENT = "email_consent"
    CREATED_ON = "created_on"


LABELS: Mapping[ExportColumn, Text] = {
    ExportColumn.PUBLIC_ID: Text("客户编号", "customer id"),
    ExportColumn.EXTERNAL_ID: Text("外部编号", "external id"),
    ExportColumn.NAME: Text("姓名", "full name"),
    ExportColumn.NATIONAL_ID: Text("证件号码", "identity number"),
    ExportColumn.PHONE: Text("手机号", "phone"),
    ExportColumn.EMAIL: Text("邮箱", "e-mail"),
    ExportColumn.GENDER: Text("性别", "gender"),
    ExportColumn.AGE: Text("年龄", "age"),
    ExportColumn.PROVINCE: Text("省份", "province"),
    ExportColumn.CITY: Text("城市", "city"),
    ExportColumn.OCCUPATION: Text("职业", "occupation"),
    ExportColumn.INCOME_BAND: Text("收入档", "income band"),
    ExportColumn.LIFECYCLE_STAGE: Text("生命周期阶段", "lifecycle stage"),
    ExportColumn.MARKETING_STATUS: Text("营销状态", "marketing status"),
    ExportColumn.LANGUAGE: Text("语言", "language"),
    ExportColumn.SMS_CONSENT: Text("短信营销授权", "consent to SMS marketing"),
    ExportColumn.EMAIL_CONSENT: Text("邮件营销授权", "consent to e-mail marketing"),
    ExportColumn.CREATED_ON: Text("建档日期", "created on"),
}
SEALED = frozenset(
    {ExportColumn.NAME, ExportColumn.NATIONAL_ID, ExportColumn.PHONE, ExportColumn.EMAIL}
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def read_columns(names: Iterable[str]) -> tuple[ExportColumn, ...]:
    """Return the named columns once each, in the order of the file.

    Raises:
        ValueError: A name is none of the columns; says which.
    """
    wanted = {ExportColumn(name) for name in names}
    return tuple(column for column in ExportColumn if column in wanted)


def safe_cell(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_lines(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV text, every cell safe to open in a spreadsheet program."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return target.getvalue()
