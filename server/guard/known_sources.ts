import { sourceOf } from "./address.ts";

/** Addresses remembered at most; beyond it the one not seen for longest is forgotten. */
const SOURCES_MAX = 10_000;

/** Where those come from who have proved who they are: a flood from elsewhere is not to keep them out. */
export class KnownSources {
  readonly #sources = new Set<string>();

  add(address: string): void {
    const source = sourceOf(address);
    this.#sources.delete(source);
    this.#sources.add(source);
    if (this.#sources.size <= SOURCES_MAX) return;
    const [oldest] = this.#sources;
    if (oldest !== undefined) this.#sources.delete(oldest);
  }

  has(address: string): boolean {
    return this.#sources.has(sourceOf(address));
  }
}
