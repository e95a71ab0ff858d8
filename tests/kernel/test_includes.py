"""Includes: what is shown below rows when it is asked for, in one query for a page."""

from typing import Any
from uuid import UUID

import pytest

from bodega.addons import lifecycle
from bodega.errors import AddonError
from bodega_sdk.models import database

THINGS = "/api/v1/things"


@pytest.fixture
def three(things: Any, site: Any) -> list[dict[str, Any]]:
    """Three things; the first has two parts, the second one."""
    part = site.module("things", "models").Part
    made = [
        things.post(THINGS, {"name": f"T{n}", "slug": f"t{n}", "code": f"T{n}"}).expect(201)
        for n in range(3)
    ]
    for owner, label in ((0, "b"), (0, "a"), (1, "c")):
        part.create(thing=UUID(made[owner]["id"]), label=label)
    return made


class Counted:
    """Counts the statements on the shop's database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        original = type(database.obj).execute_sql

        def counted(own: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
            self.statements.append(sql)
            return original(own, sql, *args, **kwargs)

        monkeypatch.setattr(type(database.obj), "execute_sql", counted)


def test_rows_show_what_is_asked_for_below_them(things: Any, three: Any) -> None:
    listed = things.get(f"{THINGS}?ordering=name&include=parts").expect(200)["results"]
    assert [item["parts"] for item in listed] == [
        [{"label": "a"}, {"label": "b"}], [{"label": "c"}], [],
    ]  # fmt: skip
    assert things.get(f"{THINGS}/t1?include=parts").expect(200)["parts"] == [{"label": "c"}]
    assert "parts" not in things.get(f"{THINGS}/t1").expect(200)
    largest = things.get(f"{THINGS}/largest?include=parts").expect(200)
    assert sorted(len(item["parts"]) for item in largest) == [0, 1, 2]


def test_other_addons_bring_includes_too(things: Any, three: Any) -> None:
    found = things.get(f"{THINGS}/t1?include=words,parts&fields=name").expect(200)
    assert found == {"name": "T1", "parts": [{"label": "c"}], "words": [{"word": "first"}]}


def test_a_list_takes_four_statements_and_one_for_each_include(
    things: Any, three: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(monkeypatch)
    for include, most in (("", 4), ("&include=parts", 5)):
        counted.statements.clear()
        things.get(f"{THINGS}?page_size=3{include}").expect(200)
        assert len(counted.statements) <= most, counted.statements
    assert sum("things_part" in sql for sql in counted.statements) == 1


def test_an_empty_page_asks_nobody(things: Any) -> None:
    assert things.get(f"{THINGS}?include=words").expect(200)["results"] == []


@pytest.mark.parametrize("sent", ["pictures", "parts,pictures", "parts,,words", "extras"])
def test_an_include_that_is_not_there_is_refused(things: Any, sent: str) -> None:
    refused = things.get(f"{THINGS}?include={sent}").expect(400)
    assert refused["errors"][0]["field"] == "include"
    assert "costs, parts, words, name" in refused["detail"]


def test_a_member_that_is_always_shown_may_be_included(things: Any, three: Any) -> None:
    assert things.get(f"{THINGS}/t1?include=name").expect(200) == three[1]
    assert things.get(f"{THINGS}/t1?include=").expect(200) == three[1]


def test_an_include_may_need_a_permission(things: Any, three: Any) -> None:
    refused = things.get(f"{THINGS}/t1?include=costs").expect(403)
    assert "things.cost" in refused["detail"]
    may = things.as_user("vendor")
    assert may.get(f"{THINGS}/t1?include=costs").expect(200)["costs"] == [{"label": "dear"}]


def test_includes_are_read_only_and_documented(things: Any, three: Any) -> None:
    refused = things.patch(f"{THINGS}/t1", {"parts": []}).expect(422)
    assert refused["errors"][0]["field"] == "parts"
    found = things.get("/api/schema").expect(200)
    parts = found["components"]["schemas"]["sample_things.Thing"]["properties"]["parts"]
    assert parts["readOnly"] is True
    assert parts["description"] == "Only with `?include=parts`. What it is made of."
    told = {item["name"]: item for item in found["paths"][THINGS]["get"]["parameters"]}
    assert "parts (What it is made of.)" in told["include"]["description"]


def test_without_its_addon_an_include_is_gone(things: Any, three: Any) -> None:
    lifecycle.apply(things.shop, "disable", "extras")
    things.shop.refresh()
    things.get(f"{THINGS}?include=words").expect(400)
    assert things.get(f"{THINGS}?include=parts").expect(200)["count"] == 3


def test_short_names_of_filters_stand_for_long_ones(things: Any, three: Any) -> None:
    things.patch(f"{THINGS}/t1", {"extras": {"stock": 2}}).expect(200)
    things.patch(f"{THINGS}/t2", {"extras": {"stock": 0}}).expect(200)

    def names(query: str) -> list[str]:
        answer = things.get(f"{THINGS}?ordering=name&{query}").expect(200)
        assert answer["count"] == len(answer["results"])
        return [item["name"] for item in answer["results"]]

    assert names("in_stock=true") == ["T1"]
    assert names("in_stock=false") == ["T0", "T2"]
    assert names("stock_min=2") == names("extras.stock__gte=2") == ["T1"]
    assert names("stock_min=0") == ["T0", "T1", "T2"]
    refused = things.get(f"{THINGS}?in_stock=maybe").expect(400)
    assert refused["errors"][0]["field"] == "in_stock"


@pytest.mark.parametrize("query", ["", "&cursor="])
def test_a_search_is_ordered_by_rank_unless_an_order_is_asked_for(things: Any, query: str) -> None:
    for number, name in enumerate(("red lamp", "lamp", "lamp shade", "cup", "a lamp", "lamps")):
        data = {"name": name, "slug": f"s{number}", "code": f"C{number}"}
        things.post(THINGS, data).expect(201)
    found, link = [], f"{THINGS}?search=lamp&page_size=2{query}"
    while link:
        answer = things.get(link.removeprefix("http://falconframework.org")).expect(200)
        assert answer["count"] == 5
        found += [item["name"] for item in answer["results"]]
        link = answer["next"]
    assert found == ["lamps", "lamp shade", "lamp", "a lamp", "red lamp"]
    ordered = things.get(f"{THINGS}?search=lamp&ordering=name").expect(200)["results"]
    assert ordered[0]["name"] == "a lamp"


BAD = {
    "expected a name such as": ('"things.thing", "words"', '"things.thing", "Words!"'),
    "member 'name' already, of things": ('"things.thing", "words"', '"things.thing", "name"'),
    "member 'parts' already, of things": ('"things.thing", "words"', '"things.thing", "parts"'),
    "no enabled addon serves": ('"things.thing", "words"', '"things.part", "words"'),
    "depends does not name 'accounts'": ('"things.thing", "words"', '"accounts.account", "words"'),
    "is no function": ("WordSchema, words_of", "WordSchema, None"),
    "subclass of Schema": ("WordSchema, words_of", "None, words_of"),
    "which the manifest's permissions do not declare": ("words_of)]", "words_of, '', 'x.y')]"),
    "query parameter 'code' already, of things": ('"stock_min"', '"code"'),
    "query parameter 'page' already, of things": ('"stock_min"', '"page"'),
    "there is no filter 'stocks'": ('"stock__gte"', '"stocks"'),
    "its filter's parameter is 'in_stock'": ('"in_stock": in_stock', '"there": in_stock'),
    "expected Include": ("return [Include(", "return [1, Include("),
}


@pytest.mark.parametrize("reason", BAD)
def test_what_does_not_fit_is_refused_with_the_reason(shop: Any, site: Any, reason: str) -> None:
    site.install("things", "extras", gallery=site.things)
    lifecycle.apply(shop, "enable", "things")
    shop.refresh()
    plugin = site.package("extras") / "plugin.py"
    assert BAD[reason][0] in plugin.read_text()
    plugin.write_text(plugin.read_text().replace(*BAD[reason]))
    with pytest.raises(AddonError, match=reason):
        lifecycle.enable(shop, "extras")
