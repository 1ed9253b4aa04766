import { ChatClient, type ChatClientOptions, type Host } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import type { Peer, ScriptedServer } from "./scripted_server.ts";

export const alice = { user: "alice", password: "correct horse" };
/** Nothing in tests waits for a backoff longer than it must. */
export const PROMPT = { backoffMinMs: 1, backoffMaxMs: 5, failoverJitterMs: 1 };

export function clientOf(
  hosts: readonly Host[],
  options: Partial<ChatClientOptions> = {},
): ChatClient {
  return new ChatClient({ hosts, outside: denoOutside, timeouts: PROMPT, ...options });
}

/** A client that is signed in to `server`, and knows `others` too. */
export async function signedInTo(
  server: ScriptedServer,
  others: readonly Host[] = [],
  options: Partial<ChatClientOptions> = {},
): Promise<{ client: ChatClient; peer: Peer }> {
  const client = clientOf([server.host, ...others], options);
  const [peer] = await Promise.all([server.acceptSignIn(), client.signIn(alice)]);
  return { client, peer };
}
