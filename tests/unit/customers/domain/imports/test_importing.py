"""One row of a file to one checked person."""

from datetime import date
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from customers.domain.imports.importing import RowReader
from customers.domain.imports.mapping import parse_mapping
from customers.domain.imports.person_row import ConsentWord, PersonRow, fold
from customers.domain.reading.tabular import TabularRow

SHANGHAI = ZoneInfo("Asia/Shanghai")

TODAY = date(2026, 11, 22)
MAPPING = parse_mapping(
    {
        "name": "test",
        "id_column": "id",
        "columns": {
            "name": {"to": "customer.name", "expected": True},
            "card": "customer.national_id",
            "born": "customer.birth_date",
            "gender": "customer.gender",
            "phone": "contact.phone",
            "phone2": "contact.phone",
            "email": "contact.email",
            "province": {"to": "customer.province", "transform": "region_short"},
            "job": {
                "to": "customer.occupation",
                "dictionary": {"工程师": "engineer", "未知": ""},
            },
            "sms": "consent.sms.marketing",
            "income": {"to": "attribute.income", "type": "number", "transform": "amount"},
            "since": {"to": "attribute.since", "type": "day"},
            "house": {"to": "attribute.house", "type": "flag"},
        },
    }
)


def read(**cells: str) -> tuple[PersonRow, list[tuple[str, str]]]:
    reader = RowReader(MAPPING, today=TODAY, zone=SHANGHAI)
    person, findings = reader.read(TabularRow(2, {"name": "李平", **cells}))
    return person, [(item.code.value, item.column) for item in findings]


def test_a_row_is_brought_to_normal_form() -> None:
    person, findings = read(
        id=" A1 ",
        card="11010519491231002x",
        born="1949年12月31日",
        gender="女",
        phone="0086-13800138000",
        phone2="010-62345678",
        email="A@Example.COM",
        province="新疆维吾尔自治区",
        job="工程师",
        sms="否",
        income="1.2万",
        since="20200102",
        house="是",
    )
    assert findings == []
    assert (person.external_id, person.name, person.national_id) == (
        "A1",
        "李平",
        "11010519491231002X",
    )
    assert (person.birth_date, person.gender) == (date(1949, 12, 31), "female")
    assert [(c.kind.value, c.value, c.can_receive_messages) for c in person.contacts] == [
        ("phone", "+8613800138000", True),
        ("phone", "+861062345678", False),
        ("email", "a@example.com", True),
    ]
    assert person.texts == {"province": "新疆", "occupation": "engineer"}
    assert person.consents == (ConsentWord("sms", "marketing", is_granted=False),)
    assert [(a.name, a.text) for a in person.attributes] == [
        ("income", "12000"),
        ("since", "2020-01-02"),
        ("house", "1"),
    ]


def test_a_wrong_field_is_dropped_and_the_person_kept() -> None:
    person, findings = read(
        id="A1",
        card="110105194912310021",
        born="2031-05-01",
        phone="无",
        email="x@",
        job="astronaut",
        sms="perhaps",
        income="much",
    )
    assert findings == [
        ("id_checksum", "card"),
        ("birth_future", "born"),
        ("phone_invalid", "phone"),
        ("email_invalid", "email"),
        ("category_unknown", "job"),
        ("flag_invalid", "sms"),
        ("amount_invalid", "income"),
    ]
    doubt = ConsentWord("sms", "marketing", is_granted=False, is_doubtful=True)
    assert person == PersonRow(2, external_id="A1", name="李平", consents=(doubt,))


def test_a_missing_name_is_noted_and_a_blank_is_nothing() -> None:
    person, findings = read(id="A1", name=" ", phone="", email="", job="未知")
    assert findings == [("name_missing", "name")]
    assert person == PersonRow(2, external_id="A1")


def test_a_row_that_nothing_identifies_is_rejected() -> None:
    _, findings = read(born="1990-01-01", phone="12")
    assert findings[-1] == ("identity_missing", "")


def test_a_shifted_row_is_rejected_unread() -> None:
    _, findings = RowReader(MAPPING, today=TODAY, zone=SHANGHAI).read(
        TabularRow(2, {"id": "A1"}, surplus=1)
    )
    assert [item.code.value for item in findings] == ["cells_misaligned"]


def test_a_valid_identity_number_outweighs_typed_fields() -> None:
    person, findings = read(id="A1", card="11010519491231002X", born="1950-01-01", gender="男")
    assert findings == [("birth_conflict", ""), ("gender_conflict", "")]
    assert (person.birth_date, person.gender) == (date(1949, 12, 31), "female")


def test_an_identity_number_fills_birth_date_and_gender() -> None:
    person, _ = read(card="11010519491231002X")
    assert (person.birth_date, person.gender) == (date(1949, 12, 31), "female")


