"""The register of sources, and the doors that ask it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from customers.domain.consents.consent import Purpose
from customers.models import (
    ConsentState,
    Customer,
    DataSource,
    Event,
    ImportBatch,
    RejectedRow,
)
from customers.selectors import sources as selectors
from customers.services.events import from_file
from customers.services.imports import jobs
from customers.services.imports.jobs import Upload
from customers.services.sources import registry
from customers.services.sources.registry import SourceBarred, SourceTermsRefused, SourceUnknown
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, system_actor, user_actor
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.work import service
from tests.factories.people import make_people
from tests.factories.sources import make_source
from tests.integration.customers.import_rows import (
    MAPPING,
    NOW,
    Load,
    counts,
    loader,
    person,
    write_csv,
)

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
ACTOR = system_actor("test")
TODAY = NOW.astimezone(clock.company_zone()).date()
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return loader(tmp_path)


def test_s65_a_new_name_is_registered_once_and_waits_for_its_description(load: Load) -> None:
    load([person(1)])
    load([person(2)])

    source = DataSource.objects.get()
    assert (source.name, source.kind, source.is_active) == ("test", "unregistered", True)
    assert AuditEntry.objects.filter(action="datasource.met").count() == 1
    assert "test" in registry.notice_of(name="test", today=TODAY)


def test_s65_a_check_registers_nothing(load: Load) -> None:
    load([person(1)], is_dry_run=True)

    assert not DataSource.objects.exists()


def test_s65_only_registered_sources_where_that_is_wanted(load: Load, settings: Any) -> None:
    settings.LOANCRM_REGISTERED_SOURCES_ONLY = True

    with pytest.raises(SourceUnknown) as caught:
        load([person(1)])
    make_source("test", kind="branch")
    load([person(1)])

    assert (caught.value.code, caught.value.facts["field"]) == ("source_unknown", "source")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("terms", "standing"),
    [
        ({"valid_until": YESTERDAY}, "ended"),
        ({"valid_from": TODAY + timedelta(days=1)}, "not_yet"),
        ({"is_active": False}, "switched_off"),
    ],
)
def test_s65_a_source_without_a_contract_in_force_hands_in_nothing(
    load: Load, tmp_path: Path, terms: dict[str, Any], standing: str
) -> None:
    make_source("test", **terms)

    with pytest.raises(SourceBarred) as caught:
        load([person(1)])
    with pytest.raises(SourceBarred):
        jobs.submit(actor=ACTOR, upload=Upload("people.csv", [b"id\n1\n"], MAPPING), now=NOW)

    assert caught.value.facts == {"source": "test", "field": "source", "standing": standing}
    assert not Customer.objects.exists()
    assert not ImportBatch.objects.exists()


def test_s65_a_contract_that_ends_meanwhile_stops_the_import_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "enqueue", lambda *_args, **_kwargs: None)
    source = make_source("test", valid_until=TODAY)
    content = write_csv(tmp_path / "people.csv", [person(1)]).read_bytes()
    upload = Upload("people.csv", [content], MAPPING)
    batch = jobs.submit(actor=ACTOR, upload=upload, now=NOW)
    DataSource.objects.filter(pk=source.pk).update(valid_until=YESTERDAY)

    jobs.run_import(batch_id=batch.pk, now=NOW, today=TODAY)

    batch.refresh_from_db()
    assert batch.state == "failed"
    assert "test" in batch.work.last_error
    assert not Customer.objects.exists()


def test_s65_a_consent_beyond_the_contract_rejects_the_row_by_column_and_code(load: Load) -> None:
    make_source("test", purposes=["service"])

    report = load([person(1, sms="Y"), person(2, sms="N"), person(3)])

    assert counts(report) == (2, 0, 0, 1, 0)
    assert report.by_reason == {"purpose_refused": 1}
    row = RejectedRow.objects.get()
    assert (row.line, row.column, row.code) == (2, "sms", "purpose_refused")
    assert list(ConsentState.objects.values_list("is_granted", flat=True)) == [False]


def test_s65_events_of_a_barred_source_stay_outside(tmp_path: Path, now) -> None:
    make_source("web", is_active=False)
    file = tmp_path / "events.csv"
    file.write_text("external_id,event,occurred_at\np1,app_login,2026-01-01T00:00:00Z\n")

    with pytest.raises(SourceBarred):
        from_file.import_events(actor=ACTOR, path=file, source="web", now=now)

    assert not Event.objects.exists()


def test_s65_every_record_names_its_source(load: Load) -> None:
    load([person(1, sms="Y")])

    customer = Customer.objects.get()
    assert customer.source == "test"
    assert set(customer.contact_points.values_list("source", flat=True)) == {"test"}
    assert set(customer.consent_states.values_list("source", flat=True)) == {"test"}
    assert set(customer.consent_records.values_list("source", flat=True)) == {"test"}
    assert ImportBatch.objects.get().source == "test"


def test_s65_the_register_is_kept_by_those_who_may_and_checked(django_user_model, now) -> None:
    reader = user_actor(django_user_model.objects.create_user("reader"))
    vendor = DataSource(name="acme", kind="vendor", purposes=["marketing"])

    with pytest.raises(PermissionRefused):
        registry.save_source(actor=reader, source=vendor, now=now)
    with pytest.raises(SourceTermsRefused) as caught:
        registry.save_source(actor=ACTOR, source=vendor, now=now)
    vendor.contract, vendor.valid_until = "V-7", TODAY
    registry.save_source(actor=ACTOR, source=vendor, now=now)

    assert caught.value.facts["problems"] == ["contract_missing", "end_missing"]
    entry = AuditEntry.objects.get(action="datasource.added")
    assert (entry.facts["contract"], entry.facts["purposes"]) == ("V-7", ["marketing"])
    assert "acme" in registry.notice_of(name="acme", today=TODAY)


def test_s65_who_depends_on_a_barred_source_is_known_in_one_query(
    now, django_assert_num_queries
) -> None:
    make_source("gone", valid_until=YESTERDAY)
    make_source("narrow", purposes=["service"])
    make_source("good")
    people = make_people(2)
    people[0].identity_links.create(source="gone", external_id="1", created_at=now)
    people[1].identity_links.create(source="gone", external_id="2", created_at=now)
    people[1].identity_links.create(source="core", external_id="2", created_at=now)

    with django_assert_num_queries(1):
        barred = selectors.barred(Purpose.MARKETING, today=TODAY)
    with django_assert_num_queries(1):
        known = selectors.vouched_for([one.pk for one in people], barred=barred)

    assert barred == {"gone", "narrow"}
    assert known == {people[1].pk}


def test_s65_the_condition_and_the_list_of_barred_sources_agree(now) -> None:
    tomorrow = TODAY + timedelta(days=1)
    terms: list[dict[str, Any]] = [
        {"valid_until": YESTERDAY},
        {"valid_until": TODAY, "valid_from": TODAY},
        {"valid_from": tomorrow},
        {"is_active": False},
        {"purposes": []},
        {"purposes": ["service"]},
        {"purposes": ["marketing"]},
        {},
    ]
    person = make_people(1)[0]
    for number, item in enumerate(terms):
        make_source(f"s{number}", **item)
        person.identity_links.create(source=f"s{number}", external_id="1", created_at=now)
    person.identity_links.create(source="unknown", external_id="1", created_at=now)

    for purpose in Purpose:
        condition = selectors.is_barred(purpose, today=TODAY)
        links = person.identity_links.annotate(is_barred=condition).filter(is_barred=True)
        assert {link.source for link in links} == selectors.barred(purpose, today=TODAY)
