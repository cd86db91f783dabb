package scenarios

// The transports that carry the wire of the bundled target.
const (
	HTTP1 = "http1"  // HTTP/1.1
	H2C   = "h2c"    // HTTP/2 without TLS
	TLS   = "tls"    // HTTP/1.1 in TLS
	TLSH2 = "tls-h2" // HTTP/2 in TLS
)

// transport resolves server.bundled.transport. It knows what the target can do, so that a word of it is not taken for a slip, and
// refuses what the clients cannot.
func (r *resolver) transport() string {
	form := &r.form.Server.Bundled.Transport
	t := r.oneOf(form, HTTP1, []string{HTTP1, H2C, TLS, TLSH2})
	instead := map[string]string{H2C: HTTP1, TLSH2: TLS}[t]
	if instead == "" {
		return t
	}
	r.add(form.at, form.path+": the simulated clients do not speak HTTP/2 yet, and "+t+" is that",
		"write "+instead+"; for clients of your own there is: holobench serve --transport "+t)
	return instead
}
