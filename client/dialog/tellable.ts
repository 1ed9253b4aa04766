import { ClosedError, RefusedError, SessionEndedError, UnreachableError } from "../connection.ts";

/** Whether an error says that the client has ended, whatever was asked of it. */
export function isEnd(error: unknown): boolean {
  return error instanceof ClosedError || error instanceof SessionEndedError ||
    error instanceof UnreachableError;
}

/** Whether an error is for the person to read and the client to go on. */
export function isTellable(error: unknown): error is Error {
  return error instanceof Error && TELLABLE.includes(error.name);
}

/** What a person is told of an error: of a refusal, without the code that programs go by. */
export function textOf(error: Error): string {
  return error instanceof RefusedError ? error.sentence : error.message;
}

const TELLABLE = [
  "InvalidInputError",
  "RefusedError",
  "TooManyRequestsError",
  "UnansweredError",
  "UnknownOutcomeError",
];
