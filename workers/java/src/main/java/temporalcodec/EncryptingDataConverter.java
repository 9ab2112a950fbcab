package temporalcodec;

import io.temporal.api.failure.v1.Failure;
import io.temporal.common.converter.CodecDataConverter;
import io.temporal.common.converter.DataConverter;
import io.temporal.failure.TemporalFailure;
import io.temporal.payload.codec.PayloadCodec;
import io.temporal.payload.context.SerializationContext;
import java.util.List;

/**
 * The SDK's {@link CodecDataConverter} with encrypted failures, except those of the codec itself: a failure of the codec
 * cannot be encrypted with the codec. Its text names keys and namespaces and holds no secret, and it is what people need
 * to see.
 */
public final class EncryptingDataConverter extends CodecDataConverter {
  private final DataConverter base;
  private final PayloadCodec codec;
  private final boolean encryptFailures;

  /**
   * @param base converts values; it gets the codec behind it
   * @param encryptFailures whether messages and stack traces of failures are encrypted
   */
  public EncryptingDataConverter(DataConverter base, EncryptionCodec codec, boolean encryptFailures) {
    this(base, codec, encryptFailures, base, codec);
  }

  private EncryptingDataConverter(
      DataConverter base,
      PayloadCodec codec,
      boolean encryptFailures,
      DataConverter baseInContext,
      PayloadCodec codecInContext) {
    super(baseInContext, List.of(codecInContext), encryptFailures);
    this.base = base;
    this.codec = codec;
    this.encryptFailures = encryptFailures;
  }

  @Override
  public CodecDataConverter withContext(SerializationContext context) {
    return new EncryptingDataConverter(
        base, codec, encryptFailures, base.withContext(context), codec.withContext(context));
  }

  @Override
  public Failure exceptionToFailure(Throwable throwable) {
    CodecException own = codecExceptionIn(throwable);
    if (own == null) return super.exceptionToFailure(throwable);
    // What the SDK puts around it to fail a task tells nothing; what a workflow throws is its result.
    if (!(throwable instanceof TemporalFailure)) return readable(own);
    Failure.Builder failure;
    try {
      failure = super.exceptionToFailure(throwable).toBuilder();
    } catch (CodecException e) {
      failure = withheld(base.exceptionToFailure(throwable).toBuilder(), e.getMessage());
    }
    return withReadableCause(failure, throwable).build();
  }

  private static CodecException codecExceptionIn(Throwable throwable) {
    for (Throwable it = throwable; it != null; it = it.getCause()) if (it instanceof CodecException own) return own;
    return null;
  }

  private Failure readable(CodecException own) {
    return base.exceptionToFailure(own).toBuilder().clearStackTrace().clearCause().build();
  }

  /** A failure around one of the codec, while nothing can be encrypted: without its message, details and trace. */
  private static Failure.Builder withheld(Failure.Builder failure, String why) {
    failure.setMessage("withheld: " + why).clearStackTrace().clearEncodedAttributes();
    if (failure.hasApplicationFailureInfo()) failure.getApplicationFailureInfoBuilder().clearDetails();
    if (failure.hasTimeoutFailureInfo()) failure.getTimeoutFailureInfoBuilder().clearLastHeartbeatDetails();
    if (failure.hasCanceledFailureInfo()) failure.getCanceledFailureInfoBuilder().clearDetails();
    if (failure.hasResetWorkflowFailureInfo())
      failure.getResetWorkflowFailureInfoBuilder().clearLastHeartbeatDetails();
    if (failure.hasCause()) failure.setCause(withheld(failure.getCause().toBuilder(), why));
    return failure;
  }

  private Failure.Builder withReadableCause(Failure.Builder failure, Throwable throwable) {
    Throwable cause = throwable.getCause();
    if (!failure.hasCause() || cause == null) return failure;
    return failure.setCause(
        cause instanceof CodecException own
            ? readable(own)
            : withReadableCause(failure.getCause().toBuilder(), cause).build());
  }
}
