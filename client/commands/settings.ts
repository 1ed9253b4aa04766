import { printable } from "../../codec/printable.ts";
import { dirname, resolve } from "node:path";
import * as v from "valibot";
import { type Invite, parseInvite } from "../../codec/invite.ts";
import { formatHost, type Host, parseHost, PORT_DEFAULT } from "../connection.ts";
import { ConfigurationError, UsageError } from "./errors.ts";
import type { OptionName, Options } from "./option_table.ts";
import type { Shell } from "./shell.ts";

/** What the user's own configuration file may say, besides what is not ours. */
const userConfigShape = v.looseObject({
  hosts: v.optional(v.array(v.string())),
  /** The certificate of the CA of these hosts, in PEM: with it, they are talked to by TLS. */
  ca: v.optional(v.string()),
  user: v.optional(v.string()),
});
type UserConfig = v.InferOutput<typeof userConfigShape>;

/** What a client needs of a servers.json: where each node listens for clients, and how to know it. */
const serversShape = v.object({
  nodes: v.pipe(
    v.array(v.object({
      name: v.string(),
      tcp: v.object({
        host: v.string(),
        port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
      }),
      tls: v.optional(v.object({ ca: v.string() })),
    })),
    v.minLength(1),
  ),
});

/** The options that say which servers. */
const WHERE = ["host", "config", "invite"] as const satisfies readonly OptionName[];

/** Where a server is and, from a servers.json, what it is called. */
export interface NamedHost {
  readonly host: Host;
  readonly name?: string;
}

/** The servers to try, in order. */
export async function hostsOf(options: Options, shell: Shell): Promise<readonly Host[]> {
  return (await namedHostsOf(options, shell)).map(({ host }) => host);
}

/** The servers, in order, with their names if a servers.json gives them. */
export async function namedHostsOf(
  options: Options,
  shell: Shell,
): Promise<readonly NamedHost[]> {
  const said = WHERE.filter((option) => options.has(option)).map((option) => `--${option}`);
  if (said.length > 1) {
    throw new UsageError(`${said.join(" and ")} cannot both be given`);
  }
  const servers = options.text("config");
  if (servers !== undefined) return await hostsOfServers(servers, shell);
  const invite = await inviteOf(options, shell);
  if (invite !== undefined) return hostsFrom("--invite", invite.hosts, UsageError, invite.ca);
  const { hosts: known, ca } = await readUserConfig(shell);
  if (!options.has("host")) {
    const hosts = known ?? [formatHost({ host: "127.0.0.1", port: PORT_DEFAULT })];
    return hostsFrom("hosts in config.json", hosts, ConfigurationError, ca);
  }
  const named = hostsFrom("--host", options.all("host"), UsageError);
  // A server that is known is not to be talked to in plain text because its address was typed.
  const places = new Set(known?.map(placeOf));
  const isKnown = ({ host }: NamedHost) => places.has(placeOf(formatHost(host)));
  return named.map((one) => ca !== undefined && isKnown(one) ? { host: { ...one.host, ca } } : one);
}

/** A host's name is the same in capitals, and with the port that it has anyway. */
function placeOf(text: string): string {
  const host = parseHost(text);
  return (host === undefined ? text : formatHost(host)).toLowerCase();
}

/** Whether an option says which servers. */
export function saysWhere(options: Options): boolean {
  return WHERE.some((option) => options.has(option));
}

/** What `--invite` says, itself or in the file that it names. */
export async function inviteOf(options: Options, shell: Shell): Promise<Invite | undefined> {
  const given = options.text("invite");
  if (given === undefined) return undefined;
  const isFile = !given.startsWith("chat:");
  const invite = parseInvite(isFile ? await readConfigured(given, shell) : given);
  if (invite !== undefined) return invite;
  throw isFile
    ? new ConfigurationError(
      `Cannot use ${given}: it does not hold an invite, chat://…, in one line`,
    )
    : new UsageError(
      "--invite: this is not an invite, or not all of one: it is one line, chat://…",
    );
}

/** Who to sign in as; undefined if nothing says it. */
export async function userOf(options: Options, shell: Shell): Promise<string | undefined> {
  return options.text("user") ?? (shell.env("CHAT_USER") || (await readUserConfig(shell)).user);
}

