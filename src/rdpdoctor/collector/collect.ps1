<#
.SYNOPSIS
Writes down what decides whether Remote Desktop to or from this machine works, as one JSON file.

.DESCRIPTION
Reads only. It changes nothing, asks nothing over the network, needs no module, and runs on Windows PowerShell 5.1
and on PowerShell 7. Run it elevated: without, some sections are missing, and the file says which.
Any door that is left will do: the console, Invoke-Command, Azure Run Command, AWS Systems Manager.

.PARAMETER Client
Says that this is the machine that connects, not the one that is connected to. Without it a PC on which Remote
Desktop is off would be told of as a server that nobody can reach.

.PARAMETER OutFile
The file to write. Without it the JSON goes to the output.

.PARAMETER Port
The port that clients use, where it is not the one that the registry names.

.PARAMETER Hours
How far back events are read.

.PARAMETER Mask
Writes user1, user2 ... instead of the names of users and their domains.

.PARAMETER Brief
Leaves events, updates and rules for other ports out, and writes the rest compressed, on one line. For doors that
pass few characters, such as Azure Run Command.

.PARAMETER Mode
The switches above as words in one text, "brief mask client", for doors that pass texts only, or nothing.
#>
[CmdletBinding(PositionalBinding = $false)]
param(
    [switch] $Client,
    [string] $OutFile,
    [int] $Port = 0,
    [int] $Hours = 72,
    [switch] $Mask,
    [switch] $Brief,
    [string] $Mode = ''
)
if ($Mode -match 'brief') { $Brief = $true }
if ($Mode -match 'mask') { $Mask = $true }
if ($Mode -match 'client') { $Client = $true }

if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    throw 'A policy holds this PowerShell in constrained language mode, in which nothing of this can be read.'
}
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$script:bundle = [ordered]@{ schema = 'rdpdoctor.bundle/1' }
$script:failed = New-Object System.Collections.ArrayList
$script:names = @{}
$programs = "$env:SystemRoot\System32"
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    # Windows shows such a process another System32, which lacks qwinsta, and another SOFTWARE.
    $programs = "$env:SystemRoot\Sysnative"
    $text = 'collected by a 32-bit PowerShell, which sees other values below SOFTWARE than Windows itself'
    [void] $script:failed.Add([ordered]@{ part = 'registry'; error = $text })
}

# One part of the bundle. A part that fails is left out, and `errors` says why.
function Read-Part {
    param([string] $Name, [scriptblock] $Body)
    try {
        $script:bundle[$Name] = & $Body
    }
    catch {
        [void] $script:failed.Add([ordered]@{ part = $Name; error = "$($_.Exception.Message)" })
    }
}

function Format-Time {
    param($Value)
    if ($null -eq $Value) { return $null }
    # In the invariant culture: others write other separators, and count other years.
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture
    return ([datetime] $Value).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', $invariant)
}

function Hide-Name {
    param([string] $Value)
    if (-not $Mask -or [string]::IsNullOrEmpty($Value) -or $Value -eq '-') { return $Value }
    # Accounts of the system itself are no secret, and say much.
    $known = '^(NT AUTHORITY|NT SERVICE|BUILTIN|LocalSystem|SYSTEM|LOCAL SERVICE|NETWORK SERVICE|S-1-1-0$|S-1-5-(?!21-)|S-1-15-)'
    if ($Value -match $known) {
        return $Value
    }
    $key = $Value.ToLowerInvariant()
    if (-not $script:names.ContainsKey($key)) { $script:names[$key] = "user$($script:names.Count + 1)" }
    return $script:names[$key]
}

# ---- the registry

