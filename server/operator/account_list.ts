import { columnsOf, padToColumns } from "../../client/text/columns.ts";
import { printable, printableJson } from "../../codec/printable.ts";
import { dateAndTime } from "../../client/text/wording.ts";
import type { ListedAccount } from "../requests/account_control.ts";
import { ask } from "./account.ts";
import { EXIT_DONE, type OperatorCommand } from "./command.ts";

/** So much is written at a time, in UTF-16 units. */
const CHUNK_UNITS = 2 ** 16;

export const accountListCommand: OperatorCommand = {
  description: [
    "By name: whether the account is active, waits for its owner to sign in with a one-time token, or " +
    "is disabled; whether they are signed in on any node now; how many messages to them are unread; " +
    "and since when there is the account. The node has to be running.",
    "With --json, times are in ms since 1970, and a token's is in expires.",
  ],
  examples: [
    { command: "chat account list --node node1", explains: "Everybody, as a table." },
    {
      command: 'chat account list --node node1 --json | grep \'"state":"active"\'',
      explains: "Those who can sign in, for a script.",
    },
  ],
  exits: [["1", "No node runs on that directory."]],
  seeAlso: ["chat account add", "chat account disable", "docs/OPERATIONS.md"],
  options: ["node", "data", "json", "help"],
  async run({ options, output }) {
    const accounts: ListedAccount[] = [];
    let after: string | undefined;
    do {
      const position = after === undefined ? {} : { after };
      const page = await ask(options, { command: "account_list", ...position });
      accounts.push(...page.accounts);
      after = page.next;
    } while (after !== undefined);
    accounts.sort((a, b) => (a.name < b.name ? -1 : 1));
    const nowMs = Date.now();
    let chunk = "";
    for (const line of options.has("json") ? jsonLines(accounts) : tableOf(accounts, nowMs)) {
      chunk += `${line}\n`;
      if (chunk.length < CHUNK_UNITS) continue;
      await output.write(chunk);
      chunk = "";
    }
    await output.write(chunk);
    return EXIT_DONE;
  },
};

function* jsonLines(accounts: readonly ListedAccount[]): Generator<string> {
  for (const account of accounts) yield printableJson(account);
}

function* tableOf(accounts: readonly ListedAccount[], nowMs: number): Generator<string> {
  const rows = [HEAD, ...accounts.map((account) => rowOf(account, nowMs))];
  const widths = HEAD.map((_, column) =>
    rows.reduce((width, row) => Math.max(width, columnsOf(row[column] ?? "")), 0)
  );
  for (const row of rows) {
    const cells = row.map((cell, column) => padToColumns(cell, widths[column] ?? 0));
    yield cells.join("  ").trimEnd();
  }
}

const HEAD: readonly string[] = ["NAME", "STATE", "ONLINE", "UNREAD", "CREATED"];

function rowOf(account: ListedAccount, nowMs: number): readonly string[] {
  const { name, online, unread, created } = account;
  const state = stateText(account, nowMs);
  return [printable(name), state, online ? "online" : "-", String(unread), dateAndTime(created)];
}

function stateText({ state, expires = 0 }: ListedAccount, nowMs: number): string {
  switch (state) {
    case "active":
    case "disabled":
      return state;
    case "one_time_token":
      return `one-time token ${expires > nowMs ? "until" : "expired"} ${dateAndTime(expires)}`;
    default:
      return state satisfies never;
  }
}
