import { VersionVector } from "../core/version_vector.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { type Files, StorageError } from "../journal/files.ts";
import { isUnfinishedRestore } from "../journal/layout.ts";
import { NODE_FILE } from "../journal/node_file.ts";
import { openData, type OpenedData } from "../journal/opened_data.ts";
import { Tally } from "../journal/tally.ts";
import { describeFault, type Verification, verifyData } from "../journal/verify.ts";
import {
  DATA_OPTIONS,
  EXIT_DONE,
  EXIT_FIXABLE,
  type OperatorCommand,
  type OperatorOptions,
  type Output,
} from "./command.ts";
import { readConfiguration } from "./configuration.ts";
import { readIdentity } from "./identity_files.ts";
import type { RepairReport } from "./repair.ts";
import { askPosition, type ControlAnswers } from "./control.ts";

type NodePosition = ControlAnswers["position"];

export const logVerifyCommand: OperatorCommand = {
  description: [
    "Reads every line and changes nothing, whether or not the node is running. Whatever is wrong is " +
    "told with its file, line and byte. What is right makes a digest: of a node that runs, it has " +
    "to be what that has in memory.",
    "With --repair, and if anything is wrong, the data is made anew from what is whole and from the " +
    "other nodes, of which at least one has to run. The damaged files are kept beside it.",
  ],
  examples: [
    { command: "chat log verify --node node1", explains: "Checks the data in data/node1." },
    {
      command: "chat log verify --node node2 --repair",
      explains: "Repairs it if it is damaged; the other nodes are those of servers.json.",
    },
  ],
  exits: [["0", "No fault, or all was repaired."], [
    "1",
    "There are faults, or something was lost.",
  ]],
  files: [["servers.json", "The configuration, if --config does not name another, for --repair."]],
  seeAlso: ["chat backup", "chat status", "docs/OPERATIONS.md"],
  options: [...DATA_OPTIONS, "repair", "config", "insecure"],
  async run({ options, output, version }) {
    if (await isSound(options, output)) return EXIT_DONE;
    if (!options.has("repair")) return EXIT_FIXABLE;
    const config = await readConfiguration(options.text("config"), options.has("insecure"));
    const node = config.getCurrentNode(options.node);
    const [{ repair }, log] = [
      await import("./repair.ts"),
      (line: string) => output.note(`chat: ${line}`),
    ];
    const dataDirectory = options.directory;
    const identity = await readIdentity(config, node, Date.now());
    const report = await repair({ config, node, identity, dataDirectory, version, log });
    for (const line of describeRepair(report)) await output.write(`${line}\n`);
    return report.lost.length === 0 ? EXIT_DONE : EXIT_FIXABLE;
  },
};

/** Whether there is no fault. What cannot be read at all is one, if it is to be repaired. */
async function isSound(options: OperatorOptions, output: Output): Promise<boolean> {
  try {
    return await verifyLog(denoFiles, options.directory, output) === 0;
  } catch (error) {
    if (!(error instanceof StorageError && options.has("repair"))) throw error;
    output.note(`chat: ${error.message}`);
    return false;
  }
}

function* describeRepair({ peers, salvaged, lost, keptIn }: RepairReport): Generator<string> {
  const from = peers.length === 0 ? "as it was prepared before" : `from ${peers.join(" and ")}`;
  yield `repaired ${from}, with ${salvaged} operations that only this node had; the damaged files ` +
    `are in ${keptIn}: remove them when you need them no more`;
  for (const { origin, from, to } of lost) {
    yield `lost: operations ${from} to ${to} of ${origin}, which no node that was reached has, but for ` +
      "what stood in lines that are whole";
  }
}

/** Verifies a data directory, says what it found, and resolves to how many faults there were. */
export async function verifyLog(files: Files, directory: string, output: Output): Promise<number> {
  const data = await openData(files, directory, (names) => askPosition(directory, names));
  try {
    const tally = new Tally(crypto.getRandomValues(new Int32Array(1))[0] ?? 0);
    let isWhole = true;
    const found = await verifyData(data, {
      async onFault(fault) {
        isWhole = false;
        await output.write(`${describeFault(fault)}\n`);
      },
      onEntry: ({ entry }) => {
        if (isWhole) tally.add(entry);
      },
    });
    const difference = isWhole && data.position !== undefined
      ? differenceTo(data.position, tally)
      : undefined;
    if (difference !== undefined) await output.write(`${directory}: ${difference}\n`);
    const faults = found.faults + (difference === undefined ? 0 : 1);
    for (const line of remarksOn(data, found)) await output.write(`${line}\n`);
    for (const line of summaryOf(data, found, tally, faults)) await output.write(`${line}\n`);
    return faults;
  } finally {
    data.close();
  }
}

function differenceTo({ digest, vector: text }: NodePosition, tally: Tally): string | undefined {
  const vector = VersionVector.parse(text, Infinity);
  if (vector === undefined) return `the node that runs says what is no vector: ${text}`;
  if (!(vector.includes(tally.vector) && tally.vector.includes(vector))) {
    return `the node that runs knows ${vector}, its files give ${tally.vector}`;
  }
  if (digest === undefined || digest === tally.digest) return undefined;
  return `the node that runs has digest ${digest}, its files give ${tally.digest}`;
}

function* remarksOn(
  { directory, leftovers, nodeFile, names, position }: OpenedData,
  { tail, unbegun }: Verification,
): Generator<string> {
  const isStopped = position === undefined;
  if (tail?.kind === "torn") {
    yield `${tail.path} byte ${tail.at}: an unfinished batch of ${tail.bytes} bytes (${tail.why}): no ` +
      "fault, a crash left it, nobody was told of it, and the next start cuts it";
  }
  if (tail?.kind === "lacks_newline") {
    yield `${tail.path} byte ${
      tail.at + tail.bytes
    }: the last newline is missing: no fault, a crash ` +
      "left it so, and the next start adds it";
  }
  if (unbegun !== undefined) {
    yield `${directory}/${unbegun}: not begun: no fault, a crash left it so`;
  }
  if (isStopped) {
    for (const name of leftovers) {
      yield `${directory}/${name}: left over: the next start removes it`;
    }
    if (nodeFile === undefined) {
      yield `${directory}/${NODE_FILE}: not there: the next start begins a new epoch`;
    }
  }
  for (const name of names.filter((name) => name.startsWith("cut-"))) {
    yield `${directory}/${name}: what an earlier start cut off the journal, kept for you to look at`;
  }
  for (const name of names.filter(isUnfinishedRestore)) {
    yield `${directory}/${name}: of a restore that was not finished`;
  }
}

function* summaryOf(
  { position }: OpenedData<NodePosition>,
  { files, lines, bytes, operations }: Verification,
  tally: Tally,
  faults: number,
): Generator<string> {
  yield `files ${files}, lines ${lines}, bytes ${bytes}, operations ${operations}`;
  if (faults > 0) {
    yield `faults ${faults}: get what is damaged from another node with chat log verify --repair, ` +
      "or restore a backup";
    return;
  }
  const { messages, accounts, deletedTexts, vector, digest } = tally;
  yield `messages ${messages}, accounts ${accounts}, deleted texts still on disk ${deletedTexts}`;
  yield `vector ${vector}`;
  yield position === undefined
    ? `digest ${digest}, that of chat status on every node with this vector`
    : position.digest === undefined
    ? `digest ${digest}; the node wrote all the time, and was not asked for its own`
    : `digest ${digest}, as the node that runs has it`;
  yield "faults 0";
}
