import { assertEquals, assertMatch } from "@std/assert";
import { TestAuthority } from "../testing/test_authority.ts";
import { expiryMsOf, expiryWarning, faultsOf, nodeNamedIn } from "./identity.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

Deno.test("faultsOf() finds nothing wrong with what the cluster's CA has issued for the node", async () => {
  const authority = await TestAuthority.make();
  for (const name of ["node1", "-", "_", "A".repeat(32), "0"]) {
    assertEquals(faultsOf(await authority.issue(name), name, Date.now()), {}, name);
  }
});

Deno.test("faultsOf() says whose certificate it is if it is another node's", async () => {
  const authority = await TestAuthority.make();
  assertEquals(faultsOf(await authority.issue("node2"), "node1", Date.now()), {
    cert: "expected the certificate of node1 (by its common name, CN), found that of node2",
  });
});

Deno.test("faultsOf() refuses a certificate of another CA, also of one with the same name", async () => {
  const [ours, theirs] = await Promise.all([TestAuthority.make(), TestAuthority.make()]);
  const identity = { ...await theirs.issue("node1"), ca: ours.certificate };
  assertMatch(
    faultsOf(identity, "node1", Date.now()).cert ?? "",
    /^expected a certificate that the/,
  );
});

Deno.test("faultsOf() refuses another certificate's key, and a node's certificate as the CA's", async () => {
  const authority = await TestAuthority.make();
  const [identity, other] = [await authority.issue("node1"), await authority.issue("node1")];
  assertEquals(faultsOf({ ...identity, key: other.key }, "node1", Date.now()), {
    key: "expected the key of the certificate, found another one",
  });
  const faults = faultsOf({ ...identity, ca: identity.cert }, "node1", Date.now());
  assertEquals(faults.ca, "expected the certificate of a CA");
});

Deno.test("faultsOf() refuses a certificate before its time and after it, to the second", async () => {
  const authority = await TestAuthority.make();
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  const [notBefore, notAfter] = [new Date(nowMs - 1000), new Date(nowMs + 1000)];
  const identity = await authority.issue("node1", { notBefore, notAfter });
  const faultAt = (ms: number) => faultsOf(identity, "node1", ms).cert;
  assertEquals(faultAt(notBefore.getTime()), undefined);
  assertEquals(faultAt(notAfter.getTime()), undefined);
  assertMatch(faultAt(notBefore.getTime() - 1) ?? "", /^it is not valid before .* is the clock/);
  assertMatch(
    faultAt(notAfter.getTime() + 1) ?? "",
    /^it expired on .*: renew it, or put the clock right$/,
  );
  assertEquals(expiryMsOf(identity), notAfter.getTime());
});

Deno.test("faultsOf() refuses a certificate that clients would not believe", async () => {
  const authority = await TestAuthority.make();
  const identity = await authority.issue("node1", { names: ["node1.example.org"] });
  assertEquals(
    faultsOf(identity, "node1", Date.now()).cert,
    "expected DNS:chat.internal among the names it is for, found DNS:node1.example.org",
  );
});

Deno.test("faultsOf() names each text that is not in PEM", async () => {
  const authority = await TestAuthority.make();
  assertEquals(faultsOf({ cert: "", key: "x", ca: "y" }, "node1", Date.now()), {
    cert: "expected a certificate in PEM",
    key: "expected a private key in PEM",
    ca: "expected a certificate in PEM",
  });
  const identity = await authority.issue("node1");
  assertEquals(Object.keys(faultsOf({ ...identity, cert: identity.key }, "node1", Date.now())), [
    "cert",
  ]);
});

Deno.test("expiryMsOf() is the CA's if that is the first to expire", async () => {
  const authority = await TestAuthority.make();
  const identity = await authority.issue("node1", {
    notAfter: new Date(Date.now() + 9000 * DAY_MS),
  });
  assertEquals(expiryMsOf(identity) < Date.now() + 8000 * DAY_MS, true);
});

Deno.test("expiryWarning() warns from 30 days before the end", async () => {
  const authority = await TestAuthority.make();
  const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 + 60_000);
  const identity = await authority.issue("node1", { notAfter });
  const [endMs, day] = [notAfter.getTime(), notAfter.toISOString().slice(0, 10)];
  assertEquals(expiryWarning(identity, endMs - 30 * DAY_MS - 1), undefined);
  for (const ms of [endMs - 30 * DAY_MS, endMs]) {
    assertEquals(expiryWarning(identity, ms), `its certificate expires on ${day}: renew it`);
  }
  assertEquals(expiryWarning(identity, endMs + 1), `its certificate expired on ${day}: renew it`);
});

Deno.test("nodeNamedIn() takes one common name, and not one of several", () => {
  assertEquals(nodeNamedIn({ subject: { CN: "node1" } }), "node1");
  assertEquals(nodeNamedIn({ subject: { CN: ["node1", "node2"] } }), undefined);
  assertEquals(nodeNamedIn({ subject: {} }), undefined);
  assertEquals(nodeNamedIn({}), undefined);
});
