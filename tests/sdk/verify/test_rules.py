"""Every rule of `bodega verify` is seen broken by a made-up addon, and kept by a sound one."""

import re
from typing import Any

import pytest

from bodega_sdk.testing import servers
from bodega_sdk.testing.conformance.findings import Report
from bodega_sdk.testing.conformance.rules import LOOKING, RULES, chosen
from bodega_sdk.testing.conformance.running import verify

pytestmark = pytest.mark.slow
_STATIC = tuple(rule for rule, item in RULES.items() if item.stage in LOOKING)


def test_a_sound_addon_keeps_every_rule(reports: Any) -> None:
    report = reports("loyal", ("sqlite",))
    assert report.findings == ()
    assert report.rules == tuple(RULES)
    assert list(report.lines())[-1].startswith("loyal: clean: ")


_BY_CARELESS = re.findall(
    r"\S+",
    """
    V102 V103 V104 V105 V106 V107 V108 V109 V111 V112 V113 V114 V121 V122 V123 V124
    V125 V303 V304 V401 V402 V403 V407 V501 V502 V503 V511 V512 V514 V515 V521 V522
    V523 V531 V532 V541 V542 V551 V571
    """,
)
_BY_SLOPPY = re.findall(
    r"\S+",
    """
    V301 V302 V305 V306 V307 V308 V311 V312 V313 V314 V562 V563
    """,
)
_BY_RUDE = re.findall(
    r"\S+",
    """
    V115 V404 V405 V408 V409 V410 V411 V412 V413 V504 V505 V513
    """,
)


@pytest.mark.parametrize("rule", _BY_CARELESS)
def test_a_careless_addon_breaks(reports: Any, rule: str) -> None:
    assert reports("careless", ("sqlite",), _STATIC).broken().get(rule)


@pytest.mark.parametrize("rule", _BY_SLOPPY)
def test_an_addon_that_is_sloppy_with_the_database_breaks(reports: Any, rule: str) -> None:
    assert reports("sloppy", ("sqlite",)).broken().get(rule)


@pytest.mark.parametrize("rule", _BY_RUDE)
def test_an_addon_that_is_rude_to_callers_breaks(reports: Any, rule: str) -> None:
    assert reports("rude", ("sqlite",)).broken().get(rule)


@pytest.mark.parametrize(
    ("addon", "rule"),
    [("nobody", "V101"), ("leaving", "V126"), ("needy", "V201"), ("taking", "V202"),
     ("chancy", "V309")],
)  # fmt: skip
def test_an_addon_of_its_own_breaks(reports: Any, addon: str, rule: str) -> None:
    assert reports(addon, ("sqlite",)).broken().get(rule)


def test_every_rule_is_seen_broken_here_or_is_the_kernels() -> None:
    seen = {*_BY_CARELESS, *_BY_SLOPPY, *_BY_RUDE, "V101", "V126", "V201", "V202", "V309"}
    # Routes are gated by the kernel, and what an extension asks is refused by it.
    assert set(RULES) - seen == {"V406", "V561"}


def test_what_keeps_an_addon_from_being_looked_at_is_told_whatever_rule_is_asked_for(
    reports: Any,
) -> None:
    report = reports("needy", ("sqlite",), ("V305",))
    assert list(report.broken()) == ["V201"]
    assert "'needy.nowhere'" in report.findings[0].message


def test_a_finding_names_file_line_and_remedy(reports: Any) -> None:
    report = reports("careless", ("sqlite",), _STATIC)
    (found,) = report.broken()["V112"]
    assert found.line == "bodega_careless/reaching.py:6: imports ..models relatively"
    assert "    Mend: Write the package's name." in list(report.lines())


def test_a_rule_is_asked_for_by_what_it_begins_with() -> None:
    assert chosen(["v305"]) == {"V305"}
    assert chosen(["V30", "V101"]) == {"V101", *(f"V30{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9))}
    assert chosen([]) == set(RULES)
    with pytest.raises(ValueError, match="there is no rule 'V9'"):
        chosen(["V9"])


def test_postgresql_that_is_nowhere_is_left_out_and_told(
    reports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "postgres", _nowhere)
    report: Report = verify("loyal", rules=("V504",))
    assert report.clean
    assert report.engines == ("sqlite",)
    assert report.notes == ("PostgreSQL was left out: it is nowhere",)


def _nowhere() -> None:
    raise servers.ServerNotFound("it is nowhere")
