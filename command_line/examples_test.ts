import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { allPages } from "../main.ts";
import { stepOf, Typist } from "../server/testing/typed_page.ts";

const SERVERS = new URL("../servers.json", import.meta.url);

Deno.test("every example of the help can be typed as it is written, with three nodes", async () => {
  const pages = await allPages();
  await using typist = await Typist.begin(await Deno.readTextFile(SERVERS));
  const path = (name: string) => `${typist.directory}/${name}`;
  for (const name of [".zfunc", ".config/fish/completions", ".config/chat"]) {
    await Deno.mkdir(path(name), { recursive: true });
  }
  const hosts = [9001, 9002, 9003].map((port) => `127.0.0.1:${typist.port(port)}`);
  await Deno.writeTextFile(
    path(".config/chat/config.json"),
    JSON.stringify({ hosts, user: "alice" }),
  );

  const [serve, ...others] = pages;
  assertEquals(serve?.name, "serve");
  for (const { command } of serve?.examples ?? []) await typist.take(stepOf(command));
  for (const user of ["alice", "bob", "ops"]) {
    await typist.type(`chat inbox --create --user ${user}`);
  }
  await typist.type("chat send bob door code 4711");
  await typist.type("chat send --user ops --to alice --to bob the valve is shut");

  const printed = new Map<string, string>();
  for (const { name, examples } of others) {
    // What was sent may still be on its way to the other nodes.
    if (name === "status") await typist.take(stepOf("chat status # → all 3 equal"));
    let text = "";
    for (const { command } of examples) text += await typist.take(stepOf(command));
    printed.set(name, text);
  }
  assertEquals(printed.size, others.length);
  assertStringIncludes(printed.get("inbox") ?? "", "ops: the valve is shut\n");
  assertStringIncludes(printed.get("history") ?? "", "alice: the pump is on\n");
  assertStringIncludes(printed.get("status") ?? "", "all 3 equal");
  assertStringIncludes(printed.get("demo") ?? "", "nothing was lost, nothing came twice");
  const left = await typist.type("chat history bob");
  assertStringIncludes(left, "alice: see you at eight\n");
  assertEquals(left.includes("4711"), false);
  for (const name of ["new.jsonl", "bob.jsonl", "alice.jsonl", ".zfunc/_chat"]) {
    assertGreater((await Deno.stat(path(name))).size, 0, name);
  }
});
