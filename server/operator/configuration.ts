import { ServerConfig } from "../config.ts";
import { ConfigError } from "../config_error.ts";
import { FileError } from "../journal/files.ts";
import { readSmallFile } from "./small_file.ts";

const CONFIG_DEFAULT = "servers.json";
const CONFIG_BYTES_MAX = 2 ** 20;

/**
 * The configuration in a file; `isTrusted` says that the network between its nodes is. Rejects with
 * {@linkcode ConfigError}.
 */
export async function readConfiguration(
  path: string | undefined,
  isTrusted: boolean,
): Promise<ServerConfig> {
  const found = path ?? CONFIG_DEFAULT;
  const config = ServerConfig.parse(await readText(found), found);
  const exposed = config.insecureGrpcHosts();
  if (exposed.length > 0 && !isTrusted) {
    throw new ConfigError(found, [
      `nodes would talk to each other without TLS on ${exposed.join(", ")}: ` +
      `use loopback addresses, or --insecure if that network is trusted`,
    ]);
  }
  return config;
}

async function readText(path: string): Promise<string> {
  try {
    return await readSmallFile(path, CONFIG_BYTES_MAX);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const reason = error.code === "ENOENT"
      ? "there is no such file: say with --config where it is; README.md shows one"
      : error.reason;
    throw new ConfigError(path, [reason]);
  }
}
