import {
  DISABLING_RANK,
  formatCredential,
  OPERATOR_RANK,
  parseCredential,
  renewed,
} from "../auth/credential.ts";
import { shownToken } from "../auth/one_time_token.ts";
import { HashQueueFullError } from "../auth/password.ts";
import type { Account } from "../core/account_table.ts";
import type { AccountId, Fact, Operation } from "../core/operation.ts";
import type { ChatState } from "../core/state.ts";
import type { Passwords } from "./context.ts";
import { isClaimable, NAME_RULE, usualName } from "./name.ts";

/** What a node's operator asks to be done with an account. */
export interface NamedAccount {
  readonly name: string;
}

export interface TokenRequest extends NamedAccount {
  /** For how long the token is good. */
  readonly lifetimeMs: number;
}

/** Why it was not done. */
export interface Refused {
  readonly error: string;
}

export interface AccountChanged {
  /** As it is compared. */
  readonly name: string;
  /** False if it was so already. */
  readonly isNew: boolean;
  /** On how many nodes that is durable. */
  readonly copies: number;
}

export interface TokenGiven extends AccountChanged {
  /** As a person is shown it. */
  readonly token: string;
  /** ms since 1970. */
  readonly expiresMs: number;
}

export interface ListedAccount {
  readonly name: string;
  readonly state: "active" | "one_time_token" | "disabled";
  /** Of the token, ms since 1970. */
  readonly expires?: number;
  readonly online: boolean;
  readonly unread: number;
  /** ms since 1970. */
  readonly created: number;
}

export interface AccountPage {
  readonly accounts: readonly ListedAccount[];
  /** To go on after, if there are more. */
  readonly next?: AccountId;
}

export type AccountChange = "added" | "reset" | "disabled" | "enabled";

export interface AccountControlParts {
  readonly state: ChatState;
  readonly passwords: Passwords;
  /** Whether this node has what the others have, and may say something new. */
  readonly isServing: () => boolean;
  /** Wall clock, ms since 1970. */
  readonly nowMs: () => number;
  readonly newAccountId: () => AccountId;
  /** Of TOKEN_LENGTH letters and digits that nobody can guess. */
  readonly newToken: () => string;
  /** A few letters and digits that were not used before. */
  readonly newMark: () => string;
  readonly submit: (fact: Fact) => Operation;
  /** Told of what was changed of whom. */
  readonly tell: (name: string, did: AccountChange) => void;
  /** Resolves once it is on as many nodes as it will be waited for, with how many those are. */
  readonly copiesOf: (operation: Operation | "everything") => Promise<number>;
  readonly isOnline: (account: Account) => boolean;
}

/** Accounts that are looked at for one page: others have their turn between two. */
export const PAGE_ACCOUNTS_MAX = 1000;

/** Where what the operator asks for comes from. */
const OPERATOR = "operator";
const BUSY = "too many are signing in at once, try again in a few seconds";

/** What a node's operator does with accounts: all by credentials, see credential.ts. */
export class AccountControl {
  readonly #parts: AccountControlParts;

  constructor(parts: AccountControlParts) {
    this.#parts = parts;
  }

