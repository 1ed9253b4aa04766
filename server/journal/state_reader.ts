import { crc32 } from "node:zlib";
import type { VersionVector } from "../core/version_vector.ts";
import type { DataDirectory } from "./data_directory.ts";
import { FileError, type OpenFile } from "./files.ts";
import { type LineReader, readLinesOf } from "./line_reader.ts";

/** All that a journal and its snapshot say, up to where operations can be read one by one. */
export interface StateSource {
  /** The same text means the same bytes. */
  readonly id: string;
  readonly bytes: number;
  /** Which operations it stands for. */
  readonly vector: VersionVector;
  /** Whole lines; undefined if they are gone. Rejects with FileError. */
  read(at: number, bytesMax: number): Promise<Uint8Array | undefined>;
  close(): void;
}

/** Reads it from `directory`, as it is now. Rejects with FileError. */
export async function openState(directory: DataDirectory): Promise<StateSource> {
  for (;;) {
    const { files, snapshot } = directory;
    try {
      const file = snapshot === undefined ? undefined : await files.open(snapshot.path, "read");
      if (directory.snapshot === snapshot) return sourceOf(directory, file);
      file?.close();
    } catch (error) {
      // A compaction may have put another one in its place.
      if (!(error instanceof FileError) || directory.snapshot === snapshot) throw error;
    }
  }
}

function sourceOf(directory: DataDirectory, file: OpenFile | undefined): StateSource {
  const { snapshot, journal, index } = directory;
  const first = journal.segments[0]?.base ?? 0;
  const lines = directory.openReader();
  const [headerBytes, end] = [snapshot?.headerBytes ?? 0, snapshot?.bytes ?? 0];
  const journalBytes = Math.max(0, index.start - first);
  const [vector, upTo] = [index.startVector, index.start];
  return {
    id: `${snapshot?.segment ?? 0}-${end}-${journalBytes}-${crc32(vector.toString())}`,
    vector,
    bytes: end - headerBytes + journalBytes,
    read: (at, bytesMax) =>
      at < end - headerBytes && file !== undefined
        ? readLinesOf(file, headerBytes + at, { end, bytesMax })
        : readFrom(lines, first + at - (end - headerBytes), upTo, bytesMax),
    close() {
      lines.close();
      file?.close();
    },
  };
}

/** No more than up to `end`, where a line ends. */
async function readFrom(
  lines: LineReader,
  at: number,
  end: number,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  const found = await lines.read(at, Math.min(bytesMax, end - at));
  return found?.subarray(0, end - at);
}
