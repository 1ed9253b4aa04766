import { assertEquals, assertRejects } from "@std/assert";
import { formatInvite } from "../../codec/invite.ts";
import { ConfigurationError, UsageError } from "./errors.ts";
import { type OptionName, parseOptions } from "./option_table.ts";
import { hostsOf, inviteOf, passwordOf, userOf, withoutLineEnd } from "./settings.ts";
import type { Shell } from "./shell.ts";

const NAMES: OptionName[] = ["host", "config", "invite", "user", "password-file"];
const CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const DEFAULT = [{ host: "127.0.0.1", port: 9001 }];

/** Surroundings with this environment and these files. */
function shellWith(env: Record<string, string>, files: Record<string, string> = {}): Shell {
  const refuse = () => {
    throw new Error("Settings have no business here");
  };
  return {
    env: (name) => env[name],
    readTextFile: async (path) =>
      files[path] ?? await Promise.reject(new Deno.errors.NotFound(`no ${path}`)),
    appendPrivateFile: refuse,
    runCommand: refuse,
    wallMs: refuse,
    lendTerminal: refuse,
    modeOf: refuse,
    writePrivateFile: refuse,
    removeFile: refuse,
    readStdin: refuse,
    write: refuse,
    note: refuse,
    askSecret: refuse,
    onTermination: refuse,
    stdinIsTerminal: false,
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
  };
}

Deno.test("settings come from options, then the environment, then the user's file", async () => {
  const file = JSON.stringify({ hosts: ["ship:1", "shore"], user: "fred" });
  const shell = shellWith({ HOME: "/home/f" }, { "/home/f/.config/chat/config.json": file });
  const none = parseOptions([], NAMES);
  assertEquals(await hostsOf(none, shellWith({})), DEFAULT);
  assertEquals(await hostsOf(none, shell), [
    { host: "ship", port: 1 },
    { host: "shore", port: 9001 },
  ]);
  assertEquals(await userOf(none, shell), "fred");
  assertEquals(await userOf(none, shellWith({ CHAT_USER: "eve" })), "eve");
  const given = parseOptions(["--user", "ann", "--host", "[::1]:5"], NAMES);
  assertEquals(await userOf(given, shellWith({ CHAT_USER: "eve" })), "ann");
  assertEquals(await hostsOf(given, shell), [{ host: "::1", port: 5 }]);
});

Deno.test("settings take a servers.json as the list of hosts", async () => {
  const nodes = [9001, 9002].map((port) => ({ name: `n${port}`, tcp: { host: "a", port }, x: 1 }));
  const shell = shellWith({}, { "servers.json": JSON.stringify({ cluster: {}, nodes }) });
  const options = parseOptions(["--config", "servers.json"], NAMES);
  assertEquals(await hostsOf(options, shell), [
    { host: "a", port: 9001 },
    { host: "a", port: 9002 },
  ]);
  const both = parseOptions(["--config", "servers.json", "--host", "a"], NAMES);
  await assertRejects(() => hostsOf(both, shell), UsageError, "cannot both");
});

Deno.test("settings take an invite, or a file that holds it, as the servers and how to know them", async () => {
  const invite = formatInvite({ hosts: ["ship:1", "[::1]:2"], ca: CA, invitation: "invite.x" });
  const shell = shellWith({ HOME: "/h" }, { mine: `${invite}\n`, other: "hello" });
  for (const given of [invite, "mine"]) {
    const options = parseOptions(["--invite", given], NAMES);
    assertEquals(await hostsOf(options, shell), [
      { host: "ship", port: 1, ca: CA },
      { host: "::1", port: 2, ca: CA },
    ]);
    assertEquals((await inviteOf(options, shell))?.invitation, "invite.x");
  }
  const refusal = async (...args: string[]) => {
    const error = await hostsOf(parseOptions(args, NAMES), shell).catch((error) => error);
    return [error.name, error.message];
  };
  assertEquals(await refusal("--invite", invite.slice(0, 20)), [
    "UsageError",
    "--invite: this is not an invite, or not all of one: it is one line, chat://…",
  ]);
  assertEquals(await refusal("--invite", "other"), [
    "ConfigurationError",
    "Cannot use other: it does not hold an invite, chat://…, in one line",
  ]);
  assertEquals((await refusal("--invite", "none"))[1]?.startsWith("Cannot read none"), true);
  assertEquals(await refusal("--invite", invite, "--host", "ship"), [
    "UsageError",
    "--host and --invite cannot both be given",
  ]);
});

