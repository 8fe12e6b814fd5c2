"""The name and the port."""

from __future__ import annotations

from tests.diagnosis.stories.case import Case
from tests.diagnosis.story import Story


def tell() -> dict[str, Case]:
    nowhere = ("name.not-found", "name.lookup-failed")
    narrower = ("rdp.disabled", "service.stopped", "listener.damaged", "port.changed")
    return {
        "name unknown": Case(
            lambda: (
                Story()
                .see("dns.not-found", name="srv01.corp.example")
                .see("dns.server-said", name="srv01.corp.example", outcome="nxdomain")
            ),
            "unreachable",
            "dns",
            ("name.not-found", "confirmed"),
            ("name.lookup-failed", "path.filtered"),
        ),
        "name unknown, DNS not asked": Case(
            lambda: Story().see("dns.not-found", name="srv01.corp.example"),
            "unreachable",
            "dns",
            ("name.not-found", "likely"),
            ("name.lookup-failed",),
        ),
        "name unknown here only": Case(
            lambda: (
                Story()
                .see("dns.not-found", name="srv01.corp.example")
                .see(
                    "dns.server-said", name="srv01.corp.example", outcome="addresses", addresses=["10.0.4.21"]
                )
            ),
            "unreachable",
            "dns",
            ("name.lookup-failed", "likely"),
        ),
        "no resolver": Case(
            lambda: Story().see("dns.silent", name="srv01").see("dns.server-said", outcome="silent"),
            "unreachable",
            "dns",
            ("name.lookup-failed", "confirmed"),
            ("name.not-found",),
        ),
        "refused": Case(
            lambda: Story().resolved().dialled("refused"),
            "unreachable",
            "tcp",
            ("listener.absent", "likely"),
            ("path.filtered", "path.rejected", "host.down", *nowhere, *narrower),
        ),
        "refused, and it never worked": Case(
            lambda: Story().resolved().dialled("refused").answer("since", "always"),
            "unreachable",
            "tcp",
            ("listener.absent", "likely"),
            ("service.stopped", "port.changed"),
        ),
        "refused since an update": Case(
            lambda: Story().resolved().dialled("refused").answer("since", "after-update"),
            "unreachable",
            "tcp",
            ("listener.absent", "likely"),
            ("rdp.disabled", "port.changed"),
        ),
        "refused since a change": Case(
            lambda: Story().resolved().dialled("refused").answer("since", "after-change"),
            "unreachable",
            "tcp",
            ("listener.absent", "likely"),
            ("service.stopped", "firewall.windows"),
        ),
        "silent, in Azure": Case(
            lambda: Story().resolved().dialled("silent").answer("machine", "azure"),
            "unreachable",
            "tcp",
            ("path.filtered", "likely"),
            ("cloud.security-group-denies", "firewall.windows", "rdp.disabled"),
        ),
        "silent, in AWS": Case(
            lambda: Story().resolved().dialled("silent").answer("machine", "aws"),
            "unreachable",
            "tcp",
            ("path.filtered", "likely"),
            ("cloud.nsg-denies", "firewall.windows"),
        ),
        "silent, a PC": Case(
            lambda: Story().resolved().dialled("silent").answer("machine", "pc"),
            "unreachable",
            "tcp",
            ("path.filtered", "likely"),
            ("cloud.nsg-denies", "cloud.security-group-denies"),
        ),
        "silent": Case(
            lambda: Story().resolved().dialled("silent", waited_ms=8000.0),
            "unreachable",
            "tcp",
            ("path.filtered", "likely"),
            ("listener.absent", "path.rejected", "service.hung"),
        ),
        "silent, others get in": Case(
            lambda: Story().resolved().dialled("silent").answer("others", "yes"),
            "unreachable",
            "tcp",
            ("path.filtered", "likely"),
            ("host.down",),
        ),
        "prohibited": Case(
            lambda: Story().resolved().dialled("rejected", icmp="admin-prohibited", offender="10.0.4.1"),
            "unreachable",
            "tcp",
            ("path.rejected", "confirmed"),
            ("listener.absent", "path.filtered", "host.down"),
        ),
        "no neighbour": Case(
            lambda: Story().resolved().dialled("rejected", icmp="host-unreachable", on_link=True),
            "unreachable",
            "tcp",
            ("path.rejected", "likely"),
            ("listener.absent", "path.filtered"),
        ),
        "no route": Case(
            lambda: Story().resolved().dialled("failed", error="network is unreachable"),
            "unreachable",
            "tcp",
            ("path.rejected", "possible"),
            ("listener.absent", "path.filtered", "host.down"),
        ),
        "one address refuses": Case(
            lambda: Story().resolved("10.0.4.21", "10.0.4.22").healthy().dialled("refused", "10.0.4.22"),
            "degraded",
            "tcp",
            ("farm.bad-member", "confirmed"),
            ("listener.absent", "path.filtered", "path.intermittent"),
        ),
        "one address is silent": Case(
            lambda: Story().resolved("10.0.4.21", "fd00::1").healthy().dialled("silent", "fd00::1"),
            "degraded",
            "tcp",
            ("farm.bad-member", "likely"),
            ("path.filtered", "host.down"),
        ),
        "no IPv6 on this machine": Case(
            lambda: Story().resolved("10.0.4.21", "fd00::1").healthy().dialled("failed", "fd00::1"),
            "healthy",
            None,
            None,
        ),
        "localhost listens on IPv4 only": Case(
            lambda: (
                Story("localhost", "127.0.0.1")
                .resolved("::1", "127.0.0.1")
                .dialled("refused", "::1")
                .healthy()
            ),
            "healthy",
            None,
            None,
            ("farm.bad-member", "listener.absent"),
        ),
        "sometimes no connection": Case(
            lambda: Story().dialled("silent").healthy().dialled("silent").dialled(),
            "degraded",
            "tcp",
            ("path.intermittent", "confirmed"),
            ("path.filtered",),
        ),
    }
