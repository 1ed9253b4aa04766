/**
 * Builds `./chat`, one executable that needs no installation. Of two kinds, with the same bundled
 * program and the same permissions, it makes the first it can:
 *
 * - compiled: `deno compile`, where Deno's runtime for compiled programs (denort) is at hand or can
 *   be downloaded;
 * - self-extracting: the program and the Deno that runs this build, behind a shell script.
 *
 * `--if-older` does nothing if `./chat` is newer than all it is made of.
 */

import { parseArgs } from "@std/cli/parse-args";
import config from "../deno.json" with { type: "json" };
import { packSelfExtracting } from "./self_extracting.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const OUTPUT = `${ROOT}chat`;
const SOURCES = [
  "main.ts",
  "client",
  "codec",
  "command_line",
  "proto",
  "server",
  "scripts",
  "deno.json",
  "deno.lock",
];
const DOWNLOAD_TIMEOUT_MS = 5_000;

/** What the full-screen client loads ink in, and how it is called from client/commands/client.ts. */
const TERMINAL = { source: "client/screen/ink_terminal.tsx", name: "../screen/ink_terminal.tsx" };

/** A permission as `deno.json` states it. */
type Grant = boolean | string[] | { allow: boolean | string[]; ignore?: boolean | string[] };

if (import.meta.main) {
  const options = parseArgs(Deno.args, { boolean: ["if-older"] });
  if (!options["if-older"] || await isOlder(OUTPUT, SOURCES.map((it) => ROOT + it))) await build();
}

async function build(): Promise<void> {
  const bundled = await Deno.makeTempDir({ prefix: "chat-build-" });
  // Moved when it is whole, so that whoever runs the one before is not disturbed.
  const workshop = await Deno.makeTempDir({ dir: ROOT, prefix: "chat-", suffix: ".tmp" });
  const unfinished = `${workshop}/chat`;
  try {
    await bundleInto(bundled);
    const obstacle = await obstacleToCompiling();
    if (obstacle === undefined) {
      await deno(compileArguments(`${bundled}/main.js`, unfinished));
    } else {
      const packed = await packSelfExtracting(bundled, programFlags());
      await Deno.writeFile(unfinished, packed.stream());
    }
    await Deno.chmod(unfinished, 0o755);
    const { size } = await Deno.stat(unfinished);
    await Deno.rename(unfinished, OUTPUT);
    const kind = obstacle === undefined ? "compiled" : `self-extracting, as ${obstacle}`;
    console.error(`chat ${config.version}: ${(size / 1e6).toFixed(1)} MB, ${kind}`);
  } finally {
    await Deno.remove(bundled, { recursive: true });
    await Deno.remove(workshop, { recursive: true });
  }
}

/**
 * Bundles the program into `directory`. What a subcommand imports only when it is called stays a file
 * of its own, so that `chat send` need not load the server's libraries.
 */
async function bundleInto(directory: string): Promise<void> {
  const bundle = ["bundle", "--quiet", "--frozen-lockfile", "--platform", "deno"];
  const output = ["--code-splitting", "--outdir", directory];
  // Not minified, or a stack trace would tell nothing.
  const apart = ["--external", `*/${TERMINAL.source.split("/").at(-1)}`];
  await deno([...bundle, ...apart, ...output, `${ROOT}main.ts`]);
  // Only minified does React come as it is meant to run, not for its developers. What ink asks for
  // besides is for developers, too, and it does without.
  const bare = ["--minify", "--external", "react-devtools-core"];
  await deno([...bundle, ...bare, ...output, ROOT + TERMINAL.source]);
  const main = `${directory}/main.js`;
  const text = await Deno.readTextFile(main);
  const parts = text.split(`import("${TERMINAL.name}")`);
  if (parts.length !== 2) throw new Error(`Cannot build: main.js does not import ${TERMINAL.name}`);
  await Deno.writeTextFile(main, parts.join('import("./ink_terminal.js")'));
}

/** The arguments of `deno` that compile the bundled program at `entry` into `executable`. */
function compileArguments(entry: string, executable: string): string[] {
  return [
    ...["compile", "--quiet", "--no-check", "--no-config", "--no-lock", "--no-remote"],
    ...programFlags(),
    // The cache would have a guessable name in /tmp, where anyone can put a file first.
    "--no-code-cache",
    // For the demo, which starts nodes; main.ts gives it up for all else.
    "--allow-run",
    ...["--output", executable],
    entry,
  ];
}

/**
 * The `default` permissions of `deno.json`, as flags; and that the program may collect garbage, as the
 * full-screen client does.
 */
function programFlags(): string[] {
  const permissions: Record<string, Grant> = config.permissions.default;
  const flags = Object.entries(permissions).flatMap(([name, grant]) => {
    const { allow, ignore = false } = typeof grant === "object" && "allow" in grant
      ? grant
      : { allow: grant };
    return [
      ...permissionFlag(`--allow-${name}`, allow),
      ...permissionFlag(`--ignore-${name}`, ignore),
    ];
  });
  return ["--no-prompt", "--v8-flags=--expose-gc", ...flags];
}

function permissionFlag(flag: string, grant: boolean | string[]): string[] {
  if (typeof grant === "boolean") return grant ? [flag] : [];
  return [`${flag}=${grant.join(",")}`];
}

/** Why `deno compile` cannot be used. Asked first, since it would wait long for a silent network. */
async function obstacleToCompiling(): Promise<string | undefined> {
  if (Deno.env.has("DENORT_BIN")) return undefined;
  const archive = `release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  const { denoDir } = JSON.parse(await deno(["info", "--json"]));
  if (await modifiedMs(`${denoDir}/dl/${archive}`) > 0) return undefined;
  try {
    const response = await fetch(`https://dl.deno.land/${archive}`, {
      method: "HEAD",
      signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS),
    });
    return response.ok ? undefined : `dl.deno.land has no ${archive}`;
  } catch {
    return "dl.deno.land cannot be reached for what `deno compile` needs";
  }
}

/** Runs this very Deno, whatever `deno` the PATH has, and gives its standard output. */
async function deno(args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stderr: "inherit" });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`Cannot build: deno ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

async function isOlder(output: string, sources: string[]): Promise<boolean> {
  const sourcesMs = await Promise.all(sources.map(modifiedMs));
  return await modifiedMs(output) < Math.max(...sourcesMs);
}

/** When a file, or the newest file below a directory, was modified; 0 if there is none. */
async function modifiedMs(path: string): Promise<number> {
  const info = await Deno.stat(path).catch(unlessNotFound);
  if (!info?.isDirectory) return info?.mtime?.getTime() ?? 0;
  const entriesMs = [];
  for await (const entry of Deno.readDir(path)) {
    entriesMs.push(await modifiedMs(`${path}/${entry.name}`));
  }
  return Math.max(0, ...entriesMs);
}

function unlessNotFound(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
