package message

import (
	"crypto/rand"
	"encoding/binary"
)

// zeroIV is the IV of the header's tag, whose key encrypts one message.
var zeroIV = make([]byte, ivLength)

// Seal writes one message of suite 0x0478 whose body is one frame, under a key derived for it alone: a data key may write
// any number of messages. Specification: client-apis/encrypt.md.
func Seal(plaintext []byte, dataKey *DataKey, head Head) ([]byte, error) {
	if len(plaintext) > maxWriting {
		return nil, malformed("a payload of %d bytes is too long for a message", len(plaintext))
	}
	frameLength := max(usualFrame, len(plaintext))
	length := contextAt + len(head) + 1 + 4 + KeyLength + tagLength + 4 + 4 + ivLength + 4 + len(plaintext) + tagLength
	out := make([]byte, 0, length)
	out = append(out, version, committed>>8, committed&0xff)
	out = out[:contextAt]
	id := out[3:contextAt]
	if _, err := rand.Read(id); err != nil {
		return nil, err
	}
	out = append(append(out, head...), framed)
	out = binary.BigEndian.AppendUint32(out, uint32(frameLength))
	aead, commitment, err := derive(committed, dataKey, id)
	if err != nil {
		return nil, err
	}
	out = append(out, commitment[:]...)
	out = aead.Seal(out, zeroIV, nil, out)

	out = binary.BigEndian.AppendUint32(out, finalFrame)
	out = binary.BigEndian.AppendUint32(out, 1)
	iv := sequenceIV(1)
	out = append(out, iv[:]...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(plaintext)))
	return aead.Seal(out, iv[:], plaintext, frameAAD(id, finalFrameLabel, 1, uint64(len(plaintext)))), nil
}

// sequenceIV is the IV of a frame: its sequence number.
func sequenceIV(sequence uint32) (iv [ivLength]byte) {
	binary.BigEndian.PutUint32(iv[ivLength-4:], sequence)
	return iv
}
