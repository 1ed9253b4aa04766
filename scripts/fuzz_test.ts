import { assertGreater } from "@std/assert";
import { fromSource } from "../server/testing/server_process.ts";
import { fuzzCodec } from "./fuzz/codec_fuzz.ts";
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
