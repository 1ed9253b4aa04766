import type { Attack } from "../attack.ts";
import { connectionFigure, connections, rateFigure } from "./figures.ts";

const rest = { nodes: 3, tls: true, processes: 2 } as const;
const storm = { full: { atOnce: 16 }, quick: { atOnce: 16 }, touch: { atOnce: 4 } } as const;

/** What strangers do to nodes with certificates, on both of their ports. */
export const AGAINST_TLS: readonly Attack[] = [
  {
    ...rest,
    name: "unfinished handshakes",
    does: "begins 2,000 handshakes and says nothing more",
    weapon: "unfinishedHandshakes",
    amounts: connections(1000, 200, 50),
    figure: connectionFigure,
  },
  {
    ...rest,
    name: "handshakes",
    does: "goes through one handshake after the other, and hangs up",
    weapon: "handshakes",
    amounts: storm,
    figure: rateFigure("handshakes"),
  },
  {
    ...rest,
    name: "plain text",
    does: "asks in plain text",
    weapon: "plainText",
    amounts: connections(16, 8, 4),
    figure: rateFigure("frames"),
    faults: ({ deeds: { answered = 0 } }) =>
      answered > 0 ? ["plain text was answered in plain text"] : [],
  },
  {
    ...rest,
    name: "garbled records",
    does: "sends records of TLS that mean nothing",
    weapon: "garbledRecords",
    amounts: connections(16, 8, 4),
    figure: rateFigure("frames"),
  },
  {
    ...rest,
    name: "false certificates",
    does: "calls the port for nodes in the name of a node, with a certificate of another CA",
    weapon: "falseCertificates",
    amounts: storm,
    figure: rateFigure("refused"),
    faults: ({ deeds: { taken = 0 } }) =>
      taken > 0 ? [`${taken} false certificates were taken`] : [],
  },
];
