package temporalcodec;

import static temporalcodec.CodecException.Reason.OPTIONS;

import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.schedules.ScheduleClientOptions;
import io.temporal.common.SimplePlugin;
import io.temporal.common.converter.CodecDataConverter;
import io.temporal.common.converter.DataConverter;
import io.temporal.common.converter.GlobalDataConverter;
import io.temporal.worker.WorkerFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Encrypts the payloads and failures of a client and of the workers that are made with it. The namespace is the client's
 * own. Search attributes stay plain: the server has to read them.
 *
 * <pre>{@code
 * WorkflowClientOptions.newBuilder()
 *     .setNamespace("orders-prod.a1b2c")
 *     .setPlugins(new EncryptionPlugin(KmsKeys.of(arn)))
 *     .build();
 * }</pre>
 */
public final class EncryptionPlugin extends SimplePlugin {
  private final EncryptionCodec.Builder options;
  private final boolean encryptFailures;
  private final Map<String, EncryptionCodec> codecs = new ConcurrentHashMap<>();

  /**
   * @param keys where data keys come from: {@link KmsKeys}, {@link KeyringFile} or {@link KeyringSecret}
   */
  public EncryptionPlugin(KeySource keys) {
    this(EncryptionCodec.newBuilder(keys), true);
  }

  /**
   * @param options settings of the codec as they are now; the namespace is the client's
   * @param encryptFailures whether messages and stack traces of failures are encrypted
   * @throws CodecException when an option is wrong
   */
  public EncryptionPlugin(EncryptionCodec.Builder options, boolean encryptFailures) {
    super("temporal-codec-server.EncryptionPlugin");
    // The caller may go on with its builder, also for a plugin of another namespace.
    this.options = options.copy();
    this.encryptFailures = encryptFailures;
    // Tells wrong options now, and not when a client connects.
    codecFor("checked").close();
  }

  @Override
  public void configureWorkflowClient(WorkflowClientOptions.Builder builder) {
    super.configureWorkflowClient(builder);
    WorkflowClientOptions given = builder.build();
    builder.setDataConverter(dataConverterFor(given.getNamespace(), given.getDataConverter()));
  }

  @Override
  public void configureScheduleClient(ScheduleClientOptions.Builder builder) {
    super.configureScheduleClient(builder);
    ScheduleClientOptions given = builder.build();
    builder.setDataConverter(dataConverterFor(given.getNamespace(), given.getDataConverter()));
  }

  @Override
  public void startWorkerFactory(WorkerFactory factory, Consumer<WorkerFactory> next) {
    WorkflowClient client = factory.getWorkflowClient();
    EncryptionCodec codec = codecs.get(client.getOptions().getNamespace());
    if (codec != null) codec.lookAheadWith(client);
    super.startWorkerFactory(factory, next);
  }

  /**
   * A data converter that encrypts, for where no plugin can be given.
   *
   * @param namespace the client's, or null for the SDK's {@code default}
   * @param base what to add to, or null for the SDK's
   * @throws CodecException when it has another codec already
   */
  public DataConverter dataConverterFor(String namespace, DataConverter base) {
    if (base instanceof EncryptingDataConverter) return base;
    if (base instanceof CodecDataConverter)
      throw new CodecException(
          OPTIONS, "the client has a payload codec already: leave it out, or put an EncryptionCodec into it");
    // What a client that names none works in; the options have no namespace yet when a plugin sees them.
    String own = namespace == null ? "default" : namespace;
    DataConverter plain = base == null ? GlobalDataConverter.get() : base;
    return new EncryptingDataConverter(plain, codecs.computeIfAbsent(own, this::codecFor), encryptFailures);
  }

  private EncryptionCodec codecFor(String namespace) {
    return options.copy().setNamespace(namespace).build();
  }
}
