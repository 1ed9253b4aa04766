import type {
  sendUnaryData,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { statusError } from "./grpc.ts";

/** What a health check can ask about: see docs/PROTOCOL.md. */
export interface Health {
  /** Whether this part of the system serves; undefined if there is no such part. */
  serves(part: string): boolean | undefined;
  /** Tells of every change, until what this returns is called. */
  onChange(listener: () => void): () => void;
}

interface Request {
  readonly service: string;
}

interface Response {
  readonly status: "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";
}

/** `grpc.health.v1`, as https://github.com/grpc/grpc/blob/master/doc/health-checking.md has it. */
export function healthService(health: Health): UntypedServiceImplementation {
  const statusOf = (part: string): Response["status"] => {
    const serves = health.serves(part);
    return serves === undefined ? "SERVICE_UNKNOWN" : serves ? "SERVING" : "NOT_SERVING";
  };
  return {
    Check({ request }: ServerUnaryCall<Request, Response>, reply: sendUnaryData<Response>) {
      const found = statusOf(request.service);
      if (found !== "SERVICE_UNKNOWN") return reply(null, { status: found });
      reply(
        statusError(status.NOT_FOUND, `there is no service ${JSON.stringify(request.service)}`),
      );
    },
    Watch(call: ServerWritableStream<Request, Response>) {
      let told: Response["status"] | undefined;
      const tell = () => {
        const now = statusOf(call.request.service);
        if (now !== told) call.write({ status: now });
        told = now;
      };
      const stop = health.onChange(tell);
      call.on("cancelled", stop);
      call.on("error", stop);
      tell();
    },
  };
}
