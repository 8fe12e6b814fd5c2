"""The codes: every row is whole, no number stands twice, and every reference has its target."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdpdoctor.facts import Stage
from rdpdoctor.knowledge import codes, load
from rdpdoctor.knowledge.codes import KINDS, by_number, by_symbol, every_code, family, neighbours
from rdpdoctor.knowledge.codes.links import causes_at, causes_of
from rdpdoctor.knowledge.codes.reading import LONGEST, MOST, read
from rdpdoctor.knowledge.errors import KnowledgeError
from rdpdoctor.knowledge.popular import popular

FOLDER = Path(codes.__file__).parent
STAGES = set(map(str, Stage))


def test_each_file_is_a_family_and_the_reverse() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(KINDS)
    assert len(set(KINDS)) == len(KINDS) == 17
    assert sum(1 for _ in every_code()) == 507


@pytest.mark.parametrize("kind", KINDS)
def test_a_family_says_what_it_is_and_each_row_is_whole(kind: str) -> None:
    about = family(kind)
    assert min(map(len, (about.title, about.what, about.not_proof))) > 8
    assert set(about.stages) <= STAGES
    assert about.shown_as in (None, "reason", "extended")
    assert about.codes
    for code in about.codes:
        assert code.kind == kind
        assert code.source.strip()
        assert 0 < len(code.says) <= 160
        assert code.says.isprintable()
        assert set(code.stages) <= STAGES
        assert code.symbol or code.number is not None
        assert code.number is None or 0 <= code.number < 2**32
        if code.symbol:
            assert code in codes.all_by_symbol(code.symbol.upper())
        if code.number is not None:
            assert code in by_number(code.number)


@pytest.mark.parametrize("kind", KINDS)
def test_no_number_and_no_name_stands_twice(kind: str) -> None:
    rows = family(kind).codes
    names = [code.symbol for code in rows if code.symbol]
    assert len(set(names)) == len(names)
    if kind != "avd":  # the service's tables give several names to one HRESULT
        assert len({code.number for code in rows}) == len(rows)


@pytest.mark.parametrize(
    ("old", "new", "key", "mend"),
    [
        ("33554434", "33554433", "codes[1]", "33554433 None stands twice"),
        ('"says"', '"means"', "codes[0].means", "unknown key"),
        ('"source": 0', '"source": 9', "codes[0].source", "from 0 to"),
        ('"not_proof"', '"not_prof"', "family.not_prof", "unknown key"),
    ],
)
def test_a_wrong_file_names_file_key_and_mend(
    old: str, new: str, key: str, mend: str, tmp_path: Path
) -> None:
    text = (FOLDER / "remoteapp.json").read_text("utf-8").replace(old, new)
    (tmp_path / "remoteapp.json").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        family("remoteapp", tmp_path)
    assert (caught.value.file, caught.value.key) == ("codes/remoteapp.json", key)
    assert mend in caught.value.mend


@pytest.mark.parametrize(
    ("number", "kinds"),
    [(0x904, ["reason"]), (7, ["extended", "errinfo", "fatal_error"]), (0xC000006D, ["ntstatus"])],
)
def test_a_number_has_its_meanings_in_order(number: int, kinds: list[str]) -> None:
    assert [code.kind for code in by_number(number)] == kinds


# ---- what refers to something


@pytest.mark.parametrize(
    ("symbol", "causes"),
    [
        ("STATUS_LOGON_FAILURE", ["credentials.wrong"]),
        ("exDiscReasonLicenseNoLicenseServer", ["licensing.none"]),
        ("ERRINFO_LICENSE_NO_LICENSE_SERVER", ["licensing.none"]),
        ("SSL_CERT_NOT_ON_SERVER", ["certificate.missing"]),
        ("SSL_ERR_CERT_EXPIRED", ["certificate.expired"]),
        ("protocol_version", ["tls.version-mismatch"]),
        ("PROTOCOL_HYBRID", []),
    ],
)
def test_the_first_cause_follows_from_the_rules_of_the_causes(symbol: str, causes: list[str]) -> None:
    code = by_symbol(symbol)
    assert code is not None
    assert [link.cause.id for link in causes_of((code,), load())][:1] == causes


def test_every_code_that_a_cause_names_is_known() -> None:
    """A number in a cause's rule that no family has would be a slip of the pen in one of the two."""
    unknown = set()
    for cause in load().causes.values():
        for kind in ("requires", "supports", "confirms"):
            for rule in getattr(cause, kind):
                for matcher in rule.any:
                    for name, test, wanted in matcher.tests:
                        if matcher.tag == "code.shown" and test == "is" and name in ("reason", "extended"):
                            unknown |= {(cause.id, one) for one in wanted if one and not by_number(one)}
    assert unknown == set()


