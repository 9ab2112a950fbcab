package temporalcodec;

import static temporalcodec.CodecException.Reason.CANNOT_ENCODE;
import static temporalcodec.CodecException.Reason.CANNOT_OPEN;
import static temporalcodec.CodecException.Reason.OPTIONS;
import static temporalcodec.CodecException.Reason.PLAINTEXT_REFUSED;
import static temporalcodec.CodecException.Reason.WRONG_NAMESPACE;
import static temporalcodec.Names.shown;

import com.amazonaws.encryptionsdk.AwsCrypto;
import com.amazonaws.encryptionsdk.CommitmentPolicy;
import com.amazonaws.encryptionsdk.CryptoResult;
import com.amazonaws.encryptionsdk.ParsedCiphertext;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.temporal.api.common.v1.Payload;
import io.temporal.client.WorkflowClient;
import io.temporal.payload.codec.PayloadCodec;
import io.temporal.payload.context.HasWorkflowSerializationContext;
import io.temporal.payload.context.SerializationContext;
import io.temporal.payload.context.WorkflowSerializationContext;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Encrypts every payload and binds it to a namespace; opens what is bound to it.
 *
 * <p>What is written is an AWS Encryption SDK message of the suite 0x0478 whose encryption context holds {@code
 * temporal-namespace}. What is read may be of the suite 0x0578 too, framed or not, compressed inside with zstd, zlib,
 * gzip or snappy, and in up to 8 layers. Nothing that cannot be opened is ever passed on.
 */
public final class EncryptionCodec implements PayloadCodec {
  static final String ENCODING = "binary/aws-encryption-sdk";
  static final String NAMESPACE_KEY = "temporal-namespace";

  private static final ByteString ENCODING_BYTES = ByteString.copyFromUtf8(ENCODING);
  private static final int MAX_LAYERS = 8;
  private static final int MAX_WRAPPED_KEYS = 5;

  /** The frame length of the official libraries. */
  private static final int USUAL_FRAME_LENGTH = 4096;

  /** For longer payloads, which are read faster in fewer frames. For shorter ones a reader would only reserve memory. */
  private static final int LARGE_FRAME_LENGTH = 65_536;

  private final String namespace;
  private final Predicate<String> further;
  private final Plaintext plaintext;
  private final int inflatedBytes;
  private final DataKeys keys;
  private final AwsCrypto sdk = sdk(USUAL_FRAME_LENGTH);
  private final AwsCrypto sdkForLarge = sdk(LARGE_FRAME_LENGTH);
  private final CachedMaterials materials;
  private final LookAhead lookAhead;

  private EncryptionCodec(Builder options) {
    if (options.namespace == null || options.namespace.isEmpty())
      throw new CodecException(OPTIONS, "namespace must be the full name of the namespace that the worker works in");
    if (options.keys == null)
      throw new CodecException(OPTIONS, "keys are missing: give KmsKeys.of(…), KeyringFile.at(…) or KeyringSecret.of(…)");
    // Null is not the default: whoever gives it has lost a setting on the way.
    if (options.plaintext == null || options.cache == null || options.alsoDecode == null)
      throw new CodecException(OPTIONS, "plaintext, cache and alsoDecode must not be null: leave out what is not set");
    if (options.inflatedBytes < 1) throw new CodecException(OPTIONS, "inflatedBytes must be above 0");
    namespace = options.namespace;
    further = Names.matcher(options.alsoDecode);
    plaintext = options.plaintext;
    inflatedBytes = options.inflatedBytes;
    keys = new DataKeys(options.keys, options.cache, options.nanos);
    materials = new CachedMaterials(keys, this::allow);
    lookAhead = new LookAhead(this::beginToFetch, options.nanos);
  }

  private static AwsCrypto sdk(int frameLength) {
    return AwsCrypto.builder()
        .withCommitmentPolicy(CommitmentPolicy.RequireEncryptRequireDecrypt)
        .withEncryptionAlgorithm(DataKeys.WRITE_SUITE)
        .withEncryptionFrameSize(frameLength)
        .withMaxEncryptedDataKeys(MAX_WRAPPED_KEYS)
        .build();
  }

  /** A codec with the usual settings. */
  public static EncryptionCodec of(String namespace, KeySource keys) {
    return newBuilder(keys).setNamespace(namespace).build();
  }

  /**
   * @param keys where data keys come from: {@link KmsKeys}, {@link KeyringFile} or {@link KeyringSecret}
   */
  public static Builder newBuilder(KeySource keys) {
    return new Builder(keys);
  }

  /** The namespace that payloads are bound to. */
  public String namespace() {
    return namespace;
  }

  DataKeys dataKeys() {
    return keys;
  }

