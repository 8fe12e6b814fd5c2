"""`.reg` files, `registry.pol` and reports of policies."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from rdpdoctor.readers.host import HostError, HostFacts, read_host, sniff
from tests.readers.host.craft import judged, standing

SAMPLES = Path(os.environ.get("RDPDOCTOR_SAMPLES", Path(__file__).parents[4] / "shared" / "captures"))
TS = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server"
POLICY = r"SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services"


def reg(*lines: str, head: str = "Windows Registry Editor Version 5.00") -> str:
    return "\r\n".join([head, "", *lines, ""])


def found(facts: HostFacts) -> dict[str, object]:
    """Name → number, or text where it is none."""
    rows = [row for row in facts.observations if row.tag == "host.setting"]
    return {
        str(row.args["name"]): row.args["value"] if row.args["number"] is None else row.args["number"]
        for row in rows
    }


WHOLE = reg(
    "; a remark",
    rf"[{TS}]",
    '"fDenyTSConnections"=dword:00000001',
    '"Unknown to anybody"="x"',
    "",
    rf"[{TS}\WinStations\RDP-Tcp]",
    '"PortNumber"=dword:00000d3d',
    '"SSLCertificateSHA1Hash"=hex:aa,bb,cc,dd,ee,ff,00,11,22,33,\\',
    "  44,55,66,77,88,99,aa,bb,cc,dd",
    r"[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\TermService\Parameters]",
    '"ServiceDll"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,\\',
    "  00,74,00,25,00,5c,00,78,00,2e,00,64,00,6c,00,6c,00,00,00",
)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig", "utf-16-le"])
def test_an_export_is_read_in_any_encoding(encoding: str) -> None:
    data = WHOLE.encode(encoding)
    assert sniff(data) == "registry"
    assert found(read_host(data)) == {
        "fDenyTSConnections": 1,
        "PortNumber": 3389,
        "SSLCertificateSHA1Hash": "aabbccddeeff00112233445566778899aabbccdd",
        "ServiceDll": r"%SystemRoot%\x.dll",
    }
    assert standing(judged(data))["rdp.disabled"] == "confirmed"


def test_the_form_of_old_holds_text_in_a_code_page() -> None:
    data = reg(
        r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\TermService\Parameters]",
        '"ServiceDll"=hex(2):78,2e,64,6c,6c,00',
        head="REGEDIT4",
    ).encode("cp1252")
    assert found(read_host(data)) == {"ServiceDll": "x.dll"}


def test_what_a_file_deletes_is_not_set() -> None:
    data = reg(
        rf"[{TS}]",
        '"fDenyTSConnections"=dword:00000001',
        '"fDenyTSConnections"=-',
        rf"[-{TS}\WinStations\RDP-Tcp]",
        '"PortNumber"=dword:00000001',
    ).encode()
    facts = read_host(data)
    rows = [row for row in facts.observations if row.tag == "host.setting"]
    assert [(row.args["name"], row.args["set"]) for row in rows] == [
        ("fDenyTSConnections", True),
        ("fDenyTSConnections", False),
    ]
    assert any("listener's key" in what for what in facts.lost)


def test_damaged_lines_are_left_out_and_told_of() -> None:
    data = reg(
        rf"[{TS}]",
        '"fDenyTSConnections"=dword:xyz',
        "nonsense",
        '"TSEnabled"=dword:00000001',
        "[no end",
        '"TSUserEnabled"=dword:00000001',
        rf"[{TS}\WinStations\RDP-Tcp]",
        '"SSLCertificateSHA1Hash"=hex:aa,\\',
    ).encode()
    facts = read_host(data)
    assert found(facts) == {"TSEnabled": 1}
    assert len(facts.lost) == 4


# ---- registry.pol


def preg(*values: tuple[str, str, int, bytes]) -> bytes:
    """Bodies as MS-GPREG 2.2.1 has them."""

    def wide(text: str) -> bytes:
        return text.encode("utf-16-le")

    bodies = [
        wide(f"[{key}\0;{name}\0;")
        + struct.pack("<I", kind)
        + wide(";")
        + struct.pack("<I", len(data))
        + wide(";")
        + data
        + wide("]")
        for key, name, kind, data in values
    ]
    return b"PReg\1\0\0\0" + b"".join(bodies)


POL = preg(
    (POLICY, "fDenyTSConnections", 4, struct.pack("<I", 1)),
    (POLICY, "**del.SecurityLayer", 1, " \0".encode("utf-16-le")),
    (POLICY, "LicenseServers", 1, "lic01\0".encode("utf-16-le")),
    (POLICY, "UseProxy", 4, struct.pack("<I", 1)),
    (r"SOFTWARE\Elsewhere", "x", 4, struct.pack("<I", 1)),
)


def test_what_a_policy_writes() -> None:
    assert sniff(POL) == "registry.pol"
    assert found(read_host(POL)) == {"fDenyTSConnections": 1, "LicenseServers": "lic01", "UseProxy": 1}
    why = judged(POL).causes[0].why
    assert "policy value fDenyTSConnections = 1" in why


def test_a_policy_cut_anywhere_gives_what_came_before() -> None:
    whole = found(read_host(POL))
    between = {8, *(at + 2 for at in range(8, len(POL)) if POL.startswith(b"]\0[\0", at))}
    for end in range(4, len(POL)):
        facts = read_host(POL[:end])
        assert found(facts).items() <= whole.items()
        assert facts.lost or end in between or end < 8


def test_a_length_that_lies_ends_the_policy() -> None:
    size = ";".encode("utf-16-le") + struct.pack("<I", 4) + ";".encode("utf-16-le") + struct.pack("<I", 1)
    facts = read_host(POL.replace(size, size[:2] + b"\xff\xff\xff\xff" + size[6:], 1))
    assert found(facts) == {}
    assert facts.lost


def test_policy_and_local_value_of_two_files() -> None:
    local = reg(rf"[{TS}]", '"fDenyTSConnections"=dword:00000001').encode()
    allows = preg((POLICY, "fDenyTSConnections", 4, struct.pack("<I", 0)))
    assert standing(judged(local)) == {"rdp.disabled": "confirmed"}
    for order in ((local, allows), (allows, local)):
        assert standing(judged(*order)) == {}


# ---- reports as XML

SETTINGS = "http://www.microsoft.com/GroupPolicy/Settings/Registry"


def report(inner: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-16"?>\n'
        '<Rsop xmlns="http://www.microsoft.com/GroupPolicy/Rsop"><ReadTime>2026-11-22T10:00:00.12Z</ReadTime>'
        f'<ComputerResults><Name>CORP\\SRV01$</Name><ExtensionData><Extension xmlns:q1="{SETTINGS}">{inner}'
        "</Extension></ExtensionData></ComputerResults></Rsop>"
    ).encode("utf-16")


def policy(name: str, state: str, more: str = "") -> str:
    return f"<q1:Policy><q1:Name>{name}</q1:Name><q1:State>{state}</q1:State>{more}</q1:Policy>"


ALLOW = "Allow users to connect remotely by using Remote Desktop Services"
LAYER = "Require use of specific security layer for remote (RDP) connections"
CHOICE = (
    "<q1:DropDownList><q1:Name>Layer</q1:Name><q1:Value><q1:Name>{}</q1:Name></q1:Value></q1:DropDownList>"
)


def test_policies_by_their_titles() -> None:
    data = report(policy(ALLOW, "Disabled") + policy(LAYER, "Enabled", CHOICE.format("RDP")))
    facts = read_host(data)
    assert (facts.kind, facts.computer, facts.collected) == ("policies", "SRV01", "2026-11-22T10:00:00Z")
    assert found(facts) == {"fDenyTSConnections": 1, "SecurityLayer": 0}
    assert found(read_host(report(policy(ALLOW, "Enabled")))) == {"fDenyTSConnections": 0}
    assert found(read_host(report(policy(ALLOW, "Not Configured")))) == {}
    unknown = read_host(report(policy(LAYER, "Enabled", CHOICE.format("TLS sécurisé"))))
    assert found(unknown) == {}
    assert unknown.lost


def test_values_services_and_security_options_of_a_report() -> None:
    data = report(
        "<q1:RegistrySetting><q1:KeyPath>SYSTEM\\CurrentControlSet\\Control\\Terminal Server</q1:KeyPath>"
        "<q1:Value><q1:Name>TSEnabled</q1:Name><q1:Number>0</q1:Number></q1:Value></q1:RegistrySetting>"
        "<q1:SecurityOptions><q1:KeyName>MACHINE\\System\\CurrentControlSet\\Control\\Lsa\\LmCompatibilityLevel"
        "</q1:KeyName><q1:SettingNumber>5</q1:SettingNumber></q1:SecurityOptions>"
        "<q1:SystemServices><q1:Name>TermService</q1:Name><q1:StartupMode>Disabled</q1:StartupMode></q1:SystemServices>"
    )
    assert found(read_host(data)) == {"TSEnabled": 0, "LmCompatibilityLevel": 5, "Start": 4}
    assert set(standing(judged(data))) >= {"rdp.disabled", "service.stopped"}


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{"&" + before + ";" * 1}{("&" + before + ";") * 9}">'
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "declared",
    [
        BOMB + "]>",
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_entities_are_refused(declared: str) -> None:
    text = report(policy(ALLOW, "Disabled")).decode("utf-16").replace("<Rsop", f"{declared}<Rsop", 1)
    with pytest.raises(HostError, match="document type"):
        read_host(text.encode())


def test_a_deep_report_and_a_damaged_one() -> None:
    with pytest.raises(HostError, match="deeper"):
        read_host(report("<a>" * 100_000))
    cut = report(policy(ALLOW, "Disabled") + policy(LAYER, "Enabled", CHOICE.format("RDP")))[:-200]
    facts = read_host(cut)
    assert found(facts)["fDenyTSConnections"] == 1
    assert facts.lost


def test_a_recorded_report_of_policies() -> None:
    path = SAMPLES / "config" / "gpo-report-session-host.xml"
    if not path.exists():
        pytest.skip("the recorded settings of real machines are not at hand")
    facts = read_host(path)
    values = found(facts)
    assert (facts.kind, values["MinEncryptionLevel"], values["fPromptForPassword"]) == ("policies", 3, 1)
    diagnosis = judged(path.read_bytes())
    assert diagnosis.verdict.status in ("unknown", "healthy")
    assert standing(diagnosis) == {}


# ---- the same on consoles, in pages, and in tickets


def setting(number: int) -> list[str]:
    return [rf"[{TS}]", f'"fDenyTSConnections"=dword:{number:08x}']


@pytest.mark.parametrize(
    ("lines", "off"),
    [
        ([*setting(1), f"[-{TS}]"], False),
        ([*setting(1), "[-HKEY_LOCAL_MACHINE\\SYSTEM]"], False),
        ([*setting(1), f"[-{TS}x]"], True),
        ([*setting(1), f"[-{TS}]", *setting(1)], True),
        ([*setting(1), '"fDenyTSConnections"=-'], False),
        ([*setting(0), '"fDenyTSConnections"=-', *setting(1)], True),
        ([rf"[{TS}]", '"fDenyTSConnections"=hex(4):01,00,00,00'], True),
        ([rf"[HKEY_LOCAL_MACHINE\{POLICY}]", '"fDenyTSConnections"=dword:00000000', *setting(1)], False),
        ([*setting(0), rf"[HKEY_LOCAL_MACHINE\{POLICY}]", '"fDenyTSConnections"=dword:00000001'], True),
    ],
)
@pytest.mark.parametrize("head", ["Windows Registry Editor Version 5.00", "REGEDIT4"])
def test_what_counts_is_what_stands_after_the_last_line(lines: list[str], off: bool, head: str) -> None:
    assert ("rdp.disabled" in standing(judged(reg(*lines, head=head).encode()))) is off


ON_CONSOLES = {
    "query": f"C:\\>reg query x\n\n{TS}\n    fDenyTSConnections    REG_DWORD    0x1\n\n",
    "item": (
        "fDenyTSConnections : 1\nPSPath             : Microsoft.PowerShell.Core\\Registry::"
        f"{TS}\nPSChildName        : Terminal Server\n"
    ),
    "export": f"Hello,\nthis is the export:\n\n{reg(*setting(1))}\nRegards\n",
    "gpresult": f"""
        Administrative Templates
        ------------------------
            GPO: Default Domain Policy
                Folder Id: {POLICY}\\fDenyTSConnections
                Value:       1, 0, 0, 0
                State:       Enabled
