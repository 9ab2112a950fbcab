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

        private static readonly MapField<string, ByteString>.Codec Pairs =
            new(FieldCodec.ForString(MetadataTag), FieldCodec.ForBytes(DataTag), MetadataTag);

        public static MessageParser<Payload> Parser { get; } = new(() => new Payload());

        public MapField<string, ByteString> Metadata { get; } = new();

        public ByteString Data { get; set; } = ByteString.Empty;

        MessageDescriptor IMessage.Descriptor => throw new NotSupportedException();

        public int CalculateSize() =>
            Metadata.CalculateSize(Pairs) + (Data.IsEmpty ? 0 : 1 + CodedOutputStream.ComputeBytesSize(Data));

        public void WriteTo(CodedOutputStream output)
        {
            Metadata.WriteTo(output, Pairs);
            if (Data.IsEmpty) return;
            output.WriteRawTag((byte)DataTag);
            output.WriteBytes(Data);
        }

        public void MergeFrom(CodedInputStream input)
        {
            for (uint tag; (tag = input.ReadTag()) != 0;)
            {
                if (tag == MetadataTag) Metadata.AddEntriesFrom(input, Pairs);
                else if (tag == DataTag) Data = input.ReadBytes();
                else input.SkipLastField();
            }
        }

        public void MergeFrom(Payload message) => MergeFrom(new CodedInputStream(message.ToByteArray()));

        public Payload Clone() => Parser.ParseFrom(this.ToByteArray());

        public bool Equals(Payload? other) => other is not null && Metadata.Equals(other.Metadata) && Data.Equals(other.Data);

        public override bool Equals(object? other) => Equals(other as Payload);

        public override int GetHashCode() => HashCode.Combine(Metadata, Data);
    }
}
