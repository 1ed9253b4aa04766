import type { Conversation } from "./conversation.ts";
import { MemberHash } from "./digest.ts";
import type { AccountNumbers } from "./message_table.ts";
import {
  type AccountCreated,
  type AccountId,
  compareProvenance,
  type PasswordChanged,
  type Provenance,
} from "./operation.ts";
import type { OrderedRows } from "./ordered_rows.ts";
import { Uint32List } from "./uint32_list.ts";

/** One incarnation of an account, or as much of it as has been heard. */
export interface Account {
  readonly id: AccountId;
  readonly number: number;
  /** Hash of the id, for digests that must not depend on numbers. */
  readonly idHash: number;
  /** Undefined until its creation is known: others' operations may come first. */
  claim: NameClaim | undefined;
  password: StoredPassword | undefined;
  deleted: boolean;
  /** The operation that deleted it, of several the one that came first. */
  deletion: Provenance | undefined;
  unread: number;
  /** By the other account's number. */
  readonly conversations: Map<number, Conversation>;
  /** The messages of all of them, once there was one. */
  mailbox: OrderedRows | undefined;
  /** Which events concern it, in order of arrival: numbers of the event feed. */
  readonly feed: Uint32List;
}

export interface NameClaim {
  readonly name: string;
  readonly generation: number;
  readonly at: Provenance;
}

export interface StoredPassword {
  readonly hash: string;
  /** 1 for the one that the account was created with. */
  readonly version: number;
  readonly at: Provenance;
}

/** How much of a name an alias keeps, in characters, and how much of the account's id. */
const ALIAS_NAME_LENGTH = 56;
const ALIAS_ID_LENGTH = 6;

/**
 * Accounts and who owns which name. A name may be claimed twice, on two sides of a partition: among
 * the claims of its newest generation the earliest stamp wins, the same everywhere. Whoever loses
 * keeps their mailbox under an alias, for good: that the winner is deleted later makes the name free
 * for a new generation, and never gives it to a loser of an old one.
 */
export class AccountTable implements AccountNumbers {
  readonly #accounts: Account[] = [];
  readonly #byId = new Map<AccountId, Account>();
  /** By as much of the id as an alias shows. */
  readonly #byAliasId = new Map<string, Account[]>();
  readonly #claimants = new Map<string, Account[]>();
  #existingCount = 0;

  /** Accounts that were heard of, whether they exist or not: their numbers are below this. */
  get length(): number {
    return this.#accounts.length;
  }

  /** Accounts that exist now. */
  get existingCount(): number {
    return this.#existingCount;
  }

  numberOf(id: AccountId): number {
    return this.get(id).number;
  }

  existingNumberOf(id: AccountId): number | undefined {
    return this.#byId.get(id)?.number;
  }

  idOf(number: number): AccountId {
    return this.at(number).id;
  }

  at(number: number): Account {
    return this.#accounts[number] as Account;
  }

  /** The account, with nothing known of it yet if nobody spoke of it before. */
  get(id: AccountId): Account {
    let account = this.#byId.get(id);
    if (account === undefined) {
      account = newAccount(id, this.#accounts.length);
      this.#accounts.push(account);
      this.#byId.set(id, account);
      const aliasId = aliasIdOf(account);
      this.#byAliasId.set(aliasId, [...this.#byAliasId.get(aliasId) ?? [], account]);
    }
    return account;
  }

  /** The account of `id` if it exists: was created and not deleted. */
  existing(id: AccountId): Account | undefined {
    const account = this.#byId.get(id);
    return account?.claim !== undefined && !account.deleted ? account : undefined;
  }

  /** Who signs in as `name`, and gets what is sent to it: its owner, or who has it as an alias. */
  named(name: string): Account | undefined {
    const owner = this.#ownerOf(name);
    if (owner !== undefined) return owner.deleted ? undefined : owner;
    const aliasId = name.slice(name.lastIndexOf("~") + 1);
    return this.#byAliasId.get(aliasId)?.find((account) =>
      this.existing(account.id) !== undefined && this.nameOf(account) === name
    );
  }

