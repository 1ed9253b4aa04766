/** `chat cluster …` as processes of their own. */

import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { parseInvite } from "../../../codec/invite.ts";
import { chat, type Finished } from "../../../client/testing/chat_process.ts";
import { invitationKeyOf, verifyInvitation } from "../../auth/invitation.ts";
import { ServerConfig } from "../../config.ts";
import { Scratch } from "../../testing/scratch.ts";
import { faultsOf } from "../../tls/identity.ts";
import { unitText } from "./unit.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const THREE = "node1=127.0.0.1,node2=127.0.0.1,node3=127.0.0.1";
const FOLDER = ["ca.crt", "chat.service", "node.crt", "node.key", "servers.json"];

Deno.test("chat cluster init writes what each machine needs, and nothing that others can read", async () => {
  await using site = await Site.make();
  const { stdout, stderr } = await site.done("init", "--nodes", THREE);
  assertEquals(stderr, "");
  const names = ["node1", "node2", "node3"];
  const own = ["ca.crt", "ca.key", "invite", ...names, "servers.json"];
  assertEquals(await modesIn(site.directory), own.map((name) => modeOf(name, names)));
  const [master, ca] = [await site.read("servers.json"), await site.read("ca.crt")];
  const { nodes, registration } = ServerConfig.parse(master, "servers.json");
  assertEquals(nodes.map(({ tcp, grpc }) => [tcp.port, grpc.port]), [
    [9001, 50051],
    [9002, 50052],
    [9003, 50053],
  ]);
  assertEquals(registration, "open");
  for (const name of names) {
    assertEquals(await modesIn(join(site.directory, name)), FOLDER.map((it) => modeOf(it)));
    assertEquals(await site.read(`${name}/servers.json`), master);
    assertEquals(await site.read(`${name}/ca.crt`), ca);
    assertEquals(await site.read(`${name}/chat.service`), unitText(name));
    assertEquals(faultsOf(await site.identity(name), name, Date.now()), {});
    assertStringIncludes(stdout, `chat serve --node ${name} --config `);
  }
  const hosts = ["127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003"];
  assertEquals(parseInvite(await site.read("invite")), { hosts, ca });
  assertStringIncludes(stdout, `chat client --invite ${site.directory}/invite\n`);
});

Deno.test("chat cluster init says what is to be copied to which machine, and done there", async () => {
  await using site = await Site.make("the lab");
  const list = "north=10.0.0.1,south=[2001:db8::1],east=10.0.0.1";
  const { stdout } = await site.done("init", "--nodes", list);
  for (
    const line of [
      "  ssh root@10.0.0.1 mkdir -p /etc/chat",
      `  scp '${site.directory}/north'/* root@10.0.0.1:/etc/chat/`,
      `  scp '${site.directory}/south'/* 'root@[2001:db8::1]':/etc/chat/`,
      "  systemctl enable --now chat",
      "north and east share a machine: each needs a unit and directories of its own, under other names.",
    ]
  ) assertStringIncludes(stdout, `${line}\n`);
});

Deno.test("chat cluster init is done once, and not where anything is", async () => {
  await using site = await Site.make();
  await site.done("init", "--nodes", "node1=h");
  const key = await site.read("ca.key");
  const again = await site.run("init", "--nodes", "node1=h");
  assertEquals([again.code, again.stdout], [1, ""]);
  assertMatch(again.stderr, /^chat: Cannot make \S+: it holds \S+ Name a directory that is empty/);
  assertEquals(await site.read("ca.key"), key);
});

Deno.test("chat cluster tells all faults of a command line, and does nothing then", async () => {
  await using site = await Site.make();
  const wrong = await site.run("init", "--nodes", "node1=h:0,node1=h,x");
  assertEquals([wrong.code, wrong.stdout], [2, ""]);
  assertEquals(wrong.stderr.split("\n").length, 5);
  assertEquals((await site.run("init")).code, 2);
  assertEquals(await modesIn(site.scratch), []);
  const none = await site.run("renew");
  assertEquals([none.code, none.stdout], [2, ""]);
  assertMatch(
    none.stderr,
    /servers.json:\n {2}there is no such file: .* that chat cluster init made/,
  );
  await site.done("init", "--nodes", "node1=h");
  for (const args of [["renew", "node2"], ["add-node", "node1=g"], ["add-node", "a=h,b"]]) {
    const [name = "", ...rest] = args;
    assertEquals((await site.run(name, ...rest)).code, 2, args.join(" "));
  }
  for (const days of ["0", "3651", "x", "1.5"]) {
    assertEquals((await site.run("invite", "--days", days)).code, 2, days);
  }
});

