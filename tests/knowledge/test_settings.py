"""Registry values, policies and lines of `.rdp` files: finding them, judging them, and wrong files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rdpdoctor.knowledge.errors import KnowledgeError
from rdpdoctor.knowledge.settings import rdpfile, registry
from rdpdoctor.knowledge.settings.judging import EFFECTS
from rdpdoctor.knowledge.settings.registry import by_name, effective, find, settings

LISTENER = r"SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp"
POLICIES = r"SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services"


def one(name: str) -> registry.Setting:
    [setting] = by_name(name)
    return setting


@pytest.mark.parametrize(
    ("key", "by_policy"),
    [
        (rf"HKLM\{LISTENER}", False),
        (rf"[HKEY_LOCAL_MACHINE\{LISTENER}]", False),
        (rf"HKLM:\{LISTENER}".lower(), False),
        (rf"HKEY_LOCAL_MACHINE\{LISTENER}".replace("CurrentControlSet", "ControlSet002"), False),
        (rf"Registry::HKEY_LOCAL_MACHINE\{LISTENER}".replace("::", "\\"), False),
        (rf"HKLM\{POLICIES}", True),
        (rf"MACHINE\{POLICIES}\\", True),
    ],
)
def test_a_value_is_found_however_its_key_is_written(key: str, by_policy: bool) -> None:
    found = find(key, "securitylayer")
    assert found is not None
    assert (found.setting.name, found.by_policy) == ("SecurityLayer", by_policy)


def test_keys_with_any_name_in_them() -> None:
    found = find(r"HKCU\Software\Microsoft\Terminal Server Client\Servers\srv01", "UsernameHint")
    assert found is not None
    assert found.setting.personal
    assert find(r"HKCU\Software\Microsoft\Terminal Server Client\Servers\a\b", "UsernameHint") is None
    assert find(r"HKLM\SOFTWARE\Nothing", "SecurityLayer") is None


def test_by_the_name_of_the_value_the_path_or_the_policy() -> None:
    assert len(by_name("Enabled")) == 9
    title = "Require use of specific security layer for remote (RDP)\n connections"
    assert one(title) is one("SECURITYLAYER") is one(rf"HKLM\{LISTENER}\SecurityLayer")
    assert one(r"HKLM\SOFTWARE\Microsoft\MSLicensing").name == "(key)"
    assert by_name("no such thing") == by_name("\\") == by_name("") == ()


def test_policy_beats_local() -> None:
    assert effective(0, 2) == (2, "policy")
    assert effective(0, None) == (0, "local")
    assert effective(None, None) == (None, "default")


@pytest.mark.parametrize(
    ("name", "value", "effect", "cause"),
    [
        ("fDenyTSConnections", 1, "breaks", "rdp.disabled"),
        ("fDenyTSConnections", 0, None, None),
        ("SecurityLayer", 0, "weakens", "security-layer.rdp-only"),
        ("SecurityLayer", 2, None, None),
        ("SecurityLayer", 7, "breaks", "security-layer.rdp-only"),
        ("SecurityLayer", None, None, None),
        ("UserAuthentication", 0, "weakens", None),
        ("PortNumber", 3390, "limits", "port.changed"),
        ("MaxInstanceCount", 0xFFFFFFFF, None, None),
        ("MaxInstanceCount", 2, "limits", "limits.connections"),
        ("AllowEncryptionOracle", 2, "weakens", "credssp.oracle"),
        ("DisableRestrictedAdmin", None, "limits", "restricted-admin.refused"),
        ("ServiceDll", r"%systemroot%\system32\TERMSRV.DLL", None, None),
        ("ServiceDll", r"C:\rdpwrap.dll", "breaks", "service.stopped"),
        ("SecurityLayer", "two", None, None),
    ],
)
def test_what_a_value_does(name: str, value: Any, effect: str | None, cause: str | None) -> None:
    judged = one(name).judge(value)
    assert (judged.effect if judged else None) == effect
    assert (judged.points[0].cause if judged and judged.points else None) == cause


def test_nothing_that_lowers_security_is_ever_the_good_value() -> None:
    """What the tool calls fine at one of these would be followed by somebody."""
    for name, value in [("SecurityLayer", 0), ("UserAuthentication", 0), ("AllowEncryptionOracle", 2)]:
        judged = one(name).judge(value)
        assert judged is not None
        assert judged.effect == "weakens"
    for version in ("TLS 1.0", "TLS 1.1"):
        found = find(
            rf"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\{version}\Server",
            "Enabled",
        )
        assert found is not None
        judged = found.setting.judge(1)
        assert judged is not None
        assert judged.effect == "weakens"
        assert found.setting.judge(0) is None


def test_every_row_has_its_values_explained_and_its_sentences_whole() -> None:
    assert len(settings()) == 115
    assert len(rdpfile.lines()) == 73
    rows: list[registry.Setting | rdpfile.Line] = [*settings(), *rdpfile.lines().values()]
    for row in rows:
        assert row.sources
        assert row.says
        for case in row.cases:
            assert case.judgement.effect in EFFECTS
            assert case.judgement.says.endswith(".")


@pytest.mark.parametrize(
    ("name", "value", "effect"),
    [
        ("enablecredsspsupport", "0", "breaks"),
        ("EnableCredSSPSupport", " 0 ", "breaks"),
        ("enablecredsspsupport", "1", None),
        ("enablecredsspsupport", "", None),
        ("enablecredsspsupport", "0" * 400, None),
        ("enablecredsspsupport", "\u0660", None),
        ("authentication level", "0", "weakens"),
        ("server  port", "3390", "limits"),
        ("desktopwidth", "-1", "breaks"),
        ("full address", "srv01", None),
    ],
)
def test_what_a_line_does(name: str, value: str, effect: str | None) -> None:
    line = rdpfile.find(name)
    assert line is not None
    judged = line.judge(value)
    assert (judged.effect if judged else None) == effect


def test_secrets_are_marked() -> None:
    secret = {line.name for line in rdpfile.lines().values() if line.secret}
    assert secret == {"password 51", "gatewayaccesstoken", "endpointfedauth"}
    assert {row.name for row in settings() if row.secret} == {"RegistrationToken"}
    assert {line.name for line in rdpfile.lines().values() if line.personal} == {"username", "domain"}


# ---- wrong files


def spoilt(tmp_path: Path, file: str, change: dict[str, Any]) -> KnowledgeError:
    folder = Path(registry.__file__).parent
    table = json.loads((folder / f"{file}.json").read_text("utf-8"))
    table["settings"][0].update(change)
    (tmp_path / f"{file}.json").write_text(json.dumps(table), encoding="utf-8")
    load: Any = settings if file == "registry" else rdpfile.lines
    with pytest.raises(KnowledgeError) as caught:
        load(tmp_path)
    assert caught.value.file == f"settings/{file}.json"
    return caught.value


@pytest.mark.parametrize(
    ("change", "key", "mend"),
    [
        ({"key": "$NOWHERE"}, "key", "$NOWHERE is none of TS"),
        ({"side": "moon"}, "side", "use one of server"),
        ({"judge": {}}, "judge", "write a list"),
        ({"judge": [{"effect": "breaks", "says": "x"}]}, "judge[0]", "say for which values"),
        ({"judge": [{"is": [1], "effect": "bad", "says": "x"}]}, "judge[0].effect", "use one of breaks"),
        ({"judge": [{"is": 1, "effect": "breaks", "says": "x"}]}, "judge[0].is", "write a list"),
        ({"judge": [{"is": [1], "effect": "breaks"}]}, "judge[0].says", "write a text"),
        ({"policy": {"title": "x", "key": "$TS", "category": 99}}, "policy.category", "from 0 to"),
        ({"name": "TSEnabled"}, "name", "stands twice"),
        ({"colour": 1}, "colour", "unknown key"),
        ({"secret": "yes"}, "secret", "write true or false"),
    ],
)
def test_a_wrong_row_names_file_key_and_mend(
    change: dict[str, Any], key: str, mend: str, tmp_path: Path
) -> None:
    error = spoilt(tmp_path, "registry", change)
    place = "settings[1]" if key == "name" else "settings[0]"
    assert error.key == f"{place}.{key}"
    assert mend in error.mend


@pytest.mark.parametrize(
    ("change", "key"),
    [({"name": "Full Address"}, "name"), ({"type": "x"}, "type"), ({"sources": [9]}, "sources")],
)
def test_a_wrong_line_names_file_key_and_mend(change: dict[str, Any], key: str, tmp_path: Path) -> None:
    assert spoilt(tmp_path, "rdpfile", change).key == f"settings[0].{key}"
