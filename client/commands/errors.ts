/** The command line is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A file that the user wrote is wrong, or something that must be set is not. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}
