// Stand-ins for what the codec takes from Temporalio 1.18, which is on NuGet only: its interfaces, and the message Payload of
// temporal/api/common/v1/message.proto, on the real Google.Protobuf.
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.Reflection;
using Temporalio.Api.Common.V1;

namespace Temporalio.Converters
{
    public interface IPayloadCodec
    {
        Task<IReadOnlyCollection<Payload>> EncodeAsync(IReadOnlyCollection<Payload> payloads);

        Task<IReadOnlyCollection<Payload>> DecodeAsync(IReadOnlyCollection<Payload> payloads);
    }

    public interface IWithSerializationContext<T>
    {
        T WithSerializationContext(ISerializationContext context);
    }

    public interface ISerializationContext
    {
        public interface IHasWorkflow : ISerializationContext
        {
            string Namespace { get; }

            string? WorkflowId { get; }
        }

        public sealed record Workflow(string Namespace, string WorkflowId) : IHasWorkflow;
    }
}

namespace Temporalio.Api.Common.V1
{
    public sealed class Payload : IMessage<Payload>
    {
        private const uint MetadataTag = (1 << 3) | 2;
        private const uint DataTag = (2 << 3) | 2;
        private const uint ExternalTag = (3 << 3) | 2;

        private static readonly MapField<string, ByteString>.Codec Pairs =
            new(FieldCodec.ForString(MetadataTag), FieldCodec.ForBytes(DataTag), MetadataTag);

        private static readonly FieldCodec<Types.ExternalPayloadDetails> External =
            FieldCodec.ForMessage(ExternalTag, Types.ExternalPayloadDetails.Parser);

        public static MessageParser<Payload> Parser { get; } = new(() => new Payload());

        public RepeatedField<Types.ExternalPayloadDetails> ExternalPayloads { get; } = new();

        public MapField<string, ByteString> Metadata { get; } = new();

        public ByteString Data { get; set; } = ByteString.Empty;

        MessageDescriptor IMessage.Descriptor => throw new NotSupportedException();

        public int CalculateSize() =>
            Metadata.CalculateSize(Pairs) + (Data.IsEmpty ? 0 : 1 + CodedOutputStream.ComputeBytesSize(Data))
            + ExternalPayloads.CalculateSize(External);

        public void WriteTo(CodedOutputStream output)
        {
            Metadata.WriteTo(output, Pairs);
            if (!Data.IsEmpty)
            {
                output.WriteRawTag((byte)DataTag);
                output.WriteBytes(Data);
            }
            ExternalPayloads.WriteTo(output, External);
        }

        public void MergeFrom(CodedInputStream input)
        {
            for (uint tag; (tag = input.ReadTag()) != 0;)
            {
                if (tag == MetadataTag) Metadata.AddEntriesFrom(input, Pairs);
                else if (tag == DataTag) Data = input.ReadBytes();
                else if (tag == ExternalTag) ExternalPayloads.AddEntriesFrom(input, External);
                else input.SkipLastField();
            }
        }

        public void MergeFrom(Payload message) => MergeFrom(new CodedInputStream(message.ToByteArray()));

        public Payload Clone() => Parser.ParseFrom(this.ToByteArray());

        public bool Equals(Payload? other) => other is not null
            && Metadata.Equals(other.Metadata) && Data.Equals(other.Data) && ExternalPayloads.Equals(other.ExternalPayloads);

        public override bool Equals(object? other) => Equals(other as Payload);

        public override int GetHashCode() => HashCode.Combine(Metadata, Data);

        public static class Types
        {
            public sealed class ExternalPayloadDetails : IMessage<ExternalPayloadDetails>
            {
                private const uint SizeTag = 1 << 3;

                public static MessageParser<ExternalPayloadDetails> Parser { get; } = new(() => new ExternalPayloadDetails());

                public long SizeBytes { get; set; }

                MessageDescriptor IMessage.Descriptor => throw new NotSupportedException();

                public int CalculateSize() => SizeBytes == 0 ? 0 : 1 + CodedOutputStream.ComputeInt64Size(SizeBytes);

                public void WriteTo(CodedOutputStream output)
                {
                    if (SizeBytes == 0) return;
                    output.WriteRawTag((byte)SizeTag);
                    output.WriteInt64(SizeBytes);
                }

                public void MergeFrom(CodedInputStream input)
                {
                    for (uint tag; (tag = input.ReadTag()) != 0;)
                    {
                        if (tag == SizeTag) SizeBytes = input.ReadInt64();
                        else input.SkipLastField();
                    }
                }

                public void MergeFrom(ExternalPayloadDetails message) => SizeBytes = message.SizeBytes;

                public ExternalPayloadDetails Clone() => new() { SizeBytes = SizeBytes };

                public bool Equals(ExternalPayloadDetails? other) => other?.SizeBytes == SizeBytes;

                public override bool Equals(object? other) => Equals(other as ExternalPayloadDetails);

                public override int GetHashCode() => SizeBytes.GetHashCode();
            }
        }
    }
}
