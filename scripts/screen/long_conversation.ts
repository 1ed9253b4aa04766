import { ChatClient, formatHost } from "../../client/connection.ts";
import { denoOutside } from "../../client/deno_outside.ts";
import { ScratchNode } from "../../client/testing/scratch_node.ts";
import { ControlModeTerminal } from "./control_mode.ts";

/** As people have it: what is built differs in memory and speed from its source. */
const CHAT = new URL("../../chat", import.meta.url).pathname;
const PASSWORD = "a long password";
/** Of which nobody waits for the answers one by one. */
const SENT_TOGETHER = 1_000;

/** A client at a terminal that looks at a conversation of so many messages. */
export interface LongConversation extends AsyncDisposable {
  readonly terminal: ControlModeTerminal;
}

/** Starts a node, writes so many messages to alice, and opens her client on a terminal. */
export async function openLongConversation(
  messages: number,
  size: { readonly columns: number; readonly rows: number },
): Promise<LongConversation> {
  const node = await ScratchNode.start();
  try {
    await write(node, messages);
    const password = `${node.scratch}/password`;
    await Deno.writeTextFile(password, PASSWORD, { mode: 0o600 });
    const options = ["--host", formatHost(node.host), "--user", "alice"];
    const cache = `XDG_CACHE_HOME=${Deno.env.get("HOME")}/.cache`;
    const home = [`HOME=${node.scratch}`, "XDG_CONFIG_HOME=", "XDG_STATE_HOME=", cache];
    const command = [
      "env",
      ...home,
      CHAT,
      "client",
      ...options,
      "--password-file",
      password,
    ];
    const terminal = await ControlModeTerminal.start({ command, ...size });
    await terminal.until("alice on ");
    await terminal.press("M-1");
    await terminal.until(`number ${messages - 1} `);
    return {
      terminal,
      async [Symbol.asyncDispose]() {
        await terminal[Symbol.asyncDispose]();
        await node[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw error;
  }
}

async function write(node: ScratchNode, messages: number): Promise<void> {
  const signUp = async (user: string) => {
    const client = new ChatClient({ hosts: [node.host], outside: denoOutside });
    await client.signIn({ user, password: PASSWORD, create: true });
    return client;
  };
  await using _alice = await signUp("alice");
  await using bob = await signUp("bob");
  for (let from = 0; from < messages; from += SENT_TOGETHER) {
    const count = Math.min(SENT_TOGETHER, messages - from);
    await Promise.all(
      Array.from({ length: count }, (_, index) => bob.send("alice", textOf(from + index))),
    );
  }
}

/** About 100 characters, as messages usually have. */
function textOf(number: number): string {
  return `number ${number} of a long conversation, with as many words in it as people use to write, ` +
    "more or less";
}