""",
    "gpresult-ja": f"""
                フォルダー ID: {POLICY}\\fDenyTSConnections
                値:       1, 0, 0, 0
                状態:       有効
""",
}


@pytest.mark.parametrize("kind", sorted(ON_CONSOLES))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932"])
def test_values_that_consoles_show(kind: str, encoding: str) -> None:
    data = ON_CONSOLES[kind].encode(encoding)
    found = judged(data)
    assert standing(found) == {"rdp.disabled": "confirmed"}
    assert ("by a policy" in found.verdict.summary) is kind.startswith("gpresult")


def test_values_of_all_types_by_query() -> None:
    text = rf"""
{TS}\WinStations\RDP-Tcp
    PortNumber    REG_DWORD    0xd3e
    SSLCertificateSHA1Hash    REG_BINARY    AABBCCDDEEFF00112233445566778899AABBCCDD
    Unknown    REG_MULTI_SZ    a\0b
HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\TermService
    ObjectName    REG_SZ    NT AUTHORITY\NetworkService
    Start    REG_DWORD    nonsense
"""
    assert found(read_host(text.encode())) == {
        "PortNumber": 3390,
        "SSLCertificateSHA1Hash": "aabbccddeeff00112233445566778899aabbccdd",
        "ObjectName": r"NT AUTHORITY\NetworkService",
    }


def test_a_summary_of_policies_without_their_values_says_so() -> None:
    for text in (
        "Microsoft (R) Windows (R) Operating System Group Policy Result tool v2.0\n\nRSOP data for x\n",
        "Microsoft (R) Windows (R)-Betriebssystem-Gruppenrichtlinienergebnis-Tool v2.0\n",
    ):
        facts = read_host(text.encode("cp850"))
        assert any("gpresult /v" in what for what in facts.lost)
        assert standing(judged(text.encode("cp850"))) == {}


def page(title: str, state: str, below: str = "", path: str = "") -> bytes:
    """As `gpresult /h` has it, with its long style sheet before the first policy."""
    return (
        f'<html dir="ltr" gpmc_reportInitialized="false"><style>{"x" * 70_000}</style><table><tr><td><span '
        f'class="explainlink" gpmc_settingName="{title}" gpmc_settingPath="{path}" '
        f'gpmc_settingDescription="a">{title}</span></td><td>{state}</td><td>GPO 1</td></tr>'
        f'<tr><td colspan="3"><table>{below}</table></td></tr></table></html>'
    ).encode("utf-16")


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (page(ALLOW, "Disabled"), {"fDenyTSConnections": 1}),
        (page(ALLOW, "Enabled"), {"fDenyTSConnections": 0}),
        (page(ALLOW, "Not Configured"), {}),
        (
            page("Remoteverbindungen für Benutzer mithilfe der Remotedesktopdienste zulassen", "Deaktiviert"),
            {"fDenyTSConnections": 1},
        ),
        (
            page(
                "Autoriser les utilisateurs à se connecter à distance "
                "à l’aide des services Bureau à distance",
                "Désactivé",
            ),
            {"fDenyTSConnections": 1},
        ),
        (page(LAYER, "Enabled", "<tr><td>Security Layer</td><td>RDP</td></tr>"), {"SecurityLayer": 0}),
        (page("Exiger une couche de sécurité", "Activé", path="Services Bureau à distance"), {}),
    ],
)
def test_policies_of_a_page(data: bytes, values: dict[str, object]) -> None:
    assert sniff(data[: 1 << 16]) == "policies"
    facts = read_host(data)
    assert found(facts) == values
    assert any("no administrative templates" in what for what in facts.lost)


def test_a_page_without_policies() -> None:
    assert found(read_host(b'<html gpmc_reportInitialized="false"></html>')) == {}


def test_titles_that_are_not_known_are_told_of() -> None:
    category = "<q1:Category>Windows コンポーネント/リモート デスクトップ サービス</q1:Category>"
    assert any(
        "language" in what for what in read_host(report(policy("接続を許可する", "Disabled", category))).lost
    )


def test_a_moved_port_is_told_to_whoever_does_not_know_of_it() -> None:
    data = reg(rf"[{TS}\WinStations\RDP-Tcp]", '"PortNumber"=dword:00000d3e').encode()
    assert standing(judged(data, port=3390)) == {"port.changed": "possible"}
    assert standing(judged(data)) == {"port.changed": "confirmed"}
    usual = data.replace(b"0d3e", b"0d3d")
    assert standing(judged(usual)) == {}


@pytest.mark.parametrize(("number", "causes"), [(0, {"firewall.windows": "possible"}), (1, {})])
def test_a_policy_that_leaves_local_rules_out(number: int, causes: dict[str, str]) -> None:
    key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\WindowsFirewall\DomainProfile"
    data = reg(f"[{key}]", f'"AllowLocalPolicyMerge"=dword:{number:08x}').encode()
    assert standing(judged(data)) == causes
