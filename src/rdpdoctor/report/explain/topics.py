"""What is known of an event, a setting or a dialog, in the shape in which all of them are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rdpdoctor.knowledge import events
from rdpdoctor.knowledge.settings.registry import RIGHTS, WHOLE_KEY, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rdpdoctor.knowledge.asking import AskedEvent, AskedSetting, Given
    from rdpdoctor.knowledge.dialogs import Said
    from rdpdoctor.knowledge.events import Event
    from rdpdoctor.knowledge.settings.judging import Case, Judgement
    from rdpdoctor.knowledge.settings.rdpfile import Line
    from rdpdoctor.knowledge.sourced import Point

_OUTCOMES: Mapping[str, str] = {
    "success": "a success: no sign of a fault",
    "failure": "a failure",
    "warning": "a warning: it went on, but not as it should",
    "anchor": "a mark in time: it dates an attempt or its end, and says neither good nor bad",
    "detail": "a detail, to be read beside other events",
    "noise": "noise: Windows writes it also where all is well",
}
_EFFECTS: Mapping[str, str] = {
    "breaks": "breaks connections",
    "weakens": "lowers security",
    "limits": "limits",
}
_NOT_PROOF = {
    "event": "It counts only where its time is that of the failure, and a failure may leave no event at all.",
    "setting": "What stands there may not be what counts: a policy that is set beats the local value, and "
    "some values wait for a restart.",
    "line": "It says what this client tries. The server, and policies of the client, may not let it.",
    "dialog": "A dialog holds the client's words. The client saw the connection end, and not why the server "
    "or the network ended it.",
}


class Detail(NamedTuple):
    """main: whether it is worth a line on the first screen."""

    label: str
    text: str
    main: bool = True


class Step(NamedTuple):
    """What to do next. command: what to type, on `where`, where it is one."""

    text: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """kind: event, setting, line (of a .rdp file), dialog. means: None where nothing is known of it.

    step: how to get at it. brief: one of several of the same name, of which only a line is shown.
    """

    kind: str
    name: str
    is_a: str
    means: str | None
    details: tuple[Detail, ...] = ()
    stages: tuple[str, ...] = ()
    points: tuple[Point, ...] = ()
    note: str | None = None
    sure: str = "documented"
    sources: tuple[str, ...] = ()
    step: Step | None = None
    brief: bool = False

    @property
    def not_proof(self) -> str:
        return _NOT_PROOF[self.kind]


# ---- events


def of_event(asked: AskedEvent) -> tuple[Topic, ...]:
    """One for each event that may be meant; one without a meaning where none is known."""
    if not asked.events:
        near = sorted(
            {one for name in events.LOGS for one in events.log(name).events},
            key=lambda one: abs(one - asked.id),
        )
        shown = ", ".join(f"{one} ({events.log(events.by_id(one)[0].log).title})" for one in sorted(near[:4]))
        return (Topic("event", f"event {asked.id}", "event", None, (Detail("near it", shown),)),)
    return tuple(_event(event, place > 0) for place, event in enumerate(asked.events))


def _event(event: Event, brief: bool) -> Topic:
    log = events.log(event.log)
    source = f" (source {min((log.provider, *log.aliases), key=len)})" if "/" not in event.channels[0] else ""
    details = [
        Detail("counts as", _OUTCOMES[event.outcome]),
        Detail("look in", event.channels[0] + source),
    ]
    if event.channels[1:]:
        details.append(Detail("or in", ", ".join(event.channels[1:]), False))
    if event.fields:
        details.append(
            Detail("holds", ", ".join(f"{role} in {name}" for role, name in event.fields.items()), False)
        )
    details.append(Detail("the log", log.what, False))
    # Logs that many write have other providers' events of the same number.
    shared = "/" not in event.channels[0]
    provider = f"ProviderName='{event.provider}'; " if shared else ""
    columns = "TimeCreated, ProviderName, Id, Message" if shared else "TimeCreated, Message"
    step = Step(
        f"Read it on the {_machine(log.side)}:",
        f"Get-WinEvent -FilterHashtable @{{ LogName='{event.channels[0]}'; {provider}Id={event.id} }} "
        f"-MaxEvents 5 | Format-List {columns}",
    )
    return Topic(
        kind="event",
        name=f"event {event.id}",
        is_a=f"event of the {log.title}",
        means=event.says,
        details=tuple(details),
        stages=(str(event.stage),) if event.stage else (),
        points=event.points,
        note=event.note,
        sure=event.sure,
        sources=event.sources,
        step=step,
        brief=brief,
    )


def _machine(side: str) -> str:
    return {"both": "server, or the client", "broker": "broker"}.get(side, side)


# ---- settings


def of_setting(asked: AskedSetting) -> tuple[Topic, ...]:
    """One for each setting of that name; where there are more than two, all but the first are brief."""
    many = len(asked.given) > 2
    return tuple(
        _registry(given, given.setting, many)
        if isinstance(given.setting, Setting)
        else _line(given, given.setting)
        for given in asked.given
    )


_READ_RIGHTS = "secedit /export /areas USER_RIGHTS /cfg rights.inf"


def _registry(given: Given, setting: Setting, brief: bool) -> Topic:
    details = _given(given)
    details.append(Detail("stands at", setting.path))
    right = setting.key == RIGHTS
    if setting.policy:
        written = "" if right else f", which writes {setting.policy.key}"
        beats = "a domain's beats the local one" if right else "it beats the local value"
        details.append(Detail("policy", f'"{setting.policy.title}"{written}; {beats}'))
    details += _values(setting.values, setting.default)
    details += _cases(setting.cases, not given.has_value)
    if setting.takes_effect:
        details.append(Detail("takes hold", f"with: {setting.takes_effect}", False))
    if setting.policy:
        details.append(Detail("in the tree", setting.policy.category, False))
    keys = [
        setting.key,
        *((setting.policy.key,) if setting.policy and setting.policy.key != setting.key else ()),
    ]
    value = "" if setting.name == WHOLE_KEY else f" /v {setting.name}"
    return Topic(
        kind="setting",
        name=setting.key.rpartition("\\")[2] if setting.name == WHOLE_KEY else setting.name,
        is_a=("user right" if right else f"registry {'key' if setting.name == WHOLE_KEY else 'value'}")
        + f" of the {_machine(setting.side)}",
        means=setting.says,
        details=tuple(details),
        points=_points(given),
        note=_secret(setting.secret, setting.note),
        sure=setting.sure,
        sources=setting.sources,
        step=None
        if setting.secret
        else Step(
            f"Read it on the {_machine(setting.side)}"
            + (", the policy's value first:" if len(keys) > 1 else ":"),
            _READ_RIGHTS if right else f'reg query "{keys[-1]}"{value}',
        ),
        brief=brief,
    )


def _line(given: Given, line: Line) -> Topic:
    return Topic(
        kind="line",
        name=line.name,
        is_a=f"line of a .rdp file, {line.name}:{line.type}:…",
        means=line.says,
        details=(
            *_given(given),
            *_values(line.values, line.default),
            *_cases(line.cases, not given.has_value),
        ),
        points=_points(given),
        note=_secret(line.secret, line.note),
        sure=line.sure,
        sources=line.sources,
    )


def _given(given: Given) -> list[Detail]:
    if not given.has_value:
        return []
    if given.setting.secret:
        return [Detail("its value", "is a secret, and is not shown")]
    found = judged(given)
    shown = "is absent" if given.value is None else str(given.value)[:80]
    return [Detail("its value", f"{shown}: {found.says if found else 'nothing wrong with it is known.'}")]


def judged(given: Given) -> Judgement | None:
    """What its value does; None: nothing worth saying."""
    setting, value = given.setting, given.value
    if isinstance(setting, Setting):
        return setting.judge(value)
    return setting.judge(None if value is None else str(value))


def _points(given: Given) -> tuple[Point, ...]:
    """Of the value, where one is known: a good value speaks for nothing."""
    if not given.has_value:
        return given.setting.points
    found = judged(given)
    return found.points if found else ()


def _values(values: Mapping[str, str], default: str | None) -> list[Detail]:
    found = (
        [Detail("values", "; ".join(f"{value} {means}" for value, means in values.items()))] if values else []
    )
    return [*found, *([Detail("without it", default)] if default else [])]


def _cases(cases: tuple[Case, ...], main: bool) -> list[Detail]:
    return [
        Detail(
            "judged" if place == 0 else "",
            f"{case.when} {_EFFECTS[case.judgement.effect]}: {case.judgement.says}",
            main,
        )
        for place, case in enumerate(cases)
    ]


def _secret(secret: bool, note: str | None) -> str | None:
    said = "It is a secret: nobody who helps needs it." if secret else None
    return " ".join(filter(None, (said, note))) or None


# ---- dialogs


def of_dialog(said: Said) -> Topic:
    dialog = said.dialog
    return Topic(
        kind="dialog",
        name=f'"{said.words}"',
        is_a="dialog of a client",
        means=dialog.says,
        stages=dialog.stages,
        points=dialog.points,
        note=dialog.note,
        sources=(dialog.source,),
    )
