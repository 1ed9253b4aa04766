const MAIN = new URL("../../main.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** The words that run `chat` from source. */
export const CHAT: readonly [string, ...string[]] = [
  Deno.execPath(),
  ...["run", "--quiet", "--no-prompt", "--config", CONFIG, "-P", "--allow-run", MAIN.pathname],
];

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChatCall {
  readonly env?: Record<string, string>;
  readonly stdin?: string;
}

/** Runs `chat` as a process of its own, with nothing of the surroundings' configuration. */
export async function chat(args: readonly string[], call: ChatCall = {}): Promise<Finished> {
  const child = spawnChat(args, call.env);
  const writer = child.stdin.getWriter();
  // It may have ended without reading.
  await writer.write(new TextEncoder().encode(call.stdin ?? "")).catch(() => undefined);
  await writer.close().catch(() => undefined);
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Starts `chat`, with pipes for its streams. */
export function spawnChat(
  args: readonly string[],
  env: Record<string, string> = {},
): Deno.ChildProcess {
  const [program, ...first] = CHAT;
  return new Deno.Command(program, {
    args: [...first, ...args],
    clearEnv: true,
    env: { HOME: "/nonexistent", DENO_DIR: denoDirectory(), ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Where this Deno keeps packages: a process with another home would fetch them anew. */
export function denoDirectory(): string {
  return Deno.env.get("DENO_DIR") ??
    `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
}
