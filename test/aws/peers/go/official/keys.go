package official

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	providers "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygenerated"
	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// KmsKey takes data keys from AWS KMS, one for every payload.
func KmsKey(ctx context.Context, arn string) (mpl.IKeyring, error) {
	// arn:aws:kms:<region>:<account>:key/<id>
	region := strings.Split(arn+"::::", ":")[3]
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return nil, err
	}
	library, err := providers.NewClient(mpl.MaterialProvidersConfig{})
	if err != nil {
		return nil, err
	}
	return library.CreateAwsKmsKeyring(ctx, mpl.CreateAwsKmsKeyringInput{
		KmsClient: kms.NewFromConfig(settings),
		KmsKeyId:  arn,
	})
}

// LocalKey is the current key of a keyring file, such as the local codec server makes.
func LocalKey(ctx context.Context, path string) (mpl.IKeyring, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var keyring struct {
		Namespace string
		Current   string
		Keys      []struct {
			Name string
			Key  []byte
		}
	}
	if err := json.Unmarshal(text, &keyring); err != nil {
		return nil, err
	}
	library, err := providers.NewClient(mpl.MaterialProvidersConfig{})
	if err != nil {
		return nil, err
	}
	for _, key := range keyring.Keys {
		if key.Name == keyring.Current {
			return library.CreateRawAesKeyring(ctx, mpl.CreateRawAesKeyringInput{
				KeyNamespace: keyring.Namespace,
				KeyName:      key.Name,
				WrappingKey:  key.Key,
				WrappingAlg:  mpl.AesWrappingAlgAlgAes256GcmIv12Tag16,
			})
		}
	}
	return nil, fmt.Errorf("%s has no key of the name that it says is current", path)
}
