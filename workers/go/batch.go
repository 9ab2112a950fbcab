package encryption

import (
	"time"

	"example.com/temporal-codec-server/workers/go/internal/message"
)

// batch is a data key that writes, and how much it may still write. Its owner's mutex guards it.
type batch struct {
	dataKey  message.DataKey
	head     message.Head
	messages int64
	bytes    int64
	expires  time.Time
}

func newBatch(
	dataKey message.DataKey, context message.Context, wrapped message.EncryptedDataKey, bounds Cache, now time.Time,
) (*batch, error) {
	head, err := message.NewHead(context, wrapped)
	if err != nil {
		return nil, err
	}
	return &batch{dataKey, head, bounds.WriteMessages, bounds.WriteBytes, now.Add(bounds.WriteLife)}, nil
}

// fits tells whether a message of so many bytes may be written.
func (b *batch) fits(bytes int, now time.Time) bool { return b.hasRoom(bytes) && now.Before(b.expires) }

func (b *batch) hasRoom(bytes int) bool {
	return b.messages > 0 && b.bytes > 0 && (b.bytes >= int64(bytes))
}

func (b *batch) take(bytes int) (message.DataKey, message.Head, error) {
	b.messages--
	b.bytes -= int64(bytes)
	return b.dataKey, b.head, nil
}

func (b *batch) erase() {
	if b != nil {
		clear(b.dataKey[:])
		b.messages = 0
	}
}
