package bench;

import io.temporal.rde.httpserver.RDEHttpServer;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.List;

/**
 * The SDK's own remote data encoder as an HTTP server.
 *
 * <p>usage: java bench.Server PORT (0 for any; prints "listening PORT" once it accepts connections)
 */
public final class Server {
  public static void main(String[] args) throws Exception {
    int asked = args.length > 0 ? Integer.parseInt(args[0]) : 0;
    RDEHttpServer server = new RDEHttpServer(List.of(new AesCodec()), asked > 0 ? asked : freePort());
    server.start();
    System.out.println("listening " + server.getPort());
    Thread.currentThread().join();
  }

  /** The remote data encoder does not bind a port of the system's choice. */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
