// Package official is a codec on the official AWS Encryption SDK for Go: what the project's own reader and writer in Go and
// in TypeScript are held to.
package official

import (
	"context"
	"errors"

	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
	esdk "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygenerated"
	"github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygeneratedtypes"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"
)

const (
	encoding     = "binary/aws-encryption-sdk"
	namespaceKey = "temporal-namespace"
	// Committed is AES-256-GCM with key commitment and without a signature.
	Committed = mpl.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKey
	// CommittedAndSigned is the same with an ECDSA P-384 signature.
	CommittedAndSigned = mpl.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKeyEcdsaP384
)

// Codec is a converter.PayloadCodec that encrypts every payload and binds it to one namespace.
type Codec struct {
	namespace string
	keys      mpl.IKeyring
	suite     mpl.ESDKAlgorithmSuiteId
	sdk       *esdk.Client
}

// New makes a codec for the namespace that a worker or client works in.
func New(namespace string, keys mpl.IKeyring, suite mpl.ESDKAlgorithmSuiteId) (*Codec, error) {
	policy := mpl.ESDKCommitmentPolicyRequireEncryptRequireDecrypt
	mostKeys := int64(5)
	sdk, err := esdk.NewClient(awscryptographyencryptionsdksmithygeneratedtypes.AwsEncryptionSdkConfig{
		CommitmentPolicy:     &policy,
		MaxEncryptedDataKeys: &mostKeys,
	})
	return &Codec{namespace, keys, suite, sdk}, err
}

// Encode encrypts every payload.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(payload *commonpb.Payload) (*commonpb.Payload, error) {
		plaintext, err := proto.Marshal(payload)
		if err != nil {
			return nil, err
		}
		output, err := c.sdk.Encrypt(context.Background(), awscryptographyencryptionsdksmithygeneratedtypes.EncryptInput{
			Plaintext:         plaintext,
			EncryptionContext: map[string]string{namespaceKey: c.namespace},
			Keyring:           c.keys,
			AlgorithmSuiteId:  &c.suite,
		})
		if err != nil {
			return nil, err
		}
		metadata := map[string][]byte{"encoding": []byte(encoding)}
		return &commonpb.Payload{Metadata: metadata, Data: output.Ciphertext}, nil
	})
}

// Decode decrypts what is encrypted and leaves alone what is not.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(payload *commonpb.Payload) (*commonpb.Payload, error) {
		if string(payload.GetMetadata()["encoding"]) != encoding {
			return payload, nil
		}
		output, err := c.sdk.Decrypt(context.Background(), awscryptographyencryptionsdksmithygeneratedtypes.DecryptInput{
			Ciphertext: payload.GetData(),
			Keyring:    c.keys,
		})
		if err != nil {
			return nil, err
		}
		// Authentic, but of whom? Without this line, a payload could be carried from one namespace to another.
		if output.EncryptionContext[namespaceKey] != c.namespace {
			return nil, errors.New("this payload belongs to another namespace")
		}
		decrypted := &commonpb.Payload{}
		return decrypted, proto.Unmarshal(output.Plaintext, decrypted)
	})
}

func each(payloads []*commonpb.Payload, do func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	results := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		result, err := do(payload)
		if err != nil {
			return nil, err
		}
		results[i] = result
	}
	return results, nil
}
