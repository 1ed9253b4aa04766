import type { Request, RequestKind } from "../codec/message.ts";
import type { RequestSession } from "./requests/context.ts";
import type { SignInWay } from "./session_log.ts";

type Claimed = RequestSession["claimed"];

/** What a client asked last, and had claimed before: a log has to tell of it once that is decided. */
export class Asked {
  #kind: RequestKind = "ping";
  #claimedBefore: Claimed;

  get kind(): RequestKind {
    return this.#kind;
  }

  note({ kind }: Request, claimed: Claimed): void {
    this.#kind = kind;
    this.#claimedBefore = claimed;
  }

  /** By what somebody signs in now. */
  get way(): SignInWay {
    if (this.#kind === "resume") return "token";
    if (this.#kind !== "login_password") return this.#kind;
    return this.#claimedBefore?.existed === false ? "sign_up" : "password";
  }

  /** As whom `request` would sign in. */
  nameTriedBy(request: Request): string | undefined {
    if (request.kind === "login_password") return this.#claimedBefore?.name;
    if (request.kind === "redeem") return request.payload.user;
    return request.kind === "resume" ? request.payload[0] : undefined;
  }
}
