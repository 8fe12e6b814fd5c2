"""`rdpdoctor collect`: the script that writes down a Windows machine's facts, for an administrator to run
there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdpdoctor.cli.usage import OK, Parser, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION = """\
Prints a PowerShell script. Run on the server, it writes down what decides
whether Remote Desktop works there: services, listener, settings and policies,
certificates and who may read their keys, firewall, licences, network, events.
It only reads, needs no module, and asks nothing over the network.
`rdpdoctor read` takes what it writes."""

#: How the script gets to the machine, by the door that is left. Azure's limit: the documents of Run Command;
#: that of AWS: GetCommandInvocation.
_HOW = """\
Run it on the Windows machine as administrator, by the door that is left:

console  powershell -ExecutionPolicy Bypass -File collect.ps1 -OutFile bundle.json
WinRM    Invoke-Command HOST -FilePath collect.ps1 > bundle.json
Azure    rdpdoctor collect --brief > collect.ps1
         az vm run-command invoke -g GROUP -n VM --command-id RunPowerShellScript \\
           --scripts @collect.ps1 --query "value[0].message" -o tsv > bundle.txt
         It passes the last 4,096 characters on. Where that cuts the text off, write
         a file there (-OutFile) and print it in pieces, one after the other into one
         file here: $t = [IO.File]::ReadAllText(FILE); -join $t[0..3999]
         then -join $t[4000..7999], and so on until nothing comes.
AWS      rdpdoctor collect --brief | jq -Rs '{commands: [.]}' > script.json
         aws ssm send-command --document-name AWS-RunPowerShellScript \\
           --instance-ids ID --parameters file://script.json
         aws ssm get-command-invocation passes the first 24,000 characters on.

Then: rdpdoctor read bundle.json
"""


def run(words: Sequence[str]) -> int:
    parser = Parser("rdpdoctor collect", "rdpdoctor collect [options] > collect.ps1", _DESCRIPTION, _HOW)
    parser.add_argument("--brief", action="store_true", help="one short line, for doors that pass little")
    parser.add_argument("--mask", action="store_true", help="user1, user2 ... instead of the names of users")
    parser.add_argument(
        "--client", action="store_true", help="it is the machine that connects, not the server"
    )
    given = parser.parse_args(words)

    from rdpdoctor.cli.output import write
    from rdpdoctor.collector import MODES, script

    write(script(mode for mode in MODES if getattr(given, mode)))
    warn(_HOW.rstrip("\n"))
    return OK
