"""The same events as each program writes them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MANAGER = "Microsoft-Windows-TerminalServices-RemoteConnectionManager"
SESSIONS = "Microsoft-Windows-TerminalServices-LocalSessionManager"
CORE = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"
CLIENT = "Microsoft-Windows-TerminalServices-ClientActiveXCore"
GATEWAY = "Microsoft-Windows-TerminalServices-Gateway"
AUDIT = "Microsoft-Windows-Security-Auditing"
_READER = "System.Diagnostics.Eventing.Reader."
START = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)

_LOGON = (
    *("SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TargetUserSid"),
    *("TargetUserName", "TargetDomainName"),
)
_REST = (
    *("LogonProcessName", "AuthenticationPackageName", "WorkstationName", "TransmittedServices"),
    *("LmPackageName", "KeyLength", "ProcessId", "ProcessName", "IpAddress", "IpPort"),
)
_4625 = (*_LOGON, "Status", "FailureReason", "SubStatus", "LogonType", *_REST)


@dataclass(frozen=True)
class Sample:
    """One event. values: by name, or by "#1", "#2" … where they have none. message: in English."""

    provider: str
    id: int
    seconds: float = 0
    values: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    channel: str = "System"
    level: int = 2
    record: int = 1
    activity: str | None = None
    user_data: bool = False

    @property
    def time(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


def refused(seconds: float, client: str, sub: str = "0xc000006a", kind: str = "10") -> Sample:
    values = dict.fromkeys(_4625, "-")
    values |= {"TargetUserName": "alice", "Status": "0xc000006d", "SubStatus": sub, "LogonType": kind}
    values |= {"IpAddress": client}
    message = (
        "An account failed to log on.\n\nSubject:\n\tSecurity ID:\t\tSYSTEM\n\tAccount Name:\t\tSRV01$\n\n"
        f"Logon Type:\t\t\t{kind}\n\nAccount For Which Logon Failed:\n\tAccount Name:\t\talice\n\n"
        f"Failure Information:\n\tStatus:\t\t\t0xC000006D\n\tSub Status:\t\t{sub}\n\n"
        f"Network Information:\n\tSource Network Address:\t{client}\n"
    )
    return Sample(AUDIT, 4625, seconds, values, message, "Security", 0)


def accepted(seconds: float, client: str, activity: str | None = None) -> Sample:
    message = (
        "Remote Desktop Services: User authentication succeeded:\n\nUser: alice\nDomain: CORP\n"
        f"Source Network Address: {client}"
    )
    values = {"Param1": "alice", "Param2": "CORP", "Param3": client}
    channel = f"{MANAGER}/Operational"
    return Sample(MANAGER, 1149, seconds, values, message, channel, 4, activity=activity, user_data=True)


def received(seconds: float, activity: str | None = None) -> Sample:
    values = {"listenerName": "RDP-Tcp"}
    said = "Listener RDP-Tcp received a connection"
    channel = f"{MANAGER}/Operational"
    return Sample(MANAGER, 261, seconds, values, said, channel, 4, activity=activity, user_data=True)


def tcp(seconds: float, client: str, activity: str | None = None) -> Sample:
    values = {"ConnType": "TCP", "ClientIP": f"{client}:50123"}
    said = f"The server accepted a new TCP connection from client {client}:50123."
    return Sample(CORE, 131, seconds, values, said, f"{CORE}/Operational", 4, activity=activity)


def key_unusable(seconds: float, process: str = "") -> Sample:
    values = {"Type": "server", "ErrorCode": "0x8009030D", "ErrorStatus": "10001"}
    if process:
        values |= {"CallerProcessId": "800", "CallerProcessImageName": process}
    said = (
        "A fatal error occurred when attempting to access the TLS server credential private key. "
        "The error code returned from the cryptographic module is 0x8009030D. "
        "The internal error state is 10001."
    )
    return Sample("Schannel", 36870, seconds, values, said)


def not_renewed(seconds: float) -> Sample:
    said = "The relevant status code was Access is denied."
    return Sample(MANAGER, 1058, seconds, {"#1": "Access is denied.\r\n"}, said)


def event_xml(sample: Sample) -> str:
    def data(name: str, value: str) -> str:
        attribute = "" if name.startswith("#") else f" Name='{name}'"
        return f"<Data{attribute}>{escape(value)}</Data>"

    if sample.user_data:
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in sample.values.items())
        body = f"<UserData><EventXML xmlns='Event_NS'>{inner}</EventXML></UserData>"
    else:
        inner = "".join(data(name, value) for name, value in sample.values.items())
        body = f"<EventData>{inner}</EventData>"
    activity = f"<Correlation ActivityID='{{{sample.activity}}}'/>" if sample.activity else "<Correlation/>"
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        f"<Provider Name='{sample.provider}' Guid='{{00000000-0000-0000-0000-000000000001}}'/>"
        f"<EventID>{sample.id}</EventID><Version>0</Version><Level>{sample.level}</Level>"
        f"<TimeCreated SystemTime='{sample.time.isoformat().replace('+00:00', 'Z')}'/>"
        f"<EventRecordID>{sample.record}</EventRecordID>{activity}"
        f"<Execution ProcessID='4' ThreadID='8'/><Channel>{sample.channel}</Channel>"
        f"<Computer>srv01.corp.example</Computer><Security/></System>{body}</Event>"
    )


def saved_xml(samples: Sequence[Sample]) -> bytes:
    """Event Viewer."""
    head = '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n<Events>'
    return (head + "".join(map(event_xml, samples)) + "</Events>").encode("utf-8-sig")


def rootless_xml(samples: Sequence[Sample]) -> bytes:
    """`wevtutil qe … /f:xml`, redirected by PowerShell."""
    return "\r\n".join(map(event_xml, samples)).encode("utf-16")


def rendered_xml(samples: Sequence[Sample]) -> bytes:
    """`wevtutil qe … /f:RenderedXml`."""
    info = "<RenderingInfo Culture='en-US'><Message>{}</Message><Level>Error</Level></RenderingInfo></Event>"
    texts = [event_xml(each).replace("</Event>", info.format(escape(each.message))) for each in samples]
    return "\n".join(texts).encode()


def clixml(samples: Sequence[Sample]) -> bytes:
    """`Get-WinEvent … | Export-Clixml`."""

    def one(number: int, sample: Sample) -> str:
        parts = "".join(
            f"<Obj RefId='{number}{place}'><ToString>{_READER}EventProperty</ToString>"
            f"<Props><S N='Value'>{escape(value).replace(chr(13), '_x000D_').replace(chr(10), '_x000A_')}</S>"
            "</Props></Obj>"
            for place, value in enumerate(sample.values.values())
        )
        activity = f"<G N='ActivityId'>{sample.activity}</G>" if sample.activity else "<Nil N='ActivityId'/>"
        return (
            f"<Obj RefId='{number}'><TN RefId='0'><T>{_READER}EventLogRecord</T></TN>"
            f"<ToString>{_READER}EventLogRecord</ToString><Props>"
            f"<I32 N='Id'>{sample.id}</I32><By N='Level'>{sample.level}</By>"
            f"<I64 N='RecordId'>{sample.record}</I64><S N='ProviderName'>{sample.provider}</S>"
            f"<S N='LogName'>{sample.channel}</S><S N='MachineName'>srv01.corp.example</S>"
            f"<DT N='TimeCreated'>{sample.time.isoformat()}</DT>{activity}"
            f"<Obj N='Properties' RefId='9{number}'><LST>{parts}</LST></Obj></Props>"
            f"<MS><S N='Message'>{escape(sample.message)}</S></MS></Obj>"
        )

    head = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    return (head + "".join(one(n, each) for n, each in enumerate(samples)) + "</Objs>").encode("utf-16")


def _json(samples: Sequence[Sample], when: Callable[[datetime], object]) -> str:
    rows = [
        {
            "Id": each.id,
            "Level": each.level,
            "RecordId": each.record,
            "ProviderName": each.provider,
            "LogName": each.channel,
            "MachineName": "srv01.corp.example",
            "TimeCreated": when(each.time),
            "ActivityId": each.activity,
            "Properties": [{"Value": value} for value in each.values.values()],
            "Message": each.message,
        }
        for each in samples
    ]
    return json.dumps(rows if len(rows) != 1 else rows[0], indent=2)


def json_5(samples: Sequence[Sample]) -> bytes:
    """`ConvertTo-Json` of Windows PowerShell 5.1."""
    text = _json(samples, lambda time: f"/Date({int(time.timestamp() * 1000)})/")
    return text.replace("/Date(", "\\/Date(").replace(')/"', ')\\/"').encode("utf-16")


def json_7(samples: Sequence[Sample]) -> bytes:
    """`ConvertTo-Json` of PowerShell 7, an hour east of Greenwich."""

    def when(time: datetime) -> str:
        return (time + timedelta(hours=1)).isoformat().replace("+00:00", "+01:00")

    return _json(samples, when).encode()


def viewer_csv(samples: Sequence[Sample]) -> bytes:
    """Event Viewer, English."""
    return _csv(
        samples, ["Level", "Date and Time", "Source", "Event ID", "Task Category"], "%m/%d/%Y %I:%M:%S %p"
    )


def german_csv(samples: Sequence[Sample]) -> bytes:
    """Event Viewer, German: only the contents tell the columns."""
    return _csv(
        samples,
        ["Ebene", "Datum und Uhrzeit", "Quelle", "Ereignis-ID", "Aufgabenkategorie"],
        "%d.%m.%Y %H:%M:%S",
    )


def _csv(samples: Sequence[Sample], header: list[str], form: str) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(header)
    for each in samples:
        source = each.provider.removeprefix("Microsoft-Windows-")
        source = "Microsoft Windows security auditing." if source == "Security-Auditing" else source
        level = {0: "Information", 2: "Error", 3: "Warning", 4: "Information"}[each.level]
        writer.writerow([level, each.time.strftime(form), source, each.id, "None", each.message])
    return file.getvalue().encode("utf-8-sig")


def format_list(samples: Sequence[Sample]) -> bytes:
    """`Get-WinEvent … | Format-List TimeCreated, ProviderName, Id, Message`."""
    blocks = []
    for each in samples:
        message = each.message.replace("\n", "\r\n               ")
        blocks.append(
            f"TimeCreated  : {each.time.strftime('%m/%d/%Y %I:%M:%S %p')}\r\n"
            f"ProviderName : {each.provider}\r\n"
            f"Id           : {each.id}\r\nMessage      : {message}\r\n"
        )
    return ("\r\n\r\n" + "\r\n".join(blocks) + "\r\n").encode("utf-16")


def wevtutil_text(samples: Sequence[Sample]) -> bytes:
    """`wevtutil qe … /f:text`."""
    return "".join(
        f"Event[{number}]:\r\n  Log Name: {each.channel}\r\n  Source: {each.provider}\r\n"
        f"  Date: {each.time.strftime('%Y-%m-%dT%H:%M:%S.%f')}0Z\r\n  Event ID: {each.id}\r\n  Task: N/A\r\n"
        f"  Level: Error\r\n  Computer: srv01.corp.example\r\n  Description: \r\n{each.message}\r\n\r\n"
        for number, each in enumerate(samples)
    ).encode()


#: With all an event holds.
WHOLE = (saved_xml, rootless_xml, rendered_xml, clixml, json_5, json_7)
#: With the message only, and without the computer or the fraction of a second.
SPOKEN = (viewer_csv, german_csv, format_list, wevtutil_text)
