import type { Reply, RequestPayload } from "../../codec/message.ts";
import { VersionVector } from "../core/version_vector.ts";
import { type Outcome, refuse, type RequestContext } from "./context.ts";

export function subscribe(
  context: RequestContext,
  { since }: RequestPayload<"subscribe">,
): Outcome {
  const vector = since === undefined ? undefined : VersionVector.parse(since);
  if (since !== undefined && vector === undefined) {
    return refuse("bad_cursor", "`since` is no cursor of this system: leave it out, and list anew");
  }
  const count = context.session.subscribe(vector);
  const cursor = vector?.toString() ?? context.session.cursor();
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
