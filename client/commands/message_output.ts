import type { ChatMessage } from "../../codec/message.ts";
import { printable, printableJson } from "../../codec/printable.ts";
import { COLORED, type Paint, PLAIN } from "../text/paint.ts";
import { dateAndTime, messageLines } from "../text/wording.ts";
import type { Call } from "./command.ts";
import type { Options } from "./option_table.ts";
import type { Shell } from "./shell.ts";

/** Whether to use colours: as the options say, else on a terminal unless NO_COLOR is set. */
export function paintFor({ options, shell }: { options: Options; shell: Shell }): Paint {
  const when = options.word("color") ?? "auto";
  if (when !== "auto") return when === "always" ? COLORED : PLAIN;
  const isDumb = shell.env("TERM") === "dumb";
  return shell.stdoutIsTerminal && !shell.env("NO_COLOR") && !isDumb ? COLORED : PLAIN;
}

/** Writes messages for a person, or with `--json` one object a line. */
export async function writeMessages(call: Call, messages: Iterable<ChatMessage>): Promise<void> {
  const paint = paintFor(call);
  let text = "";
  for (const message of messages) text += messageText(call, message, paint);
  if (text !== "") await call.shell.write(text);
}

function messageText({ options }: Call, message: ChatMessage, paint: Paint): string {
  if (options.has("json")) return `${printableJson(message)}\n`;
  const head = `${dateAndTime(message.time)}  to ${printable(message.recipient)} `;
  return `${messageLines(message, head, paint).join("\n")}\n`;
}
