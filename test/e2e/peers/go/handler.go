package main

import (
	"fmt"
	"net"
	"net/http"

	"go.temporal.io/sdk/converter"
)

// serveCodec serves the SDK's own HTTP handler around its own zlib codec, with nothing added: what a
// codec server is before a team adds CORS, tokens and limits to it.
func serveCodec() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	codec := converter.NewZlibCodec(converter.ZlibCodecOptions{AlwaysEncode: true})
	return http.Serve(listener, converter.NewPayloadCodecHTTPHandler(codec))
}
