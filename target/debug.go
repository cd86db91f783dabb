package target

import (
	"net/http"
	"net/http/pprof"

	"holobench/wire"
)

// MetricsPath is where DebugHandler answers Prometheus.
const MetricsPath = "/metrics"

// DebugHandler answers what whoever runs the server wants to know and its clients need not: /metrics in the format of
// Prometheus, /healthz, and the profiles of Go below /debug/pprof/. It asks nobody who they are, and a profile shows what
// the process does, so it belongs on a listener of its own that the clients do not reach. Version is shown as it is.
//
// Once Serve has returned, /metrics and /healthz are refused: what they read may be unmapped by then.
func (s *Server) DebugHandler(version string) (http.Handler, error) {
	metrics, err := s.metricsHandler(version)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc(MetricsPath, s.whileServing(metrics.ServeHTTP))
	mux.HandleFunc(wire.HealthPath, s.whileServing(s.serveHealth))
	for path, handler := range map[string]http.HandlerFunc{
		"/debug/pprof/":        pprof.Index,
		"/debug/pprof/cmdline": pprof.Cmdline,
		"/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/symbol":  pprof.Symbol,
		"/debug/pprof/trace":   pprof.Trace,
	} {
		mux.HandleFunc(path, handler)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(http.StatusNotFound, "there are %s, %s and /debug/pprof/ here", MetricsPath, wire.HealthPath).write(w)
	})
	return mux, nil
}

// whileServing refuses what comes after the end of Serve, which waits for what came before.
func (s *Server) whileServing(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.requests.RLock()
		defer s.requests.RUnlock()
		if s.stopped {
			refuse(http.StatusServiceUnavailable, "%v", errDraining).write(w)
			return
		}
		handler(w, r)
	}
}
