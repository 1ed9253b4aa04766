import type { RefusalCode } from "../../codec/message.ts";

/** What the caller gave cannot be sent, whatever the server: nothing was sent. */
export class InvalidInputError extends Error {
  override readonly name = "InvalidInputError";
}

/** The server answered a request with ERROR. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  /** One of {@linkcode RefusalCode}, or one that only a newer server has. */
  readonly code: RefusalCode | (string & Record<never, never>);
  /** What the server says about it. Made by the server, so printed with care. */
  readonly sentence: string;

  constructor(code: string, sentence: string) {
    super(`${sentence} (${code})`);
    this.code = code;
    this.sentence = sentence;
  }
}

/** There is no such account, and none was to be created. */
export class NoSuchAccountError extends Error {
  override readonly name = "NoSuchAccountError";
  readonly user: string;

  constructor(user: string, advice?: string) {
    const what = `Cannot sign in as ${user}: there is no such account`;
    super(advice === undefined ? what : `${what}; ${advice}`);
    this.user = user;
  }
}

/** The account exists, with another password. */
export class WrongPasswordError extends Error {
  override readonly name = "WrongPasswordError";

  constructor(user: string, whichOne = "the password") {
    super(`Cannot sign in as ${user}: ${whichOne} is wrong`);
  }
}

/** The password was a one-time token: a password has to be chosen with it before anything else. */
export class OneTimeTokenError extends Error {
  override readonly name = "OneTimeTokenError";

  constructor(user: string) {
    super(
      `Cannot sign in as ${user}: this is a one-time token, with which a password has to be chosen; ` +
        "sign in once with chat client",
    );
  }
}

/** No server takes the session any more: `why` says more, if servers do. */
export class SessionEndedError extends Error {
  override readonly name = "SessionEndedError";

  constructor(user: string, why = SESSION_ENDED) {
    super(`Cannot go on as ${user}: ${why}`);
  }
}

const SESSION_ENDED =
  "the session was ended, as happens when the password is changed or reset, or " +
  "the account deleted or disabled";

/** What happened with one host, when none could be used. */
export interface HostFailure {
  /** As a person writes it: `127.0.0.1:9001`. */
  readonly host: string;
  readonly why: string;
}

/** None of the hosts could be used. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
  readonly failures: readonly HostFailure[];

  constructor(failures: readonly HostFailure[]) {
    const each = failures.map(({ host, why }) => `${host}: ${why}`).join("; ");
    super(`Cannot reach a server: ${each}`);
    this.failures = failures;
  }
}

/** The connection was lost before the answer to a request that must not be repeated blindly. */
export class UnknownOutcomeError extends Error {
  override readonly name = "UnknownOutcomeError";

  constructor(action: string, why: string) {
    super(`Cannot tell whether to ${action} has succeeded: ${why} before the answer came`);
  }
}

/** Connection after connection was lost when this request was next to be answered. */
export class UnansweredError extends Error {
  override readonly name = "UnansweredError";

  constructor(request: string, tries: number, why: string) {
    super(`Cannot get an answer to ${request}: ${tries} connections were lost over it (${why})`);
  }
}

/** Requests are made faster than they can be sent: see `waitingMax`. */
export class TooManyRequestsError extends Error {
  override readonly name = "TooManyRequestsError";

  constructor(waitingMax: number) {
    super(`Cannot queue another request: ${waitingMax} are waiting already`);
  }
}

/** The client cannot be asked this: it was closed, never signed in, or has done it already. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";
}

/** The server answered with another kind of reply than the protocol has for the request. */
export class UnexpectedReplyError extends Error {
  override readonly name = "UnexpectedReplyError";
}
