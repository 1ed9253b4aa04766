import { assertEquals, assertGreater } from "@std/assert";
import { encodeMessage, type Request, writeRequest } from "../../codec/message.ts";
import { PasswordHasher } from "../auth/password.ts";
import { ServerConfig } from "../config.ts";
import { denoOutside } from "../deno_outside.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { ChatNode } from "../node.ts";
import { connectionOf } from "../tcp.ts";
import { CHEAP } from "../testing/test_server.ts";
import { type Credentials, signUp, WireClient } from "../testing/wire_client.ts";
import type { Passwords } from "./context.ts";

/** A frame without a payload of type 104. */
const LOGIN_FAILED = [0, 0, 0, 0, 0, 0, 0, 104, 0, 0, 0, 0];

Deno.test("LOGIN_PASSWORD answers a wrong password and a name that is gone with the same bytes and work", async () => {
  await using node = await countingNode();
  await signUp(node.port, "alice", "correct horse");
  const wrong = await node.answer(
    { kind: "login_name", payload: "alice" },
    { kind: "login_password", payload: "wrong horse" },
  );
  const gone = await node.answerBetween(
    { kind: "login_name", payload: "alice" },
    () => deleteAccount(node.port, "alice"),
    { kind: "login_password", payload: "correct horse" },
  );
  await signUp(node.port, "alice", "correct horse");
  const anew = await node.answerBetween(
    { kind: "login_name", payload: "alice" },
    async () => {
      await deleteAccount(node.port, "alice");
      await signUp(node.port, "alice", "another horse");
    },
    { kind: "login_password", payload: "correct horse" },
  );
  assertEquals(wrong, { bytes: LOGIN_FAILED, hashes: 1 });
  assertEquals(gone, wrong);
  assertEquals(anew, wrong);
});

Deno.test("RESUME answers whatever is no token with the same bytes, and without hashing", async () => {
  await using node = await countingNode();
  const alice = await signUp(node.port, "alice", "correct horse");
  const bob = await signUp(node.port, "bob", "correct horse");
  const [id = "", expiry = "", signature = ""] = alice.token.split(".");
  const swapped = signature.startsWith("A") ? "B" : "A";
  const wrong: Credentials[] = [
    { name: "alice", token: bob.token },
    { name: "bob", token: alice.token },
    { name: "nobody", token: alice.token },
    { name: "alice", token: `${id}.${expiry}.${swapped}${signature.slice(1)}` },
    { name: "alice", token: `${id}.zzzzzzzzz.${signature}` },
    { name: "alice", token: `nobodynobody.${expiry}.${signature}` },
    { name: "nobody", token: `nobodynobody.${expiry}.${signature}` },
    { name: "alice", token: "" },
    { name: "a\u0000", token: alice.token },
  ];
  for (const { name, token } of wrong) {
    const answer = await node.answer({ kind: "resume", payload: [name, token] });
    assertEquals(answer, { bytes: LOGIN_FAILED, hashes: 0 }, `${name} ${token}`);
  }
  const right = await node.answer({ kind: "resume", payload: ["alice", alice.token] });
  assertGreater(right.bytes.length, LOGIN_FAILED.length);
});

interface Answer {
  /** Of the last reply. */
  readonly bytes: number[];
  /** How many passwords were hashed for the last request. */
  readonly hashes: number;
}

/** A real node on real sockets, whose hashes are counted. */
async function countingNode() {
  const directory = await Deno.makeTempDir({ prefix: "chat-sign-in-" });
  let hashes = 0;
  const hasher = new PasswordHasher(CHEAP, DEFAULT_LIMITS);
  const passwords: Passwords = {
    hash(...args) {
      hashes++;
      return hasher.hash(...args);
    },
    matches(...args) {
      hashes++;
      return hasher.matches(...args);
    },
  };
  const config = ServerConfig.solo();
  const node = await ChatNode.open({
    ...{ config, node: config.getCurrentNode("solo"), dataDirectory: directory },
    ...{ version: "0.0.0-test", log() {}, passwords },
  }, denoOutside);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const conn of listener) node.welcome(connectionOf(conn));
  })();
  node.beginServing();
  const { port } = listener.addr;
  const answerBetween = async (
    first: Request,
    between: () => Promise<unknown>,
    last: Request,
  ): Promise<Answer> => {
    using conn = await WireClient.connectDeaf(port);
    await reply(conn, first);
    await between();
    const before = hashes;
    const bytes = await reply(conn, last);
    return { bytes, hashes: hashes - before };
  };
  return {
    port,
    answerBetween,
    async answer(...requests: readonly Request[]): Promise<Answer> {
      const [first, last] = requests;
      const ping: Request = { kind: "ping", payload: null };
      if (first === undefined) throw new Error("Cannot answer no request");
      return last === undefined
        ? await answerBetween(ping, () => Promise.resolve(), first)
        : await answerBetween(first, () => Promise.resolve(), last);
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await node.drain();
      await node.directory.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** The bytes of the reply to a request, which come as one. */
async function reply(conn: Deno.Conn, request: Request): Promise<number[]> {
  await conn.write(encodeMessage(writeRequest, request));
  const bytes = new Uint8Array(4096);
  const count = await conn.read(bytes) ?? 0;
  return [...bytes.subarray(0, count)];
}

async function deleteAccount(port: number, name: string): Promise<void> {
  const client = await WireClient.signedIn(port, name);
  await client.expect("done", { kind: "delete_account", payload: null });
  client.close();
}
