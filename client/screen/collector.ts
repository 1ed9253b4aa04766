import type { Clock } from "../connection.ts";

/** Frames after which it is worth while, and after which it has to be. */
const FRAMES_MIN = 20;
const FRAMES_MAX = 100;
/** Nobody presses a key meanwhile, in ms. */
const IDLE_MS = 150;
/** Until the frame is written, in ms: the next key is not pressed sooner. */
const WRITTEN_MS = 5;

/**
 * Keeps the heap small. ink makes an object for each cell of each frame, a megabyte in all, and V8
 * lets garbage grow to hundreds of megabytes before it looks. Collecting takes longer than a frame,
 * so it is done while nobody presses keys, or after many frames without a pause. Only where V8 was
 * started with --expose-gc, as the executable starts it.
 */
export class Collector {
  readonly #clock: Clock;
  readonly #collect = garbageCollection();
  #frames = 0;
  #cancel = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A frame was drawn. */
  frameDrawn(): void {
    this.#cancel();
    this.#frames++;
    if (this.#frames < FRAMES_MIN) return;
    const waitMs = this.#frames < FRAMES_MAX ? IDLE_MS : WRITTEN_MS;
    this.#cancel = this.#clock.after(waitMs, () => this.#run());
  }

  /** No timer runs any more. */
  stop(): void {
    this.#cancel();
  }

  #run(): void {
    this.#frames = 0;
    this.#collect();
  }
}

function garbageCollection(): () => void {
  const collect: unknown = Reflect.get(globalThis, "gc");
  return typeof collect === "function" ? () => collect() : () => {};
}
