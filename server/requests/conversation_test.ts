import { assert, assertEquals } from "@std/assert";
import { apply } from "../core/apply.ts";
import { messageIdOf } from "../core/message_id.ts";
import type { Fact } from "../core/operation.ts";
import { ChatState } from "../core/state.ts";
import { listConversations } from "./conversation.ts";

const ALICE = "alicealice22";

Deno.test("listConversations() lists 1,000, those with the latest messages, whatever else is asked for", () => {
  const { state, befriend } = newState();
  for (let friend = 0; friend < 1000; friend++) befriend(friend);
  assertEquals(namesOf(state), Array.from({ length: 1000 }, (_, at) => `friend ${999 - at}`));
  befriend(1000);
  const latest = Array.from({ length: 1000 }, (_, at) => `friend ${1000 - at}`);
  assertEquals(namesOf(state), latest);
  assertEquals(namesOf(state, 1001), latest);
  assertEquals(namesOf(state, 3), latest.slice(0, 3));
  assertEquals(namesOf(state, -1), []);
});

Deno.test("listConversations() leaves out whose account is not known yet", () => {
  const { state, befriend, create } = newState();
  befriend(1);
  befriend(2, false);
  assertEquals(namesOf(state), ["friend 1"]);
  create(2);
  assertEquals(namesOf(state), ["friend 2", "friend 1"]);
});

function namesOf(state: ChatState, limit?: number): string[] {
  const payload = limit === undefined ? {} : { limit };
  const account = state.accounts.get(ALICE);
  const outcome = listConversations({ state, isOnline: () => false }, payload, account);
  assert("kind" in outcome && outcome.kind === "conversations");
  return outcome.payload.map(({ name }) => name);
}

function newState() {
  const state = new ChatState();
  let seq = 0;
  // All at one time: what is later is told by the sequence.
  const submit = (fact: Fact) => {
    seq++;
    apply(state, { ...fact, timeMs: 1000, tick: 0, origin: "node1.e1", seq });
  };
  const create = (friend: number) => {
    const [account, name] = [accountOf(friend), `friend ${friend}`];
    submit({ kind: "account_created", account, name, generation: 1, password: "x" });
  };
  const befriend = (friend: number, isCreated = true) => {
    if (isCreated) create(friend);
    const names = { sender: "s", recipient: "r", recipientAccount: accountOf(friend) };
    const id = messageIdOf(ALICE, `${friend}`);
    submit({ kind: "message_sent", id, ...names, content: "hello" });
  };
  return { state, create, befriend };
}

function accountOf(friend: number): string {
  return `friend${String(friend).padStart(6, "0")}`;
}
