import { assertEquals } from "@std/assert";
import { CHEAP } from "../testing/test_server.ts";
import { isStoredPassword, PasswordHasher } from "./password.ts";

Deno.test("isStoredPassword() takes what PasswordHasher.hash() makes", async () => {
  const limits = { hashesAtOnce: 1, hashQueueMax: 10 };
  for (let count = 0; count < 20; count++) {
    const stored = await new PasswordHasher(CHEAP, limits).hash("correct horse");
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
