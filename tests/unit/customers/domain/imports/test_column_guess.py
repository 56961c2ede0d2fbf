"""What the columns of an unknown file probably hold."""

from datetime import date

import pytest

from customers.domain.imports.column_guess import Guess, Kind, guess_columns

TODAY = date(2026, 3, 4)
CARDS = ["11010519491231002X", "440524188001010014"]


def guess(column: str, *cells: str) -> Guess:
    return guess_columns([column], [{column: cell} for cell in cells], today=TODAY)[0]


@pytest.mark.parametrize(
    ("column", "cells", "kind", "target"),
    [
        ("姓名", ["李平", "王小明", "欧阳春"], Kind.NAME, "customer.name"),
        ("手机号", ["13800138000", "+86 139 0013 8000"], Kind.PHONE, "contact.phone"),
        ("Mobile No", ["13800138000"], Kind.PHONE, "contact.phone"),
        ("f7", ["13800138000", "13900138000"], Kind.PHONE, "contact.phone"),
        ("f8", ["a@example.com", "b@example.com"], Kind.EMAIL, "contact.email"),
        ("证件号码", CARDS[:1], Kind.NATIONAL_ID, "customer.national_id"),
        ("f9", CARDS[:1], Kind.NATIONAL_ID, "customer.national_id"),
        ("性别", ["男", "女", "女"], Kind.GENDER, "customer.gender"),
        ("短信同意", ["是", "否"], Kind.FLAG, "consent.sms.marketing"),
        ("短信同意", ["2021-01-01"], Kind.DATE, ""),
        ("出生日期", ["1990年5月8日", "1991-01-02"], Kind.DATE, "customer.birth_date"),
        ("月收入", ["8,500.00", "1.2万"], Kind.AMOUNT, ""),
        ("年龄", ["31", "45.5"], Kind.NUMBER, ""),
        ("客户号", ["A1", "A2", "A3"], Kind.TEXT, "id_column"),
        ("备注", ["老客户，回访三次仍未接听。", "请周末联系，家住西安北郊"], Kind.TEXT, ""),
        ("城市", [""], Kind.EMPTY, "customer.city"),
    ],
)
def test_a1_name_and_cells_say_what_a_column_is(
    column: str, cells: list[str], kind: Kind, target: str
) -> None:
    found = guess(column, *cells)
    assert (found.kind, found.target) == (kind, target)


def test_a1_the_order_of_day_and_month_is_found_from_the_cells() -> None:
    assert guess("d", "2001-07-03", "25/12/1999").order == ""
    assert guess("d", "03/07/2001", "25/12/1999").order == "dmy"
    assert guess("d", "03/25/2001", "03/07/2001", "04/30/2002", "05/31/2002").order == "mdy"


def test_a1_a_few_mistakes_do_not_hide_a_kind() -> None:
    assert guess("f", *["13800138000"] * 8, "无", "x").kind is Kind.PHONE
    assert guess("f", *["13800138000"] * 7, "无", "x", "y").kind is not Kind.PHONE


def test_a1_categories_list_their_words_most_frequent_first() -> None:
    found = guess("等级", "金卡", "银卡", "金卡", "银卡", "金卡", "无卡券", "无卡券")
    assert (found.kind, found.words) == (Kind.CATEGORY, ("金卡", "无卡券", "银卡"))


def test_a1_each_field_is_suggested_once_but_contacts_may_repeat() -> None:
    row = {"姓名": "李平", "name": "李平", "手机": "13800138000", "电话": "13900138000"}
    found = guess_columns(list(row), [row], today=TODAY)
    assert [item.target for item in found] == [
        "customer.name",
        "",
        "contact.phone",
        "contact.phone",
    ]


def test_a1_an_attribute_that_exists_is_suggested_by_its_name() -> None:
    found = guess_columns(["Monthly Income"], [], today=TODAY, attributes={"monthly_income"})
    assert found[0].target == "attribute.monthly_income"
