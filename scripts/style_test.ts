/** The rules about source files that neither the compiler nor the linter knows. */

import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const LINES_MAX = 500;

/** A layer imports itself and the layers named here. Tests and scripts import what they like. */
const LAYERS: Record<string, { files: RegExp; imports: string[] }> = {
  main: { files: /^main\.ts$/, imports: ["serve", "operator", "client", "command_line", "codec"] },
  serve: {
    files: /^server\/(serve(_command)?|client_port|peer_port|push)\.ts$/,
    imports: [
      ...["node", "config", "tls", "log", "tcp", "session", "requests", "auth", "sync"],
      ...["commit", "journal", "core", "operator", "deno_outside"],
      ...["codec", "command_line"],
    ],
  },
  // All of a node but for what it stands on.
  node: {
    files: /^server\/node\.ts$/,
    imports: [
      ...[
        "open_node",
        "config",
        "tls",
        "log",
        "session",
        "requests",
        "auth",
        "sync",
        "commit",
        "journal",
      ],
      ...["pace", "core", "outside"],
      "codec",
    ],
  },
  open_node: {
    files: /^server\/(open_node|make_cluster)\.ts$/,
    imports: ["config", "log", "sync", "commit", "journal", "core", "outside", "codec"],
  },
  outside: { files: /^server\/outside\.ts$/, imports: ["commit", "journal"] },
  deno_outside: { files: /^server\/deno_outside\.ts$/, imports: ["outside", "journal"] },
  // Commands on a node's files, and how they talk to a node that runs.
  operator: {
    files: /^server\/operator\//,
    imports: [
      ...[
        "open_node",
        "config",
        "tls",
        "log",
        "requests",
        "auth",
        "sync",
        "commit",
        "journal",
        "core",
      ],
      ...["deno_outside", "codec", "command_line"],
      // How people are shown names, times and counts.
      "text",
    ],
  },
  config: { files: /^server\/(config(_error)?\.ts$|limits\.ts$|config\/)/, imports: [] },
  log: { files: /^server\/log(_budget)?\.ts$/, imports: ["codec"] },
  // Who a node is to clients and other nodes: certificates.
  tls: { files: /^server\/tls\//, imports: ["codec"] },
  // How fast whom may do what: measures, of no request or connection in particular.
  pace: {
    files:
      /^server\/guard\/(address|frame_pace|known_sources|strangers_pace|throttle|turns|frame_wait|waiting_total)\.ts$/,
    imports: [],
  },
  tcp: { files: /^server\/tcp\.ts$/, imports: ["session"] },
  session: {
    files:
      /^server\/((session|session_log|asked|subscription|outbox|registry|broadcast|presence)\.ts$|guard\/)/,
    imports: ["config", "log", "pace", "requests", "commit", "core", "codec"],
  },
  requests: { files: /^server\/requests\//, imports: ["auth", "core", "codec"] },
  auth: { files: /^server\/auth\//, imports: ["pace", "core"] },
  sync: {
    files: /^server\/sync\//,
    imports: ["tls", "log", "pace", "commit", "journal", "core", "codec"],
  },
  commit: {
    files: /^server\/(commit|own_origin|compactor|retention)\.ts$/,
    imports: ["log", "journal", "core", "codec"],
  },
  journal: { files: /^server\/journal\//, imports: ["core", "codec"] },
  core: { files: /^server\/core\//, imports: ["codec"] },
  // The client library: all others see only connection.ts of it.
  library: { files: /^client\/connection\//, imports: ["codec"] },
  connection: { files: /^client\/connection\.ts$/, imports: ["library", "codec"] },
  text: { files: /^client\/text\//, imports: ["codec"] },
  // What both kinds of interactive client say and ask.
  dialog: { files: /^client\/dialog\//, imports: ["connection", "text", "codec"] },
  slash: { files: /^client\/slash\//, imports: ["connection", "text", "codec"] },
  lines: { files: /^client\/lines\//, imports: ["dialog", "slash", "connection", "text", "codec"] },
  screen: {
    files: /^client\/screen\//,
    imports: ["dialog", "slash", "connection", "text", "codec"],
  },
  client: {
    files: /^client\//,
    imports: [
      ...["screen", "lines", "dialog", "slash", "connection", "text", "codec"],
      "command_line",
    ],
  },
  // What a command line may say, and how its help and completion tell of that.
  command_line: { files: /^command_line\//, imports: [] },
  codec: { files: /^codec\//, imports: [] },
};

/** Clock, randomness, files and sockets are handed to everything but these. */
const TOUCH_THE_OUTSIDE = [
  "main.ts",
  "server/serve.ts",
  "server/serve_command.ts",
  "server/client_port.ts",
  "server/tcp.ts",
  "server/deno_outside.ts",
  "server/journal/deno_files.ts",
  "server/operator/control.ts",
  "server/operator/deno_input.ts",
  "client/deno_nodes.ts",
  "client/deno_outside.ts",
  "client/deno_shell.ts",
];

/** What the core may import: createHash, a function like any other. */
const PURE_PACKAGES = ["node:crypto"];

const TEST_ONLY_PACKAGES = ["@std/assert", "fast-check"];

interface Source {
  path: string;
  text: string;
  /** The text without comments. */
  code: string;
  /** Specifiers as written, type imports and dynamic ones too. */
  imports: string[];
}

const sources = await readSources();
const shipped = sources.filter(({ path }) =>
  !/_(test|bench)\.tsx?$/.test(path) && !/^(scripts|(server|client)\/testing)\//.test(path)
);

Deno.test("imports obey the layers", () => {
  const wrong = shipped.flatMap(({ path, imports }) => {
    const layer = layerOf(path);
    if (layer === undefined) return [`${path} is in no layer`];
    return localImports(path, imports)
      .filter((target) => /\.tsx?$/.test(target))
      .filter((target) => {
        const imported = layerOf(target);
        const allowed = [layer, ...LAYERS[layer]?.imports ?? []];
        return imported === undefined || !allowed.includes(imported);
      })
      .map((target) => `${path} imports ${target}`);
  });
  assertEquals(wrong, []);
});

Deno.test("imports have no circles", () => {
  assertEquals(findCircle(sources)?.join(" -> "), undefined);
});

Deno.test("packages for tests stay out of the executable", () => {
  const wrong = shipped.filter(({ imports }) =>
    imports.some((specifier) => TEST_ONLY_PACKAGES.includes(specifier))
  );
  assertEquals(wrong.map(({ path }) => path), []);
});

Deno.test("only the named files touch Deno", () => {
  const wrong = shipped.filter(({ path, code }) =>
    !TOUCH_THE_OUTSIDE.includes(path) && /\bDeno\./.test(code)
  );
  assertEquals(wrong.map(({ path }) => path), []);
});

Deno.test("the core has no clock, randomness, timers or packages", () => {
  const impure =
    /\bDate\.now\b|\bnew Date\(\)|\b(performance|crypto|console)\.|\bMath\.random\b|\bset(Timeout|Interval)\b/;
  const wrong = shipped.filter(({ path, code, imports }) =>
    layerOf(path) === "core" &&
    (impure.test(code) ||
      imports.some((specifier) => !specifier.startsWith(".") && !PURE_PACKAGES.includes(specifier)))
  );
  assertEquals(wrong.map(({ path }) => path), []);
});

Deno.test("nothing is postponed or silenced", () => {
  const here = import.meta.url;
  const wrong = sources
    .filter(({ path }) => new URL(path, ROOT).href !== here)
    .flatMap(({ path, text }) =>
      text.split("\n").flatMap((line, index) =>
        /\b(TODO|FIXME|XXX)\b|@ts-(ignore|nocheck|expect-error)|deno-lint-ignore/.test(line)
          ? [`${path}:${index + 1}`]
          : []
      )
    );
  assertEquals(wrong, []);
});

Deno.test(`no file has more than ${LINES_MAX} lines`, () => {
  const wrong = sources.filter(({ text }) => text.split("\n").length - 1 > LINES_MAX);
  assertEquals(wrong.map(({ path }) => path), []);
});

Deno.test("file names say what is in them", () => {
  const wrong = sources.filter(({ path }) =>
    /(^|[/_])(utils?|helpers?|misc|manager)\.|\/types\.|[A-Z -]/.test(path)
  );
  assertEquals(wrong.map(({ path }) => path), []);
});

Deno.test("README and CI name the same version of Deno", async () => {
  const ci = await Deno.readTextFile(new URL(".ci/run", ROOT));
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const pinned = /^deno_version=(\S+)/m.exec(ci)?.[1];
  const named = new Set(readme.matchAll(/\bdeno@([\d.]*\d)/g).map(([, version]) => version));
  assertEquals([...named], [pinned]);
});

async function readSources(): Promise<Source[]> {
  const paths = await list(["main.ts", "client", "codec", "command_line", "scripts", "server"]);
  return await Promise.all(
    paths.filter((path) => /\.tsx?$/.test(path)).map(async (path) => {
      const text = await Deno.readTextFile(new URL(path, ROOT));
      const code = text
        .replaceAll(/\/\*[^]*?\*\//g, "")
        .replaceAll(/(^|\s)\/\/.*$/gm, "");
      return { path, text, code, imports: importsOf(code) };
    }),
  );
}

/** All files at and below `paths`, in one order everywhere. */
async function list(paths: string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(async (path) => {
    const url = new URL(path, ROOT);
    if ((await Deno.stat(url)).isFile) return [path];
    const entries = [];
    for await (const entry of Deno.readDir(url)) entries.push(`${path}/${entry.name}`);
    return await list(entries);
  }));
  return found.flat().sort();
}

function importsOf(code: string): string[] {
  const statements = code.matchAll(/^(?:import|export)\s(?:[^"';]*?\sfrom\s)?\s*"([^"]+)"/gm);
  const calls = code.matchAll(/\bimport\(\s*"([^"]+)"/g);
  return [...statements, ...calls].flatMap(([, specifier]) => specifier ?? []);
}

/** What of `imports` is a file of this project, as a path from the root. */
function localImports(path: string, imports: string[]): string[] {
  return imports
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => new URL(specifier, new URL(path, ROOT)).href.slice(ROOT.href.length));
}

function layerOf(path: string): string | undefined {
  return Object.keys(LAYERS).find((name) => LAYERS[name]?.files.test(path));
}

/** The paths of one circle, its first path again at the end. */
function findCircle(sources: Source[]): string[] | undefined {
  const graph = new Map(sources.map(({ path, imports }) => [path, localImports(path, imports)]));
  const finished = new Set<string>();

  const visit = (path: string, trail: string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (finished.has(path)) return undefined;
    for (const target of graph.get(path) ?? []) {
      const circle = visit(target, [...trail, path]);
      if (circle !== undefined) return circle;
    }
    finished.add(path);
    return undefined;
  };

  for (const path of graph.keys()) {
    const circle = visit(path, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
