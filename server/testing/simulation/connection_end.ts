import type { Packet } from "../../sync/packet.ts";
import type { Channel } from "./channel.ts";
import type { Process } from "./scheduler.ts";

/** What ends are part of. */
export interface EndKeeper {
  /** It has ended, and is of no interest any more. */
  forget(end: object): void;
  /** This packet is sent now. */
  sent(channel: Channel, packet: Packet): void;
  /** Nobody is there any more: `end` hears of that if anything comes back. */
  refuse(channel: Channel, end: { reset(): void; readonly process: Process }): void;
}

/** One end of a connection of any kind, whose other end is of the same. */
interface ConnectionEnd<E> {
  readonly process: Process;
  readonly out: Channel;
  /** Once the call has arrived, and was taken. */
  readonly other: E | undefined;
  reset(): void;
}

/** Lets something happen to the other end. What comes before the call has, or after a refusal, is lost. */
export function carry<E extends ConnectionEnd<E>>(
  keeper: EndKeeper,
  end: E,
  what: string,
  arrive: (other: E) => void,
): void {
  end.out.send(
    () => end.other?.process,
    `${what} from ${end.process.name}`,
    () => {
      if (end.other !== undefined) arrive(end.other);
    },
    () => keeper.refuse(end.out, end),
  );
}
