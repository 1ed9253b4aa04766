import { InvalidInputError } from "./errors.ts";

/** Of a message's content, in bytes of UTF-8. */
export const CONTENT_BYTES_MAX = 64 * 1024;
/** Of a user name, in code points. */
export const NAME_CHARACTERS_MAX = 64;
/** Of a new password, in code points: servers have the last word, but a person is told sooner. */
export const PASSWORD_CHARACTERS_MIN = 8;
/** Of a password, in bytes of UTF-8. */
const PASSWORD_BYTES_MAX = 1024;
/** Of a message's key, in code points. */
const KEY_CHARACTERS_MAX = 128;

/**
 * What no server would take is refused here, before it is sent. Each throws
 * {@linkcode InvalidInputError}; the server has the last word on what passes.
 */
export function checkContent(content: string): string {
  return checkBytes("a message", content, CONTENT_BYTES_MAX);
}

/** Gives the name in NFC, as names are compared. */
export function checkName(name: string): string {
  const normal = checkCharacters("a name", name.normalize("NFC"), NAME_CHARACTERS_MAX);
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(normal)) {
    throw new InvalidInputError("Cannot use a name with control characters or line breaks in it");
  }
  if (normal.trim() !== normal) {
    throw new InvalidInputError("Cannot use a name that begins or ends with white space");
  }
  return normal;
}

export function checkPassword(password: string): string {
  return checkBytes("a password", password, PASSWORD_BYTES_MAX);
}

export function checkKey(key: string): string {
  return checkCharacters("a key", key, KEY_CHARACTERS_MAX);
}

export function checkIds(ids: readonly string[]): readonly string[] {
  for (const id of ids) checkText("a message id", id);
  return ids;
}

function checkBytes(what: string, text: string, bytesMax: number): string {
  checkText(what, text);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > bytesMax) {
    throw new InvalidInputError(`Cannot use ${what} of ${bytes} bytes: the limit is ${bytesMax}`);
  }
  return text;
}

function checkCharacters(what: string, text: string, charactersMax: number): string {
  checkText(what, text);
  const characters = [...text].length;
  if (characters > charactersMax) {
    throw new InvalidInputError(
      `Cannot use ${what} of ${characters} characters: the limit is ${charactersMax}`,
    );
  }
  return text;
}

function checkText(what: string, text: string): void {
  if (text === "") throw new InvalidInputError(`Cannot use ${what}: it is empty`);
  if (!text.isWellFormed()) {
    throw new InvalidInputError(`Cannot use ${what} that holds half a surrogate pair`);
  }
  if (text.includes("\0")) throw new InvalidInputError(`Cannot use ${what} that holds a NUL`);
}
