import { fromJSON, type PackageDefinition } from "@grpc/proto-loader";
import protobuf from "protobufjs";
import health from "../../proto/health.proto" with { type: "text" };
import sync from "../../proto/sync.proto" with { type: "text" };

/** The services of proto/, read from the texts that are part of the program. */
export function loadProtos(): PackageDefinition {
  return { ...load(sync), ...load(health) };
}

function load(text: string): PackageDefinition {
  const { root } = protobuf.parse(text);
  // 64-bit numbers are never floating-point ones past 2^53: they come as text and are looked at.
  return fromJSON(root.toJSON(), { longs: String, enums: String, defaults: true, oneofs: true });
}
