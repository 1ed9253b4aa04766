import { ChatClient, type ConnectionState, type Host } from "../connection.ts";
import type { Dialog, EndOfInput } from "../dialog/dialog.ts";
import { type Known, signInDialog } from "../dialog/sign_in_dialog.ts";
import { LineClient } from "../lines/line_client.ts";
import { PipedScreen, ReadlineScreen } from "../lines/readline_screen.ts";
import { completeSlash } from "../lines/slash_commands.ts";
import type { Notifying } from "../screen/notifier.ts";
import type { Call, Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_code.ts";
import { FileInputLog } from "./input_log.ts";
import { paintFor } from "./message_output.ts";
import { SIGN_IN_OPTIONS } from "./option_table.ts";
import { rememberedPassword, rememberSignIn } from "./remembered.ts";
import { hostsOf, inviteOf, noPassword, noUser, passwordOf, userOf } from "./settings.ts";
import { SIGNAL_EXIT_CODES, type TerminationSignal } from "./shell.ts";
import { GIVE_UP_MS } from "./signed_in.ts";

export const client: Command = {
  name: "client",
  summary: "Talks with people: interactive on a terminal, else by lines of standard input.",
  description: [
    "Signs in, asking for what it does not know, and shows messages as they come. A name that " +
    "nobody has is asked about before it becomes an account. /help lists what can be done; " +
    "whatever is no command is sent to the open conversation. Who types an operator's one-time token as " +
    "the password chooses a password with it.",
    "On a terminal it takes the whole of it: conversations at the left, messages, a line about the " +
    "nodes, and your input. --plain, or a terminal that is dumb, makes it a client of lines.",
    "On a terminal it remembers the servers, if an option said them, and the user for the next " +
    "time, and for the other commands. With --remember it keeps the password, too.",
    "Without a terminal it takes lines from standard input, answers on standard output, asks " +
    "nothing and remembers nothing.",
  ],
  examples: [
    {
      command: "chat client --config servers.json --user alice",
      explains: "Signs in as alice on any of these servers, and follows to another if one dies.",
    },
    {
      command: "printf '%s\\n' '/msg bob' 'see you at eight' | chat client --user alice",
      explains: "Lines from a script: opens a conversation, and sends a message.",
    },
  ],
  exits: [["130", "Interrupted by Ctrl+C."]],
  seeAlso: ["chat send", "chat tail", "chat status"],
  options: [
    ...SIGN_IN_OPTIONS,
    ...["create", "remember", "plain", "bell", "notify", "notify-command"] as const,
  ],
  run: (call) => runClient(call),
};

const ENDS: Record<TerminationSignal, EndOfInput> = {
  SIGINT: "interrupt",
  SIGTERM: "termination",
  SIGHUP: "hangup",
};

const EXIT_CODES: Record<EndOfInput, number> = {
  end: EXIT.done,
  interrupt: SIGNAL_EXIT_CODES.SIGINT,
  termination: SIGNAL_EXIT_CODES.SIGTERM,
  hangup: SIGNAL_EXIT_CODES.SIGHUP,
};

/** Who talks with whom, by which servers. */
interface Parts {
  readonly call: Call;
  readonly hosts: readonly Host[];
  readonly known: Known;
}

/** `intro`: what a person is told who has the whole terminal, at first. */
export async function runClient(call: Call, intro: readonly string[] = []): Promise<number> {
  const { options, shell } = call;
  const isInteractive = shell.stdinIsTerminal && shell.stdoutIsTerminal;
  const hosts = await hostsOf(options, shell);
  const user = await userOf(options, shell);
  const password = await passwordOf(options, shell);
  const known: Known = {
    user,
    password,
    remembered: password === undefined ? await rememberedPassword(shell, hosts, user) : undefined,
    mayCreate: options.has("create"),
    invitation: (await inviteOf(options, shell))?.invitation,
  };
  if (!isInteractive) requireKnown(known);
  if (!isInteractive && options.has("remember")) {
    throw new UsageError(
      "--remember is for a terminal: set CHAT_PASSWORD, or give --password-file",
    );
  }
  const isPlain = options.has("plain") || shell.env("TERM") === "dumb";
  return isInteractive && !isPlain
    ? await onWholeTerminal({ call, hosts, known }, intro)
    : await inLines({ call, hosts, known }, isInteractive);
}

async function inLines(parts: Parts, isInteractive: boolean): Promise<number> {
  const { shell, outside } = parts.call;
  const { rings } = notifyingOf(parts.call);
  const paint = paintFor(parts.call);
  const screen = isInteractive
    ? new ReadlineScreen(completeSlash)
    : new PipedScreen((text) => shell.write(text));
  const stopListening = shell.onTermination((signal) => screen.end(ENDS[signal]));
  let lines: LineClient | undefined;
  const onState = (state: ConnectionState) => lines?.onState(state);
  const timeouts = { giveUpMs: isInteractive ? Infinity : GIVE_UP_MS };
  await using chat = new ChatClient({ hosts: parts.hosts, outside, timeouts, onState });
  try {
    if (!await signIn(parts, chat, screen)) return EXIT.interrupted;
    lines = new LineClient({ client: chat, screen, paint, clock: outside.clock, rings });
    return EXIT_CODES[await lines.run()];
  } finally {
    stopListening();
    await screen.close();
  }
}

async function onWholeTerminal(parts: Parts, intro: readonly string[]): Promise<number> {
  const { shell, outside } = parts.call;
  const notifying = notifyingOf(parts.call);
  const { ScreenClient } = await import("../screen/screen_client.ts");
  const { InkTerminal } = await import("../screen/ink_terminal.tsx");
  const screen = new ScreenClient({
    terminal: new InkTerminal(outside.clock, paintFor(parts.call).hasColors),
    clock: outside.clock,
    wallMs: shell.wallMs,
    notifying,
    inputs: new FileInputLog(shell),
    intro,
  });
  const stopListening = shell.onTermination((signal) => screen.end(ENDS[signal]));
  const giveBack = shell.lendTerminal(() => screen.close());
  const onState = (state: ConnectionState) => screen.onState(state);
  const timeouts = { giveUpMs: Infinity };
  await using chat = new ChatClient({ hosts: parts.hosts, outside, timeouts, onState });
  try {
    const hasLeft = screen.left.then(() => false);
    const isSignedIn = await Promise.race([signIn(parts, chat, screen), hasLeft]);
    return EXIT_CODES[await (isSignedIn ? screen.run(chat) : screen.left)];
  } finally {
    stopListening();
    screen.close();
    giveBack();
    for (const line of screen.lastWords) shell.note(`chat: ${line}`);
  }
}

/** Signs in, and remembers who it was for a person. False if the person leaves instead. */
async function signIn(
  { call, hosts, known }: Parts,
  chat: ChatClient,
  dialog: Dialog,
): Promise<boolean> {
  const password = await signInDialog(chat, dialog, known);
  if (password === undefined) return false;
  if (dialog.isInteractive) {
    const shell = { ...call.shell, note: (line: string) => dialog.print(line) };
    await rememberSignIn({ ...call, shell }, { hosts, user: chat.session.user, password });
  }
  return true;
}

function notifyingOf({ options, shell }: Call): Notifying {
  const notify = options.word("notify");
  const command = options.text("notify-command");
  return {
    rings: options.word("bell") !== "off",
    sequence: notify === "off" ? undefined : notify,
    run: command === undefined
      ? undefined
      : (from, text) => shell.runCommand(command, { CHAT_FROM: from, CHAT_TEXT: text }),
  };
}

/** A script is not asked. */
function requireKnown(known: Known): void {
  if (known.user === undefined) throw noUser();
  if (known.password === undefined && known.remembered === undefined) throw noPassword();
}