  /**
   * {@inheritDoc}
   *
   * @throws CodecException when there is no key to write with, or the key service cannot answer
   */
  @Override
  public List<Payload> encode(List<Payload> payloads) {
    return payloads.stream().map(this::seal).toList();
  }

  /**
   * {@inheritDoc}
   *
   * @throws CodecException when a payload stays closed, or the key service cannot answer
   */
  @Override
  public List<Payload> decode(List<Payload> payloads) {
    return decode(payloads, materials);
  }

  private List<Payload> decode(List<Payload> payloads, CachedMaterials with) {
    var budget = new Compression.Budget(inflatedBytes);
    return payloads.stream().map(it -> open(it, budget, with)).toList();
  }

  /** The codec as the SDK uses it for one workflow or activity: it encodes for no other namespace than its own. */
  @Override
  public PayloadCodec withContext(SerializationContext context) {
    if (!(context instanceof HasWorkflowSerializationContext known)) return this;
    if (!namespace.equals(known.getNamespace())) return new InOtherNamespace(known.getNamespace());
    if (context instanceof WorkflowSerializationContext && known.getWorkflowId() != null)
      return new InWorkflow(known.getWorkflowId());
    return this;
  }

  /**
   * Reads the history of a workflow whose replay misses many data keys, to fetch them side by side.
   *
   * @param client of the worker; what it may read, this asks for
   */
  public void lookAheadWith(WorkflowClient client) {
    lookAhead.use(client::streamHistory);
  }

  LookAhead lookAhead() {
    return lookAhead;
  }

  /** Forgets the data keys in memory. To be called when nothing is encoded or decoded any more. */
  public void close() {
    keys.close();
  }

  private Payload seal(Payload payload) {
    try {
      byte[] plain = payload.toByteArray();
      byte[] message =
          (plain.length < USUAL_FRAME_LENGTH ? sdk : sdkForLarge)
              .encryptData(materials, plain, Map.of(NAMESPACE_KEY, namespace))
              .getResult();
      return Payload.newBuilder()
          .putMetadata("encoding", ENCODING_BYTES)
          .setData(ByteString.copyFrom(message))
          .build();
    } catch (RuntimeException e) {
      throw known(e, CANNOT_ENCODE, "a payload cannot be encrypted");
    }
  }

  private Payload open(Payload given, Compression.Budget budget, CachedMaterials with) {
    Payload payload = given;
    boolean sealed = false;
    for (int layer = 0; layer <= MAX_LAYERS; layer++) {
      String encoding = payload.getMetadataOrDefault("encoding", ByteString.EMPTY).toStringUtf8();
      if (encoding.equals(ENCODING)) {
        sealed = true;
        payload = parsed(decrypt(payload.getData().toByteArray(), with));
      } else if (!sealed && plaintext == Plaintext.REFUSE) {
        throw new CodecException(
            PLAINTEXT_REFUSED,
            "a payload is not encrypted (its encoding is "
                + (encoding.isEmpty() ? "empty" : shown(encoding))
                + "), and plaintext is refused");
      } else if (Compression.reads(encoding)) {
        payload = parsed(Compression.inflate(encoding, payload.getData().toByteArray(), budget));
      } else {
        return payload;
      }
    }
    throw new CodecException(CANNOT_OPEN, "a payload has more than " + MAX_LAYERS + " layers");
  }

  private byte[] decrypt(byte[] message, CachedMaterials with) {
    try {
      var parsed = new ParsedCiphertext(message, MAX_WRAPPED_KEYS);
      CryptoResult<byte[], ?> result = sdk.decryptData(with, parsed);
      Frames.requireInOrder(parsed);
      // What the header's tag has authenticated now, and was only claimed before.
      allow(result.getEncryptionContext());
      return result.getResult();
    } catch (RuntimeException e) {
      throw known(e, CANNOT_OPEN, "a payload is not an authentic message");
    }
  }

  /** Begins to fetch the data key of a payload that may be read; null when there is nothing to fetch. */
  CompletableFuture<?> beginToFetch(Payload payload) {
    if (!ENCODING_BYTES.equals(payload.getMetadataMap().get("encoding"))) return null;
    try {
      var header = new ParsedCiphertext(payload.getData().toByteArray(), MAX_WRAPPED_KEYS);
      allow(header.getEncryptionContextMap());
      return keys.ahead(header.getEncryptedKeyBlobs(), header.getCryptoAlgoId(), header.getEncryptionContextMap());
    } catch (RuntimeException e) {
      // It is told when somebody wants to read the payload.
      return null;
    }
  }

