package encryption

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"

	"example.com/temporal-codec-server/workers/go/internal/fault"
	"example.com/temporal-codec-server/workers/go/internal/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

// KMSClient is what the library calls of AWS KMS; *kms.Client is one.
type KMSClient interface {
	GenerateDataKey(context.Context, *kms.GenerateDataKeyInput, ...func(*kms.Options)) (*kms.GenerateDataKeyOutput, error)
	Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error)
}

// KMS takes data keys from AWS KMS. The worker's role needs kms:GenerateDataKey on Write and kms:Decrypt on Write and Read,
// and never kms:Encrypt. Every call names the key and the encryption context `temporal-namespace`, so a policy can bind
// both.
//
// Calls: one GenerateDataKey for each data key that writes (24 hours, a million payloads), one Decrypt for each data key
// that is read and not in memory. Each is made once however many payloads wait for it, and only those wait.
type KMS struct {
	// Write is the ARN of the key under which data keys are made. It also reads.
	Write string
	// Read lists the ARNs of further keys that read: those from before a rotation, and those of the namespaces of AlsoDecode.
	Read []string
	// Client makes the client of one Region. Default: the AWS SDK's own configuration, credentials from the environment.
	Client func(region string) (KMSClient, error)
}

// kmsProvider is the provider id of KMS in message headers.
const kmsProvider = "aws-kms"

var keyARN = regexp.MustCompile(`^arn:[a-z0-9-]+:kms:([a-z0-9-]+):[0-9]{12}:key/([A-Za-z0-9-]+)$`)

func (k KMS) open(options Options, context message.Context) (keySource, error) {
	client := k.Client
	if client == nil {
		client = newKMSClient
	}
	source := &kmsKeys{write: k.Write, clients: map[string]KMSClient{}, newClient: client}
	for _, arn := range append([]string{k.Write}, k.Read...) {
		if !keyARN.MatchString(arn) {
			return nil, fault.Errorf(fault.Options, "KMS: %q is not the ARN of a key (arn:aws:kms:<region>:<account>:key/<id>)", arn)
		}
		if !slices.Contains(source.arns, arn) {
			source.arns = append(source.arns, arn)
		}
	}
	return newDataKeyCache(source, options, context), nil
}

func newKMSClient(region string) (KMSClient, error) {
	settings, err := config.LoadDefaultConfig(context.Background(), config.WithRegion(region))
	if err != nil {
		return nil, err
	}
	return kms.NewFromConfig(settings), nil
}

// kmsKeys makes the calls.
type kmsKeys struct {
	write     string
	arns      []string
	newClient func(region string) (KMSClient, error)

	mutex   sync.Mutex
	clients map[string]KMSClient
}

func (k *kmsKeys) generate(ctx context.Context, encryption message.Context) (message.DataKey, message.EncryptedDataKey, error) {
	var dataKey message.DataKey
	client, err := k.client(k.write)
	if err != nil {
		return dataKey, message.EncryptedDataKey{}, err
	}
	answer, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: &k.write, KeySpec: types.DataKeySpecAes256, EncryptionContext: encryption,
	})
	if err != nil {
		return dataKey, message.EncryptedDataKey{}, faultOf(err, "GenerateDataKey", k.write)
	}
	defer clear(answer.Plaintext)
	if aws.ToString(answer.KeyId) != k.write || len(answer.Plaintext) != message.KeyLength || len(answer.CiphertextBlob) == 0 {
		return dataKey, message.EncryptedDataKey{}, badAnswer("GenerateDataKey", k.write)
	}
	copy(dataKey[:], answer.Plaintext)
	return dataKey, message.EncryptedDataKey{
		ProviderID: kmsProvider, ProviderInfo: []byte(k.write), Ciphertext: answer.CiphertextBlob,
	}, nil
}

// decrypt unwraps a data key. The key that a message names is its writer's claim: KMS is asked only for keys of the
// configuration, and by their own ARNs.
func (k *kmsKeys) decrypt(ctx context.Context, m *message.Message) (message.DataKey, error) {
	var dataKey message.DataKey
	var first error
	for _, wrapped := range m.DataKeys {
		arn := k.configured(wrapped)
		if arn == "" {
			continue
		}
		client, err := k.client(arn)
		if err != nil {
			return dataKey, err
		}
		answer, err := client.Decrypt(ctx, &kms.DecryptInput{
			KeyId: &arn, CiphertextBlob: wrapped.Ciphertext, EncryptionContext: m.Context,
		})
		switch {
		case err != nil:
			err = faultOf(err, "Decrypt", arn)
		case aws.ToString(answer.KeyId) != arn || len(answer.Plaintext) != message.KeyLength:
			clear(answer.Plaintext)
			err = badAnswer("Decrypt", arn)
		default:
			copy(dataKey[:], answer.Plaintext)
			clear(answer.Plaintext)
			return dataKey, nil
		}
		if first == nil || isUnavailable(err) {
			first = err
		}
	}
	if first == nil {
		first = k.unknown(m)
	}
	return dataKey, first
}

