import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { type Account, AccountTable } from "./account_table.ts";
import type { AccountCreated, Provenance } from "./operation.ts";

const FIRST = "firstaccount";
const SECOND = "secondsecond";
const THIRD = "thirdthird33";

Deno.test("AccountTable.named() finds an account by its name from its creation to its end", () => {
  const table = new AccountTable();
  assertEquals(table.named("ann"), undefined);
  const ann = table.create(claim(FIRST, "ann", 1, 10));
  assertStrictEquals(table.named("ann"), ann);
  table.delete(ann, at(20));
  assertEquals(table.named("ann"), undefined);
});

Deno.test("AccountTable gives a name claimed twice to the earlier stamp, whichever came first", () => {
  for (const claims of bothOrders(claim(FIRST, "ann", 1, 10), claim(SECOND, "ann", 1, 11))) {
    const table = tableOf(claims);
    assertEquals(table.named("ann")?.id, FIRST);
    assertEquals(table.nameOf(table.get(FIRST)), "ann");
    assertEquals(table.nameOf(table.get(SECOND)), "ann~second");
    assertEquals(table.named("ann~second")?.id, SECOND);
  }
});

Deno.test("AccountTable finds three losers of one name by their aliases, and nobody by others", () => {
  const table = tableOf(
    ["a", "b", "c", "d"].map((letter, index) => claim(letter.repeat(12), "ann", 1, 10 + index)),
  );
  for (const letter of ["b", "c", "d"]) {
    assertEquals(table.named(`ann~${letter.repeat(6)}`)?.id, letter.repeat(12));
  }
  for (
    const name of ["ann~aaaaaa", "ann~", "ann~b", "~bbbbbb", "bbbbbb", "bob~bbbbbb", "ann~zzzzzz"]
  ) {
    assertEquals(table.named(name), undefined, name);
  }
});

Deno.test("AccountTable.nameOf() keeps the first 56 characters of a long name in an alias", () => {
  const long = "\u{1f600}".repeat(64);
  const table = tableOf([claim(FIRST, long, 1, 10), claim(SECOND, long, 1, 11)]);
  const alias = table.nameOf(table.get(SECOND));
  assertEquals(alias, `${"\u{1f600}".repeat(56)}~second`);
  assertEquals(table.named(alias)?.id, SECOND);
});

Deno.test("AccountTable never lets a loser rise, whoever of its generation is deleted", () => {
  const table = tableOf([claim(FIRST, "ann", 1, 10), claim(SECOND, "ann", 1, 11)]);
  table.delete(table.get(FIRST), at(20));
  assertEquals(table.named("ann"), undefined);
  assertEquals(table.nameOf(table.get(SECOND)), "ann~second");
  assertEquals(table.nextGeneration("ann"), 2);
});

Deno.test("AccountTable gives a name registered again to the new generation, whatever its stamp", () => {
  const [old, loser] = [claim(FIRST, "ann", 1, 10), claim(SECOND, "ann", 1, 11)];
  // Its node's clock is behind: earlier than the claims of the old generation.
  const renewed = claim(THIRD, "ann", 2, 5);
  for (const claims of [[old, loser, renewed], [renewed, loser, old], [loser, renewed, old]]) {
    const table = tableOf(claims);
    table.delete(table.get(FIRST), at(20));
    assertEquals(table.named("ann")?.id, THIRD);
    assertEquals(table.nextGeneration("ann"), 3);
    assertNotStrictEquals(table.get(THIRD), table.get(FIRST));
  }
});

Deno.test("AccountTable.delete() of an account not created yet keeps it from ever existing", () => {
  const table = new AccountTable();
  table.delete(table.get(FIRST), at(20));
  const account = table.create(claim(FIRST, "ann", 1, 10));
  assertEquals([table.existing(FIRST), table.named("ann")], [undefined, undefined]);
  assertEquals([account.password, table.existingCount], [undefined, 0]);
  assertEquals(table.nextGeneration("ann"), 2);
});

Deno.test("AccountTable.delete() says whether it was the first to", () => {
  const table = tableOf([claim(FIRST, "ann", 1, 10)]);
  assertEquals(table.delete(table.get(FIRST), at(20)), true);
  assertEquals(table.delete(table.get(FIRST), at(19)), false);
  assertEquals(table.existingCount, 0);
});

Deno.test("AccountTable keeps the password of the latest version and stamp, whichever came first", () => {
  const kind = "password_changed" as const;
  const create = claim(FIRST, "ann", 1, 10);
  const change = (password: string, version: number, timeMs: number) => (table: AccountTable) =>
    table.changePassword({ kind, account: FIRST, password, version, ...at(timeMs) });
  // The third was made by a node with a slow clock that knew the second.
  const steps = [
    (table: AccountTable) => table.create(create),
    change("second", 2, 20),
    change("third", 3, 15),
  ];
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]]) {
    const table = new AccountTable();
    for (const index of order) steps[index]?.(table);
    assertEquals(table.get(FIRST).password?.hash, "third");
  }
});

Deno.test("AccountTable.create() repeated with another stamp is the earlier claim", () => {
  for (const claims of bothOrders(claim(FIRST, "ann", 1, 10), claim(FIRST, "bob", 1, 11))) {
    const table = tableOf(claims);
    assertEquals([table.named("ann")?.id, table.named("bob")], [FIRST, undefined]);
    assertEquals(table.get(FIRST).password?.hash, "bob 11");
    assertEquals(table.existingCount, 1);
  }
});

Deno.test("AccountTable.allExisting() leaves out who was only mentioned, and who was deleted", () => {
  const table = tableOf([claim(FIRST, "ann", 1, 10), claim(SECOND, "bob", 1, 10)]);
  table.get(THIRD);
  table.delete(table.get(FIRST), at(20));
  assertEquals([...table.allExisting()].map(({ id }: Account) => id), [SECOND]);
  assertEquals([table.existingCount, table.length], [1, 3]);
});

function tableOf(claims: readonly (AccountCreated & Provenance)[]): AccountTable {
  const table = new AccountTable();
  for (const claim of claims) table.create(claim);
  return table;
}

function bothOrders<T>(a: T, b: T): [[T, T], [T, T]] {
  return [[a, b], [b, a]];
}

function claim(account: string, name: string, generation: number, timeMs: number) {
  const password = `${name} ${timeMs}`;
  return { kind: "account_created" as const, account, name, generation, password, ...at(timeMs) };
}

function at(timeMs: number): Provenance {
  return { timeMs, tick: 0, origin: "node1.e1", seq: timeMs };
}
