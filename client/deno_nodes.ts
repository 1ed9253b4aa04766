import type { Nodes, RunningNode } from "./commands/demo.ts";
import { type Host, parseHost } from "./host.ts";

/** Starts nodes as processes of this same program, whose module `mainUrl` is. */
export function denoNodes(mainUrl: string): Nodes {
  return {
    makeScratch: () => Deno.makeTempDir({ prefix: "chat-demo-" }),
    removeScratch: (path) => Deno.remove(path, { recursive: true }),
    writeTextFile: (path, text) => Deno.writeTextFile(path, text),
    start: (args) => start(mainUrl, args),
  };
}

async function start(mainUrl: string, args: readonly string[]): Promise<RunningNode> {
  const [program, ...first] = programOf(mainUrl);
  const child = new Deno.Command(program, {
    args: [...first, "serve", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log: string[] = [];
  const { promise: listening, resolve, reject } = Promise.withResolvers<Host>();
  void follow(child.stderr, (line) => {
    const address = /listening on (\S+)/.exec(line)?.[1];
    const host = address === undefined ? undefined : parseHost(address);
    if (host !== undefined) resolve(host);
    else log.push(line);
  }).then(() => reject(new Error(`Cannot start a node: it ended, saying ${log.join(" / ")}`)));
  return {
    host: await listening,
    async end(signal) {
      try {
        child.kill(signal);
      } catch (error) {
        // It has ended by itself, or by the same Ctrl+C as we.
        if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
      }
      await child.status;
    },
  };
}

/** The executable that this is; from source, Deno with the permissions that deno.json gives. */
function programOf(mainUrl: string): [string, ...string[]] {
  const executable = Deno.env.get("CHAT_EXECUTABLE");
  if (executable !== undefined) return [executable];
  if (Deno.build.standalone) return [Deno.execPath()];
  const config = new URL("deno.json", mainUrl).pathname;
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", "--config", config, "-P", mainUrl];
}

/** Lines that are kept of what a node said before it listened. */
async function follow(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
}