def test_rows_fold_first_value_first_and_narrowest_consent() -> None:
    yes, no = (ConsentWord("sms", "marketing", is_granted=granted) for granted in (True, False))
    one = PersonRow(2, name="", texts={"city": "西安"}, consents=(yes,))
    two = PersonRow(3, name="李平", texts={"city": "北京", "province": "陕西"}, consents=(no,))
    folded = fold((one, two))
    assert folded.name == "李平"
    assert folded.texts == {"city": "西安", "province": "陕西"}
    assert folded.consents == (no,)
    assert fold((two, one)).consents == (no,)


CELLS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=12),
        "name": st.text(max_size=12) | st.just("李 平"),
        "card": st.sampled_from(["11010519491231002x", "１１０１０５491231002", "1", ""]),
        "born": st.sampled_from(["1990年5月8日", "32874", "03/04/1990", "2031-05-01", "x"]),
        "gender": st.sampled_from(["男", "F", "?", ""]),
        "phone": st.sampled_from(["138 0013 8000", "010-62345678", "无", "1.38E+10"]),
        "email": st.emails() | st.text(max_size=8),
        "province": st.text(max_size=8) | st.just("陕西省"),
        "job": st.sampled_from(["工程师", "未知", "x"]),
        "sms": st.sampled_from(["Y", "退订", "?"]),
        "income": st.text(alphabet="0123456789.,万-", max_size=9),
        "house": st.sampled_from(["是", "no", "?"]),
    },
)


@given(CELLS)
def test_any_row_is_read_and_reading_its_normal_form_changes_nothing(cells: dict[str, str]) -> None:
    reader = RowReader(MAPPING, today=TODAY, zone=SHANGHAI)
    person, _ = reader.read(TabularRow(2, cells))
    by_kind = {contact.kind: contact.value for contact in person.contacts}
    attributes = {attribute.name: attribute.text for attribute in person.attributes}
    written = {
        "id": person.external_id,
        "name": person.name,
        "card": person.national_id,
        "born": person.birth_date.isoformat() if person.birth_date else "",
        "gender": {"male": "男", "female": "女", "": ""}[person.gender],
        "phone": by_kind.get("phone", ""),
        "email": by_kind.get("email", ""),
        "province": person.texts.get("province", ""),
        "job": "工程师" if person.texts.get("occupation") else "",
        "sms": _word_of(person.consents[0]) if person.consents else "",
        "income": attributes.get("income", ""),
        "house": attributes.get("house", ""),
    }
    again, findings = reader.read(TabularRow(2, written))
    assert again == person
    doubts = {"flag_invalid"} if written["sms"] == "?" else set()
    assert {item.code.value for item in findings} <= {"name_missing", "identity_missing"} | doubts


def _word_of(word: ConsentWord) -> str:
    return "?" if word.is_doubtful else "Y" if word.is_granted else "N"


def test_quality_figures_keep_numerator_and_denominator() -> None:
    reader = RowReader(MAPPING, today=TODAY, zone=SHANGHAI)
    for phone in ("13800138000", "12", ""):
        reader.read(TabularRow(2, {"id": "A1", "phone": phone}))
    card = reader.scorecard
    assert (card.completeness["phone"].numerator, card.completeness["phone"].denominator) == (2, 3)
    assert (card.validity["phone"].numerator, card.validity["phone"].denominator) == (1, 2)
    assert card.validity["phone"].rate == 0.5


def test_personal_data_is_hidden_in_repr() -> None:
    person, _ = read(id="A1", card="11010519491231002X", phone="13800138000")
    shown = repr(person)
    assert not any(secret in shown for secret in ("李平", "1101051949", "138001"))


def test_e3_missing_cells_are_a_finding_that_keeps_the_row() -> None:
    reader = RowReader(MAPPING, today=TODAY, zone=SHANGHAI)
    _, findings = reader.read(TabularRow(2, {"id": "A1", "name": "李平"}, missing=2))
    assert "cells_missing" in [item.code.value for item in findings]
    assert all(item.severity.value != "row_rejected" for item in findings)


def test_e3_a_negative_income_is_dropped_with_a_finding() -> None:
    mapping = parse_mapping(
        {
            "version": 1,
            "name": "m",
            "source": "s",
            "id_column": "id",
            "columns": {
                "income": {"to": "attribute.monthly_income", "type": "number"},
                "balance": {"to": "attribute.balance", "type": "number"},
            },
        }
    )
    reader = RowReader(mapping, today=TODAY, zone=SHANGHAI)
    row, findings = reader.read(TabularRow(2, {"id": "A1", "income": "-5", "balance": "-5"}))
    assert [(item.code.value, item.column) for item in findings] == [("amount_negative", "income")]
    assert [(item.name, item.text) for item in row.attributes] == [("balance", "-5")]
