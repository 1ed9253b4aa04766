import type { Account } from "../core/account_table.ts";
import { apply } from "../core/apply.ts";
import type { Row } from "../core/message_table.ts";
import { compareProvenance } from "../core/operation.ts";
import { ChatState } from "../core/state.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { foldDirectory } from "../journal/fold.ts";
import { findUser } from "../requests/message.ts";
import {
  DATA_OPTIONS,
  EXIT_DONE,
  EXIT_FIXABLE,
  type OperatorCommand,
  type Output,
} from "./command.ts";
import { askPosition } from "./control.ts";
import { type ExportedAccount, type ExportedMessage, exportLine } from "./export_line.ts";

/** So much is written at a time, in UTF-16 units. */
const CHUNK_UNITS = 2 ** 18;

export const exportCommand: OperatorCommand = {
  description: [
    "The node may be running: the export has what was on its disk at that moment. It goes to " +
    "standard output, accounts first, then messages, oldest first; docs/OPERATIONS.md tells what " +
    "each field is.",
    "Keep it as safe as the data itself: an export of all has everybody's messages, and the hashes " +
    "of their passwords, without which nobody could sign in after an import. With --user there are " +
    "no hashes: it is that person's account, and the messages that they sent and received.",
  ],
  examples: [
    { command: "chat export --node node1 > everything.jsonl", explains: "All, for chat import." },
    {
      command: "chat export --node node1 --user alice > alice.jsonl",
      explains: "What concerns alice, and no password.",
    },
  ],
  seeAlso: ["chat import", "chat backup", "docs/OPERATIONS.md"],
  options: [...DATA_OPTIONS, "user"],
  async run({ options, output }) {
    const state = new ChatState(crypto.getRandomValues(new Int32Array(1))[0]);
    const { directory } = options;
    const node = await foldDirectory({
      files: denoFiles,
      directory,
      ask: (names) => askPosition(directory, names),
      apply: (entry) => void apply(state, entry),
    }) ?? options.node;
    const name = options.text("user");
    const user = name === undefined ? undefined : findUser(state, name);
    if (name !== undefined && user === undefined) {
      output.note(`chat: there is no user ${JSON.stringify(name)}`);
      return EXIT_FIXABLE;
    }
    await writeLines(exportLines(state, { node, timeMs: Date.now(), user }), output);
    return EXIT_DONE;
  },
};

export interface ExportOptions {
  readonly node: string;
  readonly timeMs: number;
  /** Only of this person. */
  readonly user?: Account | undefined;
}

/** All that is in a state, or what concerns one person, as lines. */
export function* exportLines(
  state: ChatState,
  { node, timeMs, user }: ExportOptions,
): Generator<string> {
  const only = user === undefined ? undefined : state.accounts.nameOf(user);
  yield exportLine({
    ...{ kind: "start", node, timeMs, vector: state.vector },
    ...(only !== undefined && { user: only }),
  });
  const accounts = user === undefined ? accountsByAge(state) : [user];
  for (const account of accounts) {
    const { password, ...rest } = accountOf(state, account);
    yield exportLine(user === undefined && password !== undefined ? { ...rest, password } : rest);
  }
  const rows = rowsByAge(state, user);
  for (const row of rows) yield exportLine(messageOf(state, row));
  yield exportLine({ kind: "end", accounts: accounts.length, messages: rows.length });
}

function accountsByAge(state: ChatState): Account[] {
  return [...state.accounts.allExisting()].sort((a, b) =>
    a.claim === undefined || b.claim === undefined ? 0 : compareProvenance(a.claim.at, b.claim.at)
  );
}

function accountOf({ accounts }: ChatState, account: Account): ExportedAccount {
  const { id, claim, password } = account;
  if (claim === undefined) throw new Error("Cannot export an account that was not created");
  const { name, generation, at: { timeMs, tick } } = claim;
  const shown = accounts.nameOf(account);
  return {
    kind: "account",
    account: id,
    name,
    ...(shown !== name && { alias: shown }),
    generation,
    created: { timeMs, tick },
    ...(password && {
      password: { hash: password.hash, version: password.version, changed: password.at },
    }),
  };
}

function rowsByAge({ messages }: ChatState, user: Account | undefined): Uint32Array {
  const rows = new Uint32Array(messages.presentCount);
  let count = 0;
  for (let row: Row = 0; row < messages.length; row++) {
    if (!messages.isPresent(row)) continue;
    const isWanted = user === undefined || messages.senderOf(row) === user.number ||
      messages.recipientOf(row) === user.number;
    if (isWanted) rows[count++] = row;
  }
  return rows.subarray(0, count).sort((a, b) => messages.compare(a, b));
}

function messageOf(state: ChatState, row: Row): ExportedMessage {
  const { accounts, messages } = state;
  const [sender, recipient] = [state.sender(row), state.recipient(row)];
  const { timeMs, tick } = messages.provenanceOf(row);
  return {
    kind: "message",
    id: messages.idOf(row),
    senderAccount: sender.id,
    sender: accounts.nameOf(sender),
    recipient: accounts.nameOf(recipient),
    recipientAccount: recipient.id,
    content: messages.contentOf(row),
    isRead: messages.isRead(row),
    sent: { timeMs, tick },
  };
}

async function writeLines(lines: Iterable<string>, output: Output): Promise<void> {
  let chunk = "";
  for (const line of lines) {
    chunk += line;
    if (chunk.length < CHUNK_UNITS) continue;
    await output.write(chunk);
    chunk = "";
  }
  await output.write(chunk);
}
