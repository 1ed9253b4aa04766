import { assertEquals, assertInstanceOf } from "@std/assert";
import { CHEAP } from "../testing/test_server.ts";
import { HashQueueFullError, isStoredPassword, PasswordHasher } from "./password.ts";

Deno.test("isStoredPassword() takes what PasswordHasher.hash() makes", async () => {
  const limits = { hashesAtOnce: 1, hashQueueMax: 10 };
  for (let count = 0; count < 20; count++) {
    const stored = await new PasswordHasher(CHEAP, limits).hash("correct horse", "192.0.2.1");
    assertEquals(isStoredPassword(stored), true, stored);
    assertEquals(isStoredPassword(stored.replace("$16$1$1$", "$32768$8$3$")), true);
  }
});

Deno.test("isStoredPassword() refuses what would harm whoever checks it, and what is none", () => {
  const withCost = (cost: string) => `scrypt$${cost}$${"A".repeat(22)}$${"A".repeat(43)}`;
  const costs: [string, boolean][] = [
    ["16$1$1", true],
    ["131072$8$7", true],
    ["131072$8$8", false],
    ["262144$8$1", false],
    ["1$1$1", false],
    ["17$1$1", false],
    ["16$0$1", false],
    ["016$1$1", false],
    ["16$1$-1", false],
    ["1e3$1$1", false],
    ["2$1$9999", true],
    ["999999999$1$1", false],
  ];
  for (const [cost, expected] of costs) {
    assertEquals(isStoredPassword(withCost(cost)), expected, cost);
  }
  const good = withCost("16$1$1");
  for (
    const wrong of ["", "x", `${good}A`, good.slice(0, -1), `${good.slice(0, -1)}B`, `${good}\n`]
  ) {
    assertEquals(isStoredPassword(wrong), false, wrong);
  }
});

Deno.test("PasswordHasher lets those who sign in wait for no more than one of those who sign up, or of another account", async () => {
  const hasher = new PasswordHasher(CHEAP, { hashesAtOnce: 1, hashQueueMax: 64 });
  const stored = await hasher.hash("correct horse", "192.0.2.9");
  const other = await hasher.hash("correct horse", "192.0.2.9");
  const done: string[] = [];
  const hash = async (host: number) => {
    await hasher.hash("correct horse", `192.0.2.${host}`);
    done.push("sign-up");
  };
  const check = async (account: string, name: string) => {
    await hasher.matches("correct horse", account, "192.0.2.1");
    done.push(name);
  };
  // Each from an address of its own: turns by address would leave a person one in 31.
  const signUps = Array.from({ length: 30 }, (_, index) => hash(index));
  const mallory = Array.from({ length: 30 }, () => check(other, "mallory"));
  await Promise.all([...signUps, ...mallory, check(stored, "alice")]);
  assertEquals(done.indexOf("alice") <= 5, true, done.join());
  assertEquals(done.length, 61);
});

Deno.test("PasswordHasher gives addresses their turns, and room in a full queue", async () => {
  const hasher = new PasswordHasher(CHEAP, { hashesAtOnce: 1, hashQueueMax: 8 });
  const done: string[] = [];
  const hash = async (address: string) => {
    try {
      await hasher.hash("correct horse", address);
      done.push(address);
    } catch (error) {
      assertInstanceOf(error, HashQueueFullError);
      done.push(`busy ${address}`);
    }
  };
  const flood = Array.from({ length: 9 }, () => hash("192.0.2.1"));
  // Full of one address: it gets no more, and all others do.
  const all = [...flood, hash("192.0.2.1"), hash("192.0.2.2"), hash("192.0.2.3")];
  await Promise.all(all);
  assertEquals(done.filter((one) => one === "busy 192.0.2.1").length, 3);
  assertEquals(done.filter((one) => !one.startsWith("busy")).slice(0, 4).sort(), [
    "192.0.2.1",
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.3",
  ]);
  assertEquals(done.length, 12);
});
