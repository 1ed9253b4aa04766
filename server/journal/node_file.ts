import { join } from "node:path";
import { sealedLine, sealFault } from "./batch.ts";
import { type Files, StorageError, writeAll } from "./files.ts";
import { readExactly } from "./segment.ts";

/** What `node.json` says: whose data this is, and by what to know that it is still the same. */
export interface NodeFile {
  readonly node: string;
  readonly epoch: string;
  /** Identity of the file `lock`: another one means that the directory is a copy. */
  readonly lock: string;
  /** The segment of the journal that was written to. */
  readonly segment: number;
  /** Identity of that segment's file. */
  readonly journal: string;
  /** Bytes of that segment that were on disk when this was written. */
  readonly journalBytes: number;
}

export const NODE_FILE = "node.json";
export const NODE_FILE_DRAFT = "node.json.new";
const FORMAT = 1;
const NODE_FILE_BYTES_MAX = 2 ** 16;

/** Reads `node.json`; "broken" if it is not what was written. */
export async function readNodeFile(files: Files, directory: string): Promise<NodeFile | "broken"> {
  const path = join(directory, NODE_FILE);
  const file = await files.open(path, "read");
  try {
    const bytes = await readExactly(file, 0, NODE_FILE_BYTES_MAX);
    return decodeNodeFile(bytes, path);
  } finally {
    file.close();
  }
}

/** Replaces `node.json`, durably and as a whole. */
export async function writeNodeFile(files: Files, directory: string, now: NodeFile): Promise<void> {
  const { node, epoch, lock, segment, journal, journalBytes } = now;
  const json = JSON.stringify({
    format: FORMAT,
    node,
    epoch,
    lock,
    segment,
    journal,
    journalBytes,
  });
  const [draft, path] = [join(directory, NODE_FILE_DRAFT), join(directory, NODE_FILE)];
  const file = await files.open(draft, "replace");
  try {
    await writeAll(file, draft, sealedLine(json));
    await file.sync();
  } finally {
    file.close();
  }
  await files.rename(draft, path);
  await files.syncDirectory(directory);
}

function decodeNodeFile(bytes: Uint8Array, path: string): NodeFile | "broken" {
  const end = bytes.indexOf(0x0a);
  if (end !== bytes.length - 1 || sealFault(bytes, 0, end) !== undefined) return "broken";
  const fields = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  if (fields.format !== FORMAT) {
    throw new StorageError(
      `Cannot use ${path}: it has format ${fields.format}, this version of chat knows ${FORMAT}. ` +
        "Start it with the version that wrote it, or a newer one.",
    );
  }
  // The first version had only one.
  return { ...fields, segment: fields.segment ?? 1 };
}
