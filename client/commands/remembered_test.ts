import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { formatHost, type Host, WrongPasswordError } from "../connection.ts";
import { denoOutside } from "../deno_outside.ts";
import { denoShell } from "../deno_shell.ts";
import { chat } from "../testing/chat_process.ts";
import { ScratchNode } from "../testing/scratch_node.ts";
import { ScriptedServer } from "../testing/scripted_server.ts";
import { TestShell } from "../testing/test_shell.ts";
import { Scratch } from "../../server/testing/scratch.ts";
import { runCommand } from "./command.ts";
import { ConfigurationError } from "./errors.ts";
import { type OptionName, parseOptions, SIGN_IN_OPTIONS } from "./option_table.ts";
import { forgetIfWrong, rememberedPassword, rememberSignIn } from "./remembered.ts";
import { users } from "./users.ts";

const HOME = { HOME: "/home/al" };
const CONFIG = "/home/al/.config/chat/config.json";
const CREDENTIALS = "/home/al/.config/chat/credentials.json";
const NAMES: readonly OptionName[] = [...SIGN_IN_OPTIONS, "remember"];
const SHIP: Host = { host: "ship", port: 9001 };
const SHORE: Host = { host: "shore", port: 9002 };
const ALICE = { hosts: [SHIP, SHORE], user: "alice", password: "correct horse" };
const KEPT = { hosts: ["ship:9001", "shore:9002"], user: "alice", password: "correct horse" };

function shellWith(files: Record<string, unknown>, env: Record<string, string> = HOME): TestShell {
  const texts = Object.entries(files).map(([path, value]) =>
    [path, typeof value === "string" ? value : JSON.stringify(value)] as const
  );
  return new TestShell(env, { files: Object.fromEntries(texts) });
}

async function remember(shell: TestShell, signIn: typeof ALICE, ...args: string[]): Promise<void> {
  const options = parseOptions(args, NAMES);
  await rememberSignIn({ options, shell, outside: denoOutside }, signIn);
}

function contentOf(shell: TestShell, path: string): unknown {
  const file = shell.files.get(path);
  return file === undefined ? undefined : JSON.parse(file.text);
}

Deno.test("rememberSignIn() keeps the user, and the servers if an option said them", async () => {
  const shell = shellWith({});
  await remember(shell, ALICE);
  assertEquals(contentOf(shell, CONFIG), { user: "alice" });
  await remember(shell, ALICE, "--host", "ship", "--host", "shore:9002");
  assertEquals(contentOf(shell, CONFIG), { user: "alice", hosts: KEPT.hosts });
  await remember(shell, { ...ALICE, hosts: [SHORE], user: "bob" }, "--config", "servers.json");
  assertEquals(contentOf(shell, CONFIG), { user: "bob", hosts: ["shore:9002"] });
  assertEquals([contentOf(shell, CREDENTIALS), shell.notes], [undefined, []]);
});

Deno.test("rememberSignIn() keeps the CA of the servers, and none of an earlier one's", async () => {
  const shell = shellWith({});
  const hosts = [{ ...SHIP, ca: "CA" }, { ...SHORE, ca: "CA" }];
  await remember(shell, { ...ALICE, hosts }, "--invite", "chat://…", "--remember");
  assertEquals(contentOf(shell, CONFIG), { hosts: KEPT.hosts, ca: "CA", user: "alice" });
  assertEquals(contentOf(shell, CREDENTIALS), { ...KEPT, ca: "CA" });
  const before = shell.files.get(CONFIG);
  await remember(shell, { ...ALICE, hosts });
  assertEquals(shell.files.get(CONFIG) === before, true);
  await remember(shell, ALICE, "--host", "ship", "--host", "shore:9002");
  assertEquals(contentOf(shell, CONFIG), { hosts: KEPT.hosts, user: "alice" });
});

Deno.test("rememberedPassword() is not for who has a server's address, and not its CA", async () => {
  const ca = "CA";
  const shell = shellWith({ [CREDENTIALS]: { ...KEPT, ca } });
  const asked = async (host: Host) => (await rememberedPassword(shell, [host], "alice"))?.password;
  assertEquals(await asked({ ...SHIP, ca }), "correct horse");
  assertEquals(await asked({ ...SHIP, ca: "another" }), undefined);
  assertEquals(await asked(SHIP), undefined);
  const plain = shellWith({ [CREDENTIALS]: KEPT });
  assertEquals(await rememberedPassword(plain, [{ ...SHIP, ca }], "alice"), undefined);
});

