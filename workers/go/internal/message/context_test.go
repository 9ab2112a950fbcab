package message

import (
	"maps"
	"testing"
)

func TestAContextHasOneForm(t *testing.T) {
	for name, bytes := range map[string]string{
		"no entries with bytes": "\x00\x00",
		"keys out of order":     "\x00\x02\x00\x01b\x00\x01x\x00\x01a\x00\x01x",
		"a key twice":           "\x00\x02\x00\x01a\x00\x01x\x00\x01a\x00\x01y",
		"bytes left over":       "\x00\x01\x00\x01a\x00\x01x\x00",
		"an entry missing":      "\x00\x02\x00\x01a\x00\x01x",
		"a length past the end": "\x00\x01\x00\x01a\xff\xffx",
		"not UTF-8":             "\x00\x01\x00\x01a\x00\x01\xff",
	} {
		if context, err := parseContext([]byte(bytes)); err == nil {
			t.Errorf("%s: %v", name, context)
		}
	}
	want := Context{"b": "", "a": "größe 😀", "": "x"}
	bytes, err := want.Serialize()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parseContext(bytes); err != nil || !maps.Equal(got, want) {
		t.Errorf("%v %v", got, err)
	}
	if _, err := (Context{"a": string(make([]byte, maxField))}).Serialize(); err == nil {
		t.Error("a context that is too long is written")
	}
	if _, err := (Context{"a": "\xff"}).Serialize(); err == nil {
		t.Error("a context that is not UTF-8 is written")
	}
}
