/**
 * Packs a program and Deno into one executable, where `deno compile` cannot: a shell script
 * (launcher.sh), then each file, compressed. Where it is started it needs a POSIX shell, coreutils
 * and gzip.
 */

import { gzipSync } from "node:zlib";
import launcher from "./launcher.sh" with { type: "text" };

/** The files begin at a fixed place, since the script in front says where they are. */
const LAUNCHER_BYTES = 16_384;

interface Part {
  path: string;
  sha256: string;
  compressed: Uint8Array<ArrayBuffer>;
}

/**
 * Gives the executable that runs `main.js` of `directory` with the Deno that runs this, under
 * `flags` of `deno run`.
 */
export async function packSelfExtracting(directory: string, flags: string[]): Promise<Blob> {
  // Named by content: versions of chat share a runtime and never mix their files.
  const runtime = await Deno.readFile(Deno.execPath());
  const runtimeName = await contentName([runtime]);
  const program = await readDirectory(directory);
  const programName = await contentName([...program.values()]);

  const parts = [await pack(`${runtimeName}/chat`, runtime)];
  for (const [name, content] of program) parts.push(await pack(`${programName}/${name}`, content));

  const script = new TextEncoder().encode(`#!/bin/sh
runtime='${runtimeName}' program='${programName}'
flags='--quiet --no-config --no-lock --no-remote --no-npm ${flags.join(" ")}'
unpack_all() {
  ${unpackCalls(parts).join(" &&\n  ")}
}

${launcher}`);
  if (script.length > LAUNCHER_BYTES) {
    throw new Error(`Cannot place launcher of ${script.length} bytes: limit is ${LAUNCHER_BYTES}`);
  }
  const padding = "\n".repeat(LAUNCHER_BYTES - script.length);
  return new Blob([script, padding, ...parts.map((part) => part.compressed)]);
}

/** A line of shell for each part: `unpack FIRST_BYTE LAST_BYTE SHA256 FILE`, bytes from 1. */
function unpackCalls(parts: Part[]): string[] {
  let lastByte = LAUNCHER_BYTES;
  return parts.map(({ path, sha256, compressed }) => {
    const firstByte = lastByte + 1;
    lastByte += compressed.length;
    return `unpack ${firstByte} ${lastByte} ${sha256} '${path}'`;
  });
}

async function pack(path: string, content: Uint8Array<ArrayBuffer>): Promise<Part> {
  const compressed = new Uint8Array(gzipSync(content));
  return { path, sha256: await sha256(content), compressed };
}

async function readDirectory(directory: string): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const names = [];
  for await (const entry of Deno.readDir(directory)) names.push(entry.name);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of names.sort()) files.set(name, await Deno.readFile(`${directory}/${name}`));
  return files;
}

async function contentName(contents: Uint8Array<ArrayBuffer>[]): Promise<string> {
  return (await sha256(new Uint8Array(await new Blob(contents).arrayBuffer()))).slice(0, 16);
}

async function sha256(content: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();
}
