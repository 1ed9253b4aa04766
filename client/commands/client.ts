import { ChatClient, type ConnectionState } from "../connection.ts";
import { LineClient } from "../lines/line_client.ts";
import type { EndOfLines } from "../lines/line_screen.ts";
import { PipedScreen, ReadlineScreen } from "../lines/readline_screen.ts";
import { type Known, signInDialog } from "../lines/sign_in_dialog.ts";
import { completeSlash } from "../lines/slash_commands.ts";
import type { Call, Command } from "./command.ts";
import { EXIT } from "./exit_code.ts";
import { paintFor } from "./message_output.ts";
import { SIGN_IN_OPTIONS } from "./option_table.ts";
import { hostsOf, noPassword, noUser, passwordOf, userOf } from "./settings.ts";
import { SIGNAL_EXIT_CODES, type TerminationSignal } from "./shell.ts";
import { GIVE_UP_MS } from "./signed_in.ts";

export const client: Command = {
  name: "client",
  summary: "Talks with people: interactive on a terminal, else by lines of standard input.",
  options: [...SIGN_IN_OPTIONS, "create", "bell"],
  run,
};

const ENDS: Record<TerminationSignal, EndOfLines> = {
  SIGINT: "interrupt",
  SIGTERM: "termination",
  SIGHUP: "hangup",
};

const EXIT_CODES: Record<EndOfLines, number> = {
  end: EXIT.done,
  interrupt: SIGNAL_EXIT_CODES.SIGINT,
  termination: SIGNAL_EXIT_CODES.SIGTERM,
  hangup: SIGNAL_EXIT_CODES.SIGHUP,
};

async function run(call: Call): Promise<number> {
  const { options, shell, outside } = call;
  const isInteractive = shell.stdinIsTerminal && shell.stdoutIsTerminal;
  const rings = options.word("bell", "on", "off") !== "off";
  const paint = paintFor(call);
  const hosts = await hostsOf(options, shell);
  const known: Known = {
    user: await userOf(options, shell),
    password: await passwordOf(options, shell),
    mayCreate: options.has("create"),
  };
  if (!isInteractive) requireKnown(known);

  const screen = isInteractive
    ? new ReadlineScreen(completeSlash)
    : new PipedScreen((text) => shell.write(text));
  const stopListening = shell.onTermination((signal) => screen.end(ENDS[signal]));
  let lines: LineClient | undefined;
  const onState = (state: ConnectionState) => lines?.onState(state);
  const timeouts = { giveUpMs: isInteractive ? Infinity : GIVE_UP_MS };
  await using chat = new ChatClient({ hosts, outside, timeouts, onState });
  try {
    if (!await signInDialog(chat, screen, known)) return EXIT.interrupted;
    lines = new LineClient({ client: chat, screen, paint, clock: outside.clock, rings });
    return EXIT_CODES[await lines.run()];
  } finally {
    stopListening();
    await screen.close();
  }
}

/** A script is not asked. */
function requireKnown(known: Known): void {
  if (known.user === undefined) throw noUser();
  if (known.password === undefined) throw noPassword();
}
