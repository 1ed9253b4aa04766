import type { Operands } from "../../command_line/option.ts";
import { UsageError } from "../../command_line/usage_error.ts";
import { printable } from "../../codec/printable.ts";
import { counted, dateAndTime } from "../../client/text/wording.ts";
import { StorageError } from "../journal/files.ts";
import {
  DATA_OPTIONS,
  EXIT_DONE,
  type OperatorCall,
  type OperatorCommand,
  type OperatorOptions,
} from "./command.ts";
import { askNode, type ControlAnswers, type ControlRequest } from "./control.ts";

const NAME: Operands = { usage: "NAME", min: 1, max: 1 };
const TOKEN_OPTIONS = ["node", "data", "hours", "help"] as const;
const HOUR_MS = 3_600_000;
/** Somebody new reads their mail some day. */
const ADD_HOURS = 7 * 24;
/** Whoever forgot a password waits for the token. */
const RESET_HOURS = 24;
const HOURS_MAX = 366 * 24;

const EXITS = [
  ["1", "No node runs on that directory, or it could not be done: that is said."],
] as const;
const SEE_ALSO = ["chat account list", "docs/OPERATIONS.md"];
const ONLINE =
  "The node has to be running. The change is made on all nodes of its cluster, on those " +
  "that cannot be reached once they can.";

export const accountAddCommand: OperatorCommand = {
  description: [
    "Prints a one-time token, on standard output alone. Its owner signs in with it as the password, " +
    "with chat client, and chooses a password. Dashes, spaces and capitals make no difference. " +
    "Until then nobody can sign in without it.",
    ONLINE,
  ],
  examples: [
    { command: "chat account add carol --node node1", explains: "carol has a week to sign in." },
    {
      command: "chat account add dora --hours 2 --node node1 > token.txt",
      explains: "dora has two hours, and the token is in a file.",
    },
  ],
  exits: EXITS,
  seeAlso: ["chat account reset", ...SEE_ALSO],
  operands: NAME,
  options: TOKEN_OPTIONS,
  optionHelp: { hours: `for how many hours the token is good (default ${ADD_HOURS})` },
  run: (call) => giveToken(call, "account_add", ADD_HOURS),
};

export const accountResetCommand: OperatorCommand = {
  description: [
    "The password, all sessions and what they were remembered by end at once, on every node. Prints " +
    "a one-time token, on standard output alone: its owner signs in with it as the password, with " +
    "chat client, and chooses a new one.",
    ONLINE,
  ],
  examples: [
    { command: "chat account reset carol --node node1", explains: "carol has a day to sign in." },
    {
      command: "chat account reset carol --hours 1 --data data/node2",
      explains: "She has an hour; asks the node that has this directory.",
    },
  ],
  exits: EXITS,
  seeAlso: ["chat account add", ...SEE_ALSO],
  operands: NAME,
  options: TOKEN_OPTIONS,
  optionHelp: { hours: `for how many hours the token is good (default ${RESET_HOURS})` },
  run: (call) => giveToken(call, "account_reset", RESET_HOURS),
};

export const accountDisableCommand: OperatorCommand = {
  description: [
    "Nobody can sign in to a disabled account, and its sessions end at once, on every node. Its name " +
    "stays taken, its messages stay, and others may still write to it.",
    ONLINE,
  ],
  examples: [
    { command: "chat account disable carol --node node1", explains: "Shuts carol out." },
    {
      command: "chat account disable dora --data data/node2",
      explains: "Shuts dora out; asks the node that has this directory.",
    },
  ],
  exits: EXITS,
  seeAlso: ["chat account enable", ...SEE_ALSO],
  operands: NAME,
  options: DATA_OPTIONS,
  run: (call) => change(call, "account_disable", ["disabled", "disabled already"]),
};

export const accountEnableCommand: OperatorCommand = {
  description: [
    "Its owner signs in with the password that they had. Sessions that were ended stay so: each " +
    "device has to sign in anew.",
    ONLINE,
  ],
  examples: [
    { command: "chat account enable carol --node node1", explains: "Lets carol in again." },
    {
      command: "chat account enable dora --data data/node2",
      explains: "Lets dora in; asks the node that has this directory.",
    },
  ],
  exits: EXITS,
  seeAlso: ["chat account disable", ...SEE_ALSO],
  operands: NAME,
  options: DATA_OPTIONS,
  run: (call) => change(call, "account_enable", ["enabled", "not disabled"]),
};

/** Asks the node that runs on the directory. Rejects with StorageError, also if none does. */
export async function ask<K extends ControlRequest["command"]>(
  { directory }: OperatorOptions,
  request: ControlRequest<K>,
): Promise<ControlAnswers[K]> {
  const answer = await askNode(directory, request);
  if (answer !== undefined) return answer;
  throw new StorageError(`no node runs on ${directory}: start it with chat serve`);
}

async function giveToken(
  { operands: [name = ""], options, output }: OperatorCall,
  command: "account_add" | "account_reset",
  hoursDefault: number,
): Promise<number> {
  const lifetimeMs = hoursOf(options, hoursDefault) * HOUR_MS;
  const given = await ask(options, { command, name, lifetimeMs });
  await output.write(`${given.token}\n`);
  const until = dateAndTime(given.expiresMs);
  output.note(
    `chat: until ${until}, ${
      printable(given.name)
    } may sign in with this token in the place of a ` +
      `password, once, and chooses one then (stored on ${counted(given.copies, "node")})`,
  );
  return EXIT_DONE;
}

async function change(
  { operands: [name = ""], options, output }: OperatorCall,
  command: "account_disable" | "account_enable",
  [done, already]: readonly [string, string],
): Promise<number> {
  const changed = await ask(options, { command, name });
  const state = changed.isNew ? done : already;
  output.note(
    `chat: ${printable(changed.name)} is ${state} (stored on ${counted(changed.copies, "node")})`,
  );
  return EXIT_DONE;
}

function hoursOf(options: OperatorOptions, hoursDefault: number): number {
  const text = options.text("hours");
  if (text === undefined) return hoursDefault;
  const hours = Number(text);
  if (/^\d+$/.test(text) && hours >= 1 && hours <= HOURS_MAX) return hours;
  throw new UsageError(`--hours is a whole number from 1 to ${HOURS_MAX}`);
}
