import { printable } from "../../codec/printable.ts";
import {
  ChatClient,
  type ClientTimeouts,
  type ConnectionState,
  type Credentials,
  type Host,
  NoSuchAccountError,
  type Session,
  WrongPasswordError,
} from "../connection.ts";
import { ofRemembered } from "../dialog/sign_in_dialog.ts";
import { createdText, signedInText } from "../text/wording.ts";
import type { Call } from "./command.ts";
import { forgetIfWrong, rememberedPassword } from "./remembered.ts";
import { hostsOf, inviteOf, noPassword, noUser, passwordOf, userOf } from "./settings.ts";
import type { Shell } from "./shell.ts";

/** How long what nobody watches tries to get back to a server that it lost. */
export const GIVE_UP_MS = 30_000;

/** Calls `action` with a client that is signed in as the options say, and closes the client. */
export async function whileSignedIn<T>(
  call: Call,
  action: (client: ChatClient) => Promise<T>,
  timeouts: Partial<ClientTimeouts> = { giveUpMs: GIVE_UP_MS },
): Promise<T> {
  const { options, shell, outside } = call;
  const hosts = await hostsOf(options, shell);
  const user = await requireUser(call);
  // What fails before the first connection is in the error, if it comes to one.
  let wasConnected = false;
  const onState = (state: ConnectionState) => {
    if (wasConnected && state.state !== "ended") shell.note(describeState(state));
    wasConnected ||= state.state === "connected";
  };
  await using client = new ChatClient({ hosts, outside, timeouts, onState });
  const session = await signInAs(call, client, hosts, user);
  for (const line of describeSignIn(user, session)) shell.note(`chat: ${line}`);
  return await action(client);
}

/** Signs in by the password that is given, else by one that is remembered, else by asking. */
async function signInAs(
  { options, shell }: Call,
  client: ChatClient,
  hosts: readonly Host[],
  user: string,
): Promise<Session> {
  const create = options.has("create");
  const invitation = (await inviteOf(options, shell))?.invitation;
  const how = { user, create, ...(invitation !== undefined && { invitation }) };
  const given = await passwordOf(options, shell);
  if (given !== undefined) return await signIn(client, { ...how, password: given });
  const remembered = await rememberedPassword(shell, hosts, user);
  if (remembered !== undefined) {
    try {
      return await signIn(client, { ...how, password: remembered.password });
    } catch (error) {
      const wrong = ofRemembered(error, user, remembered);
      if (!(wrong instanceof WrongPasswordError) || !canAsk(shell)) throw wrong;
      shell.note(`chat: ${printable(wrong.message)}`);
    }
  }
  const password = await askPassword(shell, user);
  const session = await signIn(client, { ...how, password });
  await forgetIfWrong(shell, { hosts, user, password });
  return session;
}

async function signIn(client: ChatClient, credentials: SignInByPassword): Promise<Session> {
  try {
    return await client.signIn(credentials);
  } catch (error) {
    if (!(error instanceof NoSuchAccountError)) throw error;
    throw new NoSuchAccountError(credentials.user, "use --create to make it");
  }
}

type SignInByPassword = Extract<Credentials, { readonly create?: boolean }>;

/** What of a sign-in is not as one would expect, or happens once. */
function describeSignIn(asked: string, { user, copies }: Session): string[] {
  const created = copies === undefined ? undefined : createdText(user, copies);
  return [created, signedInText(asked, user)].filter((line) => line !== undefined);
}

/** A connection's state as a person is told of it. */
function describeState(state: ConnectionState): string {
  switch (state.state) {
    case "connected":
      return `chat: connected to ${printable(state.node)} (${state.host})`;
    case "lost": {
      const next = state.nextTryMs < 1000
        ? "trying again"
        : `trying again in ${Math.round(state.nextTryMs / 1000)} s`;
      return `chat: no connection to ${state.host} (${printable(state.why)}); ${next}`;
    }
    case "ended":
      return `chat: ${printable(state.error instanceof Error ? state.error.message : "it ended")}`;
    default:
      return state satisfies never;
  }
}

async function requireUser({ options, shell }: Call): Promise<string> {
  const user = await userOf(options, shell);
  if (user === undefined) throw noUser();
  return user;
}

function canAsk(shell: Shell): boolean {
  return shell.stdinIsTerminal && shell.stderrIsTerminal;
}

async function askPassword(shell: Shell, user: string): Promise<string> {
  if (canAsk(shell)) {
    const typed = await shell.askSecret(`Password of ${printable(user)}: `);
    if (typed !== undefined) return typed;
  }
  throw noPassword();
}
