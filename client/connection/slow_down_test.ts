import { assertEquals, assertRejects } from "@std/assert";
import type { Reply } from "../../codec/message.ts";
import { denoOutside } from "../deno_outside.ts";
import { ManualClock } from "../testing/manual_clock.ts";
import { signedInTo } from "../testing/scripted_client.ts";
import { ScriptedServer } from "../testing/scripted_server.ts";
import { ClosedError } from "./errors.ts";
import { slowDownMs } from "./slow_down.ts";

function refusal(code: string, sentence: string): Reply {
  return { kind: "error", payload: { code, sentence } };
}

/** Lets time pass, as much as is waited for. */
function passing(clock: ManualClock): { stop(): void } {
  const timer = setInterval(() => clock.advance(50), 1);
  return { stop: () => clearInterval(timer) };
}

Deno.test("slowDownMs() is what the server told, a little more, and never too long", () => {
  const told = refusal("slow_down", "this account sends faster than it may, try again in 400 ms");
  assertEquals(slowDownMs(told, () => 0), 400);
  assertEquals(slowDownMs(told, () => 0.5), 450);
  const longest = refusal("slow_down", "try again in 99999999999999999999 ms");
  assertEquals(slowDownMs(longest, () => 0), 10_000);
  assertEquals(slowDownMs(refusal("slow_down", "in a while"), () => 0), 1000);
});

Deno.test("slowDownMs() is nothing for other replies", () => {
  assertEquals(slowDownMs(refusal("busy", "try again in 400 ms"), () => 0), undefined);
  assertEquals(slowDownMs({ kind: "pong", payload: null }, () => 0), undefined);
});

Deno.test("ChatClient sends again what came too fast, after the time told, in order and by the same key", async () => {
  using server = new ScriptedServer();
  const clock = new ManualClock();
  const outside = { ...denoOutside, clock, random: () => 0 };
  const { client, peer } = await signedInTo(server, [], { outside });
  const sent = ["one", "two", "three"].map((content) => client.send("bob", content));
  const keys: (string | undefined)[] = [];
  for (let count = 0; count < 3; count++) {
    const { payload: { key } } = await peer.expect("send_message");
    keys.push(key);
    await peer.reply(refusal("slow_down", "this account sends too fast, try again in 250 ms"));
  }
  const again = passing(clock);
  for (const [index, key] of keys.entries()) {
    assertEquals((await peer.expect("send_message")).payload.key, key);
    await peer.reply({ kind: "sent", payload: { id: `${index + 1}`, time: 1, copies: 1 } });
  }
  again.stop();
  assertEquals((await Promise.all(sent)).map(({ id }) => id), ["1", "2", "3"]);
  await client.close();
});

Deno.test("ChatClient that is told to slow down can be closed", async () => {
  using server = new ScriptedServer();
  const { client, peer } = await signedInTo(server);
  const sent = client.send("bob", "hello");
  await peer.expect("send_message");
  await peer.reply(refusal("slow_down", "try again in 9000 ms"));
  const failed = assertRejects(() => sent, ClosedError);
  await client.close();
  await failed;
});
