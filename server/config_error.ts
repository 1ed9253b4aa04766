/** All that is wrong with a configuration, at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** One line each, with the path of the field: `nodes[1].tcp.port: expected …`. */
  readonly faults: readonly string[];

  constructor(source: string, faults: readonly string[]) {
    super(`Cannot use ${source}:${faults.map((fault) => `\n  ${fault}`).join("")}`);
    this.faults = faults;
  }
}