  /** Makes an account that nobody has signed in to yet. */
  async add(request: TokenRequest): Promise<TokenGiven | Refused> {
    const { state: { accounts }, newAccountId, isServing } = this.#parts;
    const name = usualName(request.name);
    if (name === undefined || !isClaimable(name)) return { error: NAME_RULE };
    const taken = { error: "there is an account of this name already" };
    if (!isServing()) return notServing();
    if (accounts.named(name) !== undefined) return taken;
    const made = await this.#makeToken(request);
    if ("error" in made) return made;
    // Somebody may have been quicker.
    if (accounts.named(name) !== undefined) return taken;
    const operation = this.#parts.submit({
      kind: "account_created",
      account: newAccountId(),
      name,
      generation: accounts.nextGeneration(name),
      password: made.stored,
    });
    this.#parts.tell(name, "added");
    return await this.#given(name, made, operation);
  }

  /** Puts a one-time token in the place of a password. */
  async reset(request: TokenRequest): Promise<TokenGiven | Refused> {
    const found = this.#find(request);
    if ("error" in found) return found;
    const disabled = { error: "the account is disabled: enable it first" };
    if (credentialOf(found.account).state === "disabled") return disabled;
    const made = await this.#makeToken(request);
    if ("error" in made) return made;
    const now = this.#find(request);
    if ("error" in now) return now;
    const { account, name } = now;
    if (credentialOf(account).state === "disabled") return disabled;
    const operation = this.#store(account, made.stored, OPERATOR_RANK);
    this.#parts.tell(name, "reset");
    return await this.#given(name, made, operation);
  }

  /** Ends its sessions on every node, and keeps its credential for {@linkcode enable}. */
  async disable(request: NamedAccount): Promise<AccountChanged | Refused> {
    const found = this.#find(request);
    if ("error" in found) return found;
    const { account, name } = found;
    const held = credentialOf(account);
    if (held.state === "disabled") return await this.#unchanged(name);
    const stored = formatCredential({ state: "disabled", held });
    const operation = this.#store(account, stored, DISABLING_RANK);
    this.#parts.tell(name, "disabled");
    return { name, isNew: true, copies: await this.#parts.copiesOf(operation) };
  }

  /** Lets its owner sign in as before. */
  async enable(request: NamedAccount): Promise<AccountChanged | Refused> {
    const found = this.#find(request);
    if ("error" in found) return found;
    const { account, name } = found;
    const credential = credentialOf(account);
    if (credential.state !== "disabled") return await this.#unchanged(name);
    const stored = formatCredential(renewed(credential.held, this.#parts.newMark()));
    const operation = this.#store(account, stored, OPERATOR_RANK);
    this.#parts.tell(name, "enabled");
    return { name, isNew: true, copies: await this.#parts.copiesOf(operation) };
  }

  /** Accounts in the order in which this node heard of them: the next ones after that of an earlier page. */
  list(after?: AccountId): AccountPage | Refused {
    const { accounts } = this.#parts.state;
    const last = after === undefined ? -1 : accounts.existingNumberOf(after);
    if (last === undefined) return { error: "the list cannot be gone on with: begin it anew" };
    const end = Math.min(accounts.length, last + 1 + PAGE_ACCOUNTS_MAX);
    const listed: ListedAccount[] = [];
    for (let number = last + 1; number < end; number++) {
      const account = accounts.existing(accounts.idOf(number));
      if (account?.claim !== undefined) listed.push(this.#listed(account, account.claim.at.timeMs));
    }
    return {
      accounts: listed,
      ...(end < accounts.length && { next: accounts.idOf(end - 1) }),
    };
  }

  #listed(account: Account, created: number): ListedAccount {
    const { state, isOnline } = this.#parts;
    const credential = credentialOf(account);
    return {
      name: state.accounts.nameOf(account),
      state: LISTED_STATES[credential.state],
      ...(credential.state === "one_time" && { expires: credential.expiresMs }),
      online: isOnline(account),
      unread: account.unread,
      created,
    };
  }

  #find({ name: text }: NamedAccount): { account: Account; name: string } | Refused {
    if (!this.#parts.isServing()) return notServing();
    const name = usualName(text);
    const account = name === undefined ? undefined : this.#parts.state.accounts.named(name);
    if (name === undefined || account === undefined) {
      return { error: "there is no account of this name" };
    }
    return { account, name };
  }

  async #makeToken({ lifetimeMs }: TokenRequest): Promise<MadeToken | Refused> {
    const { passwords, newToken, nowMs } = this.#parts;
    const token = newToken();
    try {
      const hash = await passwords.hash(token, OPERATOR);
      const expiresMs = Math.round(nowMs() + lifetimeMs);
      return { token, expiresMs, stored: formatCredential({ state: "one_time", hash, expiresMs }) };
    } catch (error) {
      if (!(error instanceof HashQueueFullError)) throw error;
      return { error: BUSY };
    }
  }

  #store(account: Account, stored: string, rank: number): Operation {
    const version = (account.password?.version ?? 0) + rank;
    return this.#parts.submit({
      kind: "password_changed",
      account: account.id,
      password: stored,
      version,
    });
  }

  async #given(name: string, made: MadeToken, operation: Operation): Promise<TokenGiven> {
    const { token, expiresMs } = made;
    const copies = await this.#parts.copiesOf(operation);
    return { name, isNew: true, token: shownToken(token), expiresMs, copies };
  }

  async #unchanged(name: string): Promise<AccountChanged> {
    return { name, isNew: false, copies: await this.#parts.copiesOf("everything") };
  }
}

interface MadeToken {
  readonly token: string;
  readonly expiresMs: number;
  readonly stored: string;
}

const LISTED_STATES = {
  password: "active",
  one_time: "one_time_token",
  disabled: "disabled",
} as const;

function credentialOf(account: Account) {
  return parseCredential(account.password?.hash ?? "");
}

function notServing(): Refused {
  return {
    error: "the node is still getting what the others have: try again",
  };
}