# Whole keys. A trailing \* takes the keys below as well.
$keys = @(
    'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server'
    'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations'
    'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\*'
    'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\ClusterSettings'
    'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\RCM\*'
    'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa'
    'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa\FIPSAlgorithmPolicy'
    'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa\MSV1_0'
    'HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders'
    'HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\*'
    'HKLM:\SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002'
    'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName'
    'HKLM:\SYSTEM\CurrentControlSet\Services\TermService'
    'HKLM:\SYSTEM\CurrentControlSet\Services\TermService\Parameters'
    'HKLM:\SYSTEM\CurrentControlSet\Services\SessionEnv'
    'HKLM:\SYSTEM\CurrentControlSet\Services\UmRdpService'
    'HKLM:\SYSTEM\CurrentControlSet\Services\CertPropSvc'
    'HKLM:\SYSTEM\CurrentControlSet\Services\KeyIso'
    'HKLM:\SYSTEM\CurrentControlSet\Services\CryptSvc'
    'HKLM:\SYSTEM\CurrentControlSet\Services\gpsvc'
    'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters'
    'HKLM:\SYSTEM\CurrentControlSet\Services\W32Time\Parameters'
    'HKLM:\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services\*'
    'HKLM:\SOFTWARE\Policies\Microsoft\Windows\CredentialsDelegation\*'
    'HKLM:\SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002'
    'HKLM:\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot'
    'HKLM:\SOFTWARE\Policies\Microsoft\WindowsFirewall\*'
    'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'
    'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System\CredSSP\Parameters'
    'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList'
    'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\TerminalServerGateway\Config\Core'
    'HKLM:\SOFTWARE\Microsoft\RDInfraAgent'
    'HKLM:\SOFTWARE\Microsoft\Terminal Server Client'
    'HKLM:\SOFTWARE\Microsoft\MSLicensing'
    'HKCU:\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services\*'
    'HKCU:\SOFTWARE\Microsoft\Terminal Server Client'
    'HKCU:\SOFTWARE\Microsoft\Terminal Server Client\Servers\*'
)
# Values that hold secrets: that they are there is all that is written down.
$secret = 'token|password|secret|privatekey|hint$'
# Rules of the firewall that a policy brings are many; those of other ports are left out.
$walls = '\\WindowsFirewall\\FirewallRules$'

function Read-Key {
    param([string] $Path)
    $key = Get-Item -LiteralPath $Path
    $written = $key.Name -replace '^HKEY_LOCAL_MACHINE', 'HKLM' -replace '^HKEY_CURRENT_USER', 'HKCU'
    foreach ($name in $key.GetValueNames()) {
        $value = $key.GetValue($name, $null, 'DoNotExpandEnvironmentNames')
        $kind = "$($key.GetValueKind($name))"
        if ($value -is [byte[]]) {
            if ($value.Length -gt 512) { $value = $value[0..511] }
            $value = -join ($value | ForEach-Object { $_.ToString('x2') })
        }
        elseif ($name -match $secret -and $kind -notmatch 'Word') { $value = $null; $kind = 'Secret' }
        elseif ($written -match $walls -and $value -match '\|LPort\d?_?\d*=' -and $value -notmatch "\|LPort\d?_?\d*=($Port\||\d+-)") {
            continue
        }
        elseif ($value -is [string] -and $value.Length -gt 2000) { $value = $value.Substring(0, 2000) }
        [ordered]@{ path = $written; name = $name; type = $kind; value = $value }
    }
}

function Get-Paths {
    foreach ($path in $keys) {
        $root = $path -replace '\\\*$', ''
        if (-not (Test-Path -LiteralPath $root)) { continue }
        $root
        if ($path.EndsWith('\*')) {
            Get-ChildItem -LiteralPath $root -Recurse -ErrorAction SilentlyContinue | Select-Object -First 200 |
                ForEach-Object { "Registry::$($_.Name)" }
        }
    }
}

# ---- certificates

