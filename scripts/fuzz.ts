/**
 * Hostile bytes: to the decoders in this process, to a real server, and to its port for nodes.
 *
 *     deno task test:fuzz [--inputs N] [--seed S] [--chat ./chat]
 *
 * Of the inputs one tenth goes to the server, and as many frames to a port for nodes. The same seed gives the same inputs; with several
 * connections the server may get them in another order. `--chat` attacks that executable instead of
 * the source.
 */

import { parseArgs } from "@std/cli/parse-args";
import { executable, fromSource } from "../server/testing/server_process.ts";
import { fuzzCodec } from "./fuzz/codec_fuzz.ts";
import { fuzzPeerPort, LAVISH } from "./fuzz/peer_fuzz.ts";
import { fuzzServer } from "./fuzz/server_fuzz.ts";

const INPUTS = 1_000_000;
const SERVER_SHARE = 0.1;

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["inputs", "seed", "chat"] });
  const inputs = Number(flags.inputs ?? INPUTS);
  const seed = Number(flags.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  if (!Number.isSafeInteger(inputs) || !Number.isSafeInteger(seed)) {
    console.error("usage: deno task test:fuzz [--inputs N] [--seed S] [--chat ./chat]");
    Deno.exit(2);
  }
  console.log(`seed ${seed}`);
  const serverInputs = Math.ceil(inputs * SERVER_SHARE);
  console.log("decoders", fuzzCodec(inputs - serverInputs, seed));
  const program = flags.chat === undefined ? fromSource : executable(flags.chat);
  const attackers = { signedIn: 8, anonymous: 16 };
  console.log("server", await fuzzServer({ program, inputs: serverInputs, seed, ...attackers }));
  const peers = { program, frames: serverInputs, seed, attackers: 16, limits: LAVISH };
  console.log("port for nodes", await fuzzPeerPort(peers));
}
