import type { Reply, RequestPayload } from "../../codec/message.ts";
import { Cursor } from "../core/cursor.ts";
import { type Outcome, refuse, type RequestContext } from "./context.ts";

export function subscribe(
  context: RequestContext,
  { since }: RequestPayload<"subscribe">,
): Outcome {
  const from = since === undefined ? undefined : Cursor.parse(since);
  if (since !== undefined && from === undefined) {
    return refuse("bad_cursor", "`since` is no cursor of this system: leave it out, and list anew");
  }
  const count = context.session.subscribe(from);
  const cursor = from?.toString() ?? context.session.cursor();
  const withCopies = (copies: number): Reply => ({
    kind: "done",
    payload: { count, copies, cursor },
  });
  return { withCopies, of: "everything", isPrompt: true };
}

export function ping(): Outcome {
  return { kind: "pong", payload: null };
}

export function status(context: RequestContext): Outcome {
  return { kind: "status", payload: context.status() };
}
