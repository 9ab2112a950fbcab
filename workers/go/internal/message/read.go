package message

import (
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
)

const (
	frameLabel       = "AWSKMSEncryptionClient Frame"
	finalFrameLabel  = "AWSKMSEncryptionClient Final Frame"
	singleBlockLabel = "AWSKMSEncryptionClient Single Block"
	// compressedPoint is a sign byte and the x coordinate on P-384.
	compressedPoint = 1 + 48
)

// Open decrypts the message with the plaintext of one of its data keys. It checks, in this order, the key commitment, the
// header's tag, every tag of the body, the signature where the suite has one, and that nothing follows: only then is there
// a plaintext. Specification: client-apis/decrypt.md.
func (m *Message) Open(dataKey *DataKey) ([]byte, error) {
	aead, commitment, err := derive(m.suite, dataKey, m.id)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(commitment[:], m.commitment) != 1 {
		return nil, notAuthentic("the message is committed to another data key")
	}
	bodyAt := len(m.header) + tagLength
	if _, err := aead.Open(nil, zeroIV, m.bytes[len(m.header):bodyAt], m.header); err != nil {
		return nil, notAuthentic("the tag of the message header does not verify")
	}
	in := cursor{bytes: m.bytes, at: bodyAt}
	var plaintext []byte
	if m.framed {
		plaintext, err = m.openFrames(&in, aead)
	} else {
		plaintext, err = m.openBlock(&in, aead)
	}
	if err != nil {
		return nil, err
	}
	if m.suite == signed {
		if err := m.verify(&in); err != nil {
			return nil, err
		}
	}
	if in.at != len(m.bytes) {
		return nil, malformed("bytes follow the end of the message")
	}
	return plaintext, nil
}

// openFrames reads a body of frames that are encrypted one by one. Their IVs are their sequence numbers, and their
// associated data holds message id, label, sequence number and length: no frame can be dropped, repeated or moved.
func (m *Message) openFrames(in *cursor, aead cipher.AEAD) ([]byte, error) {
	plaintext := make([]byte, 0, max(0, min(len(in.bytes)-in.at, m.frameLength)))
	for sequence := uint32(1); ; sequence++ {
		number := in.uint32()
		final := number == finalFrame
		label, length := frameLabel, m.frameLength
		if final {
			number, label = in.uint32(), finalFrameLabel
		}
		if !in.short && number != sequence {
			return nil, malformed("a frame is out of order")
		}
		iv := in.take(ivLength)
		if final {
			length = int(in.uint32())
			if length > m.frameLength {
				return nil, malformed("the final frame is longer than the frame length")
			}
		}
		var err error
		if plaintext, err = m.openFrame(in, aead, plaintext, iv, sequence, label, length); err != nil || final {
			return plaintext, err
		}
	}
}

func (m *Message) openBlock(in *cursor, aead cipher.AEAD) ([]byte, error) {
	iv := in.take(ivLength)
	length := in.uint64()
	if length > uint64(len(in.bytes)) {
		return nil, malformed("the message body ends early")
	}
	return m.openFrame(in, aead, nil, iv, 1, singleBlockLabel, int(length))
}

func (m *Message) openFrame(in *cursor, aead cipher.AEAD, out, iv []byte, sequence uint32, label string, length int) ([]byte, error) {
	// Below zero where an int has 32 bits and the message claims more.
	if length < 0 || length > len(in.bytes)-in.at {
		in.short = true
	}
	sealed := in.take(length + tagLength)
	if in.short {
		return nil, malformed("the message body ends early")
	}
	if want := sequenceIV(sequence); string(iv) != string(want[:]) {
		return nil, malformed("the IV of a frame is not its sequence number")
	}
	out, err := aead.Open(out, iv, sealed, frameAAD(m.id, label, sequence, uint64(length)))
	if err != nil {
		return nil, notAuthentic("a tag of the message body does not verify")
	}
	return out, nil
}

func frameAAD(id []byte, label string, sequence uint32, length uint64) []byte {
	aad := make([]byte, 0, idLength+len(singleBlockLabel)+12)
	aad = append(append(aad, id...), label...)
	aad = binary.BigEndian.AppendUint32(aad, sequence)
	return binary.BigEndian.AppendUint64(aad, length)
}

// verify checks the footer: ECDSA P-384 over the SHA-384 of header and body, under the key of the encryption context, which
// the header's tag has authenticated. Specification: data-format/message-footer.md.
func (m *Message) verify(in *cursor) error {
	body := in.at
	signature := in.field()
	if in.short {
		return malformed("the signature ends early")
	}
	text := m.Context[publicKeyName]
	point, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(point) != compressedPoint {
		return malformed("the public key of the message is not a compressed point on P-384")
	}
	x, y := elliptic.UnmarshalCompressed(elliptic.P384(), point)
	if x == nil {
		return malformed("the public key of the message is not a compressed point on P-384")
	}
	digest := sha512.Sum384(m.bytes[:body])
	if !ecdsa.VerifyASN1(&ecdsa.PublicKey{Curve: elliptic.P384(), X: x, Y: y}, digest[:], signature) {
		return notAuthentic("the signature of the message does not verify")
	}
	return nil
}
