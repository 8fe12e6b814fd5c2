"""What a text is taken for: codes, events, settings with and without values, dialogs as people paste them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdpdoctor.knowledge import load
from rdpdoctor.knowledge.asking import read
from rdpdoctor.knowledge.codes.reading import LONGEST, MOST
from rdpdoctor.knowledge.dialogs import FILE, dialogs, folded
from rdpdoctor.knowledge.errors import KnowledgeError
from rdpdoctor.knowledge.settings.rdpfile import Line

if TYPE_CHECKING:
    from pathlib import Path

SPEC = "Require use of specific security layer for remote (RDP) connections"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("event 1057", [(1057, ["rcm"])]),
        ("Event ID: 36870", [(36870, ["schannel"])]),
        ("Schannel 36870", [(36870, ["schannel"])]),
        ("schannel event 36870", [(36870, ["schannel"])]),
        ("TermDD: 56", [(56, ["termdd"])]),
        ("event 4625", [(4625, ["security"])]),
        ("EventID=50", [(50, ["lsm", "termdd"])]),
        ("Source: TermDD\r\nEvent ID: 50", [(50, ["termdd"])]),
        ("events 1057, 1058 and 36870", [(1057, ["rcm"]), (1058, ["rcm"]), (36870, ["schannel"])]),
        ("@{ LogName='System'; Id=36870,1057 }", [(36870, ["schannel"]), (1057, ["rcm"])]),
        ("event 64999", [(64999, [])]),
        ("eventually 64999", []),
        ("System 1057", [(1057, ["rcm"])]),
        ("Schanel 36870", [(36870, ["schannel"])]),
    ],
)
def test_events(text: str, found: list[tuple[int, list[str]]]) -> None:
    asked = read(text)
    assert [(one.id, [event.log for event in one.events]) for one in asked.events] == found
    assert asked.codes == ()
    assert not {"schannel", "termdd", "system"} & {word.lower() for word in asked.left}


def test_an_event_and_the_codes_in_its_text() -> None:
    asked = read("Event ID: 4625\nStatus: 0xC000006D\nSub Status: 0xC000006A")
    assert [one.id for one in asked.events] == [4625]
    assert [code.number for code in asked.codes] == [0xC000006D, 0xC000006A]


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("SecurityLayer", "SecurityLayer", None),
        ("securitylayer", "SecurityLayer", None),
        ('"fDenyTSConnections"', "fDenyTSConnections", None),
        (SPEC, "SecurityLayer", None),
        (SPEC.replace(" for ", "\nfor "), "SecurityLayer", None),
        (
            r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\fDenyTSConnections",
            "fDenyTSConnections",
            None,
        ),
        ("SecurityLayer=0", "SecurityLayer", 0),
        ("SecurityLayer : 2", "SecurityLayer", 2),
        ("    fDenyTSConnections    REG_DWORD    0x1", "fDenyTSConnections", 1),
        ('"UserAuthentication"=dword:00000000', "UserAuthentication", 0),
        ("ServiceDll    REG_EXPAND_SZ    C:\\x.dll", "ServiceDll", "C:\\x.dll"),
        ("enablerdsaadauth", "enablerdsaadauth", None),
        ("enablecredsspsupport:i:0", "enablecredsspsupport", "0"),
        ("domain", "domain", None),
        ("then set fDenyTSConnections to 0", "fDenyTSConnections", None),
    ],
)
def test_settings(text: str, name: str, value: object) -> None:
    asked = read(text)
    assert [one.given[0].setting.name for one in asked.settings] == [name]
    assert asked.settings[0].given[0].value == value
    assert asked.codes == ()


def test_the_key_above_a_value_tells_which_is_meant() -> None:
    schannel = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols"
    [asked] = read(f'[{schannel}\\TLS 1.2\\Server]\r\n"Enabled"=dword:00000000\r\n').settings
    [given_] = asked.given
    assert not isinstance(given_.setting, Line)
    assert "TLS 1.2" in given_.setting.key
    assert len(read("Enabled").settings[0].given) == 9


def test_a_whole_rdp_file() -> None:
    asked = read("full address:s:srv01:3390\r\nenablecredsspsupport:i:0\r\npassword 51:b:0102\r\nfoo:i:1\r\n")
    assert [one.name for one in asked.settings] == ["full address", "enablecredsspsupport", "password 51"]


@pytest.mark.parametrize(
    ("text", "codes", "left"),
    [
        ("C000006D", [(0xC000006D, None)], ()),
        ("8009030c", [(0x8009030C, None)], ()),
        ("80004005", [(0x80004005, None)], ()),
        ("80090304", [(0x80090304, None)], ()),
        ("1A2B3C4D", [(0x1A2B3C4D, None)], ()),
        ("20010101", [(20010101, None)], ()),
        ("81234567", [(81234567, None)], ()),
        ("Status:\t\tC000006D", [(0xC000006D, None)], ()),
        ("it came with 80090304 today", [(0x80090304, None)], ("today",)),
        ("case number 81234567", [], ("case", "number", "81234567")),
        ("0x904 and extended 7", [(0x904, None), (7, "extended")], ()),
        ("Extended error code: 0x 7", [(7, "extended")], ()),
        ("0x 904 0x 7", [(0x904, None), (7, None)], ()),
        ("0x904 0x7 foo", [(0x904, None), (7, None)], ("foo",)),
        ("event 1057 bar", [], ("bar",)),
        ("no license server", [(0x101, "extended")], ()),
        ("License, no server!", [(0x101, "extended")], ()),
        ("no licence server", [(0x101, "extended")], ()),
        ("no such thing", [], ("no", "such", "thing")),
    ],
)
def test_codes_as_people_have_them(
    text: str, codes: list[tuple[int, str | None]], left: tuple[str, ...]
) -> None:
    asked = read(text)
    assert [(code.number, code.family) for code in asked.codes] == codes
    assert [word for word in asked.left if word != "with"] == list(left)


DIALOGS = {
    "no-reach": """Remote Desktop can't connect to the remote computer for one of these reasons:

