import { dirname, resolve } from "node:path";
import type { NodeConfig, ServerConfig } from "../config.ts";
import { ConfigError } from "../config_error.ts";
import { FileError } from "../journal/files.ts";
import { faultsOf, type NodeIdentity } from "../tls/identity.ts";
import { readSmallFile } from "./small_file.ts";

const FIELDS = ["cert", "key", "ca"] as const satisfies (keyof NodeIdentity)[];
const PEM_BYTES_MAX = 64 * 1024;

/**
 * The certificates of a node, from the files that the configuration names; undefined if it names none.
 * Rejects with {@linkcode ConfigError} if others would not believe them.
 */
export async function readIdentity(
  { source, nodes }: ServerConfig,
  { name, tls }: NodeConfig,
  nowMs: number,
): Promise<NodeIdentity | undefined> {
  if (tls === undefined) return undefined;
  const where = `nodes[${nodes.findIndex((node) => node.name === name)}].tls`;
  const faults: string[] = [];
  const read = async (field: keyof NodeIdentity) => {
    const path = resolve(dirname(source), tls[field]);
    try {
      return await readSmallFile(path, PEM_BYTES_MAX);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      faults.push(`${where}.${field}: cannot read ${path}: ${error.reason}`);
      return "";
    }
  };
  const [cert, key, ca] = [await read("cert"), await read("key"), await read("ca")];
  if (faults.length === 0) {
    const found = faultsOf({ cert, key, ca }, name, nowMs);
    for (const field of FIELDS) {
      const fault = found[field];
      if (fault !== undefined) faults.push(`${where}.${field}: ${tls[field]}: ${fault}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(source, faults);
  return { cert, key, ca };
}
