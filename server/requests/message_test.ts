import { assert, assertEquals } from "@std/assert";
import { timedKey } from "../../codec/timed_key.ts";
import { apply } from "../core/apply.ts";
import type { Fact, Operation } from "../core/operation.ts";
import { ChatState } from "../core/state.ts";
import { sendMessage } from "./message.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW_MS = 1_795_000_000_000;
const ALICE = "alicealice22";

Deno.test("sendMessage() acknowledges no message that its stamp makes too late, after a clock was set back", () => {
  const state = new ChatState();
  let seq = 0;
  // This process has stamped operations 40 days ahead, and goes on from there.
  const stampMs = NOW_MS + 40 * DAY_MS;
  const submit = (fact: Fact): Operation => {
    const operation = { ...fact, timeMs: stampMs, tick: 0, origin: "node1.e1", seq: ++seq };
    apply(state, operation);
    return operation;
  };
  const [name, password] = ["alice", "x"];
  submit({ kind: "account_created", account: ALICE, name, generation: 1, password });
  const account = state.accounts.get(ALICE);
  const newKey = () => timedKey(crypto.randomUUID(), stampMs);
  const context = { state, submit, newKey, stampMs: () => stampMs };
  const send = (key?: string) =>
    sendMessage(context, { to: name, content: "x", ...key !== undefined && { key } }, account);

  const refusal = send(timedKey(crypto.randomUUID(), NOW_MS));
  assert("kind" in refusal && refusal.kind === "error");
  assertEquals([refusal.payload.code, state.messages.presentCount], ["key_too_old", 0]);
  // By the clock that LOGIN_SUCCESS shows, and by its own, it is taken.
  send(timedKey(crypto.randomUUID(), stampMs));
  send();
  assertEquals(state.messages.presentCount, 2);
});