function Get-KeyFile {
    param($Certificate)
    $name = $null
    try {
        $rsa = [System.Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($Certificate)
        if ($null -ne $rsa -and $null -ne $rsa.Key) { $name = $rsa.Key.UniqueName }
        elseif ($null -ne $rsa) { $name = $rsa.CspKeyContainerInfo.UniqueKeyContainerName }
    }
    catch {
        $code = '0x{0:X8}' -f $_.Exception.GetBaseException().HResult
        return [ordered]@{ file = $null; error = "$($_.Exception.Message)"; code = $code }
    }
    if (-not $name) { return [ordered]@{ file = $null; error = $null; code = $null } }
    $leaf = Split-Path -Leaf $name
    foreach ($folder in 'RSA\MachineKeys', 'Keys', 'SystemKeys', 'RSA\S-1-5-18') {
        $file = Join-Path "$env:ProgramData\Microsoft\Crypto" (Join-Path $folder $leaf)
        if (Test-Path -LiteralPath $file) { return [ordered]@{ file = $file; error = $null; code = $null } }
    }
    return [ordered]@{ file = $null; error = 'the key has no file here'; code = $null }
}

function Get-Access {
    param([string] $File)
    # As SIDs: names are in the language of Windows.
    $rules = (Get-Acl -LiteralPath $File).GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])
    foreach ($rule in $rules) {
        [ordered]@{
            who = Hide-Name "$($rule.IdentityReference.Value)"
            rights = "$($rule.FileSystemRights)"
            kind = "$($rule.AccessControlType)"
        }
    }
}

function Read-Certificate {
    param($Certificate, [string] $Store)
    $usages = $null
    $alternative = @()
    foreach ($extension in $Certificate.Extensions) {
        if ($extension.Oid.Value -eq '2.5.29.37') { $usages = @($extension.EnhancedKeyUsages | ForEach-Object { $_.Value }) }
        if ($extension.Oid.Value -eq '2.5.29.17') { $alternative = @($extension.Format($false)) }
    }
    $key = Get-KeyFile $Certificate
    $access = $null
    if ($key.file) {
        try { $access = @(Get-Access $key.file) } catch { $key.error = "$($_.Exception.Message)" }
    }
    [ordered]@{
        store = $Store
        thumbprint = $Certificate.Thumbprint
        subject = $Certificate.Subject
        issuer = $Certificate.Issuer
        not_before = Format-Time $Certificate.NotBefore
        not_after = Format-Time $Certificate.NotAfter
        has_private_key = $Certificate.HasPrivateKey
        key = $Certificate.PublicKey.Oid.FriendlyName
        key_bits = $(try { $Certificate.PublicKey.Key.KeySize } catch { $null })
        signature = $Certificate.SignatureAlgorithm.FriendlyName
        usages = $usages
        names = $alternative
        key_file = $key.file
        key_error = $key.error
        key_code = $key.code
        key_access = $access
    }
}

function Read-Store {
    param([string] $Name)
    $store = New-Object System.Security.Cryptography.X509Certificates.X509Store $Name, 'LocalMachine'
    $store.Open('ReadOnly, OpenExistingOnly')
    try { foreach ($certificate in $store.Certificates) { Read-Certificate $certificate $Name } }
    finally { $store.Close() }
}

# ---- events

$channels = @(
    @{ LogName = 'System'; ProviderName = 'Schannel' }
    @{ LogName = 'System'; ProviderName = 'TermDD' }
    @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-TerminalServices-RemoteConnectionManager' }
    @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-TerminalServices-LocalSessionManager' }
    @{ LogName = 'System'; ProviderName = 'LsaSrv' }
    @{ LogName = 'System'; ProviderName = 'NETLOGON' }
    @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-Time-Service' }
    @{ LogName = 'System'; ProviderName = 'Service Control Manager'; Id = 7000, 7009, 7011, 7022, 7023, 7024, 7031, 7034 }
    @{ LogName = 'System'; ProviderName = 'Tcpip' }
    @{ LogName = 'Security'; Id = 4625, 4825 }
    @{ LogName = 'Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational' }
    @{ LogName = 'Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational' }
    @{ LogName = 'Microsoft-Windows-TerminalServices-RemoteConnectionManager/Admin' }
    @{ LogName = 'Microsoft-Windows-TerminalServices-LocalSessionManager/Operational' }
    @{ LogName = 'Microsoft-Windows-TerminalServices-RDPClient/Operational' }
    @{ LogName = 'Microsoft-Windows-TerminalServices-SessionBroker-Client/Operational' }
    @{ LogName = 'Microsoft-Windows-TerminalServices-Gateway/Operational' }
)