/** What a command that cannot ask says when nothing tells who to sign in as. */
export function noUser(): UsageError {
  return new UsageError("who? Give --user NAME, or set CHAT_USER");
}

/** The password, if anything but a person says it. */
export async function passwordOf(options: Options, shell: Shell): Promise<string | undefined> {
  const path = options.text("password-file");
  if (path === undefined) return shell.env("CHAT_PASSWORD") || undefined;
  return withoutLineEnd(await readConfigured(path, shell));
}

/** What a command that cannot ask says when nothing tells the password. */
export function noPassword(): UsageError {
  return new UsageError(
    "no password: set CHAT_PASSWORD, give --password-file FILE, or sign in with chat client --remember",
  );
}

/** One line break at the end is the editor's, or the shell's, not the author's. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}

async function hostsOfServers(path: string, shell: Shell): Promise<readonly NamedHost[]> {
  const servers = parseConfigured(path, await readConfigured(path, shell), serversShape);
  const plain = servers.nodes.findIndex(({ tls }) => tls === undefined);
  // To the one a client would say in plain text what it says to the others encrypted.
  if (plain >= 0 && servers.nodes.some(({ tls }) => tls !== undefined)) {
    throw new ConfigurationError(
      `Cannot use ${path}: nodes.${plain}.tls: expected it on every node, as others have it`,
    );
  }
  const read = (ca: string) => readConfigured(resolve(dirname(path), ca), shell);
  return await Promise.all(servers.nodes.map(async ({ name, tcp, tls }) => ({
    host: hostFrom(path, formatHost(tcp), ConfigurationError, tls && await read(tls.ca)),
    name,
  })));
}

/** Where the user's own file of this name is; undefined for who has no home. */
export function userFile(shell: Shell, name: string): string | undefined {
  const home = shell.env("HOME");
  const directory = shell.env("XDG_CONFIG_HOME") || (home ? `${home}/.config` : undefined);
  return directory === undefined ? undefined : `${directory}/chat/${name}`;
}

export async function readUserConfig(shell: Shell): Promise<UserConfig> {
  const path = userFile(shell, "config.json");
  const text = path === undefined ? undefined : await readIfThere(path, shell);
  return path === undefined || text === undefined
    ? {}
    : parseConfigured(path, text, userConfigShape);
}

/** The text of a file that need not exist. */
export async function readIfThere(path: string, shell: Shell): Promise<string | undefined> {
  return await shell.readTextFile(path).catch((error) => {
    if (error instanceof Error && error.name === "NotFound") return undefined;
    throw new ConfigurationError(`Cannot read ${path}: ${messageOf(error)}`);
  });
}

async function readConfigured(path: string, shell: Shell): Promise<string> {
  try {
    return await shell.readTextFile(path);
  } catch (error) {
    throw new ConfigurationError(`Cannot read ${path}: ${messageOf(error)}`);
  }
}

/** Throws {@linkcode ConfigurationError}. */
export function parseConfigured<S extends v.GenericSchema>(
  path: string,
  text: string,
  shape: S,
): v.InferOutput<S> {
  const result = v.safeParse(shape, parseJson(path, text));
  if (result.success) return result.output;
  const issues = result.issues.map((issue) => `${v.getDotPath(issue) ?? "it"}: ${issue.message}`);
  throw new ConfigurationError(`Cannot use ${path}: ${issues.join("; ")}`);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`Cannot use ${path}: it is no JSON (${messageOf(error)})`);
  }
}

function hostsFrom(
  where: string,
  texts: readonly string[],
  Kind: new (message: string) => Error,
  ca?: string,
): NamedHost[] {
  return texts.map((text) => ({ host: hostFrom(where, text, Kind, ca) }));
}

function hostFrom(
  where: string,
  text: string,
  Kind: new (message: string) => Error,
  ca: string | undefined,
): Host {
  const host = parseHost(text);
  if (host === undefined) throw new Kind(`${where}: ${printable(text)} is not HOST or HOST:PORT`);
  return ca === undefined ? host : { ...host, ca };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
