"""Every scenario is played and checked, and the verdict is what its file says: status, stage, first cause.

They run side by side, because most of their time is waiting.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from rdpdoctor.check import Settings, check
from rdpdoctor.cli.codes import shown_codes
from rdpdoctor.diagnosis import diagnose
from rdpdoctor.facts import Target
from rdpdoctor.knowledge import load as load_knowledge
from rdpdoctor.lab.endpoint import Endpoint
from rdpdoctor.lab.load import load, names, parse
from rdpdoctor.lab.table import ScenarioError
from rdpdoctor.lab.teach import lesson
from rdpdoctor.report.build import report_of
from rdpdoctor.report.json import to_json
from tests.command import Expect

if TYPE_CHECKING:
    from rdpdoctor.lab.scenario import Scenario

AT_ONCE = 6
TIMEOUT = 10.0  # seconds for a check, where the scenario says nothing else
GRACE = 1.5  # beyond it, for a machine with two busy cores


@dataclass(frozen=True, slots=True)
class Played:
    report: dict[str, Any]
    took: float
    timeout: float
    faults: tuple[str, ...]
    connections: int


async def play(scenario: Scenario) -> Played:
    loop = asyncio.get_running_loop()
    timeout = scenario.check.timeout or TIMEOUT
    async with Endpoint(scenario) as endpoint:
        host = scenario.check.host or endpoint.addresses[0]
        settings = Settings(
            timeout=timeout,
            codes=tuple(shown_codes([scenario.check.code], may_end_in_targets=False)[0])
            if scenario.check.code
            else (),
            answers=scenario.check.answers,
            user=scenario.check.user,
            hosts={host: tuple(endpoint.addresses)},
        )
        began = loop.time()
        journal = await check(Target(host, host, endpoint.port), settings)
        took = loop.time() - began
        report = to_json(report_of(journal, diagnose(journal, load_knowledge())))
        return Played(report, took, timeout, tuple(endpoint.faults), endpoint.connections)


async def play_all(scenarios: list[Scenario]) -> dict[str, Played | BaseException]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(scenario: Scenario) -> Played:
        async with turn:
            return await play(scenario)

    results = await asyncio.gather(*map(one, scenarios), return_exceptions=True)
    return dict(zip((scenario.name for scenario in scenarios), results, strict=True))


def playable(scenario: Scenario) -> bool:
    known = {"linux": sys.platform == "linux", "many-addresses": sys.platform != "darwin"}
    return all(known[need] for need in scenario.needs)


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> dict[str, Played | BaseException]:
    """Of the scenarios that this run selects."""
    wanted = {
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "name" in item.callspec.params
    }
    scenarios = [load(name) for name in names() if name in wanted]
    return asyncio.run(play_all([scenario for scenario in scenarios if playable(scenario)]))


@pytest.mark.parametrize("name", names())
def test_verdict(name: str, results: dict[str, Played | BaseException]) -> None:
    scenario = load(name)
    if not playable(scenario):
        pytest.skip(f"this system cannot play it: needs {' and '.join(scenario.needs)}")
    played = results[name]
    if isinstance(played, BaseException):
        raise played
    assert played.faults == ()
    assert played.took < played.timeout + GRACE
    wanted = scenario.expect
    expect = Expect(
        status=(wanted.status,),
        stage=(wanted.stage,),
        causes=wanted.causes,
        never=wanted.forbid,
        nothing_else=not wanted.causes,
    )
    tags = {row["tag"] for row in played.report["observations"]}
    wrong = expect.wrong(played.report)
    wrong += [f"no {tag} was observed" for tag in wanted.observed if tag not in tags]
    wrong += [f"{tag} was observed" for tag in ("probe.crashed", "check.out-of-time") if tag in tags]
    assert not wrong, f"{wrong}\n{told(played)}"


def test_scenarios_use_every_probe(results: dict[str, Played | BaseException]) -> None:
    """By the roles of attempts, and the tags of the probes that have none."""
    if len(results) < sum(playable(load(name)) for name in names()):
        pytest.skip("not all scenarios were selected")
    rows = [row for one in results.values() if isinstance(one, Played) for row in one.report["observations"]]
    roles = {row["args"].get("role") for row in rows}
    variants = {row["args"].get("variant") for row in rows if row["args"].get("role") == "variant"}
    assert roles >= {"walk", "matrix", "versions", "repeat", "variant"}
    assert variants >= {"no-cookie", "neutral-cookie", "split-hello", "no-sni"}
    assert {"service.identified", "dns.resolved", "nla.challenged"} <= {row["tag"] for row in rows}


def told(played: Played) -> str:
    verdict = played.report["verdict"]
    lines = [f"{verdict['status']} at {verdict['stage']} after {played.took:.1f} s: {verdict['summary']}"]
    lines += [
        f"  {cause['confidence']:10} {cause['id']}: {cause['why']}" for cause in played.report["causes"]
    ]
    for row in played.report["observations"]:
        if row["tag"] not in ("tcp.connected", "tcp.measured", "tls.certificate"):
            lines.append(f"  {row['tag']} {row['args']}"[:300])
    return "\n".join(lines)


def test_there_are_enough() -> None:
    scenarios = [load(name) for name in names()]
    assert len(scenarios) >= 30
    assert sum(scenario.expect.status == "healthy" for scenario in scenarios) >= 8


def test_what_they_expect_exists() -> None:
    """A cause, tag or stage that nobody knows would be expected in vain, and forbidden for nothing."""
    knowledge = load_knowledge()
    for name in names():
        expect = load(name).expect
        assert set(expect.causes) <= set(knowledge.causes), name
        assert set(expect.observed) <= set(knowledge.tags), name


def test_a_scenario_that_does_not_exist_fails_loudly() -> None:
    with pytest.raises(ScenarioError, match=r"no scenario 'no-such-thing'; there are: .*healthy"):
        load("no-such-thing")
    with pytest.raises(ScenarioError):
        load("../scenario")


GOOD = 'title = "a"\nteaches = "b"\n[endpoint]\n[expect]\nstatus = "healthy"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "`endpoint` is missing"),
        ("title = ", "test.toml: Invalid value"),
        (GOOD.replace("title", "titel"), "`title` is missing"),
        (GOOD + "colour = 1", "test.toml: expect: `colour` is not known here"),
        (GOOD.replace("healthy", "well"), "`status` is 'well', which is none of"),
        (GOOD + "causes = 3", "`causes` must be a list of text"),
        (GOOD.replace("[endpoint]", "[endpoint]\nsegment = 0"), "`segment` must be at least 1"),
        (GOOD.replace("[endpoint]", "[endpoint]\nspeaks = 'gopher'"), "`speaks` is 'gopher'"),
        (GOOD.replace("[endpoint]", "[endpoint]\ndelay = true"), "`delay` must be a number"),
        (GOOD + "[endpoint.x224]\nalways = 'maybe'", "`always` is 'maybe', not `plain`"),
        (GOOD + "[endpoint.x224]\naccepts = ['vnc']", "`accepts` has 'vnc'"),
        (GOOD + "[endpoint.x224.answers]\nx = 'plain'", "`x` is no requestedProtocols"),
        (GOOD + "[[endpoint.fault]]\nat = 'hello'\ndoes = 'explode'", "fault[0]: `does` is 'explode'"),
        (GOOD + "[[endpoint.fault]]\nat = 'hello'\ndoes = 'say'", "`say` needs `text` or `hex`"),
        (GOOD + "[[endpoint.fault]]\nat = 'hello'\ndoes = 'say'\nhex = 'zz'", "`hex` is not hex"),
        (GOOD + "[[endpoint.fault]]\nat = 'hello'\ndoes = 'close'\nwhen = { odd = 1 }", "`odd` is not known"),
        (
            GOOD + "[[endpoint.certificate]]\nsignature = 'sha1'\nkey = 'ec-p256'",
            "`signature` sha1 goes with",
        ),
        (GOOD + "[[endpoint.certificate]]\ndays = [1]", "`days` must be two whole numbers"),
        (GOOD + "[endpoint.nla]\nos = [10]", "`os` must be major, minor and build"),
    ],
)
def test_a_file_that_is_wrong_fails_loudly(text: str, says: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse("test", text)
    assert says in str(error.value)
    assert str(error.value).startswith("test.toml")


def test_every_scenario_says_how_to_check_it() -> None:
    for name in names():
        endpoint = Endpoint(load(name), port=3390)
        lines = list(lesson(endpoint))
        assert any(f"rdpdoctor {endpoint.addresses[0]}:3390" in line for line in lines)
    demo = "\n".join(lesson(Endpoint(load("closes-after-client-hello"), port=3390)))
    assert "check it: rdpdoctor 127.0.0.1:3390 --code 0x904 0x7" in demo
