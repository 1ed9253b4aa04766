import { join } from "node:path";
import { isLoopback, type NodeConfig, type ServerConfig } from "../../config.ts";
import { dateText } from "./authority.ts";
import { CONFIG_FILE, type Invitation, INVITE_FILE, UNIT_FILE } from "./cluster_directory.ts";
import { TLS_FILES } from "./plan.ts";
import { MACHINE } from "./unit.ts";

/** What a node takes while it runs; for everything else it has to be started again. */
const TAKEN_ON_RELOAD: readonly string[] = [TLS_FILES.cert, TLS_FILES.key];

/** A node, and which files of its folder are new. */
export interface ChangedNode {
  readonly node: NodeConfig;
  /** Their names in the folder. */
  readonly files: readonly string[];
}

/** What to do with a new cluster. */
export function stepsOfCluster(directory: string, config: ServerConfig): string[] {
  return [
    ...isOnThisMachine(config)
      ? [
        "All nodes are on this machine. Try them, with a client:",
        `  chat demo ${word(directory)}`,
        "Or start each in a terminal:",
        ...config.nodes.map((node) => `  ${serveHere(directory, node)}`),
      ]
      : [
        "Copy the program, and to each machine its folder:",
        ...config.nodes.flatMap((node) => copyAll(directory, node)),
        ...onMachine(),
        ...remarkOnShared(config),
      ],
    "Users sign in by the invite, and you see how the nodes are:",
    `  chat client --invite ${word(join(directory, INVITE_FILE))}`,
    `  chat status --config ${word(join(directory, CONFIG_FILE))}`,
  ];
}

/** What to do with a node that was added: the others have to know it first. */
export function stepsOfNode(
  directory: string,
  config: ServerConfig,
  added: NodeConfig,
  others: readonly ChangedNode[],
): string[] {
  return [
    ...stepsOfChange(directory, config, others),
    ...isOnThisMachine(config)
      ? [`Then start ${added.name}:`, `  ${serveHere(directory, added)}`]
      : [
        `Then copy the program and the folder of ${added.name}:`,
        ...copyAll(directory, added),
        ...onMachine(),
      ],
  ];
}

/** What to do with nodes that have something new in their folders. */
export function stepsOfChange(
  directory: string,
  config: ServerConfig,
  changed: readonly ChangedNode[],
): string[] {
  const isReload = ({ files }: ChangedNode) =>
    files.every((file) => TAKEN_ON_RELOAD.includes(file));
  const [reloads, restarts] = [changed.filter(isReload), changed.filter((it) => !isReload(it))];
  if (isOnThisMachine(config)) {
    const names = (nodes: readonly ChangedNode[]) => nodes.map(({ node }) => node.name).join(", ");
    return [
      ...reloads.length === 0
        ? []
        : [`Send SIGHUP to ${names(reloads)}: certificates are taken, and connections stay.`],
      ...restarts.length === 0 ? [] : [
        `Start again, one at a time: ${names(restarts)}. Go on when all are equal:`,
        `  chat status --config ${word(join(directory, CONFIG_FILE))}`,
      ],
    ];
  }
  return [
    ...reloads.length === 0 ? [] : [
      "Copy what is new, and let the nodes take it; connections stay:",
      ...reloads.flatMap((one) => [...copyChanged(directory, one), command(one, "reload")]),
    ],
    ...restarts.length === 0 ? [] : [
      "Copy what is new, and restart, one at a time: go on when chat status says that all are equal",
      "(docs/OPERATIONS.md, section 9):",
      ...restarts.flatMap((one) => [
        ...copyChanged(directory, one),
        ...one.files.includes(UNIT_FILE) ? [`  ${ssh(one.node)} '${INSTALL_UNIT}'`] : [],
        command(one, "restart"),
      ]),
    ],
  ];
}

/** What an invite with this in it is good for. */
export function inviteText(invitation: Invitation | undefined): string {
  return invitation === undefined
    ? "for users: where the nodes are, and by what to know them"
    : `for users, who may make accounts with it until ${dateText(invitation.expiresMs)}`;
}

/** A path as a shell takes it. */
export function word(path: string): string {
  return /^[\w./:@%+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

const INSTALL_UNIT = `install -m 644 ${MACHINE.configuration}/${UNIT_FILE} ${MACHINE.unit} && ` +
  "systemctl daemon-reload";

function onMachine(): string[] {
  const { configuration, data, user } = MACHINE;
  return [
    "On each of them, as root:",
    `  useradd --system --home-dir ${data} --shell /usr/sbin/nologin ${user}`,
    `  chown -R ${user}: ${configuration} && chmod 700 ${configuration}`,
    `  ${INSTALL_UNIT}`,
    "  systemctl enable --now chat",
  ];
}

function copyAll(directory: string, node: NodeConfig): string[] {
  const { configuration, executable } = MACHINE;
  return [
    `  ${ssh(node)} mkdir -p ${configuration}`,
    `  scp chat ${scpTo(node)}:${executable}`,
    `  scp ${word(join(directory, node.name))}/* ${scpTo(node)}:${configuration}/`,
  ];
}

function copyChanged(directory: string, { node, files }: ChangedNode): string[] {
  const paths = files.map((file) => word(join(directory, node.name, file)));
  return [`  scp ${paths.join(" ")} ${scpTo(node)}:${MACHINE.configuration}/`];
}

function command({ node }: ChangedNode, verb: "reload" | "restart"): string {
  return `  ${ssh(node)} systemctl ${verb} chat`;
}

function serveHere(directory: string, { name }: NodeConfig): string {
  const folder = join(directory, name);
  const [config, data] = [join(folder, CONFIG_FILE), join(folder, "data")];
  return `chat serve --node ${name} --config ${word(config)} --data ${word(data)}`;
}

function isOnThisMachine({ nodes }: ServerConfig): boolean {
  return nodes.every(({ tcp }) => isLoopback(tcp.host));
}

/** The unit, and where its files are, are for one node a machine. */
function remarkOnShared({ nodes }: ServerConfig): string[] {
  const names = [...Map.groupBy(nodes, ({ tcp }) => tcp.host.toLowerCase()).values()]
    .filter((group) => group.length > 1)
    .map((group) => group.map(({ name }) => name).join(" and "));
  return names.map((some) =>
    `${some} share a machine: each needs a unit and directories of its own, under other names.`
  );
}

function ssh({ tcp }: NodeConfig): string {
  return `ssh root@${tcp.host}`;
}

function scpTo({ tcp }: NodeConfig): string {
  return tcp.host.includes(":") ? `'root@[${tcp.host}]'` : `root@${tcp.host}`;
}
