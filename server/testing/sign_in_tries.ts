import type { Request } from "../../codec/message.ts";
import { type Door, WireClient } from "./wire_client.ts";

/**
 * What comes of ways to sign in, each over a connection of its own: `login_success`, `login_failed` or the
 * code of a refusal.
 */

export async function tryPassword(door: Door, name: string, password: string): Promise<string> {
  return await outcomeOf(
    door,
    { kind: "login_name", payload: name },
    { kind: "login_password", payload: password },
  );
}

export async function tryRedeem(
  door: Door,
  user: string,
  token: string,
  password: string,
): Promise<string> {
  return await outcomeOf(door, { kind: "redeem", payload: { user, token, password } });
}

export async function tryResume(door: Door, name: string, token: string): Promise<string> {
  return await outcomeOf(door, { kind: "resume", payload: [name, token] });
}

async function outcomeOf(door: Door, ...requests: readonly Request[]): Promise<string> {
  const client = await WireClient.connect(door);
  await client.send(...requests);
  let outcome = "";
  for (const _request of requests) {
    const reply = await client.reply();
    outcome = reply.kind === "error" ? reply.payload.code : reply.kind;
  }
  client.close();
  return outcome;
}
