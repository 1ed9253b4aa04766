import { printable, printableJson } from "../../codec/printable.ts";
import {
  type ChatClient,
  checkContent,
  checkKey,
  checkName,
  CONTENT_BYTES_MAX,
  type Sent,
} from "../connection.ts";
import { counted } from "../text/wording.ts";
import type { Call, Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit_code.ts";
import { type Options, SIGN_IN_OPTIONS } from "./option_table.ts";
import { withoutLineEnd } from "./settings.ts";
import { whileSignedIn } from "./signed_in.ts";

/** After so many ms each, it is asked again on how many nodes a message is. */
const ASK_AGAIN_MS = [50, 150, 500];
/** So many recipients are sent to at the same time. */
const AT_ONCE_MAX = 100;
/** Of what came of several messages, the code is the first of these. */
const MOST_SERIOUS_FIRST = [EXIT.unreachable, EXIT.refused, EXIT.failed, EXIT.tooFewCopies];

export const send: Command = {
  name: "send",
  operands: { usage: ["TO [TEXT…]", "--to NAME… [TEXT…]"], min: 0, max: Infinity },
  summary: "Sends a message; without TEXT, what standard input holds.",
  description: [
    "To one person, or with --to to each of several: then all words are text. Words are joined by " +
    "single spaces. Nothing is sent unless the text, the names and the keys may be.",
    "Each recipient is tried, whatever becomes of the others; who it could not be sent to is said on " +
    "standard error, and the exit code is the most serious: 3 before 4, 1 and 5.",
    "A message has a key. Sent twice with the same key by the same user, on any servers, it is one " +
    "message. With several recipients each message has a key of its own, KEY/NAME; with one it is " +
    "KEY itself. A key has at most 128 characters.",
    "A server answers when the message is on as many nodes as the cluster's configuration says. With " +
    "--min-copies it is asked again for a moment if those are too few. The message is there all the " +
    "same.",
  ],
  examples: [
    { command: "chat send bob the pump is on", explains: "Sends four words to bob." },
    {
      command: 'df -h / | chat send --user ops --key "disk-$(date +%F)" bob',
      explains: "Sends what df prints, however often it is repeated only once a day.",
    },
    {
      command: "chat send --to bob --to ops --min-copies 2 disk full",
      explains: "To two people; exits with 5 if a message is not on two nodes.",
    },
  ],
  exits: [
    ["1", "Something that you can fix, such as a recipient whom nobody has heard of."],
    ["3", "No server could be reached, or it was lost before it answered."],
    ["5", "All is stored, but on fewer nodes than --min-copies says."],
  ],
  seeAlso: ["chat inbox", "chat history", "chat client"],
  options: [...SIGN_IN_OPTIONS, "to", "create", "json", "key", "min-copies"],
  check(options) {
    if (options.operands.length === 0 && !options.has("to")) {
      throw new UsageError("to whom? Give a name, or several with --to");
    }
    options.count("min-copies");
  },
  run,
};

/** A message to one of the recipients. */
interface Letter {
  readonly to: string;
  /** A new one if there is none. */
  readonly key: string | undefined;
  readonly content: string;
}

async function run(call: Call): Promise<ExitCode> {
  const letters = await writeLetters(call);
  return await whileSignedIn(call, async (client) => {
    const codes: ExitCode[] = [];
    for (let from = 0; from < letters.length; from += AT_ONCE_MAX) {
      const some = letters.slice(from, from + AT_ONCE_MAX);
      const outcomes = await Promise.all(some.map((letter) => post(call, client, letter)));
      for (const outcome of outcomes) codes.push(await tell(call, outcome, letters.length > 1));
    }
    return MOST_SERIOUS_FIRST.find((code) => codes.includes(code)) ?? EXIT.done;
  });
}

/** What is to be sent, once to each. Throws if any of it cannot be. */
async function writeLetters({ options, shell }: Call): Promise<Letter[]> {
  const { names, words } = addressed(options);
  const to = [...new Set(names.map(checkName))];
  const key = options.text("key");
  const keys = to.map((name) => to.length > 1 && key !== undefined ? `${key}/${name}` : key);
  for (const one of keys) if (one !== undefined) checkKey(one);
  const content = checkContent(words.length > 0 ? words.join(" ") : await fromStdin(shell));
  return to.map((name, at) => ({ to: name, key: keys[at], content }));
}

function addressed(options: Options): { names: readonly string[]; words: readonly string[] } {
  const names = options.all("to");
  if (names.length > 0) return { names, words: options.operands };
  const [name = "", ...words] = options.operands;
  return { names: [name], words };
}

type Outcome =
  & Letter
  & { readonly key: string }
  & ({ readonly sent: Sent } | {
    readonly error: Error;
  });

/** What became of a letter; rejects only for bugs. */
async function post(call: Call, client: ChatClient, letter: Letter): Promise<Outcome> {
  const { to, content, key = client.newKey() } = letter;
  const copiesMin = call.options.count("min-copies") ?? 1;
  try {
    const sent = await sendToSome(call, copiesMin, () => client.send(to, content, { key }));
    return { ...letter, key, sent };
  } catch (error) {
    if (!(error instanceof Error) || exitCodeOf(error) === EXIT.bug) throw error;
    return { ...letter, key, error };
  }
}

/**
 * Sends, and asks again while the message is on fewer nodes: a server answers when it is on as many as
 * the cluster's configuration says, which may be fewer, and repeated with its key it is one message.
 */
async function sendToSome(
  { outside }: Call,
  copiesMin: number,
  send: () => Promise<Sent>,
): Promise<Sent> {
  let sent = await send();
  for (const pauseMs of ASK_AGAIN_MS) {
    if (sent.copies >= copiesMin) break;
    await new Promise<void>((resolve) => outside.clock.after(pauseMs, resolve));
    sent = await send();
  }
  return sent;
}

/** Says what became of a letter; gives the exit code that it asks for. */
async function tell(call: Call, outcome: Outcome, isOneOfSeveral: boolean): Promise<ExitCode> {
  const { options, shell } = call;
  const name = printable(outcome.to);
  if ("error" in outcome) {
    const code = exitCodeOf(outcome.error);
    shell.note(`chat: not sent to ${name}: ${printable(outcome.error.message)}`);
    if (code === EXIT.unreachable) shell.note(`chat: ${howToRepeat(options, outcome)}`);
    return code;
  }
  const { id, copies } = outcome.sent;
  const stored = `stored on ${counted(copies, "node")}`;
  const recipient = isOneOfSeveral ? ` to ${name}` : "";
  await shell.write(
    options.has("json")
      ? `${printableJson({ to: outcome.to, ...outcome.sent })}\n`
      : `sent ${printable(id)}${recipient} (${stored})\n`,
  );
  const copiesMin = options.count("min-copies") ?? 1;
  if (copies >= copiesMin) return EXIT.done;
  shell.note(`chat: too few copies${recipient}: ${stored}, --min-copies is ${copiesMin}`);
  return EXIT.tooFewCopies;
}

function howToRepeat(options: Options, { key, to }: Outcome): string {
  const given = options.text("key");
  const repeated = given === undefined
    ? `to ${printable(to)} alone, give --key ${printable(key)}`
    : `to the same people, give --key ${printable(given)}`;
  return `the message may have been stored; to send it again ${repeated}: it stays one message`;
}

async function fromStdin(shell: Call["shell"]): Promise<string> {
  if (shell.stdinIsTerminal) throw new UsageError("no text: give it, or pipe it to standard input");
  // A line end beyond the limit is not content.
  return withoutLineEnd(await shell.readStdin(CONTENT_BYTES_MAX + 2));
}
