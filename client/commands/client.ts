import { ChatClient } from "../connection.ts";
import { LineClient } from "../lines/line_client.ts";
import type { EndOfLines, LineScreen } from "../lines/line_screen.ts";
import { PipedScreen, ReadlineScreen } from "../lines/readline_screen.ts";
import { type Known, signInDialog } from "../lines/sign_in_dialog.ts";
import { completeSlash } from "../lines/slash_commands.ts";
import type { ConnectionState } from "../options.ts";
import { SIGNAL_EXIT_CODES, type TerminationSignal } from "../shell.ts";
import type { Call, Command } from "./command.ts";
import { EXIT } from "./exit_code.ts";
import { paintFor } from "./message_output.ts";
import { SIGN_IN_OPTIONS } from "./option_table.ts";
import { hostsOf, passwordOf, userOf } from "./settings.ts";
import { UsageError } from "./usage.ts";

export const client: Command = {
  name: "client",
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
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

/** How long a script waits for a server that it lost. */
const GIVE_UP_MS = 30_000;

async function run(call: Call): Promise<number> {
  const { options, shell, outside } = call;
  const rings = options.word("bell", "on", "off") !== "off";
  const paint = paintFor(call);
  const hosts = await hostsOf(options, shell);
  const known: Known = {
    user: await userOf(options, shell),
    password: await passwordOf(options, shell),
    mayCreate: options.has("create"),
  };
  requireKnown(call, known);

  const screen = screenFor(call);
  const stopListening = shell.onTermination((signal) => screen.end(ENDS[signal]));
  let lines: LineClient | undefined;
  const onState = (state: ConnectionState) => lines?.onState(state);
  const timeouts = { giveUpMs: screen.isInteractive ? Infinity : GIVE_UP_MS };
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
function requireKnown({ shell }: Call, known: Known): void {
  if (shell.stdinIsTerminal && shell.stdoutIsTerminal) return;
  if (known.user === undefined) throw new UsageError("who? Give --user NAME, or set CHAT_USER");
  if (known.password === undefined) {
    throw new UsageError("no password: set CHAT_PASSWORD, or give --password-file FILE");
  }
}

function screenFor({ shell }: Call): LineScreen {
  if (shell.stdinIsTerminal && shell.stdoutIsTerminal) return new ReadlineScreen(completeSlash);
  return new PipedScreen((text) => shell.write(text));
}
