import { TextLineStream } from "@std/streams";
import type { Nodes, RunningNode } from "./commands/demo.ts";
import { type Host, parseHost } from "./connection.ts";

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
  const listening = Promise.withResolvers<Host>();
  void follow(child.stderr, listening);
  return {
    host: await listening.promise,
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

/** Reads what a node says, to the end: it must never wait for a reader. */
async function follow(
  stderr: ReadableStream<Uint8Array<ArrayBuffer>>,
  listening: PromiseWithResolvers<Host>,
): Promise<void> {
  const lines = stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  const said: string[] = [];
  let host: Host | undefined;
  for await (const line of lines) {
    if (host !== undefined) continue;
    said.push(line);
    host = parseHost(/listening on (\S+)/.exec(line)?.[1] ?? "");
    if (host !== undefined) listening.resolve(host);
  }
  listening.reject(new Error(`Cannot start a node: it ended, saying ${said.join(" / ")}`));
}