// configured is the ARN of the configuration that unwraps a data key: the one that it names, or for a multi-Region key
// another Region's replica. Empty when there is none.
func (k *kmsKeys) configured(wrapped message.EncryptedDataKey) string {
	if wrapped.ProviderID != kmsProvider {
		return ""
	}
	named := string(wrapped.ProviderInfo)
	if slices.Contains(k.arns, named) {
		return named
	}
	parts := strings.Split(named, ":")
	if len(parts) != 6 || !strings.HasPrefix(parts[5], "key/mrk-") {
		return ""
	}
	for _, arn := range k.arns {
		ours := strings.Split(arn, ":")
		if ours[1] == parts[1] && ours[4] == parts[4] && ours[5] == parts[5] {
			return arn
		}
	}
	return ""
}

// readable tells whether any data key of the message is under a configured key, without a call.
func (k *kmsKeys) readable(m *message.Message) bool {
	return slices.ContainsFunc(m.DataKeys, func(it message.EncryptedDataKey) bool { return k.configured(it) != "" })
}

func (k *kmsKeys) writes(m *message.Message) bool {
	return slices.ContainsFunc(m.DataKeys, func(it message.EncryptedDataKey) bool { return k.configured(it) == k.write })
}

func (k *kmsKeys) unknown(m *message.Message) error {
	wanted := make([]string, len(m.DataKeys))
	for i, it := range m.DataKeys {
		wanted[i] = it.ProviderID
		if it.ProviderID == kmsProvider {
			wanted[i] = string(it.ProviderInfo)
		}
	}
	return fault.Errorf(fault.UnknownKey, "a payload wants the key %s, and the codec reads with %s (it writes with %s)",
		strings.ToValidUTF8(strings.Join(wanted, " or "), "?"), strings.Join(k.arns, ", "), k.write)
}

func (k *kmsKeys) client(arn string) (KMSClient, error) {
	region := keyARN.FindStringSubmatch(arn)[1]
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if client, ok := k.clients[region]; ok {
		return client, nil
	}
	client, err := k.newClient(region)
	if err != nil {
		return nil, fault.Errorf(fault.KeyUnavailable, "the AWS configuration for KMS in %s cannot be loaded", region)
	}
	k.clients[region] = client
	return client, nil
}

// faultOf tells a refusal from a fault that may pass. Of AWS's error only its code gets into the text.
func faultOf(err error, operation, arn string) error {
	var api smithy.APIError
	code := "no answer"
	reason := fault.KeyUnavailable
	if errors.As(err, &api) {
		code = api.ErrorCode()
		switch code {
		case "AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException",
			"MissingAuthenticationToken", "InvalidSignatureException", "SignatureDoesNotMatch":
			reason = fault.KeyAccessDenied
		case "DisabledException", "NotFoundException", "KMSInvalidStateException", "InvalidKeyUsageException":
			reason = fault.KeyDisabled
		case "InvalidCiphertextException", "IncorrectKeyException":
			reason = fault.WrongContext
		}
	} else if errors.Is(err, context.DeadlineExceeded) {
		code = "no answer in time"
	}
	return fault.Errorf(reason, "KMS %s with %s: %s", operation, arn, printable(code))
}

func badAnswer(operation, arn string) error {
	return fault.Errorf(fault.KeyUnavailable, "KMS %s with %s: the answer names another key, or has none", operation, arn)
}

func isUnavailable(err error) bool { return hasReason(err, fault.KeyUnavailable) }

func hasReason(err error, reasons ...Reason) bool {
	var codecError *fault.CodecError
	return errors.As(err, &codecError) && slices.Contains(reasons, codecError.Reason)
}

// printable keeps a code of AWS what it is: letters. It comes from the wire.
func printable(code string) string {
	if len(code) > 64 || strings.ContainsFunc(code, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "an unknown error"
	}
	return code
}