Deno.test("rememberSignIn() leaves alone what is not its own, and writes only what is new", async () => {
  const mine = { user: "bob", hosts: ["ship"], theme: { dark: true } };
  const shell = shellWith({ [CONFIG]: mine });
  await remember(shell, ALICE);
  assertEquals(contentOf(shell, CONFIG), { ...mine, user: "alice" });
  const before = shell.files.get(CONFIG);
  await remember(shell, ALICE);
  assertEquals(shell.files.get(CONFIG) === before, true);
});

Deno.test("rememberSignIn() keeps the password only if it is asked to", async () => {
  const shell = shellWith({});
  await remember(shell, ALICE, "--remember");
  assertEquals(contentOf(shell, CREDENTIALS), KEPT);
  assertEquals(shell.files.get(CREDENTIALS)?.mode, 0o600);
});

Deno.test("rememberSignIn() notes what it cannot write, and goes on", async () => {
  const broken = shellWith({ [CONFIG]: "{" });
  await remember(broken, ALICE, "--remember");
  assertEquals(broken.files.get(CONFIG)?.text, "{");
  assertEquals(broken.notes.length, 1);
  assertMatch(broken.notes[0] ?? "", /^chat: Cannot remember who has signed in: .*no JSON/);
  assertEquals(contentOf(broken, CREDENTIALS), KEPT);
  const full = shellWith({});
  full.writePrivateFile = () => Promise.reject(new Error("No space left on device"));
  await remember(full, ALICE, "--remember");
  assertEquals(full.notes, [
    "chat: Cannot remember who has signed in: No space left on device",
    "chat: Cannot remember the password: No space left on device",
  ]);
  const homeless = shellWith({}, {});
  await remember(homeless, ALICE, "--remember");
  assertEquals([homeless.files.size, homeless.notes], [0, []]);
});

Deno.test("rememberedPassword() is for its user and on its servers only", async () => {
  const shell = shellWith({ [CREDENTIALS]: KEPT });
  const found = { password: "correct horse", file: CREDENTIALS };
  assertEquals(await rememberedPassword(shell, [SHIP, SHORE], "alice"), found);
  assertEquals(await rememberedPassword(shell, [SHORE], "alice"), found);
  const other: Host = { host: "shore", port: 9003 };
  for (const hosts of [[other], [SHIP, other]]) {
    assertEquals(await rememberedPassword(shell, hosts, "alice"), undefined);
  }
  for (const user of ["bob", "Alice", undefined]) {
    assertEquals(await rememberedPassword(shell, [SHIP], user), undefined);
  }
  const accented = shellWith({ [CREDENTIALS]: { ...KEPT, user: "ren\u00e9" } });
  assertEquals((await rememberedPassword(accented, [SHIP], "rene\u0301"))?.file, CREDENTIALS);
  assertEquals(await rememberedPassword(shellWith({}), [SHIP], "alice"), undefined);
  assertEquals(await rememberedPassword(shellWith({}, {}), [SHIP], "alice"), undefined);
});

Deno.test("rememberedPassword() refuses a file that others may read, and one that is broken", async () => {
  for (const mode of [0o644, 0o640, 0o604, 0o610, 0o602]) {
    const shell = shellWith({});
    shell.files.set(CREDENTIALS, { text: JSON.stringify(KEPT), mode });
    const asking = () => rememberedPassword(shell, [SHIP], "alice");
    await assertRejects(asking, ConfigurationError, `Do chmod 600 ${CREDENTIALS}`);
  }
  const broken = shellWith({ [CREDENTIALS]: { ...KEPT, password: 7 } });
  const asking = () => rememberedPassword(broken, [SHIP], "alice");
  await assertRejects(asking, ConfigurationError, `Cannot use ${CREDENTIALS}: password: `);
});

Deno.test("forgetIfWrong() removes a password that another one has proved wrong, and no other", async () => {
  const kept = async (signIn: typeof ALICE) => {
    const shell = shellWith({ [CREDENTIALS]: KEPT });
    await forgetIfWrong(shell, signIn);
    return shell.files.has(CREDENTIALS);
  };
  assertEquals(await kept(ALICE), true);
  assertEquals(await kept({ ...ALICE, user: "bob", password: "b" }), true);
  assertEquals(await kept({ ...ALICE, hosts: [{ host: "x", port: 1 }], password: "b" }), true);
  assertEquals(await kept({ ...ALICE, hosts: [SHORE], password: "b" }), false);
});

