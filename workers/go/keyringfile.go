package encryption

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"unicode/utf8"

	"example.com/temporal-codec-server/workers/go/internal/fault"
	"example.com/temporal-codec-server/workers/go/internal/message"
)

// largestKeyring is far more than any keyring needs.
const largestKeyring = 1 << 20

// readKeyring reads and checks a keyring file. Its errors name the place of what is wrong, never what is written there.
func readKeyring(path string) (*keyring, os.FileInfo, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fault.Errorf(fault.KeyringUnusable, "the keyring %s does not exist", path)
	}
	if err != nil {
		return nil, nil, fault.Errorf(fault.KeyringUnusable, "the keyring %s cannot be opened", path)
	}
	defer func() { _ = file.Close() }()
	status, err := file.Stat()
	if err != nil || !status.Mode().IsRegular() {
		return nil, nil, fault.Errorf(fault.KeyringUnusable, "the keyring %s is not a file", path)
	}
	// Windows has no such mode: every file looks readable by all.
	if mode := status.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, nil, fault.Errorf(fault.KeyringUnusable,
			`the keyring %s can be read or changed by others (mode %o): run "chmod 600 %s"`, path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, largestKeyring+1))
	if err != nil || len(text) > largestKeyring {
		return nil, nil, fault.Errorf(fault.KeyringUnusable, "the keyring %s cannot be read, or is too large", path)
	}
	defer clear(text)
	ring, problem := parseKeyring(text)
	if problem != "" {
		return nil, nil, fault.Errorf(fault.KeyringUnusable, "the keyring %s cannot be used: %s", path, problem)
	}
	return ring, status, nil
}

func parseKeyring(text []byte) (*keyring, string) {
	var document struct {
		Namespace string `json:"namespace"`
		Current   string `json:"current"`
		Keys      []struct {
			Name string `json:"name"`
			Key  string `json:"key"`
		} `json:"keys"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil || decoder.More() {
		return nil, `it is not JSON of the form {"namespace":…,"current":…,"keys":[{"name":…,"key":…}]}`
	}
	if !isName(document.Namespace) || strings.HasPrefix(document.Namespace, "aws-kms") {
		return nil, `namespace is missing or begins with "aws-kms", which the AWS Encryption SDK keeps for KMS`
	}
	ring := &keyring{namespace: document.Namespace, current: document.Current, keys: map[string]message.DataKey{}}
	for _, entry := range document.Keys {
		key, err := base64.StdEncoding.Strict().DecodeString(entry.Key)
		if !isName(entry.Name) || err != nil || len(key) != message.KeyLength {
			return nil, "an entry of keys has not a name and 32 bytes in base64"
		}
		if _, twice := ring.keys[entry.Name]; twice {
			return nil, "two keys have the same name"
		}
		ring.keys[entry.Name] = message.DataKey(key)
	}
	if _, ok := ring.keys[ring.current]; !ok {
		return nil, "current names none of the keys"
	}
	return ring, ""
}

func isName(text string) bool { return text != "" && len(text) <= 1<<12 && utf8.ValidString(text) }
