import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CodecError, type CodecErrorCode } from "./error.ts";
import { type Frame, FrameDecoder } from "./frame.ts";
import {
  encodeMessage,
  type Event,
  events,
  isEvent,
  PAYLOAD_BYTES_MAX,
  readRequest,
  readServerMessage,
  replies,
  type Reply,
  type Request,
  requests,
  writeEvent,
  writeReply,
  writeRequest,
} from "./message.ts";
import { encodeValue, type Value, ValueWriter } from "./value.ts";

const text = fc.string({ unit: "binary" });
const int = fc.maxSafeInteger();
const ids = fc.array(text, { maxLength: 5 });

const anyRequest: fc.Arbitrary<Request> = fc.oneof(
  message("login_name", text),
  message("login_password", text),
  message("send_message", partial({ to: text, content: text, key: text }, "to", "content")),
  message("read_messages", fc.oneof(text, ids)),
  message(
    "list_messages",
    partial({ with: text, before: text, limit: int, after: text }, "with"),
  ),
  message("list_users", partial({ pattern: text, after: text, limit: int })),
  message("delete_messages", ids),
  message("delete_account", fc.constant(null)),
  message("logout", fc.constant(null)),
  message("change_password", fc.tuple(text, text)),
  message("subscribe", partial({ since: text })),
  message("ping", fc.constant(null)),
  message("status", fc.constant(null)),
  message("resume", fc.tuple(text, text)),
  message(
    "search_messages",
    partial({ text, with: text, before: text, limit: int }, "text"),
  ),
  message("list_conversations", partial({ limit: int })),
  message("redeem", fc.record({ user: text, token: text, password: text })),
);

const chatMessage = {
  id: text,
  sender: text,
  recipient: text,
  content: text,
  time: int,
  status: fc.constantFrom("unread" as const, "read" as const),
};

const peerStatus = partial(
  {
    name: text,
    state: fc.constantFrom("connected" as const, "catching_up" as const, "unreachable" as const),
    why: text,
    version: text,
    behind: int,
    ahead: int,
    skewMs: int,
    roundTripUs: int,
  },
  ...["name", "state", "behind", "ahead"] as const,
);

const anyReply: fc.Arbitrary<Reply> = fc.oneof(
  message(
    "error",
    fc.record({ code: fc.constantFrom("busy", "not_signed_in"), sentence: text }),
  ),
  message("user_existing", fc.constant(null)),
  message("user_not_existing", fc.constant(null)),
  message(
    "login_success",
    partial(
      { user: text, node: text, unread: int, token: text, copies: int },
      ...["user", "node", "unread", "token"] as const,
    ),
  ),
  message("login_failed", fc.constant(null)),
  message("messages", fc.array(fc.record(chatMessage), { maxLength: 3 })),
  message(
    "users",
    fc.array(fc.record({ name: text, unread: int, online: fc.boolean() }), { maxLength: 3 }),
  ),
  message("sent", fc.record({ id: text, time: int, copies: int })),
  message(
    "done",
    partial({ count: int, copies: int, cursor: text, token: text }, "count", "copies"),
  ),
  message("pong", fc.constant(null)),
  message(
    "status",
    fc.record({
      ...{ node: text, version: text, origin: text, uptimeMs: int, connections: int },
      ...{ usersOnline: int, accounts: int, messages: int, journalBytes: int, digest: text },
      vector: fc.array(fc.tuple(text, int), { maxLength: 3 }).map((pairs) => new Map(pairs)),
      copies: int,
      peers: fc.array(peerStatus, { maxLength: 3 }),
      warnings: fc.array(text, { maxLength: 3 }),
    }),
  ),
  message(
    "found",
    partial(
      { messages: fc.array(fc.record(chatMessage), { maxLength: 3 }), next: text },
      "messages",
    ),
  ),
  message(
    "conversations",
    fc.array(fc.record({ name: text, unread: int, online: fc.boolean(), time: int }), {
      maxLength: 3,
    }),
  ),
);

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  message("message", fc.record({ ...chatMessage, cursor: text })),
  message("read", fc.record({ reader: text, ids, cursor: text })),
  message("deleted", fc.record({ ids, cursor: text })),
  message("presence", fc.record({ name: text, online: fc.boolean(), cursor: text })),
  message("renamed", fc.record({ from: text, to: text, cursor: text })),
);

