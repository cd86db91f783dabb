package scenarios

// The transports that carry the wire of the bundled target.
const (
	HTTP1 = "http1"  // HTTP/1.1
	H2C   = "h2c"    // HTTP/2 without TLS
	TLS   = "tls"    // HTTP/1.1 in TLS
	TLSH2 = "tls-h2" // HTTP/2 in TLS
)

// multiplexed says whether one connection of a client carries all that it says and hears.
func (b *Bundled) multiplexed() bool { return b.Transport == H2C || b.Transport == TLSH2 }

// checkTransport refuses what the clients cannot say over HTTP/2, and what has no meaning on one connection.
func (r *resolver) checkTransport(b *Bundled) {
	if !b.multiplexed() {
		return
	}
	form := &r.form.Server.Bundled.Transport
	instead := map[string]string{H2C: HTTP1, TLSH2: TLS}[b.Transport]
	switch {
	case b.Wire != JSONWire && b.Wire != HologramWire:
		r.add(form.at, form.path+": the simulated clients do not speak the wire "+b.Wire+" over HTTP/2, and "+b.Transport+" is that",
			"write "+instead+", or wire: "+JSONWire)
	case b.Spread == Random:
		r.add(form.at, form.path+": spread: "+Random+" sends commands to other nodes than the stream, and over HTTP/2 both are on one connection",
			"write "+instead+", or another spread")
	}
}
