import { CONTENT_BYTES_MAX, type Sent } from "../connection.ts";
import { printable, printableJson } from "../text/printable.ts";
import { counted } from "../text/wording.ts";
import type { Call, Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit_code.ts";
import { SIGN_IN_OPTIONS } from "./option_table.ts";
import { withoutLineEnd } from "./settings.ts";
import { whileSignedIn } from "./signed_in.ts";

/** After so many ms each, it is asked again on how many nodes a message is. */
const ASK_AGAIN_MS = [50, 150, 500];

export const send: Command = {
  name: "send",
  operands: { usage: "TO [TEXT…]", min: 1, max: Infinity },
  summary: "Sends a message; without TEXT, what standard input holds.",
  options: [...SIGN_IN_OPTIONS, "create", "json", "key", "min-copies"],
  run,
};

async function run(call: Call): Promise<ExitCode> {
  const { options, shell } = call;
  const [to = "", ...words] = options.operands;
  const copiesMin = options.count("min-copies") ?? 1;
  const content = words.length > 0 ? words.join(" ") : await contentFromStdin(call);
  let sentKey: string | undefined;
  try {
    return await whileSignedIn(call, async (client) => {
      const key = sentKey = options.text("key") ?? client.newKey();
      const sent = await sendToSome(call, copiesMin, () => client.send(to, content, { key }));
      const stored = `stored on ${counted(sent.copies, "node")}`;
      await shell.write(
        options.has("json")
          ? `${printableJson(sent)}\n`
          : `sent ${printable(sent.id)} (${stored})\n`,
      );
      if (sent.copies >= copiesMin) return EXIT.done;
      shell.note(`chat: too few copies: ${stored}, --min-copies is ${copiesMin}`);
      return EXIT.tooFewCopies;
    });
  } catch (error) {
    if (sentKey !== undefined && exitCodeOf(error) === EXIT.unreachable) {
      const again = `to send it again, give --key ${printable(sentKey)}: it stays one message`;
      shell.note(`chat: the message may have been stored; ${again}`);
    }
    throw error;
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

async function contentFromStdin({ shell }: Call): Promise<string> {
  if (shell.stdinIsTerminal) throw new UsageError("no text: give it, or pipe it to standard input");
  // A line end beyond the limit is not content.
  return withoutLineEnd(await shell.readStdin(CONTENT_BYTES_MAX + 2));
}
