package temporalcodec;

import com.amazonaws.encryptionsdk.ParsedCiphertext;
import com.amazonaws.encryptionsdk.exception.BadCiphertextException;
import com.amazonaws.encryptionsdk.model.ContentType;
import java.nio.ByteBuffer;

/**
 * The numbers of frames as they are written. The official library decrypts each frame under the number that it must have,
 * so no frame can be moved; but it never looks at what is written there, and takes messages that no other library does.
 */
final class Frames {
  private static final int FINAL_FRAME = -1;
  private static final int TAG_LENGTH = 16;

  private Frames() {}

  /**
   * @param message one that has been decrypted, so all of its lengths are good
   * @throws BadCiphertextException when its frames are not numbered from 1
   */
  static void requireInOrder(ParsedCiphertext message) {
    if (message.getContentType() != ContentType.FRAME) return;
    ByteBuffer body = ByteBuffer.wrap(message.getCiphertext());
    body.position(message.getOffset());
    for (int number = 1; ; number++) {
      int written = body.getInt();
      boolean last = written == FINAL_FRAME;
      if ((last ? body.getInt() : written) != number) throw new BadCiphertextException("frames out of order");
      if (last) return;
      body.position(body.position() + message.getNonceLength() + message.getFrameLength() + TAG_LENGTH);
    }
  }
}
