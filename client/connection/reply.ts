import type { Reply, ReplyKind, ReplyPayload } from "../../codec/message.ts";
import { RefusedError, UnexpectedReplyError } from "./errors.ts";

/** The payload of a reply of this kind. Throws {@linkcode RefusedError} if it is ERROR. */
export function payloadOf<K extends ReplyKind>(reply: Reply, kind: K): ReplyPayload<K> {
  if (isKind(reply, kind)) return reply.payload;
  throw unexpected(reply);
}

/** What a reply that answers nothing is to be thrown as. */
export function unexpected(reply: Reply): Error {
  if (reply.kind === "error") return new RefusedError(reply.payload.code, reply.payload.sentence);
  return new UnexpectedReplyError(`Cannot use the server's answer: it is ${reply.kind}`);
}

function isKind<K extends ReplyKind>(
  reply: Reply,
  kind: K,
): reply is Extract<Reply, { readonly kind: K }> & { readonly payload: ReplyPayload<K> } {
  return reply.kind === kind;
}
