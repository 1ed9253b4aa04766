import { dirname } from "node:path";
import { writeAll } from "../codec/frame.ts";
import {
  InputTooLongError,
  InterruptedError,
  OutputClosedError,
  OutputFailedError,
  type Shell,
  type TerminationSignal,
} from "./commands/shell.ts";

const SIGNALS: readonly TerminationSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const CTRL_U = 0x15;
const BACKSPACE = [0x08, 0x7f];
const LINE_ENDS = [0x0a, 0x0d];
/** The bits of a byte of UTF-8 that is not the first of its character. */
const isContinuation = (byte: number) => (byte & 0xc0) === 0x80;

/** This process: its environment, files, streams and signals. */
export const denoShell: Shell = {
  env: (name) => Deno.env.get(name),
  readTextFile: (path) => Deno.readTextFile(path),
  appendPrivateFile,
  runCommand,
  wallMs: Date.now,
  modeOf,
  writePrivateFile,
  removeFile: (path) => Deno.remove(path),
  readStdin,
  write,
  note(line) {
    closeLent();
    writeNote(`${line}\n`);
  },
  lendTerminal(close) {
    closeLent = close;
    return () => closeLent = () => {};
  },
  askSecret,
  onTermination,
  get stdinIsTerminal() {
    return Deno.stdin.isTerminal();
  },
  get stdoutIsTerminal() {
    return Deno.stdout.isTerminal();
  },
  get stderrIsTerminal() {
    return Deno.stderr.isTerminal();
  },
};

/** Leaves a terminal that a program draws on. */
let closeLent = () => {};

async function appendPrivateFile(path: string, text: string): Promise<void> {
  await makeDirectoryOf(path);
  await Deno.writeTextFile(path, text, { append: true, mode: 0o600 });
}

async function modeOf(path: string): Promise<number | undefined> {
  const mode = (await Deno.stat(path).catch(unlessNotFound))?.mode ?? undefined;
  return mode === undefined ? undefined : mode & 0o777;
}

async function writePrivateFile(path: string, text: string): Promise<void> {
  await makeDirectoryOf(path);
  // Who keeps it elsewhere, behind a link, goes on doing so.
  const target = await Deno.realPath(path).catch(unlessNotFound) ?? path;
  const draft = `${target}.${crypto.randomUUID()}.new`;
  try {
    using file = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
    await writeAll(file, new TextEncoder().encode(text));
    await file.sync();
    await Deno.rename(draft, target);
  } catch (error) {
    await Deno.remove(draft).catch(unlessNotFound);
    throw error;
  }
}

async function makeDirectoryOf(path: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
}

async function runCommand(command: string, env: Readonly<Record<string, string>>): Promise<void> {
  const child = new Deno.Command("sh", {
    args: ["-c", command],
    // It has no business with what this process was given to sign in by.
    env: { ...env, CHAT_PASSWORD: "" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  await child.output();
}

function unlessNotFound(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function readStdin(bytesMax: number): Promise<string> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of Deno.stdin.readable) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new InputTooLongError(bytesMax);
    chunks.push(chunk);
  }
  return await new Blob(chunks).text();
}

async function write(text: string): Promise<void> {
  try {
    await writeAll(Deno.stdout, new TextEncoder().encode(text));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) {
      throw new OutputClosedError("Cannot write to standard output: it was closed");
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new OutputFailedError(`Cannot write to standard output: ${reason}`);
  }
}

/** At once, so that nothing is lost if the process ends next. */
function writeNote(text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch (error) {
    // There is nobody left to tell.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function askSecret(question: string): Promise<string | undefined> {
  const typed: number[] = [];
  const undo = onTermination(() => Deno.stdin.setRaw(false));
  // First, or what is typed as soon as the question is there would be shown.
  Deno.stdin.setRaw(true);
  try {
    writeNote(question);
    const chunk = new Uint8Array(256);
    for (;;) {
      const count = await Deno.stdin.read(chunk);
      if (count === null) return undefined;
      for (const byte of chunk.subarray(0, count)) {
        if (LINE_ENDS.includes(byte)) return new TextDecoder().decode(new Uint8Array(typed));
        if (byte === CTRL_C) throw new InterruptedError("Interrupted");
        if (byte === CTRL_D && typed.length === 0) return undefined;
        edit(typed, byte);
      }
    }
  } finally {
    Deno.stdin.setRaw(false);
    undo();
    writeNote("\n");
  }
}

function edit(typed: number[], byte: number): void {
  if (byte === CTRL_U) typed.length = 0;
  else if (BACKSPACE.includes(byte)) {
    while (isContinuation(typed.at(-1) ?? 0)) typed.pop();
    typed.pop();
  } else if (byte >= 0x20) typed.push(byte);
}

function onTermination(action: (signal: TerminationSignal) => void): () => void {
  const listeners = SIGNALS.map((signal) => [signal, () => action(signal)] as const);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  };
}
