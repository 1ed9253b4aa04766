import { InvalidInputError } from "./errors.ts";

/** Content of a message, in bytes of UTF-8. */
export const CONTENT_BYTES_MAX = 64 * 1024;
/** Of a user name, in code points. */
export const NAME_CHARACTERS_MAX = 64;
export const PASSWORD_BYTES_MAX = 1024;
export const KEY_CHARACTERS_MAX = 128;

/**
 * What no server would take is refused here, before it is sent. Each throws
 * {@linkcode InvalidInputError}; the server has the last word on what passes.
 */
export function checkContent(content: string): string {
  checkText("a message", content);
  const bytes = bytesOf(content);
  if (bytes === 0) throw new InvalidInputError("Cannot send a message: it is empty");
  if (bytes > CONTENT_BYTES_MAX) {
    throw new InvalidInputError(
      `Cannot send a message of ${bytes} bytes: the limit is ${CONTENT_BYTES_MAX}`,
    );
  }
  return content;
}

/** Gives the name in NFC, as names are compared. */
export function checkName(name: string): string {
  checkText("a name", name);
  const normal = name.normalize("NFC");
  const characters = [...normal].length;
  if (characters < 1 || characters > NAME_CHARACTERS_MAX) {
    throw new InvalidInputError(
      `Cannot use a name of ${characters} characters: 1 to ${NAME_CHARACTERS_MAX} are allowed`,
    );
  }
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(normal)) {
    throw new InvalidInputError("Cannot use a name with control characters or line breaks in it");
  }
  if (normal.trim() !== normal) {
    throw new InvalidInputError("Cannot use a name that begins or ends with white space");
  }
  return normal;
}

export function checkPassword(password: string): string {
  checkText("a password", password);
  const bytes = bytesOf(password);
  if (bytes === 0) throw new InvalidInputError("Cannot use an empty password");
  if (bytes > PASSWORD_BYTES_MAX) {
    throw new InvalidInputError(
      `Cannot use a password of ${bytes} bytes: the limit is ${PASSWORD_BYTES_MAX}`,
    );
  }
  return password;
}

export function checkKey(key: string): string {
  checkText("a key", key);
  const characters = [...key].length;
  if (characters < 1 || characters > KEY_CHARACTERS_MAX) {
    throw new InvalidInputError(
      `Cannot use a key of ${characters} characters: 1 to ${KEY_CHARACTERS_MAX} are allowed`,
    );
  }
  return key;
}

export function checkIds(ids: readonly string[]): readonly string[] {
  for (const id of ids) {
    checkText("a message id", id);
    if (id === "") throw new InvalidInputError("Cannot use an empty message id");
  }
  return ids;
}

function checkText(what: string, text: string): void {
  if (!text.isWellFormed()) {
    throw new InvalidInputError(`Cannot use ${what} that holds half a surrogate pair`);
  }
  if (text.includes("\0")) throw new InvalidInputError(`Cannot use ${what} that holds a NUL`);
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
