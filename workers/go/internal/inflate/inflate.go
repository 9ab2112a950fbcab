// Package inflate opens compression as it nests inside encryption: the serialized inner payload, compressed. What comes
// out is counted while it comes, against a budget.
package inflate

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"

	"example.com/temporal-codec-server/workers/go/internal/fault"
	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
)

// largestSnappyRatio: a copy of 64 bytes takes 3 bytes, so a block that claims more is lying about its length.
const largestSnappyRatio = 32

// mostWindow is the window that every zstd decoder should support: 8 MiB (RFC 8878, 3.1.1.1.2).
const mostWindow = 8 << 20

var formats = map[string]func(data []byte, budget int) ([]byte, error){
	"binary/zlib": func(data []byte, budget int) ([]byte, error) {
		in := bytes.NewReader(data)
		reader, err := zlib.NewReader(in)
		return whole("zlib", reader, err, in, budget)
	},
	"binary/gzip": func(data []byte, budget int) ([]byte, error) {
		in := bytes.NewReader(data)
		reader, err := gzip.NewReader(in)
		if err == nil {
			reader.Multistream(false)
		}
		return whole("gzip", reader, err, in, budget)
	},
	"binary/zstd":   openZstd,
	"binary/snappy": openSnappy,
}

// Knows tells whether the encoding is one of compression.
func Knows(encoding string) bool {
	_, known := formats[encoding]
	return known
}

// Open inflates data of a known encoding to at most budget bytes.
func Open(encoding string, data []byte, budget int) ([]byte, error) {
	return formats[encoding](data, budget)
}

func whole(name string, reader io.Reader, err error, rest *bytes.Reader, budget int) ([]byte, error) {
	if err != nil {
		return nil, invalid(name)
	}
	out, err := io.ReadAll(io.LimitReader(reader, int64(budget)+1))
	switch {
	case len(out) > budget:
		return nil, tooLarge(budget)
	case err != nil:
		return nil, invalid(name)
	case rest.Len() > 0:
		return nil, fault.Errorf(fault.Malformed, "bytes are left over after the %s stream", name)
	}
	return out, nil
}

func openZstd(data []byte, budget int) ([]byte, error) {
	reader, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(max(budget, 1))),
		zstd.WithDecoderMaxWindow(mostWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, invalid("zstd")
	}
	defer reader.Close()
	out, err := reader.DecodeAll(data, nil)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded) || len(out) > budget:
		return nil, tooLarge(budget)
	case err != nil || len(data) == 0:
		return nil, invalid("zstd")
	}
	return out, nil
}

func openSnappy(data []byte, budget int) ([]byte, error) {
	length, err := snappy.DecodedLen(data)
	if err != nil || length/largestSnappyRatio > len(data) {
		return nil, invalid("snappy")
	}
	if length > budget {
		return nil, tooLarge(budget)
	}
	out, err := snappy.Decode(nil, data)
	if err != nil {
		return nil, invalid("snappy")
	}
	return out, nil
}

func invalid(name string) error {
	return fault.Errorf(fault.Malformed, "the data is not a valid %s stream", name)
}

func tooLarge(budget int) error {
	return fault.Errorf(fault.TooLarge, "it inflates past the %d bytes that are left", budget)
}
