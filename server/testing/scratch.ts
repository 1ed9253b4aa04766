/** A directory of its own for what a test writes. */
export class Scratch implements AsyncDisposable {
  readonly #directory: string;
  #files = 0;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async make(): Promise<Scratch> {
    return new Scratch(await Deno.makeTempDir({ prefix: "chat-test-" }));
  }

  path(name: string): string {
    return `${this.#directory}/${name}`;
  }

  async write(text: string): Promise<string> {
    const path = this.path(`file-${++this.#files}`);
    await Deno.writeTextFile(path, text);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}
