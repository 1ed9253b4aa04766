import { assertEquals, assertMatch } from "@std/assert";
import { packSelfExtracting } from "./self_extracting.ts";

/** Stands for chat: says what it was given, and does as it is told. */
const PROGRAM = `
const [command, ...rest] = Deno.args;
if (command === "exit") Deno.exit(Number(rest[0]));
if (command === "wait") {
  console.log("waiting");
  await new Promise(() => setInterval(() => {}, 60_000));
}
console.log(JSON.stringify({
  args: Deno.args,
  stdin: await new Response(Deno.stdin.readable).text(),
  lazy: (await import("./lazy.js")).default,
  pid: Deno.pid,
  self: Deno.env.get("CHAT_EXECUTABLE"),
  home: Deno.env.get("HOME") ?? null,
  run: Deno.permissions.querySync({ name: "run", command: Deno.env.get("CHAT_EXECUTABLE") }).state,
}));
`;

const scratch = await Deno.makeTempDir({ prefix: "chat test " });
const executable = `${scratch}/chat`;
addEventListener("unload", () => Deno.removeSync(scratch, { recursive: true }));

await Deno.mkdir(`${scratch}/program`);
await Deno.writeTextFile(`${scratch}/program/main.js`, PROGRAM);
await Deno.writeTextFile(`${scratch}/program/lazy.js`, `export default "loaded";`);
const packed = await packSelfExtracting(`${scratch}/program`, [
  ...["--no-prompt", "--allow-env=CHAT_*", "--ignore-env"],
]);
await Deno.writeFile(executable, packed.stream(), { mode: 0o755 });

const unpackedHome = await makeHome();

Deno.test("self-extracting chat survives several first starts at once", async () => {
  const starts = [11, 12, 13, 14].map((code) => run(["exit", `${code}`], { HOME: unpackedHome }));
  assertEquals((await Promise.all(starts)).map(({ code }) => code), [11, 12, 13, 14]);
});

Deno.test("self-extracting chat passes arguments, standard input and exit code", async () => {
  const args = ["send", "bob", "two words", "*"];
  const output = await run(args, { HOME: unpackedHome }, "from\nstdin");
  assertEquals(JSON.parse(output.stdout), {
    args,
    stdin: "from\nstdin",
    lazy: "loaded",
    pid: output.pid,
    self: executable,
    home: null,
    run: "prompt",
  });
  assertEquals((await run(["exit", "5"], { HOME: unpackedHome })).code, 5);
});

Deno.test("self-extracting chat lets only the demo start processes", async () => {
  const output = await run(["demo"], { HOME: unpackedHome });
  assertEquals(JSON.parse(output.stdout).run, "granted");
});

Deno.test("self-extracting chat is the process that was started, so kill -9 ends it", async () => {
  const child = new Deno.Command(executable, {
    args: ["wait"],
    env: { HOME: unpackedHome, XDG_CACHE_HOME: "" },
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assertEquals((await lines.read()).value, "waiting\n");
  child.kill("SIGKILL");
  assertEquals((await lines.read()).done, true);
  assertEquals((await child.status).signal, "SIGKILL");
});

Deno.test("self-extracting chat uses the temporary directory when there is no home", async () => {
  const temporary = await makeHome();
  assertEquals((await run(["exit", "6"], { HOME: "/dev/null", TMPDIR: temporary })).code, 6);
  const unpacked = await Array.fromAsync(Deno.readDir(temporary), ({ name }) => name);
  assertMatch(unpacked.join(), /^chat-\d+$/);
});

Deno.test("self-extracting chat refuses to run when it is damaged", async () => {
  const damaged = `${scratch}/damaged`;
  const bytes = await Deno.readFile(executable);
  const middle = Math.floor(bytes.length / 2);
  bytes.fill(0, middle, middle + 4);
  await Deno.writeFile(damaged, bytes, { mode: 0o755 });
  const nowhere = { HOME: await makeHome(), TMPDIR: "/dev/null" };
  const output = await run(["exit", "0"], nowhere, "", damaged);
  assertEquals(output.code, 1);
  assertMatch(output.stderr, /Cannot unpack the program: .* damaged$/m);
});

async function makeHome(): Promise<string> {
  return await Deno.makeTempDir({ dir: scratch });
}

async function run(args: string[], env: Record<string, string>, stdin = "", path = executable) {
  const child = new Deno.Command(path, {
    args,
    env: { XDG_CACHE_HOME: "", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output] = await Promise.all([
    child.output(),
    new Blob([stdin]).stream().pipeTo(child.stdin),
  ]);
  const decoder = new TextDecoder();
  return {
    pid: child.pid,
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}