Deno.test("readRequest() gives what writeRequest() was given", () => {
  fc.assert(fc.property(anyRequest, (request) => {
    assertEquals(readRequest(onlyFrame(encodeMessage(writeRequest, request))), request);
  }));
});

Deno.test("readServerMessage() gives what writeReply() and writeEvent() were given", () => {
  fc.assert(fc.property(anyReply, (reply) => {
    const read = readServerMessage(onlyFrame(encodeMessage(writeReply, reply)));
    assertEquals(read, reply);
    assert(read !== undefined && !isEvent(read));
  }));
  fc.assert(fc.property(anyEvent, (event) => {
    const read = readServerMessage(onlyFrame(encodeMessage(writeEvent, event)));
    assertEquals(read, event);
    assert(read !== undefined && isEvent(read));
  }));
});

Deno.test("a stream of messages is the same however it is cut", () => {
  fc.assert(fc.property(fc.array(anyRequest), fc.integer({ min: 1, max: 50 }), (sent, size) => {
    const writer = new ValueWriter(16);
    for (const request of sent) writeRequest(writer, request);
    const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
    const received = [];
    for (let at = 0; at < writer.length; at += size) {
      const chunk = writer.written.subarray(at, at + size);
      for (const frame of decoder.push(chunk)) received.push(readRequest(frame));
    }
    decoder.end();
    assertEquals(received, sent);
  }));
});

Deno.test("readRequest() understands every form of every request", () => {
  const forms: [number, Value | null, Request][] = [
    [1, "al", { kind: "login_name", payload: "al" }],
    [2, "secret12", { kind: "login_password", payload: "secret12" }],
    [3, ["bo", "hi"], { kind: "send_message", payload: { to: "bo", content: "hi" } }],
    [3, dict({ to: "bo", content: "hi" }), {
      kind: "send_message",
      payload: { to: "bo", content: "hi" },
    }],
    [
      3,
      dict({ key: "k", content: "hi", to: "bo" }),
      { kind: "send_message", payload: { to: "bo", content: "hi", key: "k" } },
    ],
    [4, "bo", { kind: "read_messages", payload: "bo" }],
    [4, ["i", "j"], { kind: "read_messages", payload: ["i", "j"] }],
    [4, [], { kind: "read_messages", payload: [] }],
    [5, "bo", { kind: "list_messages", payload: { with: "bo" } }],
    [
      5,
      dict({ with: "bo", before: "i", limit: 3 }),
      { kind: "list_messages", payload: { with: "bo", before: "i", limit: 3 } },
    ],
    [
      5,
      dict({ with: "bo", after: "" }),
      { kind: "list_messages", payload: { with: "bo", after: "" } },
    ],
    [6, null, { kind: "list_users", payload: {} }],
    [6, "al*", { kind: "list_users", payload: { pattern: "al*" } }],
    [6, dict({ after: "al" }), { kind: "list_users", payload: { after: "al" } }],
    [6, dict({}), { kind: "list_users", payload: {} }],
    [7, ["i"], { kind: "delete_messages", payload: ["i"] }],
    [8, null, { kind: "delete_account", payload: null }],
    [9, null, { kind: "logout", payload: null }],
    [10, ["old", "new"], { kind: "change_password", payload: ["old", "new"] }],
    [11, null, { kind: "subscribe", payload: {} }],
    [11, dict({}), { kind: "subscribe", payload: {} }],
    [11, dict({ since: "c" }), { kind: "subscribe", payload: { since: "c" } }],
    [12, null, { kind: "ping", payload: null }],
    [13, null, { kind: "status", payload: null }],
    [14, ["al", "t"], { kind: "resume", payload: ["al", "t"] }],
    [15, dict({ text: "hi" }), { kind: "search_messages", payload: { text: "hi" } }],
    [
      15,
      dict({ text: "hi", with: "bo", before: "i", limit: 3 }),
      { kind: "search_messages", payload: { text: "hi", with: "bo", before: "i", limit: 3 } },
    ],
    [16, null, { kind: "list_conversations", payload: {} }],
    [16, dict({ limit: 3 }), { kind: "list_conversations", payload: { limit: 3 } }],
    [
      17,
      dict({ user: "al", token: "t", password: "p" }),
      { kind: "redeem", payload: { user: "al", token: "t", password: "p" } },
    ],
  ];
  for (const [type, payload, request] of forms) {
    assertEquals(readRequest(frameOf(type, payload)), request);
  }
  const kinds = new Set(forms.map(([, , request]) => request.kind));
  assertEquals([...kinds], Object.keys(requests));
});