function Read-Event {
    param($Record)
    $data = [ordered]@{}
    $xml = [xml] $Record.ToXml()
    $number = 0
    foreach ($part in 'EventData', 'UserData') {
        # By XPath: PowerShell gives an element without content as an empty text, which has no nodes.
        $node = $xml.DocumentElement.SelectSingleNode("*[local-name()='$part']")
        if ($null -eq $node) { continue }
        foreach ($leaf in $node.SelectNodes('.//*[not(*)]')) {
            $number++
            $name = $leaf.GetAttribute('Name')
            if (-not $name) { $name = $leaf.LocalName }
            if ($name -eq 'Data') { $name = "param$number" }
            $text = "$($leaf.InnerText)"
            if ($text.Length -gt 500) { $text = $text.Substring(0, 500) }
            $personal = $name -match 'user|account|domain|sid$' -and $name -notmatch 'status'
            # 1149 has its user and domain without names; 1029 a hash of the name, which is soon guessed.
            $personal = $personal -or ($Record.Id -eq 1149 -and $number -le 2) -or ($Record.Id -eq 1029)
            if ($personal) { $text = Hide-Name $text }
            $data[$name] = $text
        }
    }
    [ordered]@{
        channel = $Record.LogName
        provider = $Record.ProviderName
        id = $Record.Id
        time = Format-Time $Record.TimeCreated
        record = $Record.RecordId
        level = $Record.Level
        activity = "$($Record.ActivityId)"
        data = $data
    }
}

function Read-Events {
    $since = (Get-Date).AddHours(-$Hours)
    foreach ($channel in $channels) {
        $filter = $channel.Clone()
        $filter.StartTime = $since
        try { $records = @(Get-WinEvent -FilterHashtable $filter -MaxEvents 200) }
        catch {
            # A log that has no such events, or that this system lacks, is not worth a word.
            if ("$($_.FullyQualifiedErrorId)" -notmatch 'NoMatching') {
                [void] $script:failed.Add([ordered]@{ part = "events $($channel.LogName)"; error = "$($_.Exception.Message)" })
            }
            continue
        }
        foreach ($record in $records) { Read-Event $record }
    }
}

# ---- firewall

$profiles = [ordered]@{ domain = 1; private = 2; public = 4 }

