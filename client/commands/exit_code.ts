import type { RefusalCode } from "../../codec/message.ts";
import {
  ClosedError,
  InvalidInputError,
  NoSuchAccountError,
  OneTimeTokenError,
  RefusedError,
  SessionEndedError,
  TooManyRequestsError,
  UnansweredError,
  UnknownOutcomeError,
  UnreachableError,
  WrongPasswordError,
} from "../connection.ts";
import { ConfigurationError, NodeStartError, UsageError } from "./errors.ts";
import {
  InputTooLongError,
  InterruptedError,
  OutputClosedError,
  OutputFailedError,
} from "./shell.ts";

/** What scripts go by. */
export const EXIT = {
  done: 0,
  /** The user can fix it. */
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  unreachable: 3,
  /** Wrong password, not allowed. */
  refused: 4,
  tooFewCopies: 5,
  bug: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Refusals about who asks, not about what is asked. */
const NOT_FOR_YOU: readonly string[] = [
  "account_disabled",
  "bad_invitation",
  "invitation_needed",
  "not_signed_in",
  "registration_closed",
  "too_many_attempts",
  "wrong_password",
] satisfies RefusalCode[];
/** Refusals that say the server cannot serve now. */
const NOT_NOW: readonly string[] = [
  "busy",
  "slow_down",
  "too_many_connections",
] satisfies RefusalCode[];

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof OutputClosedError) return EXIT.done;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  if (error instanceof UsageError || error instanceof ConfigurationError) return EXIT.usage;
  if (error instanceof UnreachableError || error instanceof UnansweredError) {
    return EXIT.unreachable;
  }
  if (REFUSED.some((kind) => error instanceof kind)) return EXIT.refused;
  if (error instanceof RefusedError) {
    if (NOT_NOW.includes(error.code)) return EXIT.unreachable;
    return NOT_FOR_YOU.includes(error.code) ? EXIT.refused : EXIT.failed;
  }
  return FIXABLE.some((kind) => error instanceof kind) ? EXIT.failed : EXIT.bug;
}

const REFUSED = [OneTimeTokenError, SessionEndedError, WrongPasswordError];

const FIXABLE = [
  ClosedError,
  InputTooLongError,
  InvalidInputError,
  NoSuchAccountError,
  NodeStartError,
  OutputFailedError,
  TooManyRequestsError,
  UnknownOutcomeError,
];