1) Remote access to the server is not enabled
2) The remote computer is turned off
3) The remote computer is not available on the network""",
    "oracle": """An authentication error has occurred.
The function requested is not supported

Remote computer: srv01
This could be due to CredSSP encryption oracle remediation.
For more information, see https://go.microsoft.com/fwlink/?linkid=866660""",
    "nla": """The remote computer that you are trying to connect to requires Network Level
Authentication (NLA), but your Windows domain controller cannot be contacted to perform NLA.""",
    "gateway-unavailable": """Your computer can’t connect to the remote computer because the Remote Desktop
Gateway server is temporarily unavailable. Try reconnecting later""",
    "internal-error": "Remote Desktop Connection\n\nAn internal error has occurred.\n\nOK",
    "not-authorized": "The connection was denied because the account\nis not authorized for remote login",
    "lsa": "An authentication error has occurred.\nThe Local Security Authority cannot be contacted",
    "security-error": "Because of a security error, the client could not connect to the remote computer.",
    "no-licence-server": """The remote session was disconnected because there are no Remote Desktop License
Servers available to provide a license.""",
    "licensing-protocol": "disconnected the session because of an error\nin the licensing protocol.",
    "remoteapp-unsupported": "The remote computer does not support RemoteApp.",
    "no-name": 'Remote Desktop can\'t find the computer "srv01". This might mean that',
    "mac-session-ended": "Your session ended because of an error.\nError code: none",
    "password-expired": "This user account's password has expired.",
    "locked": "As a security precaution, the user account has been locked because there were too many logon",
    "gateway-rap": "1) Your user account is not listed in the RD Gateway's permission list",
    "gateway-cap": "1) Your user account is not authorized to access the RD Gateway",
    "restricted-admin": "The remote PC doesn't support Restricted Administration mode.",
    "cannot-connect": "This computer can't connect to the remote computer.\nTry connecting again.",
}


@pytest.mark.parametrize("name", DIALOGS)
def test_dialogs_as_they_are_pasted(name: str) -> None:
    for text in (DIALOGS[name], DIALOGS[name].replace("\n", "\r\n"), " ".join(DIALOGS[name].upper().split())):
        assert name in [said.dialog.id for said in read(text).dialogs]


def test_general_words_count_only_alone() -> None:
    text = (
        "This computer can't connect to the remote computer.\n\nError code: 0x904\nExtended error code: 0x7"
    )
    asked = read(text)
    assert asked.dialogs == ()
    assert [code.number for code in asked.codes] == [0x904, 7]


def test_each_dialog_is_found_by_each_of_its_words_and_names_what_exists() -> None:
    for dialog in dialogs().values():
        assert dialog.code or dialog.points or dialog.last
        assert {point.cause for point in dialog.points} <= set(load().causes)
        for words in dialog.words:
            said = [one.dialog.id for one in read(f"Sorry: {words}").dialogs]
            assert dialog.id in said or (dialog.last and said)


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ('words = ["Upper case words"]\nsays = "x"\nsource = "a"', "x.words"),
        ('words = []\nsays = "x"\nsource = "a"', "x.words"),
        ('words = ["some words here"]\nsays = "x"\nsource = "b"', "x.source"),
        ('words = ["some words here"]\nsource = "a"', "x.says"),
        ('words = ["some words here"]\nsays = "x"\nsource = "a"\nstages = ["moon"]', "x.stages"),
        (
            'words = ["some words"]\nsays = "x"\nsource = "a"\ncode = { kind = "reason", number = 2309 }',
            "x.code.number",
        ),
    ],
)
def test_a_wrong_dialog_names_file_key_and_mend(row: str, key: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f'[sources]\na = "A"\n\n[x]\n{row}\n', encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        dialogs(tmp_path)
    assert (caught.value.file, caught.value.key) == (FILE, key)
    assert caught.value.mend


@given(st.text(max_size=300))
def test_nothing_fails_on_any_text(text: str) -> None:
    asked = read(text)
    assert len(asked.codes) <= MOST
    assert folded(folded(text)) == folded(text)


FLOODS = [
    "A",
    "\n",
    '"',
    "a:",
    "event 1 ",
    "id=1,",
    "Schannel ",
    "A_",
    "SecurityLayer=0\n",
    " ",
    "\u202e",
    "1",
]


@pytest.mark.parametrize("piece", FLOODS)
def test_a_flood_costs_little_and_is_bounded(piece: str) -> None:
    """Steps grow with the text, not with its square: 64 KiB of what the patterns begin with end at all."""
    asked = read(piece * (LONGEST // len(piece)))
    assert max(len(asked.codes), len(asked.events), len(asked.settings), len(asked.dialogs)) <= MOST
