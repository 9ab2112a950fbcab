package temporalcodec;

/** What becomes of payloads that are not encrypted. */
public enum Plaintext {
  /** They are passed on as they are: for histories from before the codec. */
  ACCEPT,
  /** They are refused. */
  REFUSE
}
