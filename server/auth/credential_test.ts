import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { HASH } from "../testing/export_fixture.ts";
import {
  type Credential,
  formatCredential,
  isStoredCredential,
  parseCredential,
  renewed,
  type UsableCredential,
} from "./credential.ts";

const PASSWORD: UsableCredential = { state: "password", hash: HASH };
const ONE_TIME: UsableCredential = { state: "one_time", hash: HASH, expiresMs: 1_795_000_000_000 };

Deno.test("parseCredential() reads what formatCredential() writes, in every state", () => {
  const states: [Credential, string][] = [
    [PASSWORD, HASH],
    [ONE_TIME, `once$1795000000000$${HASH}`],
    [{ state: "disabled", held: PASSWORD }, `disabled$${HASH}`],
    [{ state: "disabled", held: ONE_TIME }, `disabled$once$1795000000000$${HASH}`],
  ];
  for (const [credential, text] of states) {
    assertEquals(formatCredential(credential), text);
    assertEquals(parseCredential(text), credential);
    assert(isStoredCredential(text), text);
  }
});

Deno.test("parseCredential() takes any text, and gives it back as it was", () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom("once$", "disabled$", "$", "1", "0", HASH, "\n"),
  );
  fc.assert(
    fc.property(fc.array(part).map((parts) => parts.join("")), (text) => {
      assertEquals(formatCredential(parseCredential(text)), text);
    }),
  );
});

Deno.test("isStoredCredential() refuses what would harm whoever checks it, and what is none", () => {
  const dear = HASH.replace("$16$1$", "$262144$8$");
  for (
    const text of [
      "",
      "disabled$",
      "once$1$",
      dear,
      `disabled$${dear}`,
      `once$1$${dear}`,
      `once$01$${HASH}`,
      `once$1e3$${HASH}`,
      `once$-1$${HASH}`,
      `once$99999999999999999$${HASH}`,
      `once$1$once$1$${HASH}`,
      `once$1$disabled$${HASH}`,
      `disabled$disabled$${HASH}`,
      `${HASH}$MARK`,
      `${HASH}$a$b`,
    ]
  ) {
    assertEquals(isStoredCredential(text), false, text);
  }
});

Deno.test("renewed() tells a credential from itself before, as often as it is called", () => {
  for (const held of [PASSWORD, ONE_TIME]) {
    const once = renewed(held, "a1b2c3d4");
    const twice = renewed(once, "e5f6g7h8");
    assertNotEquals(formatCredential(once), formatCredential(held));
    assertEquals(formatCredential(twice), `${formatCredential(held)}$e5f6g7h8`);
    assert(isStoredCredential(formatCredential(twice)));
  }
});
