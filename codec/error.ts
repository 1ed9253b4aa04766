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
