// Command temporal runs what a Temporal user runs, in one process and for one test run: a Temporal server that keeps
// everything in memory, and any number of Temporal Web UIs in front of it, each with its own settings.
//
// It reads one JSON document from standard input, prints "ready" once every listener answers, and ends when standard
// input is closed, so that a test run that dies takes its server with it.
package main

import (
	"encoding/json"
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

// settings is the document on standard input. Either part may be left out: a Web UI can be started later, against a
// Temporal server that another process of this program runs.
type settings struct {
	Temporal *temporalSettings `json:"temporal"`
	// WebUIs holds the Web UI server's own configuration, as its documentation describes it.
	WebUIs []json.RawMessage `json:"webUis"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	input := json.NewDecoder(os.Stdin)
	input.DisallowUnknownFields()
	var wanted settings
	if err := input.Decode(&wanted); err != nil {
		return fmt.Errorf("the settings on standard input: %w", err)
	}

	if wanted.Temporal != nil {
		if err := startTemporal(wanted.Temporal); err != nil {
			return fmt.Errorf("the Temporal server: %w", err)
		}
	}
	for _, text := range wanted.WebUIs {
		if err := startWebUI(text); err != nil {
			return fmt.Errorf("a Web UI: %w", err)
		}
	}

	fmt.Println("ready")
	// Nothing is kept, so nothing has to be put away: the process ends where it stands.
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func startWebUI(text []byte) error {
	// The configuration's names are yaml names, and JSON is YAML.
	var config uiconfig.Config
	if err := yaml.Unmarshal(text, &config); err != nil {
		return err
	}
	if config.Port == 0 {
		return errors.New("its port is missing")
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
	return waitForListener(net.JoinHostPort(config.Host, strconv.Itoa(config.Port)))
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
