/** A deliberate fault, as a change of a few places of the source. */
export interface Mutant {
  readonly name: string;
  /** What the mutated program does, as a clause without a subject. */
  readonly does: string;
  readonly patches: readonly Patch[];
  /** Tests that find it, where the simulation does not. */
  readonly suite?: readonly string[];
}

/** `find` is in the file exactly once. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Changes the tree in `directory`. Throws if a patch does not apply. */
export async function applyTo(directory: string, { patches }: Mutant): Promise<void> {
  for (const patch of patches) {
    const path = `${directory}/${patch.file}`;
    await Deno.writeTextFile(path, patched(await Deno.readTextFile(path), patch));
  }
}

/** `text` with the patch applied. Throws if that is not possible in exactly one way. */
export function patched(text: string, { file, find, replace }: Patch): string {
  const [before, after, ...more] = text.split(find);
  if (before !== undefined && after !== undefined && more.length === 0) {
    return before + replace + after;
  }
  const places = after === undefined ? 0 : 1 + more.length;
  throw new Error(`Cannot patch ${file}: found ${places} places, not 1, with ${find.trim()}`);
}
