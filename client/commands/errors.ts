export { UsageError } from "../../command_line/usage_error.ts";

/** A file that the user wrote is wrong, or something that must be set is not. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** A node of the demo does not start: it has said why. */
export class NodeStartError extends Error {
  override readonly name = "NodeStartError";
}
