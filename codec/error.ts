/** Of text from elsewhere, an error shows so many characters. */
const QUOTED_CHARACTERS_MAX = 40;

/** What is wrong with bytes or values that do not follow the protocol. */
export type CodecErrorCode =
  | "frame_too_large"
  | "frame_truncated"
  | "bad_value"
  | "bad_payload"
  | "unknown_type";

/** Hostile or broken bytes. `code` is the first word of the ERROR reply that a server sends. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  readonly code: CodecErrorCode;

  constructor(code: CodecErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The error for a key that a dict has twice. Which, is not said: it may be a secret in a wrong place. */
export function duplicateKey(): CodecError {
  return new CodecError("bad_value", "Cannot decode a dict that has a key twice");
}

/** The beginning of `text` for an error, which must not grow with what a stranger sends. */
export function quote(text: string): string {
  if (text.length <= QUOTED_CHARACTERS_MAX) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, QUOTED_CHARACTERS_MAX))}… (${text.length} characters)`;
}
