import {
  type ChatClient,
  InvalidInputError,
  NoSuchAccountError,
  RefusedError,
  WrongPasswordError,
} from "../connection.ts";
import { printable } from "../text/printable.ts";
import { createdText, signedInText } from "../text/wording.ts";
import type { LineScreen } from "./line_screen.ts";

/** What is known without asking. */
export interface Known {
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly mayCreate: boolean;
}

const TRIES_MAX = 3;

/**
 * Signs in, asking for what is not known; a name that nobody has is asked about before it becomes an
 * account. False if the person leaves instead.
 */
export async function signInDialog(
  client: ChatClient,
  screen: LineScreen,
  known: Known,
): Promise<boolean> {
  for (let user = known.user;;) {
    user ??= await screen.ask("Name: ");
    if (user === undefined) return false;
    try {
      const exists = await client.lookUp(user);
      if (exists) return await enter(client, screen, user, known.password);
      if (known.mayCreate || await confirm(screen, user)) {
        return await signUp(client, screen, user, known.password);
      }
      if (!screen.isInteractive) throw new NoSuchAccountError(user, "use --create to make it");
    } catch (error) {
      if (!screen.isInteractive || !isAboutTheName(error)) throw error;
      screen.print(printable(error.message));
    }
    user = undefined;
  }
}

async function confirm(screen: LineScreen, user: string): Promise<boolean> {
  return await agrees(screen, `There is no account "${printable(user)}". Create it? [y/N] `);
}

/** Asks a question whose answer is no unless it is yes. */
export async function agrees(screen: LineScreen, question: string): Promise<boolean> {
  const answer = await screen.ask(question);
  return /^\s*y(es)?\s*$/i.test(answer ?? "");
}

async function enter(
  client: ChatClient,
  screen: LineScreen,
  user: string,
  password: string | undefined,
): Promise<boolean> {
  for (let tries = 1;; tries++) {
    const typed = password ?? await screen.ask("Password: ", { isHidden: true });
    if (typed === undefined) return false;
    try {
      const session = await client.signIn({ user, password: typed });
      const other = signedInText(user, session.user);
      if (other !== undefined) screen.print(`-- ${other}`);
      return true;
    } catch (error) {
      const isTyped = password === undefined;
      if (!isTyped || tries === TRIES_MAX || !isAboutThePassword(error)) throw error;
      screen.print(printable(error.message));
    }
  }
}

async function signUp(
  client: ChatClient,
  screen: LineScreen,
  user: string,
  password: string | undefined,
): Promise<boolean> {
  for (;;) {
    const typed = password ?? await askNewPassword(screen);
    if (typed === undefined) return false;
    try {
      const { copies } = await client.signIn({ user, password: typed, create: true });
      if (copies !== undefined) screen.print(createdText(user, copies));
      return true;
    } catch (error) {
      if (password !== undefined || !isAboutThePassword(error)) throw error;
      screen.print(printable(error.message));
    }
  }
}

/** Asks for a new password, twice; undefined if the person leaves. */
export async function askNewPassword(screen: LineScreen): Promise<string | undefined> {
  for (;;) {
    const first = await screen.ask("New password: ", { isHidden: true });
    if (first === undefined) return undefined;
    const second = await screen.ask("The same again: ", { isHidden: true });
    if (second === undefined) return undefined;
    if (first === second) return first;
    screen.print("They are not the same.");
  }
}

function isAboutTheName(error: unknown): error is Error {
  return error instanceof InvalidInputError ||
    error instanceof RefusedError && error.code === "bad_name";
}

function isAboutThePassword(error: unknown): error is Error {
  return error instanceof WrongPasswordError || error instanceof InvalidInputError ||
    error instanceof RefusedError && error.code === "bad_password";
}
