import { type Credentials, type Door, WireClient } from "../../server/testing/wire_client.ts";
import { type Quantiles, quantiles } from "./round.ts";

/** Who sends, who is told of it, and over which doors. */
export interface EventTimeOptions {
  readonly from: Door;
  readonly to: Door;
  readonly sender: Credentials;
  readonly recipient: Credentials;
  readonly count: number;
}

const CONTENT_BYTES = 100;

/**
 * How long it takes from sending a message on one node to its event on another. The next is sent
 * when the last was acknowledged and told.
 */
export async function timeEvents(options: EventTimeOptions): Promise<Quantiles> {
  const { from, to, count } = options;
  const sender = await WireClient.resumed(from, options.sender);
  const recipient = await WireClient.resumed(to, options.recipient);
  await recipient.expect("done", { kind: "subscribe", payload: {} });
  const timesMs: number[] = [];
  for (let number = 0; number < count; number++) {
    const content = String(number).padEnd(CONTENT_BYTES, "x");
    const sentMs = performance.now();
    const told = toldOf(recipient, content);
    const payload = { to: options.recipient.name, content };
    await sender.expect("sent", { kind: "send_message", payload });
    timesMs.push(await told - sentMs);
  }
  sender.close();
  recipient.close();
  return quantiles(timesMs);
}

/** When its event came; what else is told meanwhile does not count. */
async function toldOf(client: WireClient, content: string): Promise<number> {
  for (;;) {
    const event = await client.event();
    if (event.kind === "message" && event.payload.content === content) return performance.now();
  }
}