  private void allow(Map<String, String> context) {
    String bound = context.get(NAMESPACE_KEY);
    if (namespace.equals(bound) || (bound != null && further.test(bound))) return;
    throw new CodecException(
        WRONG_NAMESPACE,
        bound == null
            ? "a payload that is bound to no namespace was met in " + namespace
            : "a payload of the namespace "
                + shown(bound)
                + " was met in "
                + namespace
                + "; if that is meant, name it in alsoDecode");
  }

  /** The codec's own exception, which the library may have wrapped, or one without the library's text. */
  private static CodecException known(RuntimeException error, CodecException.Reason reason, String otherwise) {
    for (Throwable it = error; it != null; it = it.getCause())
      if (it instanceof CodecException known) return known;
    return new CodecException(reason, otherwise + " (" + error.getClass().getSimpleName() + ")");
  }

  private static Payload parsed(byte[] serialized) {
    try {
      return Payload.parseFrom(serialized);
    } catch (InvalidProtocolBufferException e) {
      throw new CodecException(CANNOT_OPEN, "what a payload holds is not a payload");
    }
  }

  /** The codec in the hands of a client or worker of another namespace: it decodes what it may, and encodes nothing. */
  private final class InOtherNamespace implements PayloadCodec {
    private final String other;

    InOtherNamespace(String other) {
      this.other = other;
    }

    @Override
    public List<Payload> encode(List<Payload> payloads) {
      throw new CodecException(
          CANNOT_ENCODE,
          "a payload for the namespace "
              + shown(other)
              + " would be bound to "
              + namespace
              + ": give the codec the namespace of its client");
    }

    @Override
    public List<Payload> decode(List<Payload> payloads) {
      return EncryptionCodec.this.decode(payloads);
    }

    @Override
    public PayloadCodec withContext(SerializationContext context) {
      return EncryptionCodec.this.withContext(context);
    }
  }

  /** The codec for one workflow: what its replay misses is looked ahead for. */
  private final class InWorkflow implements PayloadCodec {
    private final CachedMaterials told;

    InWorkflow(String workflowId) {
      told = new CachedMaterials(keys, EncryptionCodec.this::allow, () -> lookAhead.missed(workflowId));
    }

    @Override
    public List<Payload> encode(List<Payload> payloads) {
      return EncryptionCodec.this.encode(payloads);
    }

    @Override
    public List<Payload> decode(List<Payload> payloads) {
      return EncryptionCodec.this.decode(payloads, told);
    }

    @Override
    public PayloadCodec withContext(SerializationContext context) {
      return EncryptionCodec.this.withContext(context);
    }
  }

  /** Settings of a codec. */
  public static final class Builder {
    private final KeySource keys;
    private String namespace;
    private List<String> alsoDecode = List.of();
    private Plaintext plaintext = Plaintext.ACCEPT;
    private CacheSettings cache = CacheSettings.DEFAULT;
    private int inflatedBytes = 32 << 20;
    private LongSupplier nanos = System::nanoTime;

    private Builder(KeySource keys) {
      this.keys = keys;
    }

    /** Full name of the namespace that the worker or client works in, such as {@code orders-prod.a1b2c}. */
    public Builder setNamespace(String value) {
      namespace = value;
      return this;
    }

    /** Further namespaces whose payloads are decoded, with {@code *} for any run of characters. Default: none. */
    public Builder setAlsoDecode(String... values) {
      boolean isWhole = values != null && Arrays.stream(values).allMatch(Objects::nonNull);
      alsoDecode = isWhole ? List.of(values) : null;
      return this;
    }

    /** What becomes of payloads that are not encrypted. Default: {@link Plaintext#ACCEPT}. */
    public Builder setPlaintext(Plaintext value) {
      plaintext = value;
      return this;
    }

    /** Bounds of the cache of data keys. Default: {@link CacheSettings#DEFAULT}. */
    public Builder setCache(CacheSettings value) {
      cache = value;
      return this;
    }

    /** Bytes that decompression may produce in one call. Default 32 MiB. */
    public Builder setInflatedBytes(int value) {
      inflatedBytes = value;
      return this;
    }

    /** The same settings, which the other builder no longer changes. */
    Builder copy() {
      Builder copy = new Builder(keys);
      copy.namespace = namespace;
      copy.alsoDecode = alsoDecode;
      copy.plaintext = plaintext;
      copy.cache = cache;
      copy.inflatedBytes = inflatedBytes;
      copy.nanos = nanos;
      return copy;
    }

    Builder setNanos(LongSupplier value) {
      nanos = value;
      return this;
    }

    /**
     * @throws CodecException when an option is wrong
     */
    public EncryptionCodec build() {
      return new EncryptionCodec(this);
    }
  }
}
