import { setImmediate } from "node:timers";

/** Whom events happen to: what is under way ends with it, and waits while it stands still. */
export class Process {
  readonly name: string;
  #isAlive = true;
  #isPaused = false;
  /** What came due while it was paused. */
  readonly #held: ScheduledEvent[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Nothing of it happens any more. */
  end(): void {
    this.#isAlive = false;
    this.#held.length = 0;
  }

  pause(): void {
    this.#isPaused = true;
  }

  hold(event: ScheduledEvent): void {
    this.#held.push(event);
  }

  /** Goes on; returns what came due meanwhile, in order. */
  resume(): readonly ScheduledEvent[] {
    this.#isPaused = false;
    return this.#held.splice(0);
  }
}

/** Who it is, looked up when it happens: whoever is there by then. */
export type Whom = Process | (() => Process | undefined);

export interface ScheduledEvent {
  readonly whom: Whom;
  readonly what: string;
  readonly isTimer: boolean;
  readonly action: () => void;
  /** In its place if there is nobody alive. */
  readonly onNobody: (() => void) | undefined;
  atUs: number;
  order: number;
  isCancelled: boolean;
}

/** What happened, in order: the same for the same seed. */
export class Trace {
  readonly #entries: (number | string)[] = [];

  add(atUs: number, who: string, what: string): void {
    this.#entries.push(atUs, who, what);
  }

  get length(): number {
    return this.#entries.length / 3;
  }

  /** A line each: when, in ms since the beginning, to whom, what. */
  *lines(): Generator<string> {
    for (let at = 0; at < this.#entries.length; at += 3) {
      const [atUs, who, what] = this.#entries.slice(at, at + 3);
      const ms = (Number(atUs) / 1000).toFixed(3).padStart(10);
      yield `${ms} ${String(who).padEnd(7)} ${what}`;
    }
  }
}

/** Lets all that follows from the last event happen: promises are settled in the order of the language. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Time and order of a simulated world. Whatever is asynchronous is an event here, and happens at the
 * time that whoever scheduled it drew: in between, time stands still.
 */
export class Scheduler {
  readonly trace = new Trace();
  /** Events that have happened. */
  steps = 0;
  /** Called after each. */
  onStep = (): void => {};
  #nowUs = 0;
  #order = 0;
  /** A binary heap by time, then by the order of scheduling. */
  readonly #heap: ScheduledEvent[] = [];

  /** In µs since the beginning. */
  get nowUs(): number {
    return this.#nowUs;
  }

  get nowMs(): number {
    return this.#nowUs / 1000;
  }

  /** Makes `action` happen to somebody, unless what this returns is called before. */
  after(
    whom: Whom,
    delayUs: number,
    what: string,
    action: () => void,
    { isTimer = false, onNobody }: { isTimer?: boolean; onNobody?: () => void } = {},
  ): () => void {
    const event = {
      ...{ whom, what, action, isTimer, onNobody, isCancelled: false },
      atUs: this.#nowUs + Math.max(0, Math.ceil(delayUs)),
      order: ++this.#order,
    };
    this.#push(event);
    return () => void (event.isCancelled = true);
  }

  /** Lets a process go on. What came due meanwhile comes at once; `timersFirst` before all else. */
  resume(process: Process, timersFirst: boolean): void {
    const held = process.resume();
    const later = timersFirst ? held.filter(({ isTimer }) => !isTimer) : held;
    const first = timersFirst ? held.filter(({ isTimer }) => isTimer) : [];
    for (const event of [...first, ...later]) {
      this.#push(Object.assign(event, { atUs: this.#nowUs, order: ++this.#order }));
    }
  }

  /** Runs until `isOver` says so after an event, or this time has come: then it resolves with false. */
  async runUntil(isOver: () => boolean, deadlineUs: number): Promise<boolean> {
    while (!isOver()) {
      const event = this.#heap[0];
      if (event === undefined || event.atUs > deadlineUs) {
        this.#nowUs = Math.max(this.#nowUs, deadlineUs);
        return false;
      }
      this.#pop();
      if (event.isCancelled) continue;
      this.#nowUs = Math.max(this.#nowUs, event.atUs);
      await this.#happen(event);
    }
    return true;
  }

  /** Notes what happened besides events. */
  note(who: string, what: string): void {
    this.trace.add(this.#nowUs, who, what);
  }

  async #happen({ whom, ...event }: ScheduledEvent): Promise<void> {
    const process = whom instanceof Process ? whom : whom();
    if (process?.isAlive !== true) {
      event.onNobody?.();
      return;
    }
    if (process.isPaused) {
      process.hold({ whom, ...event });
      return;
    }
    this.steps++;
    this.trace.add(this.#nowUs, process.name, event.what);
    event.action();
    await turn();
    this.onStep();
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt] as ScheduledEvent;
      if (!comesBefore(event, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      const [left, right] = [heap[childAt], heap[childAt + 1]];
      if (left === undefined) break;
      const child = right !== undefined && comesBefore(right, left) ? right : left;
      if (child === right) childAt++;
      if (!comesBefore(child, last)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
  }
}

function comesBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.atUs < b.atUs || a.atUs === b.atUs && a.order < b.order;
}