Deno.test("a command that cannot ask says which file has the password that is wrong", async () => {
  using server = new ScriptedServer();
  const host = formatHost(server.host);
  const shell = shellWith({ [CREDENTIALS]: { ...KEPT, hosts: [host] } });
  const args = ["--host", host, "--user", "alice"];
  const running = runCommand(users, args, { shell, outside: denoOutside });
  const peer = await server.accept();
  await peer.expect("login_name");
  await peer.reply({ kind: "user_existing", payload: null });
  assertEquals((await peer.expect("login_password")).payload, "correct horse");
  await peer.reply({ kind: "login_failed", payload: null });
  await assertRejects(() => running, WrongPasswordError, `the password in ${CREDENTIALS} is wrong`);
  assertEquals(shell.files.has(CREDENTIALS), true);
});

Deno.test("commands use what is remembered after --password-file and CHAT_PASSWORD, and exit with 4 if it is wrong", async () => {
  await using node = await ScratchNode.start();
  const host = formatHost(node.host);
  const env = { XDG_CONFIG_HOME: node.scratch };
  const alice = { CHAT_USER: "alice", CHAT_PASSWORD: "correct horse" };
  assertEquals((await chat(["inbox", "--host", host, "--create"], { env: alice })).code, 0);
  await Deno.mkdir(`${node.scratch}/chat`);
  const [config, credentials] = ["config", "credentials"].map((name) =>
    `${node.scratch}/chat/${name}.json`
  );
  await Deno.writeTextFile(config ?? "", JSON.stringify({ hosts: [host], user: "alice" }));
  const keep = (password: string, mode = 0o600) =>
    Deno.writeTextFile(
      credentials ?? "",
      JSON.stringify({ hosts: [host], user: "alice", password }),
      { mode },
    );

  await keep("correct horse");
  assertEquals((await chat(["users"], { env })).stdout, "alice, online\n");
  const text = "/quit\n";
  assertEquals((await chat(["client"], { env, stdin: text })).code, 0);
  await keep("another");
  for (const command of [["users"], ["client"]]) {
    const { code, stderr } = await chat(command, { env });
    assertEquals(code, 4);
    assertStringIncludes(stderr, `the password in ${credentials} is wrong`);
  }
  const given = { ...env, CHAT_PASSWORD: "correct horse" };
  assertEquals((await chat(["users"], { env: given })).code, 0);
  await Deno.chmod(credentials ?? "", 0o640);
  const { code, stderr } = await chat(["users"], { env });
  assertEquals(code, 2);
  assertStringIncludes(stderr, `chmod 600 ${credentials}`);
  assertEquals((await chat(["client", "--remember"], { env: given })).code, 2);
});

Deno.test("denoShell.writePrivateFile() replaces a file as a whole, for its owner only", async () => {
  await using scratch = await Scratch.make();
  const path = scratch.path("new/chat/config.json");
  await denoShell.writePrivateFile(path, "one");
  assertEquals([await denoShell.readTextFile(path), await denoShell.modeOf(path)], ["one", 0o600]);
  assertEquals(await denoShell.modeOf(scratch.path("new/chat")), 0o700);
  await Deno.chmod(path, 0o644);
  using before = await Deno.open(path);
  await denoShell.writePrivateFile(path, "two");
  assertEquals(await new Response(before.readable).text(), "one");
  assertEquals([await denoShell.readTextFile(path), await denoShell.modeOf(path)], ["two", 0o600]);

  const link = scratch.path("link.json");
  await Deno.symlink(path, link);
  await denoShell.writePrivateFile(link, "three");
  assertEquals([await Deno.readTextFile(path), (await Deno.lstat(link)).isSymlink], [
    "three",
    true,
  ]);

  await Deno.mkdir(scratch.path("taken"));
  await assertRejects(() => denoShell.writePrivateFile(scratch.path("taken"), "four"));
  const names = (await Array.fromAsync(Deno.readDir(scratch.path("")))).map(({ name }) => name);
  assertEquals(names.sort(), ["link.json", "new", "taken"]);
  assertEquals(await denoShell.modeOf(scratch.path("nothing")), undefined);
});
