"""Scenario files: what they may say, and that what is wrong with one is said. `tests/suite` plays them."""

from __future__ import annotations

import pytest

from rdpdoctor.lab.endpoint import Endpoint
from rdpdoctor.lab.load import load, names, parse
from rdpdoctor.lab.scenario import Fault, Member, When
from rdpdoctor.lab.table import ScenarioError
from rdpdoctor.lab.teach import lesson


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
        (GOOD + "[[endpoint.member]]\nturn = [2, 2]", "`turn` must be two whole numbers"),
        (GOOD + "[[endpoint.member]]\naddresses = ['127.0.0.2']", "`addresses` is not known here"),
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
        first = endpoint.addresses[0]
        asked = f"'[{first}]:3390'" if ":" in first else f"{first}:3390"
        assert any(f"rdpdoctor {asked}" in line for line in lines)
    demo = "\n".join(lesson(Endpoint(load("closes-after-client-hello"), port=3390)))
    assert "check it: rdpdoctor 127.0.0.1:3390 --code 0x904 0x7" in demo


def test_a_member_is_as_the_endpoint_but_for_what_it_says() -> None:
    text = GOOD.replace(
        "[endpoint]",
        """[endpoint]
delay = 0.5
[[endpoint.certificate]]
common_name = "one.example"
[[endpoint.fault]]
at = "hello"
does = "close"
when = { after = 3, cookie = "!alice", requested = [3] }
[[endpoint.member]]
address = "127.0.0.2"
turn = [1, 2]
fault = []
[[endpoint.member.certificate]]
common_name = "two.example"
""",
    )
    plan = parse("test", text).endpoint
    (member,) = plan.members
    assert plan.faults == (Fault("hello", "close", when=When(after=3, cookie="!alice", requested=(3,))),)
    assert isinstance(member, Member)
    assert (member.plan.delay, member.plan.faults) == (0.5, ())
    assert [one.common_name for one in member.plan.certificates] == ["two.example"]
    assert plan.answering("127.0.0.2", 3) is member.plan
    assert plan.answering("127.0.0.2", 4) is plan
    assert plan.answering("127.0.0.1", 3) is plan