function Read-Firewall {
    param([int[]] $Ports)
    $policy = New-Object -ComObject HNetCfg.FwPolicy2
    $rules = foreach ($rule in $policy.Rules) {
        if ($rule.Direction -ne 1 -or $rule.Protocol -notin 6, 17, 256) { continue }
        $open = "$($rule.LocalPorts)"
        $meant = $open -eq '' -or $open -eq '*' -or "$($rule.Grouping)" -match 'RemoteDesktop|@FirewallAPI.dll,-28752'
        foreach ($each in $open.Split(',')) {
            $ends = $each.Trim().Split('-')
            if ($ends[0] -match '^\d+$' -and $ends[-1] -match '^\d+$') {
                foreach ($wanted in $Ports) {
                    if ([int] $ends[0] -le $wanted -and $wanted -le [int] $ends[-1]) { $meant = $true }
                }
            }
        }
        if (-not $meant -or ($open -in '', '*' -and -not $rule.Enabled)) { continue }
        # A rule for another program's ports says nothing about this one.
        $program = "$($rule.ApplicationName)"
        if ($program -ne '' -and $program -notmatch 'svchost\.exe$|^System$') { continue }
        [ordered]@{
            name = $rule.Name
            group = "$($rule.Grouping)"
            enabled = $rule.Enabled
            action = $(if ($rule.Action -eq 1) { 'allow' } else { 'block' })
            protocol = @{ 6 = 'tcp'; 17 = 'udp'; 256 = 'any' }[[int] $rule.Protocol]
            ports = $open
            remote = "$($rule.RemoteAddresses)"
            profiles = @($profiles.Keys | Where-Object { $rule.Profiles -band $profiles[$_] })
            program = $program
            service = "$($rule.ServiceName)"
        }
    }
    [ordered]@{
        active = @($profiles.Keys | Where-Object { $policy.CurrentProfileTypes -band $profiles[$_] })
        profiles = @(foreach ($name in $profiles.Keys) {
                [ordered]@{
                    name = $name
                    enabled = $policy.FirewallEnabled($profiles[$name])
                    blocks_all = $policy.BlockAllInboundTraffic($profiles[$name])
                    default = $(if ($policy.DefaultInboundAction($profiles[$name]) -eq 1) { 'allow' } else { 'block' })
                }
            })
        rules = @($rules)
    }
}

# ---- all of it

$terminal = 'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server'
if ($Port -le 0) {
    $Port = 3389
    try { $Port = [int] (Get-ItemProperty -LiteralPath "$terminal\WinStations\RDP-Tcp").PortNumber } catch { $Port = 3389 }
}

Read-Part 'collected' { Format-Time (Get-Date) }
Read-Part 'masked' { [bool] $Mask }
Read-Part 'role' { if ($Client) { 'client' } else { 'server' } }
Read-Part 'port' { $Port }
Read-Part 'elevated' {
    $who = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
    $who.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}
