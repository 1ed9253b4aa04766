/** Where a node is on its machine: the unit, and what is said beside it, go by these. */
export const MACHINE = {
  executable: "/usr/local/bin/chat",
  /** What the node's folder becomes. */
  configuration: "/etc/chat",
  data: "/var/lib/chat",
  cache: "/var/cache/chat",
  unit: "/etc/systemd/system/chat.service",
  user: "chat",
} as const;

/** The systemd unit of a node. */
export function unitText(node: string): string {
  const { executable, configuration, data, user } = MACHINE;
  return `# Made by chat cluster: put it into /etc/systemd/system
[Unit]
Description=chat node ${node}
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=${user}
ExecStart=${executable} serve --node ${node} --config ${configuration}/servers.json --data ${data}
# Takes a renewed certificate; connections stay.
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5
# A faulty configuration does not mend by itself.
RestartPreventExitStatus=2

# ${data}; a name below it would need StateDirectory, too.
StateDirectory=chat
StateDirectoryMode=0700
# Where the program unpacks itself, if it is a self-extracting one: it runs from there.
CacheDirectory=chat
CacheDirectoryMode=0700
Environment=XDG_CACHE_HOME=/var/cache
UMask=0077

# Each connection is an open file.
LimitNOFILE=65536
# A core file would hold passwords and messages.
LimitCORE=0

NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
# Not MemoryDenyWriteExecute: the JavaScript engine compiles while it runs.

[Install]
WantedBy=multi-user.target
`;
}
