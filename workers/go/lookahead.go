package encryption

import (
	"context"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// lookAhead watches for histories that come from Temporal and fetches their data keys side by side. The SDK decodes one
// payload after the other as the workflow asks for it: a replay of a thousand data keys would wait for a thousand calls in
// a row, longer than a workflow task may take.
func lookAhead(codec *Codec) grpc.UnaryClientInterceptor {
	return func(
		ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker,
		options ...grpc.CallOption,
	) error {
		if err := invoke(ctx, method, request, reply, connection, options...); err != nil {
			return err
		}
		switch reply := reply.(type) {
		case *workflowservice.PollWorkflowTaskQueueResponse:
			codec.lookAhead(payloadsOf(ctx, reply.GetHistory()))
		case *workflowservice.GetWorkflowExecutionHistoryResponse:
			codec.lookAhead(payloadsOf(ctx, reply.GetHistory()))
		}
		return nil
	}
}

func payloadsOf(ctx context.Context, history *historypb.History) []*commonpb.Payload {
	var found []*commonpb.Payload
	if len(history.GetEvents()) == 0 {
		return nil
	}
	// It reads alone: the visitor returns what it was given. An error ends the look ahead, and the decoding will meet it.
	_ = proxy.VisitPayloads(ctx, proto.Message(history), proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
			found = append(found, payloads...)
			return payloads, nil
		},
	})
	return found
}