Deno.test("chat cluster add-node makes one more folder, and tells the others' of it", async () => {
  await using site = await Site.make();
  await site.done("init", "--nodes", "north=10.0.0.1,south=10.0.0.2");
  await site.set({ registration: "closed" });
  const before = await site.identity("north");
  const { stdout } = await site.done("add-node", "east=10.0.0.3:9100");
  const master = await site.read("servers.json");
  const config = ServerConfig.parse(master, "servers.json");
  assertEquals([config.nodes.length, config.registration], [3, "closed"]);
  assertEquals(config.getCurrentNode("east").tcp, { host: "10.0.0.3", port: 9100 });
  for (const name of ["north", "south", "east"]) {
    assertEquals(await site.read(`${name}/servers.json`), master);
    assertEquals(faultsOf(await site.identity(name), name, Date.now()), {});
  }
  assertEquals(await site.identity("north"), before);
  assertEquals(await modesIn(join(site.directory, "east")), FOLDER.map((it) => modeOf(it)));
  assertEquals(parseInvite(await site.read("invite"))?.hosts.at(-1), "10.0.0.3:9100");
  for (const [name, host] of [["north", "10.0.0.1"], ["south", "10.0.0.2"]]) {
    assertStringIncludes(
      stdout,
      `  scp ${site.directory}/${name}/servers.json root@${host}:/etc/chat/\n` +
        `  ssh root@${host} systemctl restart chat\n`,
    );
  }
  assertMatch(
    stdout,
    /restart chat\nThen copy the program and the folder of east:\n {2}ssh root@10/,
  );
});

Deno.test("chat cluster renew gives all nodes, or one, certificates of the same CA", async () => {
  await using site = await Site.make();
  await site.done("init", "--nodes", "north=10.0.0.1,south=10.0.0.2");
  const ca = await site.read("ca.crt");
  const first = [await site.identity("north"), await site.identity("south")];
  const one = await site.done("renew", "south");
  const second = [await site.identity("north"), await site.identity("south")];
  assertEquals(second[0], first[0]);
  assertNotEquals(second[1]?.cert, first[1]?.cert);
  assertNotEquals(second[1]?.key, first[1]?.key);
  assertMatch(one.stdout, /^renewed south: its certificate is valid until \d{4}-\d\d-\d\d\nmade /);
  assertMatch(
    one.stdout,
    /node.key \S+node.crt root@10.0.0.2:\/etc\/chat\/\n {2}ssh root@10.0.0.2 systemctl reload chat\n$/,
  );
  await site.done("renew");
  const third = [await site.identity("north"), await site.identity("south")];
  for (const [index, name] of ["north", "south"].entries()) {
    const identity = third[index] ?? { cert: "", key: "", ca: "" };
    assertNotEquals(identity.cert, second[index]?.cert);
    assertEquals([identity.ca, faultsOf(identity, name, Date.now())], [ca, {}]);
  }
});

Deno.test("chat cluster renew brings what the operator changed into all folders, and says so", async () => {
  await using site = await Site.make();
  await site.done("init", "--nodes", "north=10.0.0.1,south=10.0.0.2");
  await site.set({ registration: "invite", retention: { days: 9 } });
  await Deno.remove(join(site.directory, "north"), { recursive: true });
  const { stdout } = await site.done("renew", "south");
  const master = await site.read("servers.json");
  for (const name of ["north", "south"]) {
    assertEquals(await site.read(`${name}/servers.json`), master);
    assertEquals(faultsOf(await site.identity(name), name, Date.now()), {});
  }
  assertStringIncludes(stdout, "node.crt " + `${site.directory}/south/servers.json root@10.0.0.2:`);
  assertStringIncludes(stdout, "ssh root@10.0.0.2 systemctl restart chat\n");
  assertEquals(stdout.includes("systemctl reload"), false);
  assertEquals(await site.invitationDays(await site.read("invite")), 7);
});

Deno.test("chat cluster renew refuses to issue anything without the CA's own key", async () => {
  await using site = await Site.make();
  await using other = await Site.make();
  await site.done("init", "--nodes", "node1=h");
  await other.done("init", "--nodes", "node1=h");
  const before = await site.identity("node1");
  await Deno.copyFile(join(other.directory, "ca.key"), join(site.directory, "ca.key"));
  const wrong = await site.run("renew");
  assertEquals([wrong.code, wrong.stdout], [1, ""]);
  assertStringIncludes(wrong.stderr, "ca.key is not the key of ");
  await Deno.remove(join(site.directory, "ca.key"));
  for (const args of [["renew"], ["add-node", "node2=h"]]) {
    const [name = "", ...rest] = args;
    const missing = await site.run(name, ...rest);
    assertEquals([missing.code, missing.stdout], [1, ""]);
    assertMatch(missing.stderr, /^chat: Cannot issue anything: \S+\/ca.key is not there\./);
  }
  assertEquals(await site.identity("node1"), before);
  // An invite without an invitation needs none.
  assertEquals((await site.done("invite")).stdout, await site.read("invite"));
});

