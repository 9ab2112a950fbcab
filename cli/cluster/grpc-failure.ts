/** What to tell a person of a call that failed. */
import { printable } from '../inspect/describe-payload.ts';
import { GRPC, type GrpcError } from './grpc-client.ts';

/** A gRPC error as a sentence, with what to do. */
export function failed({ code, message }: GrpcError): string {
  const said = printable(message).slice(0, 300);
  switch (code) {
    case GRPC.unauthenticated:
    case GRPC.permissionDenied:
      return `the server refuses: ${said}. Give an API key or a certificate that may read the namespace.`;
    case GRPC.notFound:
      return `the server does not know it: ${said}.`;
    case GRPC.unavailable:
      return `the server cannot be reached: ${said}. Is --address right, and does it take TLS?`;
    default:
      return `the server answers with gRPC code ${code}: ${said}.`;
  }
}
