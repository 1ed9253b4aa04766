import { PasswordHasher } from "../../server/auth/password.ts";
import { DEFAULT_COST } from "../../server/auth/password.ts";
import { messageIdOf } from "../../server/core/message_id.ts";
import { DEFAULT_LIMITS } from "../../server/limits.ts";
import type { Program } from "../../server/testing/server_process.ts";

export interface PastOptions {
  readonly program: Program;
  readonly names: readonly string[];
  readonly password: string;
  readonly messages: number;
  readonly between: readonly [string, string];
  /** Of the node that is to have it. */
  readonly data: string;
  /** Where it is written to before. */
  readonly file: string;
}

const ACCOUNT_CHARACTERS = 12;
const MESSAGE_TEXT = "what has been said long ago and can still be looked for ".repeat(4);

/** Gives a node accounts and messages before it starts, by `chat import`: none of its limits are met. */
export async function importPast(options: PastOptions): Promise<void> {
  const { program, data, file } = options;
  const lines = await exportLines(options);
  await Deno.writeTextFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const args = [...program.args, "import", file, "--data", data, "--node", "node1"];
  const command = new Deno.Command(program.command, { args, stdout: "null", stderr: "piped" });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`Cannot import: ${new TextDecoder().decode(stderr)}`);
}

/** See server/operator/export_line.ts. */
async function exportLines(
  { names, password, messages, between: [sender, recipient] }: PastOptions,
): Promise<unknown[]> {
  const nowMs = Date.now();
  const hash = await new PasswordHasher(DEFAULT_COST, DEFAULT_LIMITS).hash(password, "here");
  const accounts = names.map((name) => ({
    account: accountOf(name),
    ...{ name, created: nowMs, tick: 0, generation: 1, password: hash },
  }));
  return [
    { export: 1, node: "node1", time: nowMs },
    ...accounts,
    ...Array.from({ length: messages }, (_, index) => ({
      id: messageIdOf(accountOf(sender), `past-${index}`),
      ...{ sender, recipient, content: `${index} ${MESSAGE_TEXT}`, status: "read" },
      ...{ time: nowMs + index, tick: 0, recipientAccount: accountOf(recipient) },
    })),
    { end: 1, accounts: accounts.length, messages },
  ];
}

function accountOf(name: string): string {
  return name.padEnd(ACCOUNT_CHARACTERS, "0");
}
