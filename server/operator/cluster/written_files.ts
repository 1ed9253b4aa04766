import { basename, dirname, join } from "node:path";
import { makeDirectories } from "../../journal/data_directory.ts";
import { FileError, type Files, StorageError, writeAll } from "../../journal/files.ts";
import { readExactly } from "../../journal/segment.ts";

/**
 * Texts of files below a directory, by their paths in it, such as `node1/node.crt`. All are written with
 * mode 0600, public ones too: nobody but the operator has any use for them here, and a copy that keeps
 * the mode is as safe on the other machine.
 */
export type Texts = ReadonlyMap<string, string>;

const TEXT_BYTES_MAX = 2 ** 20;

/**
 * Makes a directory with these files. It has its name only once all is on disk; until then it is
 * `DIRECTORY.new`. Rejects with StorageError if there is something already, which stays as it is.
 */
export async function makeWithFiles(files: Files, directory: string, texts: Texts): Promise<void> {
  await refuseUsed(files, directory);
  const draft = draftOf(directory);
  const made: string[] = [];
  try {
    await makeDirectories(files, draft);
    made.push(draft);
    for (const folder of foldersOf(texts)) {
      await files.makeDirectory(join(draft, folder));
      made.push(join(draft, folder));
    }
    for (const [name, text] of texts) {
      made.push(join(draft, name));
      await writeFile(files, join(draft, name), text);
    }
    for (const folder of foldersOf(texts)) await files.syncDirectory(join(draft, folder));
    await files.syncDirectory(draft);
    await files.rename(draft, directory);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw await withoutWhatWasMade(files, made, error);
  }
  await files.syncDirectory(dirname(directory));
}

/** Rejects with StorageError unless the directory may be made. */
export async function refuseUsed(files: Files, directory: string): Promise<void> {
  if (/^\.{0,2}$/.test(basename(directory))) {
    throw new StorageError(`Cannot make ${directory || "it"}: name a directory that is to be made`);
  }
  const [found] = await files.list(directory) ?? [];
  if (found !== undefined) {
    throw new StorageError(
      `Cannot make ${directory}: it holds ${found}. Name a directory that is empty or does not exist ` +
        "yet; what a cluster has is changed by chat cluster add-node and chat cluster renew.",
    );
  }
  // Another one may be writing it: whose it is cannot be told.
  if (await files.list(draftOf(directory)) === undefined) return;
  throw new StorageError(
    `Cannot make ${directory}: ${
      draftOf(directory)
    } is there, of a chat cluster init that was ended ` +
      "or still runs. Remove it, and try again.",
  );
}

/**
 * Replaces those files that have another text, or are not there, and resolves to their paths. None gets
 * its new text before all new texts are on disk; they get them in the order of `texts`. Rejects with
 * StorageError; it may be repeated.
 */
export async function replaceFiles(
  files: Files,
  directory: string,
  texts: Texts,
): Promise<readonly string[]> {
  const changed: string[] = [];
  for (const folder of foldersOf(texts)) {
    if (!await files.isDirectory(join(directory, folder))) {
      await files.makeDirectory(join(directory, folder));
    }
  }
  for (const [name, text] of texts) {
    if (await readFileIfThere(files, join(directory, name)) === text) continue;
    changed.push(name);
    await writeFile(files, draftOf(join(directory, name)), text);
  }
  for (const name of changed) {
    const path = join(directory, name);
    await files.rename(draftOf(path), path);
  }
  for (const folder of new Set(changed.map((name) => dirname(name)))) {
    await files.syncDirectory(join(directory, folder));
  }
  await files.syncDirectory(directory);
  return changed;
}

/** The text of a file; undefined if there is none. Rejects with FileError. */
export async function readFileIfThere(files: Files, path: string): Promise<string | undefined> {
  try {
    const file = await files.open(path, "read");
    try {
      return new TextDecoder().decode(await readExactly(file, 0, TEXT_BYTES_MAX));
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof FileError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function writeFile(files: Files, path: string, text: string): Promise<void> {
  const file = await files.open(path, "replace");
  try {
    await writeAll(file, path, new TextEncoder().encode(text));
    await file.sync();
  } finally {
    file.close();
  }
}

/** The error that tells of it, too, if something could not be removed. */
async function withoutWhatWasMade(
  files: Files,
  made: readonly string[],
  cause: StorageError,
): Promise<StorageError> {
  const [first] = made;
  try {
    for (const path of made.toReversed()) {
      // What was to be made last may not have been.
      const names = await files.list(dirname(path)) ?? [];
      if (names.includes(basename(path))) await files.remove(path);
    }
    return cause;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return new StorageError(`${cause.message} (Remove ${first}: ${error.message})`, { cause });
  }
}

function foldersOf(texts: Texts): ReadonlySet<string> {
  return new Set([...texts.keys()].map((name) => dirname(name)).filter((name) => name !== "."));
}

function draftOf(path: string): string {
  return `${path}.new`;
}
