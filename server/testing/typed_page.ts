import { TextLineStream } from "@std/streams";
import { CHAT, denoDirectory } from "../../client/testing/chat_process.ts";
import { unusedPort } from "./server_process.ts";

/** What a page of documentation tells its reader to type, or to do. */
export type Step =
  | { readonly kind: "serve"; readonly node: string; readonly line: string }
  /** Begins to follow, and is interrupted. */
  | { readonly kind: "follow"; readonly line: string }
  | { readonly kind: "stop" | "destroy" | "reload"; readonly node: string; readonly line: string }
  | {
    readonly kind: "command";
    readonly line: string;
    readonly code: number;
    /** The last line that it prints, at the latest after a while: `…` is anything. */
    readonly last: string | undefined;
  };

export interface PageSection {
  readonly title: string;
  readonly text: string;
  readonly steps: readonly Step[];
}

const ACTIONS = [
  ["stop", /^# stop (\w+): Ctrl\+C in its terminal$/],
  ["destroy", /^# (\w+)'s machine is gone, with its disk$/],
  ["reload", /^# (\w+) gets SIGHUP: systemctl reload chat on its machine$/],
] as const;
const PORTS = /\b(?:900[1-9]|5005[1-9])\b/g;
const LISTENING = /listening on \S+$/;
const RENEWED = /new connections get the certificates as they are now$/;
const FOLLOWING = /following as \S+ on \S+$/;
/** Of a process that ended by Ctrl+C. */
const INTERRUPTED = 130;
/** So long nodes may take to agree, in ms. */
const PATIENCE_MS = 10_000;

/** The sections of a page, each with the steps of its `sh` blocks. */
export function readPage(page: string): PageSection[] {
  return page.split(/^## /m).slice(1).map((section) => {
    const title = section.slice(0, section.indexOf("\n"));
    const steps = blocksOf(section, "sh").flatMap((block) => linesOf(block).map(stepOf));
    return { title, text: section, steps };
  });
}

/** The texts of a page's fenced blocks of one kind. */
export function blocksOf(page: string, kind: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${kind}\n(.*?)^\`\`\`$`, "gms"))]
    .map(([, text = ""]) => text);
}

/** A line each, a here-document with the line that begins it. */
function linesOf(block: string): string[] {
  return [...block.matchAll(/^.*<<'END'\n[^]*?^END$|^.+$/gm)].map(([line]) => line);
}