Read-Part 'system' {
    $os = Get-CimInstance Win32_OperatingSystem
    $machine = Get-CimInstance Win32_ComputerSystem
    $version = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    [ordered]@{
        computer = $machine.Name
        domain = $machine.Domain
        in_domain = $machine.PartOfDomain
        model = "$($machine.Manufacturer) $($machine.Model)"
        caption = $os.Caption
        version = $os.Version
        revision = $version.UBR
        edition = $version.EditionID
        kind = @{ 1 = 'workstation'; 2 = 'domain controller'; 3 = 'server' }[[int] $os.ProductType]
        started = Format-Time $os.LastBootUpTime
        free_memory_kb = $os.FreePhysicalMemory
        powershell = "$($PSVersionTable.PSVersion)"
    }
}
Read-Part 'registry' {
    @(foreach ($path in (Get-Paths | Select-Object -Unique)) {
            # Some keys are shut even to administrators, such as that of the grace period.
            try { Read-Key $path }
            catch { [void] $script:failed.Add([ordered]@{ part = "registry $path"; error = "$($_.Exception.Message)" }) }
        })
}
Read-Part 'services' {
    $wanted = 'TermService', 'SessionEnv', 'UmRdpService', 'CertPropSvc', 'KeyIso', 'CryptSvc', 'MpsSvc', 'BFE',
    'W32Time', 'Netlogon', 'gpsvc', 'TSGateway', 'Tssdis', 'TermServLicensing', 'RDAgentBootLoader', 'Audiosrv'
    $filter = ($wanted | ForEach-Object { "Name='$_'" }) -join ' OR '
    @(foreach ($service in (Get-CimInstance Win32_Service -Filter $filter)) {
            [ordered]@{
                name = $service.Name
                state = $service.State
                start = $service.StartMode
                pid = $service.ProcessId
                account = Hide-Name $service.StartName
                path = $service.PathName
                exit_code = $service.ExitCode
            }
        })
}
Read-Part 'listeners' {
    $rows = @(Get-CimInstance -Namespace root/StandardCimv2 -ClassName MSFT_NetTCPConnection -Filter "State=2")
    $rows += @(Get-CimInstance -Namespace root/StandardCimv2 -ClassName MSFT_NetUDPEndpoint)
    @(foreach ($row in ($rows | Where-Object { $_.LocalPort -in $Port, 3389, 3391, 443 })) {
            [ordered]@{
                protocol = $(if ($row.CimClass.CimClassName -match 'UDP') { 'udp' } else { 'tcp' })
                address = $row.LocalAddress
                port = $row.LocalPort
                pid = $row.OwningProcess
                process = $(try { (Get-Process -Id $row.OwningProcess).ProcessName } catch { $null })
            }
        })
}
Read-Part 'sessions' {
    @(foreach ($text in (& "$programs\qwinsta.exe")) {
            if ($Mask -and $text -match '^(.{18})(.{0,23})(.*)$') { "$($Matches[1])$(' ' * $Matches[2].Length)$($Matches[3])" }
            else { $text }
        })
}
Read-Part 'certificates' {
    @(foreach ($store in 'Remote Desktop', 'My') {
            try { Read-Store $store }
            catch { [void] $script:failed.Add([ordered]@{ part = "certificates $store"; error = "$($_.Exception.Message)" }) }
        })
}
Read-Part 'machine_keys' {
    $folder = "$env:ProgramData\Microsoft\Crypto\RSA\MachineKeys"
    @(foreach ($file in @($folder) + @(Get-ChildItem -LiteralPath $folder -Filter 'f686aace6942fb7f7ceb231212eef4a4_*' -Force |
                    ForEach-Object { $_.FullName })) {
            [ordered]@{ file = $file; access = @(Get-Access $file) }
        })
}
Read-Part 'firewall' { Read-Firewall @($Port, 3389) }
Read-Part 'network' {
    $mtu = @{}
    foreach ($row in (Get-CimInstance -Namespace root/StandardCimv2 -ClassName MSFT_NetIPInterface)) {
        $mtu["$($row.InterfaceIndex)-$($row.AddressFamily)"] = $row.NlMtu
    }
    @(foreach ($adapter in (Get-CimInstance Win32_NetworkAdapterConfiguration -Filter 'IPEnabled=TRUE')) {
            [ordered]@{
                name = $adapter.Description
                addresses = @($adapter.IPAddress)
                gateways = @($adapter.DefaultIPGateway)
                dns = @($adapter.DNSServerSearchOrder)
                suffix = $adapter.DNSDomain
                mtu = $mtu["$($adapter.InterfaceIndex)-2"]
                mtu_v6 = $mtu["$($adapter.InterfaceIndex)-23"]
                vpn = [bool] ($adapter.Description -match 'VPN|TAP|Tunnel|WireGuard|AnyConnect|Fortinet|PANGP|WAN Miniport|PPP')
            }
        })
}
Read-Part 'time' {
    $zone = [System.TimeZoneInfo]::Local
    $text = $(try { @(& "$programs\w32tm.exe" /query /status 2>$null) } catch { @() })
    [ordered]@{ zone = $zone.Id; offset_minutes = $zone.GetUtcOffset((Get-Date)).TotalMinutes; status = @($text) }
}
Read-Part 'licensing' {
    $settings = Get-CimInstance -Namespace root/cimv2/TerminalServices -ClassName Win32_TerminalServiceSetting
    $general = Get-CimInstance -Namespace root/cimv2/TerminalServices -ClassName Win32_TSGeneralSetting -Filter "TerminalName='RDP-Tcp'"
    # Methods that only read. A machine without the role has no answer to them.
    $grace = $(try { (Invoke-CimMethod -InputObject $settings -MethodName GetGracePeriodDays).DaysLeft } catch { $null })
    $servers = $(try { @((Invoke-CimMethod -InputObject $settings -MethodName GetSpecifiedLicenseServerList).SpecifiedLSList | Where-Object { $_ }).Count } catch { $null })
    [ordered]@{
        mode = $settings.LicensingType
        mode_name = "$($settings.LicensingName)"
        policy_mode = $settings.PolicySourceLicensingType
        grace_days = $grace
        servers = $servers
        allow_connections = $settings.AllowTSConnections
        single_session = $settings.SingleSession
        terminal_mode = $settings.TerminalServerMode
        certificate = "$($general.SSLCertificateSHA1Hash)"
        certificate_kind = $general.SSLCertificateSHA1HashType
        security_layer = $general.SecurityLayer
        security_layer_by = $general.PolicySourceSecurityLayer
        encryption_level = $general.MinEncryptionLevel
        nla = $general.UserAuthenticationRequired
        nla_by = $general.PolicySourceUserAuthenticationRequired
    }
}
Read-Part 'disks' {
    @(foreach ($disk in (Get-CimInstance Win32_LogicalDisk -Filter 'DriveType=3')) {
            [ordered]@{ drive = $disk.DeviceID; free_mb = [long] ($disk.FreeSpace / 1048576); size_mb = [long] ($disk.Size / 1048576) }
        })
}
if (-not $Brief) {
    Read-Part 'updates' {
        @(foreach ($update in (Get-CimInstance Win32_QuickFixEngineering)) {
                [ordered]@{ id = $update.HotFixID; installed = "$($update.InstalledOn)"; what = $update.Description }
            })
    }
    Read-Part 'events' { @(Read-Events) }
}
$script:bundle['errors'] = @($script:failed)

