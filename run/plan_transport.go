package run

import (
	"crypto/tls"
	"fmt"

	"holobench/target"
)

// checkTransport refuses what the simulated clients cannot speak.
func (p *Plan) checkTransport() error {
	if p.Transport == "" || p.Transport == target.HTTP1 || p.Transport == target.TLS {
		return nil
	}
	return fmt.Errorf("check the plan: the simulated clients do not speak the transport %s: take %s or %s", p.Transport, target.HTTP1, target.TLS)
}

// clientTLS is how the clients of the plan speak TLS; nil = they do not.
func (p *Plan) clientTLS() *tls.Config {
	if p.Server != nil || !p.Transport.Encrypted() { // a server of the user's own says it by its address
		return nil
	}
	return &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // the run has started these nodes itself: whom it talks to is no question
		MinVersion:         tls.VersionTLS12,
	}
}
