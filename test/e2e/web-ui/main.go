// Command web-ui runs Temporal's Web UI server for one test run, with whatever its configuration can say: sign-in,
// HTTPS and the codec settings that the development server of the CLI has no flags for.
//
// It reads its configuration as one JSON document from standard input, prints "ready" once it answers, and ends when
// standard input is closed, so that a test run that dies takes its Web UI with it.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
	"gopkg.in/yaml.v3"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	// The configuration's names are yaml names, and JSON is YAML. One line of it, since standard input stays open.
	stdin := bufio.NewReader(os.Stdin)
	input, err := stdin.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the configuration on standard input: %w", err)
	}
	var config uiconfig.Config
	if err := yaml.Unmarshal(input, &config); err != nil {
		return fmt.Errorf("the configuration on standard input: %w", err)
	}
	if config.Port == 0 {
		return errors.New("the configuration names no port")
	}
	config.EnableUI = true
	config.HideLogs = true
	config.DisableNewsFetch = true
	if err := config.Validate(); err != nil {
		return err
	}
	server := uiserver.NewServer(uioptions.WithConfigProvider(&config))
	go func() {
		if err := server.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}()
	if err := waitForListener(net.JoinHostPort(config.Host, strconv.Itoa(config.Port))); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// waitForListener returns once something accepts connections at the address.
func waitForListener(address string) error {
	var err error
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(20 * time.Millisecond) {
		var connection net.Conn
		if connection, err = net.DialTimeout("tcp", address, time.Second); err == nil {
			return connection.Close()
		}
	}
	return fmt.Errorf("nothing listens at %s: %w", address, err)
}
