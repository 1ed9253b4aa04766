import type { RefusalCode } from "../../codec/message.ts";
import { printable } from "../../codec/printable.ts";
import {
  type ChatClient,
  InvalidInputError,
  NoSuchAccountError,
  OneTimeTokenError,
  PASSWORD_CHARACTERS_MIN,
  RefusedError,
  WrongPasswordError,
} from "../connection.ts";
import { createdText, passwordSetText, signedInText } from "../text/wording.ts";
import type { Dialog } from "./dialog.ts";
import { textOf } from "./tellable.ts";

/** What is known without asking. */
export interface Known {
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Of an earlier sign-in as `user`: if it is wrong, it is asked for. */
  readonly remembered?: RememberedPassword | undefined;
  readonly mayCreate: boolean;
  /** By which an account is created, where that takes one. */
  readonly invitation?: string | undefined;
}

/** A password that was kept, and where. */
export interface RememberedPassword {
  readonly password: string;
  readonly file: string;
}

const TRIES_MAX = 3;

/**
 * Signs in, asking for what is not known; a name that nobody has is asked about before it becomes an
 * account. Resolves with the password that was right; undefined if the person leaves instead.
 */
export async function signInDialog(
  client: ChatClient,
  dialog: Dialog,
  known: Known,
): Promise<string | undefined> {
  for (let user = known.user;;) {
    user ??= await dialog.ask("Name: ");
    if (user === undefined) return undefined;
    try {
      const exists = await client.lookUp(user);
      if (exists) return await enter(client, dialog, user, known);
      if (known.mayCreate || await confirm(dialog, user)) {
        return await signUp(client, dialog, user, known);
      }
      if (!dialog.isInteractive) throw new NoSuchAccountError(user, "use --create to make it");
    } catch (error) {
      if (!dialog.isInteractive || !isAboutTheName(error)) throw error;
      dialog.print(printable(textOf(error)));
    }
    user = undefined;
  }
}

async function confirm(dialog: Dialog, user: string): Promise<boolean> {
  return await agrees(dialog, `There is no account "${printable(user)}". Create it? [y/N] `);
}

/** Asks a question whose answer is no unless it is yes. */
export async function agrees(dialog: Dialog, question: string): Promise<boolean> {
  const answer = await dialog.ask(question);
  return /^\s*y(es)?\s*$/i.test(answer ?? "");
}

async function enter(
  client: ChatClient,
  dialog: Dialog,
  user: string,
  known: Known,
): Promise<string | undefined> {
  const remembered = user === known.user ? known.remembered : undefined;
  let password = known.password ?? remembered?.password;
  for (let asked = 0;; password = undefined) {
    if (password === undefined) {
      asked++;
      password = await dialog.ask("Password: ", { isHidden: true });
      if (password === undefined) return undefined;
    }
    try {
      const session = await client.signIn({ user, password });
      tellOtherName(dialog, user, session.user);
      return password;
    } catch (error) {
      if (error instanceof OneTimeTokenError && dialog.isInteractive) {
        return await choosePassword(client, dialog, user, password);
      }
      const wrong = asked === 0 ? ofRemembered(error, user, remembered) : error;
      const mayAsk = known.password === undefined && dialog.isInteractive && asked < TRIES_MAX;
      if (!mayAsk || !isAboutThePassword(wrong)) throw wrong;
      dialog.print(printable(textOf(wrong)));
    }
  }
}

/** After a one-time token from the operator: it is good for choosing a password, and nothing else. */
async function choosePassword(
  client: ChatClient,
  dialog: Dialog,
  user: string,
  oneTimeToken: string,
): Promise<string | undefined> {
  dialog.print("That was a one-time token: choose a password, by which you sign in from now on.");
  for (;;) {
    const password = await askNewPassword(dialog);
    if (password === undefined) return undefined;
    try {
      const session = await client.signIn({ user, oneTimeToken, password });
      tellOtherName(dialog, user, session.user);
      if (session.copies !== undefined) dialog.print(passwordSetText(session.copies));
      return password;
    } catch (error) {
      // A token that is not good any more is not made good by another password.
      if (error instanceof WrongPasswordError || !isAboutThePassword(error)) throw error;
      dialog.print(printable(textOf(error)));
    }
  }
}

function tellOtherName(dialog: Dialog, asked: string, user: string): void {
  const other = signedInText(asked, user);
  if (other !== undefined) dialog.print(`-- ${other}`);
}

/** What is wrong with a password that nobody typed tells where it is from. */
export function ofRemembered(
  error: unknown,
  user: string,
  remembered: RememberedPassword | undefined,
): unknown {
  if (remembered === undefined || !(error instanceof WrongPasswordError)) return error;
  return new WrongPasswordError(user, `the password in ${remembered.file}`);
}

async function signUp(
  client: ChatClient,
  dialog: Dialog,
  user: string,
  { password, invitation }: Known,
): Promise<string | undefined> {
  for (;;) {
    const typed = password ?? await askNewPassword(dialog);
    if (typed === undefined) return undefined;
    try {
      const { copies } = await client.signIn({
        ...{ user, password: typed, create: true },
        ...(invitation !== undefined && { invitation }),
      });
      if (copies !== undefined) dialog.print(createdText(user, copies));
      return typed;
    } catch (error) {
      if (password !== undefined || !isAboutThePassword(error)) throw error;
      dialog.print(printable(textOf(error)));
    }
  }
}

/** Asks for a new password, twice; undefined if the person leaves. */
export async function askNewPassword(dialog: Dialog): Promise<string | undefined> {
  for (;;) {
    const first = await dialog.ask("New password: ", { isHidden: true });
    if (first === undefined) return undefined;
    if ([...first].length < PASSWORD_CHARACTERS_MIN) {
      dialog.print(`A password has at least ${PASSWORD_CHARACTERS_MIN} characters`);
      continue;
    }
    const second = await dialog.ask("The same again: ", { isHidden: true });
    if (second === undefined) return undefined;
    if (first === second) return first;
    dialog.print("They are not the same.");
  }
}

/** Whether somebody with another name could do better: also one that has an account. */
function isAboutTheName(error: unknown): error is Error {
  return error instanceof InvalidInputError ||
    error instanceof RefusedError && ABOUT_THE_NAME.includes(error.code);
}

const ABOUT_THE_NAME: readonly string[] = [
  "bad_name",
  "invitation_needed",
  "name_taken",
  "registration_closed",
] satisfies RefusalCode[];

function isAboutThePassword(error: unknown): error is Error {
  return error instanceof WrongPasswordError || error instanceof InvalidInputError ||
    error instanceof RefusedError && error.code === "bad_password";
}