def test_causes_of_a_stage_come_in_the_order_of_the_stages() -> None:
    found = [link.cause for link in causes_at(("dns", "tcp"), load())]
    firsts = ["dns" if "dns" in cause.stages else "tcp" for cause in found]
    assert firsts == sorted(firsts)
    assert {"name.not-found", "listener.absent"} <= {cause.id for cause in found}


def test_what_is_claimed_has_sources_and_codes_that_are_there() -> None:
    known = popular()
    assert {"documented", "wrong"} <= {claim.judged for claim in known.claims}
    for claim in known.claims:
        assert claim.sources
        assert all(claim.sources)
    for kind, numbers in known.about.items():
        assert all(any(code.kind == kind for code in by_number(number)) for number in numbers)


# ---- what is typed

DIALOG = """\
Remote Desktop Connection

This computer can't connect to the remote computer.
Try connecting again. If the problem continues, contact the owner of
the remote computer or your network administrator.

Error code: 0x904
Extended error
code: 0x7
Timestamp (UTC): 11/22/26 10:00:00 AM
Activity ID: 6c1b0f7e-0000-0904-8a52-0x1f
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0x904", [(0x904, None)]),
        ("2308", [(2308, None)]),
        ("0x904 0x7", [(0x904, None), (7, "extended")]),
        ("0x904/0x7", [(0x904, None), (7, "extended")]),
        ("0x904, 0x7", [(0x904, None), (7, "extended")]),
        ("0XC000006d", [(0xC000006D, None)]),
        ("-1073741715", [(0xC000006D, None)]),
        ("50331676", [(0x300001C, None)]),
        ("status_logon_failure", [(None, None)]),
        ("0x904 0x7 0x3", [(0x904, None), (7, None), (3, None)]),
        (DIALOG, [(0x904, None), (7, "extended"), (0x1F, None)]),
        ("Disconnect reason = 263", [(263, None)]),
        ("Schannel: the TLS alert code 40 was received", [(40, "tls_alert")]),
        ("negotiation failure 5", [(5, "neg_failure")]),
        ("at 10:00 the error 10:30 in 2026", []),
        ("it says STATUS_LOGON_FAILURE, twice: STATUS_LOGON_FAILURE", [(None, None)]),
        ("", []),
    ],
)
def test_codes_are_found_in_every_habit(text: str, found: list[tuple[int | None, str | None]]) -> None:
    assert [(asked.number, asked.family) for asked in read(text)] == found


def test_a_text_is_read_to_a_limit() -> None:
    assert len(read(" ".join(f"0x{number:x}" for number in range(1000)))) == MOST
    assert read("x " * LONGEST + "error 0x904") == ()


def test_neighbours_are_near() -> None:
    assert {code.number for code in neighbours.near_number(0x905)} >= {0x904, 0x906}
    assert neighbours.near_name("STATUS_LOGON_FAILUR")[0].symbol == "STATUS_LOGON_FAILURE"
    assert neighbours.near_name("zzzzzzzzzz") == ()
    assert "CredSSP" in (neighbours.group(0x4407) or "")
    assert neighbours.group(5) is None
