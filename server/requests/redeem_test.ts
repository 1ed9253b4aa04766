import { assert, assertEquals } from "@std/assert";
import { formatCredential } from "../auth/credential.ts";
import { ChatState } from "../core/state.ts";
import { apply } from "../core/apply.ts";
import { HASH } from "../testing/export_fixture.ts";
import type { RequestContext } from "./context.ts";
import { decide } from "./table.ts";

const NOW_MS = 1_795_000_000_000;
const ONE_TIME = { state: "one_time", hash: HASH, expiresMs: NOW_MS + 1 } as const;
const EXPIRED = { ...ONE_TIME, expiresMs: NOW_MS } as const;
const PASSWORD = { state: "password", hash: HASH } as const;
const STORED = {
  active: formatCredential(PASSWORD),
  token: formatCredential(ONE_TIME),
  expired: formatCredential(EXPIRED),
  disabled: formatCredential({ state: "disabled", held: PASSWORD }),
  disabledToken: formatCredential({ state: "disabled", held: ONE_TIME }),
  disabledExpired: formatCredential({ state: "disabled", held: EXPIRED }),
  ofANewerVersion: "argon2$x",
};

/** A node with an account in every state, which tells what it was made to compare. */
function makeNode(isRight: boolean) {
  const state = new ChatState();
  const compared: (string | undefined)[] = [];
  const charged: string[] = [];
  let hashed = 0;
  for (const [index, [name, password]] of Object.entries(STORED).entries()) {
    const [account, seq] = [`${index}`.padStart(12, "a"), index + 1];
    const at = { timeMs: seq, tick: 0, origin: "node1.e1", seq };
    apply(state, { kind: "account_created", account, name, generation: 1, password, ...at });
  }
  const passwords: RequestContext["passwords"] = {
    hash() {
      hashed++;
      return Promise.resolve(HASH);
    },
    matches(_password, stored) {
      compared.push(stored);
      return Promise.resolve(isRight && stored !== undefined);
    },
  };
  const attempts: RequestContext["attempts"] = {
    begin(name) {
      charged.push(name);
      const refund = () => void charged.pop();
      return Promise.resolve({ waitMs: 0, succeeded: refund, abandoned: refund });
    },
    nowFamiliar() {},
  };
  const context = {
    ...{ state, passwords, attempts },
    session: { address: "a", claimed: undefined, isOneTooMany: () => false, signIn() {} },
    registration: { mode: "closed", check: () => "none" },
    node: "node1",
    nowMs: () => NOW_MS,
    stampMs: () => NOW_MS,
    submit: () => {},
  } as unknown as RequestContext;
  return { context, compared, charged, hashedCount: () => hashed };
}

async function outcomesOf(node: ReturnType<typeof makeNode>, name: string) {
  const { context } = node;
  const [password, token] = ["battery staple", "7k3m-x9qd-0afh-1w2v-tnc8"];
  await decide(context, { kind: "login_name", payload: name }, undefined);
  const signIn = await decide(context, { kind: "login_password", payload: token }, undefined);
  const payload = { user: name, token, password };
  const redeem = await decide(context, { kind: "redeem", payload }, undefined);
  return [signIn, redeem].map((outcome) => {
    const reply = "kind" in outcome ? outcome : outcome.withCopies(1);
    return reply.kind === "error" ? reply.payload.code : reply.kind;
  });
}

Deno.test("LOGIN_PASSWORD and REDEEM of a wrong secret take one hash and say the same in every state", async () => {
  for (const name of Object.keys(STORED)) {
    const node = makeNode(false);
    assertEquals(await outcomesOf(node, name), ["login_failed", "login_failed"], name);
    assertEquals(node.compared.length, 2, name);
    assertEquals(node.charged, [name, name]);
    // All of one cost: none is compared with what no hash was made of.
    const expected = name === "ofANewerVersion" ? "argon2$x" : HASH;
    assertEquals(node.compared, [expected, expected], name);
  }
  const node = makeNode(false);
  const payload = { user: "nobody", token: "7k3m-x9qd", password: "battery staple" };
  const redeem = await decide(node.context, { kind: "redeem", payload }, undefined);
  assert("kind" in redeem);
  assertEquals([redeem.kind, node.compared], ["login_failed", [undefined]]);
});

Deno.test("LOGIN_PASSWORD and REDEEM of a right secret say what its account's state is, after one hash", async () => {
  const expected: Record<keyof typeof STORED, [string, string, number]> = {
    active: ["login_success", "login_failed", 1],
    token: ["choose_password", "login_success", 0],
    expired: ["login_failed", "login_failed", 2],
    disabled: ["account_disabled", "account_disabled", 0],
    disabledToken: ["account_disabled", "account_disabled", 0],
    disabledExpired: ["login_failed", "login_failed", 2],
    ofANewerVersion: ["login_success", "login_failed", 1],
  };
  for (const [name, [signIn, redeem, charged]] of Object.entries(expected)) {
    const node = makeNode(true);
    // The fake takes any text for a hash, which the real one does not.
    assertEquals(await outcomesOf(node, name), [signIn, redeem], name);
    assertEquals([node.compared.length, node.charged.length], [2, charged], name);
  }
});

Deno.test("LOGIN_PASSWORD and REDEEM of nobody's name where nobody may sign up make no account, and no hash", async () => {
  const node = makeNode(true);
  const password = "battery staple";
  await decide(node.context, { kind: "login_name", payload: "nobody" }, undefined);
  const payload = { user: "nobody", token: "invite.x", password };
  for (
    const request of [
      { kind: "login_password", payload: password },
      { kind: "login_password", payload: "short" },
      { kind: "redeem", payload },
    ] as const
  ) {
    const outcome = await decide(node.context, request, undefined);
    assert("kind" in outcome && outcome.kind === "error");
    assertEquals(outcome.payload.code, "registration_closed");
  }
  assertEquals([node.hashedCount(), node.compared, node.charged], [0, [], []]);
});
