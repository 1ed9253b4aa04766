import { assertEquals, assertRejects } from "@std/assert";
import { ConfigurationError, UsageError } from "./errors.ts";
import { type OptionName, parseOptions } from "./option_table.ts";
import { hostsOf, passwordOf, userOf, withoutLineEnd } from "./settings.ts";
import type { Shell } from "./shell.ts";

const NAMES: OptionName[] = ["host", "config", "user", "password-file"];
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
