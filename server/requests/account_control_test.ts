import { assert, assertEquals } from "@std/assert";
import { apply } from "../core/apply.ts";
import type { Fact, Operation } from "../core/operation.ts";
import { ChatState } from "../core/state.ts";
import { HASH } from "../testing/export_fixture.ts";
import { AccountControl, PAGE_ACCOUNTS_MAX } from "./account_control.ts";

const ACCOUNTS = 100_000;

/** A node's accounts, without the node. */
class Accounts {
  readonly state = new ChatState();
  readonly submitted: Operation[] = [];
  readonly told: string[] = [];
  isServing = true;
  #seq = 0;

  readonly control = new AccountControl({
    state: this.state,
    passwords: { hash: () => Promise.resolve(HASH), matches: () => Promise.resolve(false) },
    isServing: () => this.isServing,
    nowMs: () => 1000,
    newAccountId: () => "newnewnewnew",
    newToken: () => "7k3mx9qd0afh1w2vtnc8",
    newMark: () => "a1b2c3d4",
    submit: (fact) => this.submit(fact),
    tell: (name, did) => void this.told.push(`${name} ${did}`),
    copiesOf: () => Promise.resolve(2),
    isOnline: () => false,
  });

  submit(fact: Fact): Operation {
    const seq = ++this.#seq;
    const operation: Operation = { ...fact, timeMs: seq, tick: 0, origin: "node1.e1", seq };
    apply(this.state, operation);
    this.submitted.push(operation);
    return operation;
  }

  create(number: number): string {
    const account = `${String(number).padStart(6, "0")}aaaaaa`;
    const name = `user${number}`;
    this.submit({ kind: "account_created", account, name, generation: 1, password: HASH });
    return account;
  }

  delete(account: string): void {
    this.submit({ kind: "account_deleted", account });
  }
}

Deno.test("AccountControl.list() gives 100,000 accounts in pages of bounded work, each once", () => {
  const accounts = new Accounts();
  for (let number = 0; number < ACCOUNTS; number++) {
    const account = accounts.create(number);
    if (number % 10 === 0) accounts.delete(account);
  }
  const names = new Set<string>();
  let [listed, pages] = [0, 0];
  let after: string | undefined;
  do {
    const page = accounts.control.list(after);
    assert(!("error" in page));
    assert(page.accounts.length <= PAGE_ACCOUNTS_MAX);
    for (const { name } of page.accounts) names.add(name);
    listed += page.accounts.length;
    pages++;
    // Those that come meanwhile may be seen, and nobody else is missed for it.
    if (pages <= 3) accounts.create(ACCOUNTS + pages);
    after = page.next;
  } while (after !== undefined);
  assertEquals([names.size, listed], [0.9 * ACCOUNTS + 3, 0.9 * ACCOUNTS + 3]);
  assertEquals(pages, ACCOUNTS / PAGE_ACCOUNTS_MAX + 1);
});

Deno.test("AccountControl gives a change a version that outranks what a user or another change makes of it", async () => {
  const accounts = new Accounts();
  accounts.create(1);
  const name = "user1";
  const versions: number[] = [];
  for (const action of ["reset", "disable", "enable", "reset"] as const) {
    const done = await accounts.control[action]({ name, lifetimeMs: 500 });
    assert(!("error" in done));
    assertEquals([done.name, done.isNew, done.copies], [name, true, 2]);
    const operation = accounts.submitted.at(-1);
    assert(operation?.kind === "password_changed");
    versions.push(operation.version);
  }
  assertEquals(versions, [1_000_001, 1_001_000_001, 1_002_000_001, 1_003_000_001]);
  const told = ["user1 reset", "user1 disabled", "user1 enabled", "user1 reset"];
  assertEquals(accounts.told, told);
  const stored = accounts.submitted.flatMap((one) => "password" in one ? [one.password] : []);
  assertEquals(stored, [
    HASH,
    `once$1500$${HASH}`,
    `disabled$once$1500$${HASH}`,
    `once$1500$${HASH}$a1b2c3d4`,
    `once$1500$${HASH}`,
  ]);
});

Deno.test("AccountControl changes nothing before its node has what the others have", async () => {
  const accounts = new Accounts();
  accounts.create(1);
  accounts.isServing = false;
  for (const action of ["add", "reset", "disable", "enable"] as const) {
    const name = action === "add" ? "user2" : "user1";
    const refused = await accounts.control[action]({ name, lifetimeMs: 500 });
    assert("error" in refused);
    assertEquals(refused.error, "the node is still getting what the others have: try again");
  }
  assertEquals([accounts.submitted.length, accounts.told], [1, []]);
});
