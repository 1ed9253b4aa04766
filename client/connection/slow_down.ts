import type { RefusalCode, Reply } from "../../codec/message.ts";

const SLOW_DOWN: RefusalCode = "slow_down";
const WAIT = /try again in (\d+) ms$/;
/** Whatever a server says, no longer than this. */
const WAIT_MS_MAX = 10_000;
/** If it says nothing that is understood. */
const WAIT_MS_UNTOLD = 1_000;
/** So that not all clients that were told at once come at once; of the wait. */
const JITTER = 0.25;

/** How long to wait before a request is sent again that got this reply; undefined if it need not be. */
export function slowDownMs(reply: Reply, random: () => number): number | undefined {
  if (reply.kind !== "error" || reply.payload.code !== SLOW_DOWN) return undefined;
  const told = WAIT.exec(reply.payload.sentence)?.[1];
  const waitMs = told === undefined ? WAIT_MS_UNTOLD : Math.min(Number(told), WAIT_MS_MAX);
  return waitMs * (1 + random() * JITTER);
}
