// The worker under test of ../README.md: a worker and nothing else, set up as workers/go says.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	encryption "example.com/temporal-codec-server/workers/go"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
)

type settings struct {
	Address       string
	Namespace     string
	TaskQueue     string
	Keys          *keys
	AlsoDecode    []string
	Plaintext     string
	TimeoutMs     int64
	WriteMessages int64
}

type keys struct {
	Keyring string
	Kms     *struct {
		Write string
		Read  []string
	}
}

func (k *keys) open() encryption.Keys {
	if k.Kms != nil {
		return encryption.KMS{Write: k.Kms.Write, Read: k.Kms.Read}
	}
	return encryption.KeyringFile(k.Keyring)
}

func main() {
	var all []settings
	exitOn(json.Unmarshal([]byte(os.Getenv("WORKERS")), &all))
	if text := os.Getenv("CACHED_WORKFLOWS"); text != "" {
		size, err := strconv.Atoi(text)
		exitOn(err)
		worker.SetStickyWorkflowCacheSize(size)
	}
	var workers []worker.Worker
	for _, each := range all {
		workers = append(workers, start(each))
	}
	fmt.Println("READY")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	for _, each := range workers {
		each.Stop()
	}
}

func start(s settings) worker.Worker {
	options := client.Options{HostPort: s.Address, Namespace: s.Namespace, Logger: sdklog.NewStructuredLogger(quiet())}
	if s.Keys != nil {
		plugin, err := encryption.NewPlugin(encryption.Options{
			Keys:       s.Keys.open(),
			AlsoDecode: s.AlsoDecode,
			Plaintext:  map[string]encryption.Plaintext{"refuse": encryption.RefusePlaintext}[s.Plaintext],
			Timeout:    time.Duration(s.TimeoutMs) * time.Millisecond,
			Cache:      encryption.Cache{WriteMessages: s.WriteMessages},
		})
		exitOn(err)
		options.Plugins = []client.Plugin{plugin}
	}
	c, err := client.Dial(options)
	exitOn(err)
	w := worker.New(c, s.TaskQueue, worker.Options{})
	register(w)
	exitOn(w.Start())
	return w
}

func exitOn(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
