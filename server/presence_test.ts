import { assertEquals } from "@std/assert";
import type { AccountCreated, Provenance } from "./core/operation.ts";
import { ChatState } from "./core/state.ts";
import { FOLLOW_MS, Presence } from "./presence.ts";
import type { SessionRegistry } from "./registry.ts";
import { ManualTimer } from "./testing/manual_timer.ts";

const [ALICE, BOB] = ["alicealiceal", "bobbobbobbob"];

function created(account: string, name: string): AccountCreated & Provenance {
  const at = { timeMs: 1, tick: 0, origin: "n.e", seq: 1 };
  return { kind: "account_created", account, name, generation: 1, password: "x", ...at };
}

/** Alice and Bob, who are signed in here as `here` says. */
function scene() {
  const state = new ChatState();
  const alice = state.accounts.create(created(ALICE, "alice"));
  const bob = state.accounts.create(created(BOB, "bob"));
  const here = new Set<unknown>();
  const registry = {
    isOnline: (account: unknown) => here.has(account),
    accounts: () => here,
  } as unknown as SessionRegistry;
  const timer = new ManualTimer();
  const told: string[] = [];
  const presence = new Presence({
    state,
    registry,
    timer,
    tell: (account, online) => told.push(`${state.accounts.nameOf(account)} ${online}`),
  });
  const nodesTold: string[] = [];
  presence.tellNodes((account, online) => nodesTold.push(`${account} ${online}`));
  return { presence, here, timer, told, nodesTold, alice, bob };
}

const nobody = { fromScratch: false, online: [], offline: [] };

Deno.test("Presence tells when somebody is online on the first node, and offline on the last", () => {
  const { presence, here, told, nodesTold, alice } = scene();
  presence.changed("b", { ...nobody, online: [ALICE] });
  here.add(alice);
  presence.cameHere(alice);
  presence.changed("b", { ...nobody, offline: [ALICE] });
  assertEquals(told, ["alice true"]);
  here.delete(alice);
  presence.leftHere(alice);
  assertEquals(told, ["alice true", "alice false"]);
  assertEquals(nodesTold, [`${ALICE} true`, `${ALICE} false`]);
});

Deno.test("Presence takes a node's word from scratch after a new stream", () => {
  const { presence, told, alice, bob } = scene();
  presence.changed("b", { ...nobody, online: [ALICE] });
  presence.changed("b", { fromScratch: true, online: [BOB], offline: [] });
  assertEquals(told.toSorted(), ["alice false", "alice true", "bob true"]);
  assertEquals([presence.isOnline(alice), presence.isOnline(bob)], [false, true]);
});

Deno.test("Presence lets those of a lost node follow to another before it calls them offline", () => {
  const { presence, timer, told } = scene();
  presence.changed("b", { ...nobody, online: [ALICE, BOB] });
  told.length = 0;
  presence.lost("b");
  presence.changed("c", { ...nobody, online: [ALICE] });
  timer.pass(FOLLOW_MS - 1);
  assertEquals(told, []);
  timer.pass(1);
  assertEquals(told, ["bob false"]);
});

Deno.test("Presence forgets nobody of a node that comes back in time", () => {
  const { presence, timer, told, alice } = scene();
  presence.changed("b", { ...nobody, online: [ALICE] });
  presence.lost("b");
  presence.changed("b", { fromScratch: true, online: [ALICE], offline: [] });
  timer.pass(10 * FOLLOW_MS);
  assertEquals(told, ["alice true"]);
  assertEquals(presence.isOnline(alice), true);
});
