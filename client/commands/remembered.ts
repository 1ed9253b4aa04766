import * as v from "valibot";
import { printable } from "../../codec/printable.ts";
import { formatHost, type Host } from "../connection.ts";
import type { RememberedPassword } from "../dialog/sign_in_dialog.ts";
import type { Call } from "./command.ts";
import { ConfigurationError } from "./errors.ts";
import {
  messageOf,
  parseConfigured,
  readIfThere,
  readUserConfig,
  saysWhere,
  userFile,
} from "./settings.ts";
import { OTHERS, type Shell } from "./shell.ts";

/** A sign-in that has succeeded. */
export interface SignIn {
  readonly hosts: readonly Host[];
  readonly user: string;
  readonly password: string;
}

/** One password, and whom and which servers it is for: those that this CA vouches for, if there is one. */
const credentialsShape = v.object({
  hosts: v.array(v.string()),
  ca: v.optional(v.string()),
  user: v.string(),
  password: v.string(),
});
type Credentials = v.InferOutput<typeof credentialsShape>;

const CREDENTIALS = "credentials.json";

/**
 * The password that is kept for this user, if it is for all of these hosts: no other server may see
 * it. Throws {@linkcode ConfigurationError} if others may read the file.
 */
export async function rememberedPassword(
  shell: Shell,
  hosts: readonly Host[],
  user: string | undefined,
): Promise<RememberedPassword | undefined> {
  const file = userFile(shell, CREDENTIALS);
  if (file === undefined || user === undefined) return undefined;
  const mode = await shell.modeOf(file).catch((error) => {
    throw new ConfigurationError(`Cannot read ${file}: ${messageOf(error)}`);
  });
  if (mode === undefined) return undefined;
  if ((mode & OTHERS) !== 0) {
    throw new ConfigurationError(
      `Cannot use ${file}: others than you may read it. Do chmod 600 ${file}`,
    );
  }
  const kept = await readCredentials(shell, file);
  return kept !== undefined && isFor(kept, { hosts, user })
    ? { password: kept.password, file }
    : undefined;
}

/**
 * Keeps the servers, if options said them, and the user for the next time; with `--remember` the
 * password, too. What cannot be kept is a note.
 */
export async function rememberSignIn({ options, shell }: Call, signIn: SignIn): Promise<void> {
  const isSaid = saysWhere(options);
  await notingFailure(shell, "remember who has signed in", async () => {
    await rememberWho(shell, isSaid ? signIn : { user: signIn.user });
  });
  if (!options.has("remember")) return await forgetIfWrong(shell, signIn);
  await notingFailure(shell, "remember the password", async () => {
    const { user, password } = signIn;
    await write(shell, CREDENTIALS, { ...placesOf(signIn.hosts), user, password });
  });
}

/** Removes a kept password that is another one than this, which was right. */
export async function forgetIfWrong(shell: Shell, signIn: SignIn): Promise<void> {
  await notingFailure(shell, "forget a password that is wrong", async () => {
    const file = userFile(shell, CREDENTIALS);
    if (file === undefined) return;
    const kept = await readCredentials(shell, file);
    if (kept === undefined || !isFor(kept, signIn) || kept.password === signIn.password) return;
    await shell.removeFile(file);
  });
}

async function rememberWho(
  shell: Shell,
  { hosts, user }: { readonly hosts?: readonly Host[]; readonly user: string },
): Promise<void> {
  const known = await readUserConfig(shell);
  // With other servers, another CA goes, or none.
  const { ca: _, ...others } = known;
  const next = hosts === undefined ? { ...known, user } : { ...others, ...placesOf(hosts), user };
  if (JSON.stringify(next) !== JSON.stringify(known)) await write(shell, "config.json", next);
}

function isFor(kept: Credentials, { hosts, user }: Omit<SignIn, "password">): boolean {
  const places = placesOf(hosts);
  // Whoever has the address of a server, and not its certificate, is not that server.
  return kept.user.normalize("NFC") === user.normalize("NFC") && kept.ca === places.ca &&
    places.hosts.every((host) => kept.hosts.includes(host));
}

/** Servers as the files have them. */
function placesOf(hosts: readonly Host[]): { readonly hosts: string[]; readonly ca?: string } {
  const cas = new Set(hosts.map(({ ca }) => ca).filter((ca) => ca !== undefined));
  return { hosts: hosts.map(formatHost), ...cas.size > 0 && { ca: [...cas].join("") } };
}

async function readCredentials(shell: Shell, file: string): Promise<Credentials | undefined> {
  const text = await readIfThere(file, shell);
  return text === undefined ? undefined : parseConfigured(file, text, credentialsShape);
}

async function write(shell: Shell, name: string, value: unknown): Promise<void> {
  const file = userFile(shell, name);
  if (file === undefined) return;
  await shell.writePrivateFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

async function notingFailure(shell: Shell, action: string, act: () => Promise<void>) {
  try {
    await act();
  } catch (error) {
    shell.note(`chat: Cannot ${action}: ${printable(messageOf(error))}`);
  }
}
