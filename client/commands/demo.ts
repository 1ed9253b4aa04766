import { counted } from "../text/wording.ts";
import { runClient } from "./client.ts";
import type { Call, Command } from "./command.ts";
import { DemoSite, type Member, type Nodes } from "./demo_site.ts";
import { ConfigurationError, UsageError } from "./errors.ts";
import { EXIT } from "./exit_code.ts";
import { type OptionName, Options } from "./option_table.ts";
import { rehearse } from "./rehearsal.ts";
import { namedHostsOf } from "./settings.ts";
import { type Shell, SIGNAL_EXIT_CODES } from "./shell.ts";

/** What tells where a person keeps files. */
const HOMES = ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"];
/** For all of the demo without a terminal; on one, until the nodes listen. */
const DEADLINE_MS = 60_000;

/** Nodes on other machines are not for the demo to start. */
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/i;

/** `chat demo`: a cluster with TLS on this machine, and a client, or two that show what survives. */
export function demo(nodes: Nodes): Command {
  return {
    name: "demo",
    summary: "Runs three nodes on this machine: on a terminal for you, else to test them.",
    operands: { usage: "[DIR]", min: 0, max: 1, path: "directory" },
    description: [
      "On a terminal it makes a cluster of three nodes, which talk over TLS, starts them and opens a " +
      "client. Sign in with any name, kill any two of the nodes as it tells you, and go on talking.",
      "Without a terminal two users talk on two nodes, two of the three are killed with SIGKILL " +
      "while they do and started again, and it shows that all three have everything, once.",
      "With DIR, which chat cluster init made for nodes on this machine, it runs those, and needs a " +
      "terminal. Each keeps its data in DIR/NAME/data. Without DIR, the data is gone when you leave. " +
      "What you sign in with there is not remembered.",
    ],
    examples: [
      { command: "chat demo", explains: "Three nodes to try out, and a client." },
      {
        command: "chat demo < /dev/null | tail -n 1",
        explains: "Whether three nodes do what they promise on this machine.",
      },
    ],
    exits: [["0", "Done; without a terminal: nothing was lost."], ["130", "Interrupted."]],
    seeAlso: ["chat cluster init", "chat serve", "chat client"],
    options: ["color", "help"],
    run: (call) => run(call, nodes),
  };
}

async function run(call: Call, nodes: Nodes): Promise<number> {
  const { shell, options } = call;
  const isForYou = shell.stdinIsTerminal && shell.stdoutIsTerminal;
  const [directory] = options.operands;
  if (directory !== undefined && !isForYou) {
    throw new UsageError("demo: with DIR it opens a client, which needs a terminal");
  }
  const stopped = Promise.withResolvers<number>();
  const stopListening = shell.onTermination((signal) => stopped.resolve(SIGNAL_EXIT_CODES[signal]));
  const readMembers = (path: string) => membersOf(path, call);
  const site = directory === undefined
    ? await DemoSite.make(nodes, readMembers)
    : await DemoSite.of(directory.replace(/(?<=.)\/+$/, ""), nodes, readMembers);
  try {
    const show = isForYou ? () => site.start() : tellingRehearsal(call, site);
    const signalled = await Promise.race([inTime(call, show), stopped.promise]);
    if (signalled !== undefined || !isForYou) return signalled ?? EXIT.done;
    // From here on it is the client that a signal ends.
    stopListening();
    return await tryOut(call, site);
  } catch (error) {
    for (const line of site.logLines()) shell.note(line);
    throw error;
  } finally {
    stopListening();
    await site.end();
  }
}

function tellingRehearsal({ shell, outside }: Call, site: DemoSite): () => Promise<void> {
  return async () => {
    await site.start();
    await rehearse({ outside, site, tell: (line) => shell.write(`${line}\n`) });
  };
}

async function inTime({ outside }: Call, show: () => Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = outside.clock.after(DEADLINE_MS, () => {
    late.reject(new Error(`The demo was to take ${DEADLINE_MS / 1000} s at most`));
  });
  try {
    await Promise.race([show(), late.promise]);
  } finally {
    cancel();
  }
}

async function membersOf(path: string, { shell }: Call): Promise<readonly Member[]> {
  const hosts = await namedHostsOf(new Options([], new Map([["config", [path]]])), shell);
  const elsewhere = hosts.find(({ host }) => !LOOPBACK.test(host.host));
  if (elsewhere !== undefined) {
    throw new ConfigurationError(
      `Cannot run the nodes of ${path}: ${
        elsewhere.name ?? "one"
      } is on ${elsewhere.host.host}, and ` +
        "the demo is for nodes on this machine, 127.0.0.1",
    );
  }
  return hosts.flatMap(({ name, host }) => name === undefined ? [] : [{ name, host }]);
}

async function tryOut(call: Call, site: DemoSite): Promise<number> {
  const { shell, options } = call;
  const where = site.isKept
    ? `in ${site.directory}/NAME/data`
    : `in ${site.directory} until you leave`;
  const intro = [
    `${counted(site.members.length, "node")} on this machine, with TLS, their data ${where}:`,
    ...site.describe().map((line) => `  ${line}`),
    "Sign in with any name. Kill all but one of them, elsewhere: this client goes on.",
    `How they are:         chat status --config ${site.configPath}`,
    `To talk to yourself:  chat client --invite ${site.invitePath}`,
  ];
  for (const line of intro) shell.note(line);
  const color = options.all("color");
  const values: [OptionName, readonly string[]][] = [["invite", [site.invitePath]]];
  if (color.length > 0) values.push(["color", color]);
  const own = { ...call, shell: withoutHome(shell), options: new Options([], new Map(values)) };
  return await runClient(own, intro);
}

/** The same, but that nobody lives there: what is done in the demo is neither kept nor taken from it. */
function withoutHome(shell: Shell): Shell {
  return { ...shell, env: (name) => HOMES.includes(name) ? undefined : shell.env(name) };
}
