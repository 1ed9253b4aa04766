import { assertGreater, assertGreaterOrEqual } from "@std/assert";
import { fromSource } from "../server/testing/server_process.ts";
import { fuzzCodec } from "./fuzz/codec_fuzz.ts";
import { fuzzPeerPort, LAVISH } from "./fuzz/peer_fuzz.ts";
import { fuzzServer } from "./fuzz/server_fuzz.ts";

/** New inputs each time; a failure says which. `deno task test:fuzz --seed` repeats them. */
const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

Deno.test("decoders refuse hostile bytes, or read them as what encodes to the same bytes", () => {
  const count = fuzzCodec(20_000, seed);
  assertGreater(count.messages, 1000);
  assertGreater(count.refused, 1000);
});

Deno.test("a server answers hostile frames once each and leaves other clients unharmed", async () => {
  const attackers = { signedIn: 3, anonymous: 3 };
  const report = await fuzzServer({ program: fromSource, inputs: 2000, seed, ...attackers });
  assertGreater(report.canaryMessages, 0);
  assertGreater(report.brokenStreams, 0);
});

Deno.test("100,000 malformed or unauthenticated frames on the peer port: nothing accepted, nothing crashes", async () => {
  const attack = { program: fromSource, seed, attackers: 16 };
  // Most of it with limits that would stop it, out of the way.
  const lavish = await fuzzPeerPort({ ...attack, frames: 90_000, limits: LAVISH });
  const limited = await fuzzPeerPort({ ...attack, frames: 10_000 });
  assertGreaterOrEqual(lavish.frames + limited.frames, 100_000);
  assertGreater(lavish.sent, 0);
});