if ($Brief) {
    # What decides most, and little of that: such doors pass some thousand characters.
    $kept = 'fDenyTSConnections|TSEnabled|TSUserEnabled|TSServerDrainMode|SelfSignedCertStore|fEnableWinStation|' +
    'fLogonDisabled|PortNumber|SecurityLayer|UserAuthentication|MinEncryptionLevel|fAllowSecProtocolNegotiation|' +
    'SSLCertificateSHA1Hash|MaxInstanceCount|LicensingMode|LicenseServers|AllowEncryptionOracle|DisableRestrictedAdmin|' +
    'LmCompatibilityLevel|RestrictReceivingNTLMTraffic|RestrictSendingNTLMTraffic|Enabled|DisabledByDefault|ServiceDll'
    $script:bundle['registry'] = @($script:bundle['registry'] | Where-Object {
            $_.name -match "^($kept)$" -and $_.path -notmatch 'SCHANNEL\\(Ciphers|Hashes|KeyExchange)|\\(Sessions|rdp-sxs)'
        })
    foreach ($service in $script:bundle['services']) {
        foreach ($part in 'path', 'account', 'exit_code') { $service.Remove($part) }
    }
    foreach ($certificate in $script:bundle['certificates']) {
        foreach ($part in 'issuer', 'names', 'key_file', 'key_error') { $certificate.Remove($part) }
    }
    foreach ($part in 'machine_keys', 'disks', 'sessions') { $script:bundle.Remove($part) }
}
$json = ConvertTo-Json -InputObject $script:bundle -Depth 8 -Compress
if ($Brief) {
    $memory = New-Object System.IO.MemoryStream
    $zip = New-Object System.IO.Compression.GZipStream $memory, ([System.IO.Compression.CompressionMode]::Compress)
    $bytes = [System.Text.Encoding]::UTF8.GetBytes($json)
    $zip.Write($bytes, 0, $bytes.Length)
    $zip.Dispose()
    $json = 'RDPDOCTOR1:' + [Convert]::ToBase64String($memory.ToArray())
}
if ($OutFile) {
    $full = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($OutFile)
    [System.IO.File]::WriteAllText($full, $json, (New-Object System.Text.UTF8Encoding $false))
}
else { $json }