Deno.test("readRequest() refuses payloads of another shape", () => {
  const wrong: [number, Value | null, CodecErrorCode][] = [
    [1, null, "bad_payload"],
    [1, 7, "bad_payload"],
    [3, ["bo"], "bad_payload"],
    [3, ["bo", "hi", "k"], "bad_payload"],
    [3, ["bo", 7], "bad_payload"],
    [3, "bo", "bad_payload"],
    [3, dict({ to: "bo" }), "bad_payload"],
    [3, dict({ to: "bo", content: 7 }), "bad_payload"],
    [5, dict({ with: "bo", limit: 2n ** 60n }), "bad_payload"],
    [7, "i", "bad_payload"],
    [7, [["i"]], "bad_payload"],
    [12, "ping", "bad_payload"],
    [15, "hi", "bad_payload"],
    [15, dict({ with: "bo" }), "bad_payload"],
    [16, 3, "bad_payload"],
    [17, ["al", "t", "p"], "bad_payload"],
    [17, dict({ user: "al", token: "t" }), "bad_payload"],
    [12, dict({}), "bad_payload"],
  ];
  for (const [type, payload, code] of wrong) assertRefused(frameOf(type, payload), code);
});

Deno.test("readRequest() refuses types that no request has", () => {
  for (const type of [0, 18, 99, 100, 200, -1, 2 ** 32 + 1, -(2 ** 63), 2 ** 63]) {
    assertRefused(frameOf(type, null), "unknown_type");
  }
});

Deno.test("readRequest() refuses bytes after the payload's object", () => {
  const payload = Uint8Array.from([...encodeValue("al"), 0]);
  assertRefused({ type: 1, payload }, "bad_value");
});

Deno.test("readServerMessage() takes an ERROR without a code, and one with colons", () => {
  const read = (text: string) => readServerMessage(frameOf(100, text))?.payload;
  assertEquals(read("busy: try: later"), { code: "busy", sentence: "try: later" });
  assertEquals(read("no code"), { code: "error", sentence: "no code" });
  assertEquals(read(""), { code: "error", sentence: "" });
});

Deno.test("readServerMessage() passes over events that it does not know, and refuses other types", () => {
  for (const type of [205, 2 ** 32 + 200, 2 ** 63]) {
    assertEquals(readServerMessage(frameOf(type, "news")), undefined);
  }
  for (const type of [-1, 0, 14, 99, 113, 199]) {
    assertRefused(frameOf(type, null), "unknown_type", readServerMessage);
  }
});

Deno.test("numbers are used once, requests below 100, replies 100-199, events from 200", () => {
  const types = (table: Record<string, { type: number }>) =>
    Object.values(table).map((row) => row.type);
  assert(types(requests).every((type) => type > 0 && type < 100));
  assert(types(replies).every((type) => type >= 100 && type < 200));
  assert(types(events).every((type) => type >= 200));
  const all = [requests, replies, events].flatMap((table) => types(table));
  assertEquals(new Set(all).size, all.length);
});

function message<const K extends string, P>(kind: K, payload: fc.Arbitrary<P>) {
  return payload.map((payload) => ({ kind, payload }));
}

/** A record of which only the `required` fields are always there. */
function partial<T extends Record<string, unknown>, K extends keyof T = never>(
  fields: { [F in keyof T]: fc.Arbitrary<T[F]> },
  ...required: K[]
) {
  return fc.record(fields, { requiredKeys: required });
}

function onlyFrame(bytes: Uint8Array): Frame {
  const decoder = new FrameDecoder({ payloadBytesMax: PAYLOAD_BYTES_MAX });
  const [frame, ...others] = decoder.push(bytes);
  decoder.end();
  assertEquals(others, []);
  assert(frame !== undefined);
  return frame;
}

function frameOf(type: number, payload: Value | null): Frame {
  return { type, payload: payload === null ? new Uint8Array() : encodeValue(payload) };
}

function dict(fields: Record<string, Value>): Value {
  return new Map(Object.entries(fields));
}

function assertRefused(
  frame: Frame,
  code: CodecErrorCode,
  read: (frame: Frame) => unknown = readRequest,
): void {
  const error = assertThrows(() => read(frame), CodecError);
  assertEquals(error.code, code, error.message);
}
