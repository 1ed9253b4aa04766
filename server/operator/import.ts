import { decodeUtf8 } from "../../codec/utf8.ts";
import { CodecError } from "../../codec/error.ts";
import { type NodeConfig, ServerConfig } from "../config.ts";
import type { VersionVector } from "../core/version_vector.ts";
import { RecordError } from "../journal/fields.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { StorageError } from "../journal/files.ts";
import { NODE_FILE, readNodeFile } from "../journal/node_file.ts";
import { denoOutside } from "../deno_outside.ts";
import { type OpenNode, openNode } from "../open_node.ts";
import {
  DATA_OPTIONS,
  EXIT_DONE,
  EXIT_FIXABLE,
  type OperatorCommand,
  type OperatorOptions,
  type Output,
} from "./command.ts";
import { readInput } from "./deno_input.ts";
import {
  EXPORT_LINE_BYTES_MAX,
  type ExportEnd,
  type ExportLine,
  type ExportStart,
  readExportLine,
} from "./export_line.ts";
import { Importer, type Outcome } from "./importer.ts";
import { type InputLine, LineCutter } from "./input_lines.ts";

export const importCommand: OperatorCommand = {
  operands: { usage: "FILE", min: 1, max: 1, path: "file" },
  description: [
    "FILE is what chat export wrote, or - for standard input. The node has to be stopped; the " +
    "others get what is new from it when it is started again.",
    "Accounts and messages keep their ids: what is here already is passed over, so it may be " +
    "repeated, and done on several nodes. What was deleted here stays deleted.",
  ],
  examples: [
    {
      command: "chat import everything.jsonl --data data/imported",
      explains: "Into a new directory, for chat serve --data data/imported.",
    },
    {
      command: "cat everything.jsonl | chat import - --data data/imported",
      explains: "From standard input. What is there already is passed over.",
    },
  ],
  exits: [["1", "Some lines could not be taken, and are told by number; the others were."]],
  seeAlso: ["chat export", "chat restore", "docs/OPERATIONS.md"],
  options: DATA_OPTIONS,
  async run({ operands: [path = "-"], options, output }) {
    const input = cut(readInput(path));
    try {
      // What is no export must not so much as make a directory.
      const first = await input.next();
      const { vector } = startOf(first.done ? undefined : first.value, path);
      const node = await openNode({
        config: ServerConfig.solo(),
        node: await nodeOf(options),
        dataDirectory: options.directory,
        log: (line) => output.note(`chat: ${line}`),
      }, denoOutside);
      try {
        return await importLines(input, vector, node, output);
      } finally {
        await node.directory.close();
      }
    } finally {
      await input.return(undefined);
    }
  },
};

/** The node that the data is of: a mistyped name must not make it another's. */
async function nodeOf(options: OperatorOptions): Promise<NodeConfig> {
  const { directory } = options;
  const names = await denoFiles.list(directory) ?? [];
  const found = names.includes(NODE_FILE) ? await readNodeFile(denoFiles, directory) : undefined;
  if (found === "broken" && !options.has("node")) {
    throw new StorageError(`Cannot tell whose data ${directory} is: say it with --node`);
  }
  const known = typeof found === "object" ? found.node : undefined;
  if (known !== undefined && options.has("node") && known !== options.node) {
    throw new StorageError(`Cannot import into ${directory} as ${options.node}: it is of ${known}`);
  }
  const solo = ServerConfig.solo().getCurrentNode("solo");
  return { ...solo, name: known ?? options.node };
}

async function* cut(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<InputLine> {
  const cutter = new LineCutter(EXPORT_LINE_BYTES_MAX);
  for await (const chunk of chunks) yield* cutter.add(chunk);
  yield* cutter.end();
}

function startOf(line: InputLine | undefined, path: string): ExportStart {
  const read = line === undefined ? { refusal: "it is empty" } : readLine(line);
  if ("kind" in read && read.kind === "start") return read;
  const why = "refusal" in read ? read.refusal : "it does not begin with a line such as " + START;
  throw new StorageError(`Cannot import ${path}: line 1: ${why}`);
}

const START = '{"export":1,"node":…,"time":…}';

function readLine({ bytes }: InputLine): ExportLine | { readonly refusal: string } {
  if (bytes === undefined) return { refusal: `it has more than ${EXPORT_LINE_BYTES_MAX} bytes` };
  try {
    return readExportLine(decodeUtf8(bytes, 0, bytes.length));
  } catch (error) {
    if (error instanceof CodecError) return { refusal: "not UTF-8" };
    if (error instanceof RecordError) return { refusal: error.message };
    throw error;
  }
}

class ImportCounts {
  new = 0;
  known = 0;
  deleted = 0;
  refused = 0;

  get all(): number {
    return this.new + this.known + this.deleted + this.refused;
  }

  add(outcome: Outcome): void {
    if (typeof outcome === "string") this[outcome]++;
    else this.refused++;
  }

  toString(): string {
    const deleted = this.deleted === 0 ? "" : `, ${this.deleted} deleted here before`;
    return `${this.new} new, ${this.known} known${deleted}, ${this.refused} refused`;
  }
}

async function importLines(
  lines: AsyncIterable<InputLine>,
  exported: VersionVector | undefined,
  { state, clock, directory, origin }: OpenNode,
  output: Output,
): Promise<number> {
  // Nobody else can be asked whether they know more of the last epoch than this node does.
  if (directory.report.epoch === "kept") origin.disown("operations are imported");
  const importer = new Importer({
    exported,
    state,
    origin: () => origin.take(),
    now: () => clock.next(denoOutside.wallMs()),
    async write(operations) {
      await origin.record();
      await directory.journal.writeBatch(operations);
    },
    note: (line) => output.note(`chat: ${line}`),
  });
  const [accounts, messages] = [new ImportCounts(), new ImportCounts()];
  let strange = 0;
  let end: ExportEnd | undefined;
  for await (const line of lines) {
    if (line.bytes?.length === 0) continue;
    const read = readLine(line);
    const refuse = (why: string) => output.note(`chat: line ${line.number}: ${why}`);
    if ("refusal" in read || read.kind === "start" || end !== undefined) {
      strange++;
      refuse("refusal" in read ? read.refusal : "it does not belong here");
    } else if (read.kind === "end") {
      end = read;
    } else {
      const isAccount = read.kind === "account";
      const outcome = isAccount ? importer.takeAccount(read) : importer.takeMessage(read);
      (isAccount ? accounts : messages).add(outcome);
      if (typeof outcome === "object") refuse(outcome.refusal);
    }
    if (importer.isFull) await importer.flush();
  }
  await importer.flush();
  const { read, passwords } = importer.changed;
  await output.write(`accounts: ${accounts}\nmessages: ${messages}\n`);
  if (read > 0) output.note(`chat: ${read} of the messages that were here are read now`);
  if (passwords > 0) output.note(`chat: ${passwords} of the accounts have a newer password now`);
  if (strange > 0) output.note(`chat: ${strange} other lines were refused`);
  const fault = faultOfEnd(end, accounts.all + messages.all + strange);
  if (fault !== undefined) output.note(`chat: the file may not be complete: ${fault}`);
  const isWhole = fault === undefined && accounts.refused + messages.refused + strange === 0;
  return isWhole ? EXIT_DONE : EXIT_FIXABLE;
}

function faultOfEnd(end: ExportEnd | undefined, found: number): string | undefined {
  if (end === undefined) return "its last line is missing";
  const said = end.accounts + end.messages;
  return said === found ? undefined : `its last line tells of ${said} lines, ${found} were found`;
}
