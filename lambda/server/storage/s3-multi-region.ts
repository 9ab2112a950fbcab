/** Teaches the S3 client to sign for every Region at once (SigV4A), which a Multi-Region Access Point asks for. */
import '@aws-sdk/signature-v4a';