Deno.test("settings read the CA that a servers.json names, beside it", async () => {
  const tls = { cert: "node.crt", key: "node.key", ca: "ca.crt" };
  const text = JSON.stringify({ nodes: [{ name: "n", tcp: { host: "a", port: 1 }, tls }] });
  const options = parseOptions(["--config", "/etc/chat/servers.json"], NAMES);
  const files = { "/etc/chat/servers.json": text };
  const shell = shellWith({}, { ...files, "/etc/chat/ca.crt": CA });
  assertEquals(await hostsOf(options, shell), [{ host: "a", port: 1, ca: CA }]);
  const reading = () => hostsOf(options, shellWith({}, files));
  await assertRejects(reading, ConfigurationError, "Cannot read /etc/chat/ca.crt");
});

Deno.test("settings take no servers.json of which one node is in plain text, and others are not", async () => {
  const nodes = [{ name: "n", tls: { ca: "ca.crt" } }, { name: "m" }];
  const text = JSON.stringify({
    nodes: nodes.map((node, index) => ({ ...node, tcp: { host: "a", port: index + 1 } })),
  });
  const shell = shellWith({}, { "/c/servers.json": text, "/c/ca.crt": CA });
  const options = parseOptions(["--config", "/c/servers.json"], NAMES);
  await assertRejects(() => hostsOf(options, shell), ConfigurationError, "nodes.1.tls: expected");
});

Deno.test("settings keep the CA of servers that are remembered, also of those that are named again", async () => {
  const file = JSON.stringify({ hosts: ["ship:1", "shore:9001"], ca: CA });
  const shell = shellWith({ HOME: "/h" }, { "/h/.config/chat/config.json": file });
  const hosts = async (...args: string[]) => await hostsOf(parseOptions(args, NAMES), shell);
  const [ship, shore] = [
    { host: "ship", port: 1, ca: CA },
    { host: "shore", port: 9001, ca: CA },
  ];
  assertEquals(await hosts(), [ship, shore]);
  assertEquals(await hosts("--host", "shore"), [shore]);
  assertEquals(await hosts("--host", "SHORE:9001"), [{ ...shore, host: "SHORE" }]);
  const written = JSON.stringify({ hosts: ["Shore"], ca: CA });
  const byHand = shellWith({ HOME: "/h" }, { "/h/.config/chat/config.json": written });
  assertEquals(await hostsOf(parseOptions(["--host", "shore:9001"], NAMES), byHand), [shore]);
  // Others are as they are given: in plain text.
  assertEquals(await hosts("--host", "ship"), [{ host: "ship", port: 9001 }]);
});

Deno.test("settings say what is wrong with a file, and where", async () => {
  const options = parseOptions(["--config", "f"], NAMES);
  const wrong: [string, string][] = [
    ["{", "Cannot use f: it is no JSON"],
    ["{}", "Cannot use f: nodes: "],
    [`{"nodes":[]}`, "Cannot use f: nodes: "],
    [`{"nodes":[{"name":"n","tcp":{"host":"a","port":0}}]}`, "nodes.0.tcp.port: "],
  ];
  for (const [text, message] of wrong) {
    const shell = shellWith({}, { f: text });
    await assertRejects(() => hostsOf(options, shell), ConfigurationError, message);
  }
});

Deno.test("passwordOf() prefers the file, and drops one line end", async () => {
  const shell = shellWith({ CHAT_PASSWORD: "from env" }, { p: " with spaces \n" });
  assertEquals(await passwordOf(parseOptions([], NAMES), shell), "from env");
  assertEquals(
    await passwordOf(parseOptions(["--password-file", "p"], NAMES), shell),
    " with spaces ",
  );
  assertEquals(["a\n\n", "a\r\n", "a"].map(withoutLineEnd), ["a\n", "a", "a"]);
});
