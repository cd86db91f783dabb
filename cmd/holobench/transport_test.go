package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// servingTLS READY CERT waits for a ready file and asks that server for its health, by HTTP/2, trusting its certificate and nothing
// else.
func servingTLS(ts *testscript.TestScript, neg bool, args []string) {
	serving(ts, neg, args[:1])
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ts.ReadFile(args[1]))) {
		ts.Fatalf("%s is no certificate", args[1])
	}
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: patience}).Get("https://" + ts.Getenv("ADDR") + "/healthz")
	ts.Check(err)
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	ts.Check(response.Body.Close())
	if response.ProtoMajor != 2 || response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"ok"`) {
		ts.Fatalf("%s %s: %s", response.Proto, response.Status, body)
	}
}