/** What a line tells its reader to do. */
export function stepOf(line: string): Step {
  for (const [kind, pattern] of ACTIONS) {
    const node = pattern.exec(line)?.[1];
    if (node !== undefined) return { kind, node, line };
  }
  if (line.startsWith("#")) throw new Error(`Cannot tell how to do this: ${line}`);
  const node = /^(?:\.\/)?chat serve --node (\w+)( |$)/.exec(line)?.[1];
  if (node !== undefined) return { kind: "serve", node, line };
  if (/^(?:\.\/)?chat tail\b/.test(line)) return { kind: "follow", line };
  const code = Number(/ # exit code (\d+):/.exec(line)?.[1] ?? 0);
  return { kind: "command", line, code, last: / # → (.*)$/.exec(line)?.[1] };
}

function isLike(line: string, said: string): boolean {
  const [first = "", ...others] = said.split("…");
  if (!line.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = line.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at === line.length || said.endsWith("…");
}

/** A process, and what it says to its operator. */
interface Running {
  readonly child: Deno.ChildProcess;
  /** Resolves when it says something of the kind; rejects if it ends before. */
  hears(pattern: RegExp): Promise<void>;
}

/** Does what a page says, in a directory of its own: with real processes, on ports that nobody uses. */
export class Typist implements AsyncDisposable {
  readonly directory: string;
  readonly #nodes = new Map<string, Running>();
  readonly #ports = new Map<string, string>();

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** With `./chat` and a `servers.json` there. */
  static async begin(servers: string): Promise<Typist> {
    const typist = new Typist(await Deno.makeTempDir({ prefix: "chat-typed-" }));
    const words = CHAT.map((word) => `'${word}'`).join(" ");
    const [chat, config] = [`${typist.directory}/chat`, `${typist.directory}/servers.json`];
    await Deno.writeTextFile(chat, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
    await Deno.writeTextFile(config, typist.#withPorts(servers));
    return typist;
  }

  /** The surroundings of what it types: a home of its own, in which `chat` is a command. */
  get env(): Record<string, string> {
    return {
      CHAT_USER: "",
      DENO_DIR: denoDirectory(),
      HOME: this.directory,
      NO_COLOR: "1",
      PATH: `${this.directory}:${Deno.env.get("PATH")}`,
      XDG_CONFIG_HOME: `${this.directory}/.config`,
    };
  }

  /** The port that stands for one of the page. */
  port(said: number): number {
    return Number(this.#withPorts(String(said)));
  }

  /** Gives a file that a command has made its own ports, where that command chose those of the page. */
  async usePorts(name: string): Promise<void> {
    const path = `${this.directory}/${name}`;
    await Deno.writeTextFile(path, this.#withPorts(await Deno.readTextFile(path)));
  }

  /** Resolves with what was printed to standard output. */
  async take(step: Step): Promise<string> {
    switch (step.kind) {
      case "serve":
        this.#nodes.set(step.node, await this.#start(step.line, LISTENING));
        return "";
      case "follow": {
        const { child } = await this.#start(step.line, FOLLOWING);
        child.kill("SIGINT");
        const { code } = await child.status;
        if (code !== INTERRUPTED) throw new Error(`${step.line}\nended with ${code}`);
        return "";
      }
      case "reload": {
        const { child, hears } = this.#running(step.node);
        const renewed = hears(RENEWED);
        child.kill("SIGHUP");
        await renewed;
        return "";
      }
      case "stop": {
        const { code } = await this.#end(step.node, "SIGINT");
        if (code !== 0) throw new Error(`Cannot go on: ${step.node} ended with ${code}`);
        return "";
      }
      case "destroy":
        await this.#end(step.node, "SIGKILL");
        await Deno.remove(`${this.directory}/data/${step.node}`, { recursive: true });
        return "";
      case "command":
        return await this.#run(step);
      default:
        return step satisfies never;
    }
  }

  /** Runs a line that the page has elsewhere. */
  async type(line: string): Promise<string> {
    return await this.#run({ kind: "command", line, code: 0, last: undefined });
  }

  /** Kills what it started, and removes what was written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#nodes.keys()].map((node) => this.#end(node, "SIGKILL")));
    await Deno.remove(this.directory, { recursive: true });
  }

  async #run({ line, code, last }: Step & { kind: "command" }): Promise<string> {
    const startMs = performance.now();
    for (;;) {
      const output = await this.#bash(line).output();
      const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
        new TextDecoder().decode(bytes)
      );
      const isSo = output.code === code &&
        (last === undefined || isLike(stdout?.trimEnd().split("\n").at(-1) ?? "", last));
      if (isSo) return stdout ?? "";
      const mayBecomeSo = last !== undefined && performance.now() - startMs < PATIENCE_MS;
      if (mayBecomeSo && output.code === code) continue;
      throw new Error(`${line}\nended with ${output.code}, saying:\n${stdout}${stderr}`);
    }
  }

  /** Resolves with it when it has said this. */
  async #start(line: string, begun: RegExp): Promise<Running> {
    const child = this.#bash(`exec ${line}`, "null").spawn();
    const log: string[] = [];
    const waiting = new Map<PromiseWithResolvers<void>, RegExp>();
    const hears = (pattern: RegExp) => {
      const heard = Promise.withResolvers<void>();
      waiting.set(heard, pattern);
      return heard.promise;
    };
    const read = async () => {
      const lines = child.stderr.pipeThrough(new TextDecoderStream())
        .pipeThrough(new TextLineStream());
      for await (const one of lines) {
        log.push(one);
        for (const [heard, pattern] of waiting) if (pattern.test(one)) heard.resolve();
      }
      const ended = new Error(`${line}\nended, saying:\n${log.join("\n")}`);
      for (const heard of waiting.keys()) heard.reject(ended);
    };
    void read();
    await hears(begun);
    return { child, hears };
  }

  #running(node: string): Running {
    const running = this.#nodes.get(node);
    if (running === undefined) throw new Error(`Cannot do that: ${node} does not run`);
    return running;
  }

  async #end(node: string, signal: Deno.Signal): Promise<Deno.CommandStatus> {
    const { child } = this.#running(node);
    this.#nodes.delete(node);
    try {
      child.kill(signal);
    } catch (error) {
      // It ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    return await child.status;
  }

  #bash(line: string, stdout: "null" | "piped" = "piped"): Deno.Command {
    return new Deno.Command("bash", {
      args: ["-c", this.#withPorts(line)],
      cwd: this.directory,
      env: { ...this.env, CHAT_PASSWORD: "correct horse" },
      stdin: "null",
      stdout,
      stderr: "piped",
    });
  }

  #withPorts(text: string): string {
    return text.replace(PORTS, (said) => {
      const known = this.#ports.get(said);
      if (known !== undefined) return known;
      let port = String(unusedPort());
      while ([...this.#ports.values()].includes(port)) port = String(unusedPort());
      this.#ports.set(said, port);
      return port;
    });
  }
}