  /** The name that others see: the claimed one for its owner, else an alias. */
  nameOf(account: Account): string {
    if (account.claim === undefined) return account.id;
    const { name } = account.claim;
    if (this.#ownerOf(name) === account) return name;
    const kept = [...name].slice(0, ALIAS_NAME_LENGTH).join("");
    return `${kept}~${aliasIdOf(account)}`;
  }

  /** All that ever claimed the name, in no order. */
  claimantsOf(name: string): readonly Account[] {
    return this.#claimants.get(name) ?? [];
  }

  /** The generation of a new claim on a free name. */
  nextGeneration(name: string): number {
    return (this.#ownerOf(name)?.claim?.generation ?? 0) + 1;
  }

  *allExisting(): Generator<Account> {
    for (const account of this.#accounts) {
      if (this.existing(account.id) !== undefined) yield account;
    }
  }

  create({ account: id, name, generation, password, ...at }: AccountCreated & Provenance): Account {
    const account = this.get(id);
    this.setPassword(account, { hash: password, version: 1, at });
    this.claim(account, { name, generation, at });
    return account;
  }

  /** Of several claims of one account the earliest counts. */
  claim(account: Account, claim: NameClaim): void {
    const earlier = account.claim?.at;
    if (earlier !== undefined && compareProvenance(earlier, claim.at) <= 0) return;
    if (earlier === undefined && !account.deleted) this.#existingCount++;
    if (account.claim !== undefined) this.#forgetClaim(account, account.claim.name);
    account.claim = claim;
    this.#claimants.set(claim.name, [...this.claimantsOf(claim.name), account]);
  }

  changePassword(
    { account: id, password, version, ...at }: PasswordChanged & Provenance,
  ): Account {
    const account = this.get(id);
    this.setPassword(account, { hash: password, version, at });
    return account;
  }

  /** False if the account has a newer one, or is gone. */
  setPassword(account: Account, password: StoredPassword): boolean {
    const known = account.password;
    if (account.deleted || (known !== undefined && !replaces(password, known))) return false;
    account.password = password;
    return true;
  }

  /** False if it was deleted already. */
  delete(account: Account, { timeMs, tick, origin, seq }: Provenance): boolean {
    if (account.deleted) return false;
    if (account.claim !== undefined) this.#existingCount--;
    account.deleted = true;
    account.deletion = { timeMs, tick, origin, seq };
    account.password = undefined;
    return true;
  }

  /** What an account adds to the state's digest. */
  hashOf(account: Account): MemberHash {
    const hash = new MemberHash().start().text(account.id).int32(account.deleted ? 1 : 0);
    if (account.claim !== undefined) {
      const { name, generation, at } = account.claim;
      hash.text(name).integer(generation).integer(at.timeMs).int32(at.tick).text(at.origin);
    }
    if (account.password === undefined) return hash;
    return hash.text(account.password.hash).integer(account.password.version);
  }

  #ownerOf(name: string): Account | undefined {
    let owner: Account | undefined;
    for (const claimant of this.claimantsOf(name)) {
      if (owner === undefined || outranks(claimant, owner)) owner = claimant;
    }
    return owner;
  }

  #forgetClaim(account: Account, name: string): void {
    this.#claimants.set(name, this.claimantsOf(name).filter((one) => one !== account));
  }
}

function replaces(password: StoredPassword, known: StoredPassword): boolean {
  if (password.version !== known.version) return password.version > known.version;
  return compareProvenance(known.at, password.at) < 0;
}

function aliasIdOf(account: Account): string {
  return account.id.slice(0, ALIAS_ID_LENGTH);
}

function outranks(a: Account, b: Account): boolean {
  if (a.claim === undefined || b.claim === undefined) return a.claim !== undefined;
  if (a.claim.generation !== b.claim.generation) return a.claim.generation > b.claim.generation;
  return compareProvenance(a.claim.at, b.claim.at) < 0;
}

function newAccount(id: AccountId, number: number): Account {
  return {
    id,
    number,
    idHash: new MemberHash().start().text(id).low,
    claim: undefined,
    password: undefined,
    deleted: false,
    deletion: undefined,
    unread: 0,
    conversations: new Map(),
    mailbox: undefined,
    feed: new Uint32List(),
  };
}
