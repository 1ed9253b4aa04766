import { printable, printableJson } from "../../codec/printable.ts";
import { renamedText } from "../text/wording.ts";
import type { Call, Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { writeMessages } from "./message_output.ts";
import { SIGN_IN_OPTIONS } from "./option_table.ts";
import { whileSignedIn } from "./signed_in.ts";

export const tail: Command = {
  name: "tail",
  summary: "Shows messages as they come, for ever; with --json all events, each with its cursor.",
  description: [
    "If its server dies it follows to another, however long that takes, and is told what it missed: " +
    "nothing is missed, and nothing comes twice.",
    "With --json there are also events of messages that were read or deleted, and of people who come " +
    "and go. Each has a cursor: with --since, a later chat tail goes on from there.",
  ],
  examples: [
    { command: "chat tail", explains: "Shows messages until Ctrl+C." },
    {
      command: "chat tail --user ops --json >> events.jsonl",
      explains: "Keeps all that happens to ops, an object a line.",
    },
  ],
  seeAlso: ["chat inbox", "chat history", "docs/PROTOCOL.md"],
  options: [...SIGN_IN_OPTIONS, "create", "json", "since"],
  run,
};

async function run(call: Call): Promise<ExitCode> {
  const { options, shell } = call;
  const since = options.text("since");
  return await whileSignedIn(call, async (client) => {
    const events = await client.subscribe(since === undefined ? {} : { since });
    const { user, node } = client.session;
    shell.note(`chat: following as ${printable(user)} on ${printable(node)}`);
    for await (const { kind, payload } of events) {
      if (options.has("json")) await shell.write(`${printableJson({ kind, ...payload })}\n`);
      else if (kind === "message") await writeMessages(call, [payload]);
      else if (kind === "renamed") shell.note(`chat: ${renamedText(payload)}`);
    }
    return EXIT.done;
  }, { giveUpMs: Infinity });
}