Deno.test("chat cluster renew refuses a servers.json that names other files than the folders have", async () => {
  await using site = await Site.make();
  await site.done("init", "--nodes", "node1=h");
  const text = (await site.read("servers.json")).replace("node.key", "other.key");
  await Deno.writeTextFile(join(site.directory, "servers.json"), text);
  const { code, stderr } = await site.run("renew");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "nodes[0].tls: expected {");
});

Deno.test("chat cluster invite has an invitation for so many days, where one is needed", async () => {
  await using site = await Site.make();
  await site.done("init", "--nodes", "node1=10.0.0.1,node2=[::1]:9002:50052");
  const open = await site.done("invite", "--days", "3");
  assertEquals(open.stdout, await site.read("invite"));
  assertEquals(open.stderr, "chat: registration is open: the invite never ends\n");
  await site.set({ registration: "invite" });
  for (const [days, args] of [[7, []], [30, ["--days", "30"]]] as const) {
    const { stdout, stderr } = await site.done("invite", ...args);
    assertMatch(stdout, /^chat:\/\/10\.0\.0\.1:9001,\[::1\]:9002\/[\w-]+\/[\w.-]+\n$/);
    assertMatch(stderr, /^chat: whoever has it may make accounts until \d{4}-\d\d-\d\d\n$/);
    assertEquals(await site.invitationDays(stdout), days);
  }
});

Deno.test("chat cluster shows its help, and what it is without a second word", async () => {
  const names = ["init", "add-node", "renew", "invite"];
  const helps = await Promise.all(names.map((name) => chat(["cluster", name, "--help"])));
  for (const [index, { code, stdout }] of helps.entries()) {
    assertEquals(code, 0);
    assertStringIncludes(stdout, `SYNOPSIS\n    chat cluster ${names[index]} [options] DIR`);
  }
  const { code, stderr } = await chat(["cluster"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "did you mean cluster init?");
});

/** A cluster's directory, and the commands on it. */
class Site implements AsyncDisposable {
  readonly directory: string;
  readonly #scratch: Scratch;

  private constructor(scratch: Scratch, name: string) {
    this.#scratch = scratch;
    this.directory = scratch.path(name);
  }

  static async make(name = "lab"): Promise<Site> {
    return new Site(await Scratch.make(), name);
  }

  /** Where the directory is to be. */
  get scratch(): string {
    return this.#scratch.path("");
  }

  async run(name: string, ...args: readonly string[]): Promise<Finished> {
    return await chat(["cluster", name, this.directory, ...args]);
  }

  async done(name: string, ...args: readonly string[]): Promise<Finished> {
    const finished = await this.run(name, ...args);
    assertEquals(finished.code, 0, finished.stderr);
    return finished;
  }

  async read(path: string): Promise<string> {
    return await Deno.readTextFile(join(this.directory, path));
  }

  async identity(node: string) {
    const read = (name: string) => this.read(`${node}/${name}`);
    return { cert: await read("node.crt"), key: await read("node.key"), ca: await read("ca.crt") };
  }

  /** As an operator edits servers.json. */
  async set(settings: Record<string, unknown>): Promise<void> {
    const config = { ...settings, ...JSON.parse(await this.read("servers.json")) };
    await Deno.writeTextFile(join(this.directory, "servers.json"), JSON.stringify(config));
  }

  /** How long the invitation of an invite is good; it is one of this cluster's CA. */
  async invitationDays(invite: string): Promise<number> {
    const { invitation = "", ca } = parseInvite(invite) ?? {};
    assertEquals(ca, await this.read("ca.crt"));
    const nowMs = Date.now();
    const isGoodIn = (days: number) =>
      verifyInvitation(invitation, invitationKeyOf(ca ?? ""), nowMs + days * DAY_MS) === "good";
    let days = 0;
    while (isGoodIn(days)) days++;
    return days;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch[Symbol.asyncDispose]();
  }
}

async function modesIn(directory: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory), async ({ name }) => {
    const { mode } = await Deno.stat(join(directory, name));
    return `${name} ${(Number(mode) & 0o777).toString(8)}`;
  });
  return entries.sort();
}

function modeOf(name: string, folders: readonly string[] = []): string {
  return `${name} ${folders.includes(name) ? "700" : "600"}`;
}
