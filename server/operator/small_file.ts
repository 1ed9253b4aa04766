import { denoFiles } from "../journal/deno_files.ts";
import { readExactly } from "../journal/segment.ts";

/** The text of a file, or as much of it as `bytesMax` are. Rejects with FileError. */
export async function readSmallFile(path: string, bytesMax: number): Promise<string> {
  const file = await denoFiles.open(path, "read");
  try {
    return new TextDecoder().decode(await readExactly(file, 0, bytesMax));
  } finally {
    file.close();
  }
}
