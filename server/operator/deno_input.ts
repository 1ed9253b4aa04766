import { FileError } from "../journal/files.ts";

/** The bytes of a file, or of standard input if it is `-`. Rejects with FileError. */
export async function* readInput(path: string): AsyncGenerator<Uint8Array> {
  try {
    if (path === "-") yield* Deno.stdin.readable;
    else yield* (await Deno.open(path)).readable;
  } catch (error) {
    const isOfSystem = error instanceof Error && "code" in error;
    if (!isOfSystem) throw error;
    const reason = /\w.*?\(os error \d+\)/.exec(error.message)?.[0] ?? error.message;
    throw new FileError("read", path, reason, String(error.code));
  }
}
