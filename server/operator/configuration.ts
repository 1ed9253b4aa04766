import { ServerConfig } from "../config.ts";
import { ConfigError } from "../config_error.ts";
import { denoFiles } from "../journal/deno_files.ts";
import { FileError } from "../journal/files.ts";
import { readExactly } from "../journal/segment.ts";
import type { OperatorOptions } from "./command.ts";

const CONFIG_BYTES_MAX = 2 ** 20;

/** The configuration that a command is told to use. Rejects with {@linkcode ConfigError}. */
export async function readConfiguration(options: OperatorOptions): Promise<ServerConfig> {
  const path = options.text("config") ?? "servers.json";
  const config = ServerConfig.parse(await readText(path), path);
  const exposed = config.insecureGrpcHosts();
  if (exposed.length > 0 && !options.has("insecure")) {
    throw new ConfigError(path, [
      `nodes would talk to each other without TLS on ${exposed.join(", ")}: ` +
      `use loopback addresses, or --insecure if that network is trusted`,
    ]);
  }
  return config;
}

async function readText(path: string): Promise<string> {
  try {
    const file = await denoFiles.open(path, "read");
    try {
      return new TextDecoder().decode(await readExactly(file, 0, CONFIG_BYTES_MAX));
    } finally {
      file.close();
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ConfigError(path, [`${error.reason}: say with --config where it is`]);
  }
}
